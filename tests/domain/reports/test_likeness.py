"""Which reports may be of one thing: place, time, category, words of three ways of writing, pictures."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bench.likeness import measured, pairs
from domain import geo
from domain.reports import likeness, said

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
PLACE = (31.5102, 74.3441)


def of(metres: float = 0.0, minutes: float = 0.0, category: str = "explosion", **more: Any) -> dict[str, Any]:
    lat, lon = geo.destination(*PLACE, 45.0, metres)
    place = {"lat": lat, "lon": lon}
    return {"public": place, "position": place, "at": NOW + timedelta(minutes=minutes), "category": category, **more}


def test_the_labelled_pairs_are_told_apart() -> None:
    rows = pairs()
    precision, recall = measured(rows[1::2])
    assert len(rows) >= 150
    assert precision >= 0.85
    assert recall >= 0.9
    assert measured(rows[1::2], words=False)[0] < precision, "words tell things apart that place and time do not"


@pytest.mark.parametrize(
    ("one", "other", "offered", "joined"),
    [
        (of(), of(), True, True),
        (of(), of(1_500.0, 2), True, True),
        (of(), of(2_500.0, 2), False, False),
        (of(), of(0.0, 60), False, False),
        (of(), of(200.0, 5, "fire"), True, True),
        (of(), of(300.0, 5, "robbery"), False, False),
        (of(category="robbery"), of(0.0, 5, "robbery"), True, True),
        (of(category="robbery"), of(250.0, 5, "robbery"), True, False),
        (of(category="street_light"), of(0.0, 60 * 24 * 15, "street_light"), False, False),
        (of(category="street_light"), of(0.0, 60 * 24, "street_light"), True, True),
    ],
)
def test_a_blast_is_told_of_from_far_and_a_robbery_from_its_street(
    one: dict[str, Any], other: dict[str, Any], offered: bool, joined: bool
) -> None:
    assert (likeness.likeness(one, other) >= likeness.SAME_FROM) is offered
    assert likeness.joins(one, other) is joined
    assert likeness.likeness(one, other) == likeness.likeness(other, one)


def test_pictures_that_look_alike_speak_for_it() -> None:
    plain = likeness.likeness(of(category="other"), of(200.0, 10, "other"))
    alike = likeness.likeness(
        of(category="other", picture="ffff0000ffff0000"), of(200.0, 10, "other", picture="fffe0000ffff0001")
    )
    unlike = likeness.likeness(
        of(category="other", picture="ffff0000ffff0000"), of(200.0, 10, "other", picture="0000ffff0000ffff")
    )
    assert alike > plain == unlike


@pytest.mark.parametrize(
    ("one", "other", "least", "most"),
    [
        ("Phone snatched near Chouburji by two men", "چوبرجی کے پاس دو آدمی موبائل چھین کر لے گئے", 0.6, 1.0),
        ("gali 7 mein chhat se dhuan", "Smoke from a roof in Street 7", 0.7, 1.0),
        ("Choburjee main moterbike par larke", "چوبرجی میں موٹر بائیک پر لڑکے", 0.6, 1.0),
        ("s m o k e from r00f of plaza", "Smoke on the plaza's roof", 0.6, 1.0),
        ("Wedding hall music all night", "Car hit a pole by the canal", 0.0, 0.1),
    ],
)
def test_words_of_three_ways_of_writing(one: str, other: str, least: float, most: float) -> None:
    found = said.likeness(one, other)
    assert found is not None
    assert least <= found <= most
    assert found == said.likeness(other, one)


@pytest.mark.parametrize("text", ["", "please help", "🔥", "یہاں ہے", "\u200b\u200f", "fire"])
def test_a_text_that_says_little_is_no_evidence(text: str) -> None:
    assert said.likeness(text, "Smoke from the roof of the plaza") is None
