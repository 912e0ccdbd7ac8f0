"""Chapter `cameras`: a street with four live cameras, recorded all the time. One goes dark, one fails, and then somebody
falls and calls for help: what each camera saw, a human's yes, the redacted clip and its chain of custody.

Nothing is read from the store: every step is seen through the API, and the pictures end up on a page.
"""

import base64
import html
import time
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import requests

from cli.chapters.observed import NotObserved, Story, wait_for
from cli.chapters.phones import Phone, Town, rfc3339
from sandbox.live_street import CORNER, LiveStreet
from sandbox.townspeople import Cast, number

Seen = tuple[str, float | None] | None

BEFORE_S: Final = 12.0
"""So much of the recording there must be before anything happens."""
OUT_S: Final = 15.0
"""So long two cameras have been blind when somebody taps."""
CLIP_S: Final = 6.0
"""How much footage is asked for: every picture of it is searched for faces, heads and plates."""
WHY: Final = "Somebody lies on the road: who struck her?"
TAPS: Final = 3
"""On a machine that has its hands full, looks are shed: so many passers-by tap, one after the other, until none is."""
EXPECTED: Final = {"bank": "seen", "lamp": "cannot_tell", "gate": "clear", "parking": "down"}


def play(town: Town, cast: Cast, story: Story, *, operator_token: str) -> None:
    """Play it. Steps that are not seen in time are recorded as missed; what hangs on them is not tried."""
    street = town.street
    if street is None:
        raise NotObserved("the street's cameras are not running")
    desk = _Desk(town, cast, street, operator_token)

    def step(name: str, text: str, look: Callable[[], Seen], seconds: float) -> bool:
        try:
            evidence, at = wait_for(text, look, seconds, every_s=0.3)
        except (NotObserved, requests.RequestException, KeyError) as error:
            story.missed(name, text, str(error))
            return False
        story.seen(name, text, evidence, at=at)
        return True

    story.begin()
    story.say(
        "Four live cameras look at a corner. What each showed in the last five minutes is on disk, and no longer."
    )
    passer_by = Phone(town, number(970))
    passer_by.sign_in()
    if not step("recorded", "The rolling recorder has what was before", desk.recorded, 60):
        return
    street.goes_dark("lamp")
    street.goes_away("parking")
    story.say("The lamps go out at one camera; another loses its power.")
    time.sleep(OUT_S)
    if not step("tapped", "Somebody falls, and a passer-by taps SOS", lambda: desk.tap(passer_by), 15):
        return
    if not step("answers", "What each camera says of the time around the tap", desk.answers, 240):
        return
    step("blind", "The map of what is blind shows both, and why", desk.blind, 60)
    step("human", "A human says yes to one question, with the boxes", desk.says_yes, 20)
    if step(
        "footage", "The control room asks for the footage: what there is, what was down", desk.asks_for_footage, 60
    ):
        step("redacted", "The redacted clip, with the viewer's id in every picture", desk.watches, 90)
        step("custody", "Who did what with it: the chain of custody holds", desk.custody, 10)
    step("page", "All pictures on one page", desk.page, 10)


