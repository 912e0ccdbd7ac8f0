"""A look is shared by all who ask, done once, done again when its worker dies, and never left `asked`."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest

from domain import outbox
from domain.cameras import looks, observations, queries, registry, rules
from domain.cameras.states import LookState, View
from domain.incidents import service as incidents
from tests.factories.cameras import NOON, camera, hold_city, seen, sos

pytestmark = pytest.mark.usefixtures("documents")
SECOND = timedelta(seconds=1)


def states(incident_id: str) -> dict[str, str]:
    held = incidents.get(incident_id).get("cameras") or {}
    names = queries.names(held)
    return {names[camera_id]: each["state"] for camera_id, each in held.items()}


def done(look_id: str, now: datetime, answer: dict[str, Any] | None = None) -> Any:
    """A worker's part: claim, see, store."""
    claimed = looks.begin(look_id, now=now)
    assert claimed is not None
    found = queries.camera(claimed["camera"], retired=True)
    return observations.of_look(found, claimed, answer or seen("seen", ("lying", 0.9)), ["aa"], at=now, now=now)


def told(observation: Any, now: datetime) -> None:
    """The reaction to `observation.made`."""
    event = observation["pending_events"][0]
    looks.settle(event["look"], event["subject"], now=now)


def test_an_incident_shows_whom_it_asked_and_then_what_they_saw() -> None:
    camera("in view")
    camera("looks away", bearing=90, bearing_deg=90.0)
    camera("elsewhere", metres=2000)
    incident = sos("a")
    [look] = looks.ask(incident, now=NOON)
    assert states(incident) == {"in view": "asked", "looks away": "not_covering"}
    told(done(look, NOON + SECOND), NOON + SECOND)
    shown = next(each for each in incidents.get(incident)["cameras"].values() if each["covering"])
    assert (shown["state"], shown["stills"], shown["distance_m"]) == ("seen", 1, 60)
    assert shown["findings"][0]["kind"] == "lying"
    assert (
        queries.camera(shown["observation"] and queries.observation(shown["observation"])["camera"])["health"]["state"]
        == "ok"
    )
    assert queries.overdue(now=NOON + timedelta(hours=1)) == []


def test_all_who_ask_at_once_share_one_look_and_are_all_told() -> None:
    camera("one")
    ids = [sos(f"k{n}", metres=n) for n in range(6)]
    with ThreadPoolExecutor(6) as pool:
        asked = list(pool.map(lambda each: looks.ask(each, now=NOON), ids))
    [look] = {look for each in asked for look in each}
    observation = done(look, NOON + SECOND)
    late = sos("late")
    looks.ask(late, now=NOON + SECOND)  # joins while the worker looks
    told(observation, NOON + 2 * SECOND)
    later = sos("later")
    assert looks.ask(later, now=NOON + 3 * SECOND) == []  # joins what is done: answered at once
    assert [states(each) for each in (*ids, late, later)] == [{"one": "seen"}] * 8


def test_asking_again_after_a_crash_asks_nobody_twice() -> None:
    camera("one")
    incident = sos("a")
    first = looks.ask(incident, now=NOON)
    again = looks.ask(incident, now=NOON + 30 * SECOND)  # another slot of the clock: still the look of the first time
    assert first == again
    assert queries.looks().count_documents({}) == 1


def test_a_worker_killed_in_the_middle_is_replaced() -> None:
    camera("one")
    incident = sos("a")
    [look] = looks.ask(incident, now=NOON)
    dead = looks.begin(look, now=NOON + 40 * SECOND)
    assert dead
    assert looks.begin(look, now=NOON + 41 * SECOND) is None  # the lease holds
    assert looks.renew(dead, now=NOON + 45 * SECOND)
    assert looks.see_to_overdue(now=NOON + 59 * SECOND) == []
    after = NOON + 61 * SECOND
    assert looks.see_to_overdue(now=after) == [look]  # older than a look may wait, but waiting was not the reason
    looks.queued(look, now=after)
    assert looks.see_to_overdue(now=after + SECOND) == []
    told(done(look, after + SECOND), after + SECOND)
    assert not looks.renew(dead, now=after + SECOND)
    assert states(incident) == {"one": "seen"}


