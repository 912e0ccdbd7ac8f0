"""What a hit becomes: its picture always has an owner, and it never waits for a human when nobody looks for its plate."""

import hashlib
import os
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from domain.cities import queries as cities
from domain.incidents import service as incidents
from domain.incidents.documents import IncidentDoc
from domain.incidents.states import IncidentStatus
from domain.plates.rules import Char
from domain.reviews import service as reviews
from domain.reviews.states import ReviewStatus, Said
from domain.vault.service import Vault
from domain.watchlists import queries, readings, retention, sending, service
from domain.watchlists.hashing import DayKeys
from domain.watchlists.queries import Hit
from domain.watchlists.readings import Reading
from runtime.vault import KeyRing

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
PLATE = "RIZ 3725"
CAMERA = {"_id": "cam_gate", "city": "lahore", "position": {"lat": 31.51, "lon": 74.34}}
READ = Reading(tuple(Char(sign, 0.9) for sign in "RIZ3725"), at=NOW, track="1", crop=b"a picture")

pytestmark = pytest.mark.usefixtures("documents")


class Store:
    """Pictures by their SHA-256, as `runtime.media` keeps them; `dies` before the next one is written."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.dies = False

    def put(self, data: bytes) -> str:
        if self.dies:
            raise ConnectionError("the worker is killed")
        name = hashlib.sha256(data).hexdigest()
        self.kept[name] = data
        return name


@pytest.fixture
def media() -> Iterator[Store]:
    store = Store()
    yield store
    owned = {name for row in queries.hits().find({}) for name in row.get("noted") or []}
    assert set(store.kept) <= owned, "a picture that no hit owns"


def listed() -> str:
    """A stolen car on the list, for a day."""
    facts = {
        "plate": PLATE, "why": "stolen_vehicle", "legal_basis": "FIR 1/26", "expires_at": NOW + timedelta(days=1),
    }  # fmt: skip
    made, _ = service.put_on(
        f"wle_{uuid.uuid4().hex}", facts, cities.current("lahore"), owner="per_x", agency="punjab_police",
        fingerprint="f", now=NOW,
    )  # fmt: skip
    return str(made["_id"])


@pytest.fixture
def entry() -> str:
    return listed()


def take(media: Store, reading: Reading = READ, now: datetime = NOW) -> Hit:
    keys = DayKeys(Vault(KeyRing({"a": os.urandom(32)}), os.urandom(32)), "lahore")
    found = readings.take(CAMERA, "obs_1", reading, store=media.put, keys=keys, now=now)
    assert found is not None
    return found


def asked(hit: Hit, now: datetime = NOW) -> str:
    review = readings.ask_about(hit["_id"], now=now)
    assert review is not None
    return review


def test_a_worker_that_dies_leaves_no_picture_without_a_hit(media: Store, entry: str) -> None:
    media.dies = True
    with pytest.raises(ConnectionError):
        take(media)
    (row,) = queries.hits().find({})
    assert row["crop_due"], "the row was there first"
    media.dies = False
    # The look is done again. A live camera gives it another picture: that one is shown, and whatever may lie is known.
    other = take(media, replace(READ, crop=b"another picture"))
    assert media.kept[other["crop"]] == b"another picture"
    assert "crop_due" not in other
    assert len(other["noted"]) == 2
    # From then on the picture stays, whoever reads the plate again in these minutes.
    assert take(media)["crop"] == other["crop"]
    assert take(media, replace(READ, crop=b""))["crop"] == other["crop"]
    dropped: list[str] = []
    retention.forget_hits("lahore", NOW, keep=(), drop=dropped.append, limit=10)
    assert sorted(dropped) == sorted(other["noted"]), "the end takes whatever may have been stored"
    media.kept.clear()


def test_a_hit_on_what_nobody_looks_for_any_more_is_closed_and_says_why(media: Store) -> None:
    for gone, when in product(("ended", "expired", "removed"), ("before it is asked", "while it is asked", "after")):
        ended_early(media, gone, when)
        queries.entries().delete_many({})


def ended_early(media: Store, gone: str, when: str) -> None:
    """One car, whose entry is gone in this way at this moment of its hit."""
    entry = listed()
    later = NOW + (timedelta(days=1) if gone == "expired" else timedelta(minutes=1))
    hit = take(media, replace(READ, at=later), now=NOW)
    review = "" if when == "before it is asked" else asked(hit)
    if when == "after":
        assert (readings.decide(hit["_id"], ReviewStatus.APPROVED, now=NOW) or {})["status"] == "confirmed"
    if gone == "ended":
        service.end(entry, by="per_x", reason="found", now=later)
        service.end(entry, by="per_x", reason="found", now=later)
    elif gone == "removed":
        queries.entries().delete_one({"_id": entry})
    if when == "before it is asked":
        assert readings.ask_about(hit["_id"], now=later) is None
        assert not reviews.reviews().find_one({"subject": hit["_id"]})
    elif when == "while it is asked":
        if gone == "ended":  # nobody looks at a picture for nothing
            assert reviews.get(review)["status"] == "withdrawn"
        readings.decide(hit["_id"], ReviewStatus.APPROVED, now=later)
    for _ in range(2):
        assert sending.send(hit["_id"], secret="s" * 40, link_ttl=timedelta(hours=1), now=later) is None
    after = queries.hit(hit["_id"])
    assert after["status"] == ("confirmed" if when == "after" else "withdrawn")
    assert after["closed"] == {"ended": "entry_ended", "expired": "entry_expired", "removed": "entry_gone"}[gone]
    assert after["version"] == (3 if when == "after" else 2), "written once"


def test_taken_off_the_list_at_the_moment_that_it_is_asked(media: Store, entry: str) -> None:
    hits = [take(media, replace(READ, at=NOW + timedelta(minutes=10 * each))) for each in range(6)]

    def ask(hit: Hit) -> None:
        readings.ask_about(hit["_id"], now=NOW)

    def end(entry_id: str) -> None:
        service.end(entry_id, by="per_x", reason="found", now=NOW)

    with ThreadPoolExecutor(7) as pool:
        done = [pool.submit(ask, hit) for hit in hits]
        done.append(pool.submit(end, entry))
        for each in done:
            each.result()
    assert {queries.hit(hit["_id"])["status"] for hit in hits} == {"withdrawn"}
    assert not list(reviews.reviews().find({"status": "open"})), "no question is open about it"


def test_a_yes_and_the_end_of_the_entry_at_once_is_one_or_the_other(media: Store, entry: str) -> None:
    hit = take(media)
    review = asked(hit)
    answered = reviews.answer(review, by="per_op", said=Said.YES, reason="", now=NOW)
    with ThreadPoolExecutor(2) as pool:
        decided = pool.submit(readings.decide, hit["_id"], ReviewStatus(answered["status"]), now=NOW)
        ended = pool.submit(service.end, entry, by="per_x", reason="found", now=NOW)
        decided.result()
        ended.result()
    sending.send(hit["_id"], secret="s" * 40, link_ttl=timedelta(hours=1), now=NOW)
    after = queries.hit(hit["_id"])
    assert after["status"] in ("confirmed", "withdrawn")
    assert after["closed"] == "entry_ended", "the entry is over: nobody was sent, and the hit says so"


def confirmed(media: Store, camera: str, at: datetime = NOW) -> str:
    """A hit at a camera to which a human said yes."""
    keys = DayKeys(Vault(KeyRing({"a": os.urandom(32)}), os.urandom(32)), "lahore")
    gate, reading = {**CAMERA, "_id": camera}, replace(READ, at=at)
    hit = readings.take(gate, f"obs_{camera}", reading, store=media.put, keys=keys, now=at)
    assert hit is not None
    answered = reviews.answer(asked(hit, at), by="per_op", said=Said.YES, reason="", now=at)
    readings.decide(hit["_id"], ReviewStatus(answered["status"]), now=at)
    return str(hit["_id"])


def sent(hit: str, now: datetime = NOW) -> str:
    made = sending.send(hit, secret="s" * 40, link_ttl=timedelta(hours=1), now=now)
    assert made is not None
    return str(made["_id"])


def close(incident: str, now: datetime) -> None:
    done = {"status": str(IncidentStatus.CLOSED), "closed_at": now}
    IncidentDoc._get_collection().update_one({"_id": incident}, {"$set": done})


def test_cameras_that_are_confirmed_at_the_same_moment_are_one_chase(media: Store, entry: str) -> None:
    for again in range(4):
        now = NOW + timedelta(hours=4 * again)
        found = [confirmed(media, f"cam_{again}_{number}", now) for number in range(4)]
        with ThreadPoolExecutor(4) as pool:
            chases = set(pool.map(lambda hit, at=now: sent(hit, at), found))
        assert len(chases) == 1
        assert {queries.hit(hit)["incident"] for hit in found} == chases
        seen = [each["hit"] for each in incidents.get(next(iter(chases)))["timeline"] if each["kind"] == "plate_seen"]
        assert sorted(seen) == sorted(found)
        close(next(iter(chases)), now)


def test_whoever_took_the_lead_and_died_leaves_its_incident_to_the_next_hit(media: Store, entry: str) -> None:
    leader, other = (confirmed(media, f"cam_{number}") for number in range(2))
    queries.entries().update_one({"_id": entry}, {"$set": {"chase": leader}})
    chase = sent(other)
    assert sent(leader) == chase, "it runs again"
    close(chase, NOW)
    later = confirmed(media, "cam_later", NOW + timedelta(minutes=30))
    assert sent(later, NOW + timedelta(minutes=30)) != chase, "what is closed is another chase"
