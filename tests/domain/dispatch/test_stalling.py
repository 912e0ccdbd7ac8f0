"""Whether a unit that has a slot still comes: a table of what is seen of it, and a drive through the town minute by minute."""

import random
from datetime import datetime, timedelta
from typing import Any

import pytest

from domain.dispatch.stalling import PATIENCE, Look, Seen, Verdict, look
from tests.factories.incidents import NOON

STALL = timedelta(minutes=3)
COMES, ASK, STALLED = Verdict.COMES, Verdict.ASK, Verdict.STALLED


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def under_way(**fields: Any) -> dict[str, Any]:
    """An assignment whose unit said at noon that it is on the way."""
    return {"status": "en_route", "accepted_at": at(-1), "en_route_at": NOON, **fields}


def seen(minutes: float, travelled: float, to_go: float | None = 2000.0) -> Seen:
    return Seen(at(minutes), travelled, to_go)


@pytest.mark.parametrize(
    ("what", "verdict"),
    [
        (None, STALLED),
        (seen(2, 10), STALLED),
        (seen(2, 50), COMES),
        (seen(2, 0, 100.0), COMES),
        (seen(2, 0, 101.0), STALLED),
        (seen(2, 60, None), COMES),
    ],
)
def test_a_yes_must_be_followed_by_movement(what: Seen | None, verdict: Verdict) -> None:
    found = look({"status": "accepted", "accepted_at": NOON}, what, stall_after=STALL, now=at(3))
    assert found.verdict == verdict
    assert (found.due is None) == (verdict == STALLED)


@pytest.mark.parametrize(
    ("minutes", "assignment", "what", "expected"),
    [
        # it moves: looked at again from there
        (3, under_way(), seen(2.9, 400), Look(COMES, at(6), moved=True, nearer=True)),
        (3, under_way(), seen(2.9, 50), Look(COMES, at(6), moved=True, nearer=True)),
        # it has only just said so, whenever it said yes
        (3, under_way(en_route_at=at(2.5)), seen(2.9, 0), Look(COMES, at(5.5))),
        # it stands, and is seen to
        (3.5, under_way(), seen(3, 49), Look(STALLED)),
        (6.5, under_way(moved={"at": at(3)}), seen(6, 20), Look(STALLED)),
        # stood for less than a jam
        (5, under_way(moved={"at": at(3)}), seen(4.9, 20), Look(COMES, at(6))),
        # its last position is old: nobody knows
        (6, under_way(moved={"at": at(3)}), seen(5.9, 20), Look(COMES, at(6.75))),
        (14.9, under_way(moved={"at": at(3)}), seen(5.9, 20), Look(COMES, at(15))),
        (15, under_way(moved={"at": at(3)}), seen(5.9, 20), Look(ASK, at(18))),
        (3, under_way(), None, Look(COMES, at(6))),
        (11, under_way(), None, Look(COMES, at(12))),
        (12, under_way(), None, Look(ASK, at(15))),
        (14, under_way(asked_at=at(12)), None, Look(COMES, at(15))),
        (15, under_way(asked_at=at(12)), None, Look(STALLED)),
        # it said that it still comes; or was seen again
        (15, under_way(asked_at=at(12), word_at=at(13)), None, Look(COMES, at(16))),
        (15, under_way(asked_at=at(12)), seen(14.9, 500), Look(COMES, at(18), moved=True, nearer=True)),
        # there, and has not said so
        (60, under_way(), seen(2, 0, 100.0), Look(COMES, at(63), moved=True, nearer=True)),
        # it drives about and gets no nearer
        (
            12,
            under_way(gained={"to_go_m": 1500.0, "at": at(1)}, moved={"at": at(9)}),
            seen(12, 300, 1480.0),
            Look(COMES, at(15), moved=True),
        ),
        (
            13,
            under_way(gained={"to_go_m": 1500.0, "at": at(1)}, moved={"at": at(10)}),
            seen(13, 300, 1480.0),
            Look(ASK, at(16), moved=True),
        ),
        (
            16,
            under_way(gained={"to_go_m": 1500.0, "at": at(1)}, moved={"at": at(13)}, asked_at=at(13)),
            seen(16, 300, 1480.0),
            Look(STALLED),
        ),
        (
            16,
            under_way(gained={"to_go_m": 1500.0, "at": at(1)}, moved={"at": at(13)}, asked_at=at(13)),
            seen(16, 300, 1450.0),
            Look(COMES, at(19), moved=True, nearer=True),
        ),
        # no place is known: driving is all that can be asked
        (60, under_way(moved={"at": at(57)}), seen(59.9, 200, None), Look(COMES, at(63), moved=True, nearer=True)),
        # and one that stands may be there: it is asked
        (60, under_way(moved={"at": at(57)}), seen(60, 20, None), Look(ASK, at(63))),
        (62, under_way(moved={"at": at(57)}, asked_at=at(60)), seen(62, 20, None), Look(COMES, at(63))),
        (63, under_way(moved={"at": at(57)}, asked_at=at(60)), seen(63, 20, None), Look(STALLED)),
        (63, under_way(moved={"at": at(57)}, asked_at=at(60), word_at=at(62)), seen(63, 20, None), Look(COMES, at(65))),
    ],
)
def test_under_way(minutes: float, assignment: dict[str, Any], what: Seen | None, expected: Look) -> None:
    assert look(assignment, what, stall_after=STALL, now=at(minutes)) == expected


