"""Which cameras are asked, for which window, what is shed, and what an answer means: as tables."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import geo
from domain.cameras import rules
from domain.cameras.rules import Step
from domain.cameras.states import View

PLACE = (31.5102, 74.3441)
NOON = datetime(2026, 3, 1, 12, 0, 3, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def camera(name: str, bearing: float, metres: float, **facts: Any) -> dict[str, Any]:
    lat, lon = geo.destination(*PLACE, bearing, metres)
    looks_at = (bearing + 180.0) % 360.0
    return {
        "_id": name,
        "position": {"lat": lat, "lon": lon},
        "bearing_deg": looks_at,
        "fov_deg": 60.0,
        "range_m": 150.0,
        **facts,
    }


def chosen(*cameras: dict[str, Any], **how: Any) -> list[tuple[str, bool]]:
    return [(each.camera["_id"], each.covering) for each in rules.choose(cameras, *PLACE, **how)]


def test_in_view_first_then_the_nearest() -> None:
    away = {"bearing_deg": 0.0}
    assert chosen(
        camera("near_but_away", 0, 30, **away),
        camera("far_in_view", 90, 140),
        camera("in_view", 180, 60),
        camera("out_of_range", 270, 200),
        camera("across_town", 10, 900),
    ) == [("in_view", True), ("far_in_view", True), ("near_but_away", False), ("out_of_range", False)]


def test_at_most_eight() -> None:
    assert len(chosen(*(camera(f"c{n}", n * 10, 50 + n) for n in range(20)))) == 8


def test_an_uncertain_place_widens_the_view_but_not_without_end() -> None:
    beside = camera("beside", 0, 100, bearing_deg=(180.0 + 45.0) % 360)
    behind = camera("behind", 0, 100, bearing_deg=0.0)
    assert chosen(beside) == [("beside", False)]
    assert chosen(beside, behind, accuracy_m=5000.0) == [("beside", True), ("behind", False)]


RECORDED = [{"kind": "segments", "path": "x/"}, {"kind": "file", "path": "x", "recorded_at": "t"}]


@given(st.integers(0, 3600 * 1000), st.sampled_from(RECORDED))
def test_a_recordings_window_covers_before_and_after_the_tap(offset_ms: int, source: dict[str, str]) -> None:
    tap = NOON + timedelta(milliseconds=offset_ms)
    span = rules.span(source, tap, tap)
    assert span.recorded
    assert span.start <= tap - rules.AROUND
    assert span.start + timedelta(seconds=span.seconds) >= tap + rules.AROUND


def test_taps_of_one_moment_share_a_window_and_later_ones_do_not() -> None:
    source = {"kind": "segments", "path": "x/"}
    starts = [rules.span(source, NOON + n * SECOND, NOON + n * SECOND).start for n in (-3, 0, 1, 2)]
    assert len({*starts[:3]}) == 1
    assert starts[3] == starts[0] + rules.SLOT


def test_a_recorder_is_given_time_to_close_its_file() -> None:
    span = rules.span({"kind": "segments", "path": "x/", "segment_s": 6.0}, NOON, NOON)
    assert span.ready_at == span.start + timedelta(seconds=span.seconds + 6) + rules.SETTLE
    late = rules.span({"kind": "segments", "path": "x/"}, NOON - timedelta(hours=1), NOON)
    assert late.ready_at == NOON


@pytest.mark.parametrize("source", [{"kind": "mjpeg"}, {"kind": "rtsp"}, {"kind": "file", "path": "x"}])
def test_what_is_live_is_looked_at_now_whenever_the_tap_was(source: dict[str, str]) -> None:
    span = rules.span(source, NOON - timedelta(hours=5), NOON)
    assert not span.recorded
    assert span.ready_at == NOON
    assert NOON - rules.LIVE_SLOT < span.start <= NOON


def test_under_load_the_best_camera_of_each_incident_is_shed_last() -> None:
    assert [rules.has_room(place, 0) for place in range(8)] == [True] * 8
    assert [rules.has_room(place, rules.BACKLOG // 2) for place in range(3)] == [True, False, False]
    assert not rules.has_room(0, rules.BACKLOG)


@pytest.mark.parametrize(
    ("state", "tries", "waited_s", "step"),
    [
        ("waiting", 0, 3, Step.AGAIN),
        ("waiting", 0, 46, Step.SHED),
        ("looking", 1, 50, Step.AGAIN),  # its worker was killed: waiting was not the reason
        ("waiting", 1, 100, Step.AGAIN),
        ("looking", 3, 50, Step.SHED),
        ("looking", 1, 200, Step.SHED),
        ("shed", 0, 60, Step.TELL),
    ],
)
def test_what_becomes_of_an_overdue_look(state: str, tries: int, waited_s: float, step: Step) -> None:
    look = {"state": state, "tries": tries, "ready_at": NOON}
    assert rules.next_step(look, NOON + timedelta(seconds=waited_s)) is step


@pytest.mark.parametrize(
    ("held", "view", "taken"),
    [
        (None, View.SEEN, False),
        ({"state": "asked"}, View.BUSY, True),
        ({"state": "asked"}, View.CLEAR, True),
        ({"state": "busy"}, View.SEEN, True),  # shed, and then its worker came back with an answer
        ({"state": "busy"}, View.BUSY, False),
        ({"state": "cannot_tell"}, View.SEEN, True),  # a gateway that had said nothing yet
        ({"state": "seen", "observation": "obs_1"}, View.CLEAR, False),
        ({"state": "not_covering"}, View.SEEN, False),
    ],
)
def test_what_an_incident_takes(held: dict[str, Any] | None, view: View, taken: bool) -> None:
    assert rules.may_show(held, view) is taken


def test_findings_are_the_best_of_each_kind() -> None:
    found = [
        {"kind": "lying", "confidence": 0.5, "t": 1.0},
        {"kind": "fall", "confidence": 0.7, "t": 2.0},
        {"kind": "lying", "confidence": 0.9, "t": 3.0},
    ]
    assert rules.findings_of({"summary": {"findings": found}}) == [
        {"kind": "lying", "confidence": 0.9, "at_s": 3.0},
        {"kind": "fall", "confidence": 0.7, "at_s": 2.0},
    ]
    assert rules.findings_of({}) == []


@pytest.mark.parametrize(
    ("verdict", "health", "state", "reasons"),
    [
        ("clear", {}, "ok", []),
        ("seen", {"blurred": True}, "impaired", ["blurred"]),
        ("cannot_tell", {"dark": True, "reason": "incomplete"}, "impaired", ["dark", "incomplete"]),
        ("down", {"down": True, "reason": "no_answer"}, "down", ["no_answer"]),
    ],
)
def test_health(verdict: str, health: dict[str, Any], state: str, reasons: list[str]) -> None:
    found = rules.health_of({"verdict": verdict, "health": health}, None, NOON)
    assert found == {"state": state, "reasons": reasons, "at": NOON, "since": NOON}


def test_health_knows_since_when() -> None:
    down = {"verdict": "down", "health": {"reason": "no_answer"}}
    first = rules.health_of(down, {"state": "ok", "since": NOON}, NOON + SECOND)
    assert first
    assert first["since"] == NOON + SECOND
    again = rules.health_of(down, first, NOON + 60 * SECOND)
    assert again
    assert (again["since"], again["at"]) == (NOON + SECOND, NOON + 60 * SECOND)


@pytest.mark.parametrize("reason", sorted(rules.NOT_THE_CAMERAS))
def test_our_own_troubles_are_not_the_cameras(reason: str) -> None:
    assert rules.health_of({"verdict": "cannot_tell", "health": {"reason": reason}}, None, NOON) is None
