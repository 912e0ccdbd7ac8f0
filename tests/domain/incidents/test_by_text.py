"""What people write to the city's number, and how their coordinates are found in it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.geo import is_position
from domain.incidents import by_text


@pytest.mark.parametrize(
    ("text", "place", "note"),
    [
        ("SOS 31.5204,74.3587 help me", (31.5204, 74.3587), "help me"),
        ("SOS 31.5204, 74.3587 send somebody", (31.5204, 74.3587), "send somebody"),
        ("sos31.52 74.35", (31.52, 74.35), None),
        ("S.O.S: 31.52;74.35", (31.52, 74.35), None),
        ("SOS 31,74 near the mosque", (31.0, 74.0), "near the mosque"),
        ("SOS: 31,5204 74,3587", (31.5204, 74.3587), None),
        ("SOS -33.92, 18.42", (-33.92, 18.42), None),
        ("SOS 31.52°, 74.35°", (31.52, 74.35), None),
        ("SOS 31.52° N, 74.35° E", (31.52, 74.35), None),
        ("SOS 31.5N 74.3E", (31.5, 74.3), None),
        ("SOS 74.3E 31.5N", (31.5, 74.3), None),
        ("SOS 33.9S 18.4W", (-33.9, -18.4), None),
        ("sos two men at the gate 31.5204, 74.3587", (31.5204, 74.3587), "two men at the gate"),
        ("ایس او ایس ۳۱٫۵۲، ۷۴٫۳۵ جلدی", (31.52, 74.35), "جلدی"),
        ("مدد ٣١.٥٢,٧٤.٣٥", (31.52, 74.35), None),
        ("SOS\u200e 31.5204,\n74.3587", (31.5204, 74.3587), None),
        ("SOS at home", None, "at home"),
        ("SOS 0,0", None, None),
        ("SOS 95.1,74.2", None, None),
        ("SOS", None, None),
        ("SOS 12 men with 3 guns", None, "12 men with 3 guns"),
    ],
)
def test_a_call_for_help_is_read(text: str, place: tuple[float, float] | None, note: str | None) -> None:
    found = by_text.read(text)
    assert found.called
    assert found.note == note
    assert (found.position and (found.position["lat"], found.position["lon"])) == place


@pytest.mark.parametrize("text", ["hello", "sosban fach", "1a", "thanks", "31.5204, 74.3587"])
def test_what_is_no_call_is_none(text: str) -> None:
    assert not by_text.read(text).called


def test_a_place_that_is_none_is_kept_as_it_came() -> None:
    assert by_text.read("SOS 95.1,74.2 fire").unreadable == ({"field": "position", "value": "95.1,74.2"},)


def test_a_link_of_a_map_has_its_place() -> None:
    found = by_text.read("SOS https://maps.example/?q=31.5204,74.3587")
    assert found.position is not None
    assert found.position["lat"] == 31.5204


def test_of_a_faulty_aml_only_the_names_of_the_faults_are_kept() -> None:
    found = by_text.read('A"ML=1;lt=+31.51020;lg=+074.34410;pm=Q;si=410012345678901')
    assert (found.called, found.automatic, found.note) == (True, True, None)
    assert found.unreadable == ({"field": "aml", "value": "pm"},)


@given(st.text(max_size=300))
def test_nothing_breaks_it(text: str) -> None:
    for each in (text, f"SOS {text}"):
        found = by_text.read(each)
        if found.position is not None:
            assert is_position(found.position["lat"], found.position["lon"])
        assert len(found.note or "") <= by_text.NOTE_CHARS
