"""Draws docs/follow-an-sos.svg: the way of an SOS from the tap to the scene. `python docs/draw_follow_an_sos.py`."""

from html import escape
from pathlib import Path
from typing import NamedTuple

LANES = {
    "phone": ("Citizen's phone", "#0f766e"),
    "api": ("API", "#1d4ed8"),
    "store": ("Document store", "#1d4ed8"),
    "workers": ("Workers", "#1d4ed8"),
    "carriers": ("Push, SMS, call", "#6b7280"),
    "people": ("Units, guardians", "#b45309"),
    "cameras": ("Cameras", "#6b7280"),
}
LEFT, GAP, TOP, STEP = 90, 168, 92, 46
WIDTH = LEFT + GAP * (len(LANES) - 1) + 90


class Arrow(NamedTuple):
    """From lane to lane; `kind` is do, answer (dashed) or lost (red: what happens when a process died)."""

    source: str
    target: str
    text: str
    kind: str = "do"


ARROWS = [
    Arrow("phone", "api", "SOS: position, key"),
    Arrow("api", "store", "one write, with its event"),
    Arrow("api", "phone", "201: it is kept", "answer"),
    Arrow("api", "workers", "hint through Redis"),
    Arrow("workers", "store", "take the event by lease", "lost"),
    Arrow("workers", "carriers", "nearest units: push"),
    Arrow("carriers", "people", "offer"),
    Arrow("people", "api", "received? seen?", "answer"),
    Arrow("workers", "carriers", "no receipt in 5 s: SMS"),
    Arrow("workers", "cameras", "what can be seen near by?"),
    Arrow("people", "api", "yes: app, link, key or SMS"),
    Arrow("api", "store", "first yes wins the slot"),
    Arrow("workers", "phone", "somebody is coming"),
    Arrow("people", "api", "en route, on scene, clear"),
]
COLOURS = {"do": "#111827", "answer": "#6b7280", "lost": "#111827"}
NOTES = {
    4: "Queue gone, worker dead? The event waits in the incident; a sweeper finds it within seconds.",
    8: "Nobody answers? The ladder climbs: wider ring, supervisors, all on duty, and again.",
}


def draw() -> str:
    """The picture as SVG text."""
    across = {name: LEFT + GAP * index for index, name in enumerate(LANES)}
    height = TOP + STEP * len(ARROWS) + 24
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="system-ui, sans-serif">',
        "<title>The way of an SOS, from the tap to the scene</title>",
        "<defs>",
        *(
            f'<marker id="{name}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
            f'<path d="M0 0 8 4 0 8z" fill="{colour}"/></marker>'
            for name, colour in COLOURS.items()
        ),
        "</defs>",
        f'<rect width="{WIDTH}" height="{height}" rx="12" fill="#ffffff"/>',
    ]
    for name, (title, colour) in LANES.items():
        x = across[name]
        out += [
            f'<line x1="{x}" y1="62" x2="{x}" y2="{height - 16}" stroke="#d1d5db" stroke-width="2"/>',
            f'<rect x="{x - 66}" y="22" width="132" height="40" rx="8" fill="{colour}"/>',
            f'<text x="{x}" y="47" font-size="14" font-weight="600" fill="#ffffff" text-anchor="middle">'
            f"{escape(title)}</text>",
        ]
    for number, arrow in enumerate(ARROWS):
        y, start, end = TOP + STEP * number, across[arrow.source], across[arrow.target]
        colour, dash = COLOURS[arrow.kind], ' stroke-dasharray="5 4"' if arrow.kind == "answer" else ""
        toward = 1 if end > start else -1
        middle = start + toward * GAP / 2
        out += [
            f'<line x1="{start}" y1="{y + 12}" x2="{end - 3 * toward}" y2="{y + 12}" stroke="{colour}" '
            f'stroke-width="1.6"{dash} marker-end="url(#{arrow.kind})"/>',
            f'<circle cx="{start}" cy="{y + 12}" r="4" fill="{colour}"/>',
            _label(middle, y + 4, arrow.text),
        ]
        if note := NOTES.get(number):
            out.append(_note(max(start, end) + 16, y + 12, note))
    return "\n".join([*out, "</svg>", ""])


def _label(x: float, y: float, text: str) -> str:
    """A text with a white ground, so that a lane's line does not cross it."""
    return (
        f'<text x="{x}" y="{y}" font-size="12.5" fill="#111827" text-anchor="middle" paint-order="stroke" '
        f'stroke="#ffffff" stroke-width="5" stroke-linejoin="round">{escape(text)}</text>'
    )


def _note(x: float, y: float, text: str) -> str:
    width = 6.35 * len(text) / 2 + 28
    cut = text.rfind(" ", 0, len(text) // 2 + 8)
    return (
        f'<rect x="{x}" y="{y - 19}" width="{width:.0f}" height="38" rx="6" fill="#fef3c7" stroke="#f59e0b"/>'
        f'<text font-size="12" fill="#78350f"><tspan x="{x + 10}" y="{y - 4}">{escape(text[:cut])}</tspan>'
        f'<tspan x="{x + 10}" y="{y + 12}">{escape(text[cut + 1 :])}</tspan></text>'
    )


if __name__ == "__main__":
    Path(__file__).with_name("follow-an-sos.svg").write_text(draw())