def test_no_ladder_is_so_impatient_that_a_traffic_light_is_a_stall() -> None:
    hasty = timedelta(seconds=30)
    assert look(under_way(), seen(0.9, 0), stall_after=hasty, now=at(1)) == Look(COMES, at(3))
    assert look(under_way(), seen(3, 0), stall_after=hasty, now=at(3)) == Look(STALLED)


class Drive:
    """A unit on a road to a place, looked at when it is due, as the sweeper does."""

    def __init__(self, to_go: float) -> None:
        self.to_go, self.assignment, self.asked = to_go, under_way(), 0
        self.due, self.position, self.mark = at(3), (NOON, to_go), to_go
        self.stalled_at: datetime | None = None

    def minute(self, now: datetime, *, metres: float, heard: bool = True, wanders: float = 0.0) -> None:
        self.to_go -= metres
        if heard:
            self.position = (now, self.to_go + wanders)
        if now < self.due or self.stalled_at:
            return
        heard_at, here = self.position
        found = look(self.assignment, Seen(heard_at, abs(self.mark - here), max(0.0, here)), stall_after=STALL, now=now)
        if found.verdict == STALLED:
            self.stalled_at = now
            return
        assert found.due is not None
        assert found.due > now
        self.due = found.due
        if found.moved:
            self.mark = here
            self.assignment["moved"] = {"at": heard_at}
        if found.nearer:
            self.assignment["gained"] = {"at": now, "to_go_m": here}
        if found.verdict == ASK:
            self.asked += 1
            self.assignment["asked_at"] = now


@pytest.mark.parametrize("seed", range(20))
def test_a_drive_through_the_town_with_lights_jams_and_dead_spots_never_stalls(seed: int) -> None:
    chance, drive = random.Random(seed), Drive(20_000.0)
    minute, standing = 0, 0
    while drive.to_go > 0:
        minute += 1
        # A light for one minute or two, then some way to the next one.
        standing = chance.randint(1, 2) if standing < -1 and chance.random() < 0.4 else standing - 1
        metres = 0.0 if standing > 0 else chance.uniform(150, 600)
        drive.minute(at(minute), metres=metres, heard=chance.random() < 0.7, wanders=chance.uniform(-15, 15))
    assert drive.stalled_at is None
    assert drive.asked == 0


@pytest.mark.parametrize("wanders", [0.0, 15.0, 120.0])
def test_one_that_stops_on_the_way_is_found_out_however_its_position_wanders(wanders: float) -> None:
    chance, drive = random.Random(1), Drive(9_000.0)
    for minute in range(1, 6):
        drive.minute(at(minute), metres=400)
    for minute in range(6, 120):
        drive.minute(at(minute), metres=0, wanders=chance.uniform(-wanders, wanders))
    assert drive.stalled_at is not None
    # Seen to stand: within two looks. A phone that jumps about seems to move: that it gets no nearer gives it away.
    patience = 2 * STALL if wanders < 20 else 3 * PATIENCE * STALL
    assert drive.stalled_at - at(5) <= patience + timedelta(minutes=1)
