"""Every push that reaches a local phone in a test is held against the contract: its JSON Schema, and what may be shown."""

import json
import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from notifications.render.catalogue import CATALOGUE

FOLDER = Path(__file__).parents[2] / "mobile-contract" / "push"


@cache
def _schema(kind: str) -> Draft202012Validator | None:
    file = FOLDER / f"{kind}.schema.json"
    return Draft202012Validator(json.loads(file.read_text(encoding="utf-8"))) if file.exists() else None


@cache
def _shown(kind: str) -> tuple[re.Pattern[str], ...]:
    """What a notification may say: the catalogue's own words. Only a public alert has fields in them: its headline."""
    texts = {
        text
        for language in CATALOGUE.languages
        for name, text in CATALOGUE.messages(language).items()
        if name.endswith((".push_title", ".push_body")) and ("{" not in text or kind == "alert.issued")
    }
    return tuple(re.compile(re.sub(r"\\\{\w+\\\}", ".*", re.escape(text)), re.DOTALL) for text in texts)


def faults(pushes: Iterable[Mapping[str, Any]]) -> list[str]:
    """What is wrong with pushes as the phones got them; those that are none of the product's are passed over.

    The product's name their version; what a test of the carriers makes up does not.
    """
    found = []
    for push in pushes:
        data = push["data"]
        if "v" not in data:
            continue
        schema = _schema(data.get("type", ""))
        if schema is None:
            found.append(f"no schema in mobile-contract/push/ for {data.get('type')!r}")
            continue
        found += [f"{data['type']}: {error.message}" for error in schema.iter_errors(data)]
        shown = push["notification"] or {}
        visible = bool(shown)
        wanted = schema.schema.get("x-visible", True)
        if wanted != "as_chosen" and visible is not bool(wanted):
            found.append(f"{data['type']}: {'shown' if visible else 'not shown'}, against its x-visible")
        allowed = _shown(data["type"])
        wrong = [
            text for text in shown.values() if isinstance(text, str) and not any(p.fullmatch(text) for p in allowed)
        ]
        found += [f"{data['type']}: shows words that are not the catalogue's: {text!r}" for text in wrong]
    return found