def test_a_look_that_ends_every_worker_is_given_up() -> None:
    camera("one")
    incident = sos("a")
    [look] = looks.ask(incident, now=NOON)
    now = NOON
    for _ in range(rules.TRIES):
        assert looks.begin(look, now=now)
        now += looks.LEASE + SECOND
        looks.see_to_overdue(now=now)
    assert states(incident) == {"one": "busy"}
    assert looks.begin(look, now=now) is None


def test_what_waited_too_long_is_busy_and_an_answer_that_comes_all_the_same_is_shown() -> None:
    camera("one")
    incident = sos("a")
    [look] = looks.ask(incident, now=NOON)
    slow = looks.begin(look, now=NOON + SECOND)
    assert slow
    late = NOON + timedelta(seconds=200)
    assert looks.see_to_overdue(now=late) == []
    assert states(incident) == {"one": "busy"}
    found = queries.camera(slow["camera"])
    told(observations.of_look(found, slow, seen("clear", people=0), [], at=NOON, now=late), late)
    assert states(incident) == {"one": "clear"}


def test_a_sweeper_that_dies_while_it_sheds_leaves_nobody_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    camera("one")
    ids = [sos("a"), sos("b")]
    for each in ids:
        looks.ask(each, now=NOON)
    late = NOON + timedelta(minutes=1)
    with monkeypatch.context() as patch:
        patch.setattr(observations, "show", lambda *_, **__: (_ for _ in ()).throw(OSError))
        with pytest.raises(OSError):
            looks.see_to_overdue(now=late)
    assert states(ids[0]) == {"one": "asked"}
    looks.see_to_overdue(now=late + looks.QUEUED)
    assert [states(each) for each in ids] == [{"one": "busy"}] * 2
    assert queries.overdue(now=late + timedelta(hours=1)) == []


def test_a_worker_that_dies_after_storing_leaves_its_event() -> None:
    camera("one")
    incident = sos("a")
    [look] = looks.ask(incident, now=NOON)
    stored = done(look, NOON + SECOND)
    assert outbox.overdue("observations", now=NOON + 10 * SECOND, limit=5).keys() == {stored["_id"]}
    assert looks.begin(look, now=NOON + 30 * SECOND)  # and the look is done again, by somebody
    found = queries.camera(stored["camera"])
    again = observations.of_look(
        found, queries.looks().find_one({"_id": look}) or {}, seen("clear", people=0), [], at=NOON, now=NOON
    )
    assert again["view"] == "seen"  # the first answer stays
    told(stored, NOON + 31 * SECOND)
    assert states(incident) == {"one": "seen"}
    assert queries.overdue(now=NOON + timedelta(hours=1)) == []


def test_under_load_each_incident_keeps_its_best_camera() -> None:
    for number in range(8):
        camera(f"c{number}", bearing=number * 40, metres=40 + number)
    shown = []
    for number in range(12):  # each in a window of its own
        incident = sos(f"k{number}", at=NOON + number * timedelta(minutes=1))
        looks.ask(incident, now=NOON + number * timedelta(minutes=1))
        shown.append(states(incident))
    assert list(shown[0].values()).count("asked") == 5  # the sixth would have been the sixth to wait
    assert all(each["c0"] == "asked" for each in shown)
    assert list(shown[-1].values()).count("busy") == 7
    assert queries.waiting(now=NOON + timedelta(hours=1), at_most=100) <= rules.BACKLOG


