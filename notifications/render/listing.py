"""What phones get, as the contract shows it: each SMS in each language with what it costs, an example of each push.

Made from the same texts and the same code that send, by `amaan messages`; a test fails when what is committed differs.
"""

import json
from collections.abc import Mapping
from typing import Final

from notifications.render.catalogue import CATALOGUE, best_language, is_right_to_left
from notifications.render.push import CARRIED, push_payload
from notifications.render.segments import count
from notifications.render.text import render_sms

_LINK: Final = "https://amaan.example/a/7c2k9m4x0q1z"
_IN_ENGLISH: Final[Mapping[str, str]] = {
    "category": "Robbery",
    "area": "Gulberg III",
    "city": "Lahore",
    "first_name": "Sara",
    "what": "No SMS has been taken for five minutes",
    "handled_by": "Mobile 12",
    "headline": "Flood warning for the banks of the Ravi",
    "instruction": "Go to higher ground now. Do not cross the river.",
    "metres": "850",
    "when": "24.11. 22:00",
    "link": _LINK,
    "page": _LINK,
    "code": "407315",
    "reply": "1",
    "nonce": "k7f2bz",
}
SAMPLES: Final[Mapping[str, Mapping[str, str]]] = {
    "en": _IN_ENGLISH,
    "ur": {
        **_IN_ENGLISH,
        "category": "ڈکیتی",
        "area": "گلبرگ تھری",
        "city": "لاہور",
        "first_name": "سارہ",
        "what": "پانچ منٹ سے کوئی ایس ایم ایس نہیں لیا گیا",
        "handled_by": "موبائل 12",
        "headline": "دریائے راوی کے کنارے سیلاب کا انتباہ",
        "instruction": "فوراً بلند جگہ پر جائیں۔ دریا پار نہ کریں۔",
    },
}
"""What stands in the fields; a language without its own has the English ones, a field without one its stand-in."""

_HEADING: Final = """# SMS texts

Written by `make openapi`; do not edit. Each text that goes out by SMS, filled in as it may be. A name after the purpose's
is its variant: how an incident stands, or what is first. At most two segments, whatever people wrote: long fields are
shortened, never the link, which stands in the first segment with who and where. The last line marks the message, so that
one whose fate is unknown is found again at the carrier; answers to what somebody wrote have none.

English fits the 7-bit alphabet of GSM 03.38 (160 characters, 153 in each of several segments) unless a name in it does
not; Urdu is UCS-2 (70 and 67).
"""


def sms_texts() -> str:
    """The list as it is committed."""
    purposes = sorted(name.removesuffix(".sms") for name in CATALOGUE.messages("en") if name.endswith(".sms"))
    rows, texts = [], []
    for purpose in purposes:
        for language in CATALOGUE.languages:
            sms = render_sms(purpose, language, SAMPLES.get(language, _IN_ENGLISH))
            counted = count(sms.text)
            cells = [f"[`{purpose}`](#{_anchor(purpose)})", language, counted.encoding, counted.units, counted.segments]
            rows.append(f"| {' | '.join(map(str, cells))} |")
        texts.append(_shown(purpose))
    table = "\n".join(
        ["| purpose | language | alphabet | units | segments |", "| --- | --- | --- | --- | --- |", *rows]
    )
    return f"{_HEADING}\n{table}\n\n" + "\n".join(texts)


def _anchor(purpose: str) -> str:
    return purpose.replace(".", "")


def _shown(purpose: str) -> str:
    blocks = [f"## {purpose}\n"]
    for language in CATALOGUE.languages:
        text = render_sms(purpose, language, SAMPLES.get(language, _IN_ENGLISH)).text
        lines = "<br>\n".join(text.replace("_", r"\_").split("\n"))
        side = "rtl" if is_right_to_left(best_language(language)) else "ltr"
        blocks.append(f'<p dir="{side}" lang="{language}">\n{lines}\n</p>\n')
    return "\n".join(blocks)


def push_examples() -> dict[str, str]:
    """Kind → the data of one push, as JSON."""
    found = {}
    for kind, names in CARRIED.items():
        ids = {name: f"{name.removesuffix('_id')[:3]}_01jdk3v9q2w8r5x7" for name in names}
        data = push_payload(kind, delivery_id="dlv_4h7k2m9q0w3e6r8t1y5", receipt_token="b7k2m9q0w3e6", params=ids)
        found[kind] = json.dumps(data, indent=2) + "\n"
    return found
