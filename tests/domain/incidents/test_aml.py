"""AML messages: the samples behave as they say, and whatever is wrong with one, what is sound in it is used."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.geo import is_position
from domain.incidents import aml

SAMPLES = Path(__file__).parents[4] / "shared" / "specs" / "aml" / "aml_samples.jsonl"
GOOD = 'A"ML=1;lt=+31.51020;lg=+074.34410;rd=25;top=20261123090001;lc=68;pm=G;si=410012345678901;ei=353472104343540;'
GOOD += "mcc=410;mnc=01;ml=129"


def samples() -> list[Any]:
    if not SAMPLES.exists():
        return []
    rows = [json.loads(line) for line in SAMPLES.read_text().splitlines() if line.strip()]
    return [pytest.param(row, id=f"{index}-{row.get('note', row['kind'])[:30]}") for index, row in enumerate(rows)]


@pytest.mark.skipif(not SAMPLES.exists(), reason="needs ../shared/specs/aml")
@pytest.mark.parametrize("sample", samples())
def test_the_samples_behave_as_they_say(sample: dict[str, Any]) -> None:
    assert aml.is_aml(sample["message"])
    assert aml.parse(sample["message"]).sound == (sample["expect"] == "parse")


def test_a_message_says_where_how_well_and_when() -> None:
    assert len(GOOD) == 129
    found = aml.parse(GOOD)
    assert (found.sound, found.confidence_pct) == (True, 68.0)
    assert found.position == {
        "lat": 31.5102, "lon": 74.3441, "accuracy_m": 25.0, "method": "gnss", "source": "aml",
        "captured_at": datetime(2026, 11, 23, 9, 0, 1, tzinfo=UTC),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "problems"),
    [
        ("ml=129", "ml=128", ()),
        ("ml=129", "ml=130", ()),
        ("ml=129", "ml=127", ("ml",)),
        ("ml=129", "ml=140", ("ml",)),
        ("ml=129", "ml=abc", ("ml",)),
        ("rd=25", "rd=-5", ("rd",)),
        ("rd=25", "rd=NaN", ("rd",)),
        ("lc=68", "lc=68.5", ("lc",)),
        ("lc=68", "lc=168", ("lc",)),
        ("pm=G", "pm=X", ("pm",)),
        ("top=20261123090001", "top=20261323090001", ("top",)),
        ("mcc=410", "mcc=41x", ("mcc",)),
        ("mcc=410", "mcc=410;xx=1", ("xx", "ml")),
        ("mcc=410", "mcc=410;;", ("message", "ml")),
        ("mcc=410", "mcc=410;mcc=411", ("message", "ml")),
    ],
)
def test_a_fault_is_named_and_the_place_is_used_all_the_same(old: str, new: str, problems: tuple[str, ...]) -> None:
    text = GOOD.replace(old, new)
    found = aml.parse(text)
    # The length changes with some of them; that alone is not what is looked at here.
    assert set(problems) <= set(found.problems) <= {*problems, "ml"}
    assert found.position is not None
    assert (found.position["lat"], found.position["lon"]) == (31.5102, 74.3441)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("lt=+31.51020", "lt=+91.51020", "lt"),
        ("lg=+074.34410", "lg=+184.34410", "lg"),
        ("lt=+31.51020", "lt=NaN", "lt"),
        ("lg=+074.34410", "lg=inf", "lg"),
        ("lt=+31.51020", "lt=", "lt"),
        ("lt=+31.51020;", "", ""),
        ("pm=G", "pm=N", ""),
    ],
)
def test_a_place_that_is_none_is_kept_out(old: str, new: str, problem: str) -> None:
    found = aml.parse(GOOD.replace(old, new))
    assert found.position is None
    assert not problem or problem in found.problems


def test_noughts_are_a_phone_without_a_fix() -> None:
    found = aml.parse(GOOD.replace("+31.51020", "+00.00000").replace("+074.34410", "+000.00000"))
    assert (found.position, found.sound) == (None, True)


@pytest.mark.parametrize("header", ["A'ML=1;", "A”ML=1;", "AML=1;", ' a"ml=1; '])
def test_a_quote_that_a_gateway_changed_is_read(header: str) -> None:
    found = aml.parse(GOOD.replace('A"ML=1;', header))
    assert found.position is not None


@pytest.mark.parametrize("text", ["", "SOS 31.5,74.3", "AML", "lt=1;lg=2", 'A"ML=;', "location_latitude"])
def test_other_texts_are_no_aml(text: str) -> None:
    assert not aml.is_aml(text)
    assert not aml.parse(text).sound


@given(st.text(max_size=80), st.text(alphabet="ltgrdopcmsine=;+-.0123456789 NaN", max_size=200))
def test_nothing_breaks_it_and_what_it_calls_a_place_is_one(junk: str, body: str) -> None:
    for text in (junk, f'A"ML=1;{body}', f'A"ML=2;lo={body}', f"v=1&location_latitude={junk}&location_longitude=1"):
        found = aml.parse(text)
        if found.position is not None:
            assert is_position(found.position["lat"], found.position["lon"])