def test_a_recorders_footage_is_looked_at_when_it_can_be_there() -> None:
    camera("recorder", source={"kind": "segments", "path": "var/footage/cam-7", "segment_s": 5.0})
    incident = sos("a")
    assert looks.ask(incident, now=NOON) == []
    [look] = queries.looks().find({})
    assert look["start"] + timedelta(seconds=look["seconds"]) >= NOON + rules.AROUND
    assert looks.see_to_overdue(now=look["ready_at"] - SECOND) == []
    assert looks.see_to_overdue(now=look["ready_at"]) == [look["_id"]]
    assert states(incident) == {"recorder": "asked"}
    before, after = look["ready_at"] - SECOND, look["ready_at"]
    assert [queries.waiting(now=now, at_most=9) for now in (before, after)] == [0, 1]


def test_a_better_position_asks_the_cameras_there() -> None:
    camera("here")
    camera("there", bearing=90, metres=700)
    incident = sos("a")
    looks.ask(incident, now=NOON)
    assert states(incident) == {"here": "asked"}
    sos("a", bearing=90, metres=640)  # the same SOS again, with a fresher position
    looks.ask(incident, now=NOON + SECOND)
    assert states(incident) == {"here": "asked", "there": "asked"}


def test_an_incident_that_is_no_longer_kept_holds_nobody_else_back() -> None:
    camera("one")
    gone, kept = sos("a"), sos("b")
    [look] = looks.ask(gone, now=NOON)
    looks.ask(kept, now=NOON)
    incidents.incidents().delete_one({"_id": gone})
    told(done(look, NOON + SECOND), NOON + SECOND)
    assert states(kept) == {"one": "seen"}


def test_a_practice_asks_nobody_and_a_place_unknown_neither() -> None:
    camera("one")
    assert looks.ask(sos("p", flags=("practice",)), now=NOON) == []
    assert looks.ask(sos("q", position=None), now=NOON) == []


def test_a_gateways_last_word_counts_and_its_next_one_too(monkeypatch: pytest.MonkeyPatch) -> None:
    hold_city(monkeypatch)
    cam = camera("gateway", source={"kind": "gateway"})
    silent, spoken, moved_on = sos("a"), sos("b"), sos("c", at=NOON + timedelta(minutes=5))
    assert looks.ask(silent, now=NOON) == []
    assert states(silent) == {"gateway": "cannot_tell"}
    word, _ = observations.of_gateway(cam, "key-0001", "f", seen("seen", ("fall", 0.8)), at=NOON + 9 * SECOND, now=NOON)
    looks.ask(spoken, now=NOON + 10 * SECOND)
    looks.ask(moved_on, now=NOON + timedelta(minutes=5))
    assert (states(spoken), states(moved_on)) == ({"gateway": "seen"}, {"gateway": "cannot_tell"})
    observations.tell_askers(word, now=NOON + 11 * SECOND)
    assert (states(silent), states(moved_on)) == ({"gateway": "seen"}, {"gateway": "cannot_tell"})


def test_a_camera_that_left_the_register_is_asked_no_more_and_its_look_still_ends() -> None:
    cam = camera("one")
    incident = sos("a")
    [look] = looks.ask(incident, now=NOON)
    registry.retire(cam["_id"], now=NOON)
    assert looks.is_out_of_service(queries.camera(cam["_id"], retired=True))
    told(done(look, NOON + SECOND, seen("down", reason="out_of_service")), NOON + SECOND)
    assert states(incident) == {"one": "down"}
    other = sos("b")
    assert looks.ask(other, now=NOON) == []
    assert states(other) == {}


def test_no_room_and_a_look_that_is_there_already_is_joined() -> None:
    camera("one")
    first, second = sos("a"), sos("b")
    looks.ask(first, now=NOON)
    queries.looks().insert_many(
        {"_id": f"lok_{n}", "state": str(LookState.WAITING), "ready_at": NOON} for n in range(rules.BACKLOG)
    )
    looks.ask(second, now=NOON)
    assert states(second) == {"one": str(View.ASKED)}
    third = sos("c", at=NOON + timedelta(minutes=1))
    looks.ask(third, now=NOON + timedelta(minutes=1))
    assert states(third) == {"one": str(View.BUSY)}