class _Desk:
    """An operator's console, and what she has come to so far."""

    def __init__(self, town: Town, cast: Cast, street: LiveStreet, token: str) -> None:
        self.town, self.street = town, street
        self.operator = Phone(town, cast.operator_phone)
        self.operator.access = token
        self.sos = self.evidence = ""
        self.tapped_at, self.taps = 0.0, 0
        self.shown: dict[str, dict[str, Any]] = {}
        self.said: list[tuple[str, str]] = []
        self.clip = b""
        self.entries: list[dict[str, Any]] = []

    def get(self, path: str) -> Any:
        answer = self.operator.call("GET", path)
        answer.raise_for_status()
        return answer.json()

    def post(self, path: str, body: dict[str, Any]) -> requests.Response:
        return self.operator.call("POST", path, body, Idempotency_Key=str(uuid.uuid4()))

    def recorded(self) -> Seen:
        kept = []
        for key in EXPECTED:
            health = self.get(f"/v1/cameras/{self.street.ids[key]}/health")
            if health["state"] != "ok" or not health["kept_until"]:
                return None
            kept.append((_time(health["kept_until"]) - _time(health["kept_from"])).total_seconds())
        least = min(kept)
        return (f"four cameras ok, {least:.0f} s and more of each", None) if least >= BEFORE_S else None

    def blind(self) -> Seen:
        found = self.get("/v1/cameras/map?city=lahore")["features"]
        states = {each["id"]: each["properties"] for each in found}
        lamp, parking = (states.get(self.street.ids[key], {}) for key in ("lamp", "parking"))
        if lamp.get("reasons") != ["dark"] or parking.get("state") != "down":
            return None
        others = f"{lamp['also_seen_by']} others see the place"
        return f"{lamp['name']}: dark, {parking['name']}: down ({', '.join(parking['reasons'])}); {others}", None

    def tap(self, passer_by: Phone) -> Seen:
        place = {"lat": CORNER[0], "lon": CORNER[1], "accuracy_m": 10, "captured_at": rfc3339()}
        answer = passer_by.call(
            "POST", "/v1/sos", {"position": place, "category": "medical"}, Idempotency_Key=str(uuid.uuid4())
        )
        answer.raise_for_status()
        self.sos, self.tapped_at, self.taps = answer.json()["id"], time.time(), self.taps + 1
        return f"{answer.status_code} {self.sos}", None

    def answers(self) -> Seen:
        rows = {each["camera"]: each for each in self.get(f"/v1/incidents/{self.sos}")["cameras"]}
        if not rows.keys() >= set(self.street.ids.values()):
            return None
        self.shown = {key: rows[self.street.ids[key]] for key in EXPECTED}
        if any(each["state"] == "asked" for each in self.shown.values()):
            return None
        states = {key: each["state"] for key, each in self.shown.items()}
        if "busy" in states.values() and self.taps < TAPS:
            another = Phone(self.town, number(970 + self.taps))
            another.sign_in()
            self.tap(another)
            return None
        if states != EXPECTED or "lying" not in self.shown["bank"]["findings"]:
            raise NotObserved(f"they say {states}, {self.shown['bank']['findings']}")
        before = self.tapped_at - _time(self.shown["bank"]["seen_at"]).timestamp()
        words = ", ".join(f"{each['name']}: {each['state']}" for each in self.shown.values())
        again = f" ({self.taps} tapped: looks were shed before)" if self.taps > 1 else ""
        return f"{words}; a person lying, seen from {before:.0f} s before the tap on{again}", None

    def says_yes(self) -> Seen:
        wanted = self.shown["bank"]["observation"]
        for review in self.get("/v1/reviews?city=lahore&status=open")["items"]:
            about = review.get("about") or {}
            if about.get("observation") != wanted or about.get("finding") != "lying":
                continue
            answer = self.post(f"/v1/reviews/{review['id']}/answer", {"answer": "yes", "reason": "She lies there."})
            answer.raise_for_status()
            question = review["question"]["en"]
            self.said.append((question, "yes"))
            boxes, status = len(about["boxes"]), answer.json()["status"]
            return f"“{question}” {boxes} boxes, {len(about['pictures'])} pictures: yes ({status})", None
        return None

    def asks_for_footage(self) -> Seen:
        here = f"/v1/incidents/{self.sos}/footage-requests"
        if not self.evidence:
            end = datetime.fromtimestamp(self.tapped_at, tz=_time(rfc3339()).tzinfo) + timedelta(seconds=2)
            window = {"since": (end - timedelta(seconds=CLIP_S)).isoformat(), "until": end.isoformat(), "radius_m": 50}
            self.evidence = self.post(here, {**window, "reason": WHY}).json()["id"]
        said = self.get(f"{here}/{self.evidence}")
        if said["state"] != "answered":
            return None
        by_camera = {each["camera"]: each for each in said["cameras"]}
        bank = by_camera[self.street.ids["bank"]]
        words = ", ".join(f"{each['name']}: {each['found']}" for each in said["cameras"])
        self.evidence = bank["evidence"]
        return f"{words}; {sum(each['seconds'] for each in bank['have']):.0f} s as {self.evidence}", None

    def watches(self) -> Seen:
        found = self.get(f"/v1/evidence/{self.evidence}")
        if found["state"] != "ready":
            if found["state"] not in ("taking", "sealing", "sealed", "redacting"):
                raise NotObserved(f"the copy is {found['state']}: {found.get('reason')}")
            return None
        view = self.post(f"/v1/evidence/{self.evidence}/views", {"reason": WHY})
        view.raise_for_status()
        clip = self.operator.call("GET", view.json()["clip"])
        clip.raise_for_status()
        self.clip = clip.content
        where = self._keep("redacted.mp4", self.clip)
        copy = found["copy"]
        return f"{copy['frames']} pictures, {copy['regions']} faces, heads and plates blurred; {where}", None

    def custody(self) -> Seen:
        told = self.get(f"/v1/evidence/{self.evidence}/custody")
        self.entries = told["entries"]
        acts = [each["act"] for each in self.entries]
        if not told["holds"] or told["unanchored"] or not {"taken", "sealed", "redacted", "viewed"} <= set(acts):
            return None
        return f"{', '.join(acts)}: holds, each hash in the audit chain", None

    def page(self) -> Seen:
        rows = []
        for each in self.shown.values():
            stills = []
            for address in each["stills"]:
                answer = self.operator.call("GET", address)
                answer.raise_for_status()
                stills.append(answer.content)
            rows.append((each, stills))
        count = sum(len(stills) for _, stills in rows)
        if not count:
            return None
        where = self._keep("cameras.html", _page(self.sos, rows, self.said, self.entries, bool(self.clip)).encode())
        return f"{where}, {count} stills, each sight of one in the audit log", None

    def _keep(self, name: str, data: bytes) -> str:
        folder = self.town.papers or Path("var")
        (folder / name).write_bytes(data)
        return str(folder / name)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _page(
    sos: str,
    rows: list[tuple[dict[str, Any], list[bytes]]],
    said: list[tuple[str, str]],
    entries: list[dict[str, Any]],
    with_clip: bool,
) -> str:
    """A page of its own, pictures within it: it needs no server and sends nothing anywhere."""
    parts = []
    for camera, stills in rows:
        words = ", ".join(f"{kind} {camera['confidence'][kind]:.0%}" for kind in camera["findings"]) or "—"
        pictures = "".join(
            f'<img alt="" src="data:image/jpeg;base64,{base64.b64encode(still).decode()}">' for still in stills
        )
        name, state = html.escape(str(camera["name"])), html.escape(str(camera["state"]))
        parts.append(f"<section><h2>{name} <b class={state}>{state}</b></h2><p>{words}</p>{pictures}</section>")
    answers = "".join(f"<p>{html.escape(question)} <b>{html.escape(word)}</b></p>" for question, word in said)
    acts = "".join(
        f"<tr><td>{html.escape(each['at'])}<td>{html.escape(each['act'])}<td>{html.escape(each['actor'])}"
        f"<td><code>{html.escape(each['hash'][:16])}</code>"
        for each in entries
    )
    clip = '<section><h2>Redacted clip</h2><video controls src="redacted.mp4"></video></section>' if with_clip else ""
    return f"""<!doctype html><html lang="en"><meta charset="utf-8"><title>What the cameras saw: {html.escape(sos)}</title>
<style>body{{font:16px system-ui;margin:2rem auto;max-width:70rem;padding:0 1rem}}img,video{{width:20rem;margin:.2rem}}
b.seen{{color:#b00}}b.clear{{color:#070}}b.down,b.cannot_tell{{color:#850}}td{{padding:.1rem .8rem .1rem 0}}</style>
<h1>What the cameras saw</h1><p>{html.escape(sos)}. Faces, heads and plates are blurred; every sight is logged.</p>
{"".join(parts)}<section><h2>The human's answer</h2>{answers or "<p>—</p>"}</section>{clip}
<section><h2>Chain of custody</h2><table>{acts}</table></section></html>
"""
