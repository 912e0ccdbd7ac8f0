"""A search for a face dies at any moment, and asks once, ends for certain, and leaves no picture behind."""

import io
import os
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from domain import outbox, retention
from domain.cities import queries as cities
from domain.cities.config import Kept
from domain.faces import queries, service
from domain.faces.errors import SearchOff, SearchOver
from domain.faces.queries import Search
from domain.reviews import service as reviews
from domain.reviews.states import ReviewStatus, Said
from domain.vault.service import Vault
from runtime.media import Media
from runtime.sealed import SealedFiles
from runtime.vault import KeyRing

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
CITY = replace(cities.current("lahore"), face_search=True)
ENDS = next(each for each in retention.ENDS if each.going)
OWN = {"by": "per_sara", "fingerprint": "f"}
PHOTO = {"name": "n", "sha256": "s", "size": 1, "pieces": 1}
WANTED = {"purpose": "missing_person", "legal_basis": "Missing person report 41/26", "hours": 72}

pytestmark = pytest.mark.usefixtures("documents")


@pytest.fixture
def search() -> Search:
    made, _ = service.draft(f"fse_{uuid.uuid4().hex}", {"_id": "inc_1", "city": "lahore"}, WANTED, CITY, **OWN, now=NOW)
    return made


def asked_about(search: Search) -> list[str]:
    return [row["status"] for row in reviews.reviews().find({"subject": search["_id"]})]


def test_of_two_pictures_one_is_taken_and_whoever_dies_two_others_are_asked_once(search: Search) -> None:
    def put(number: int) -> str:
        try:
            return str(service.ask(search["_id"], {**PHOTO, "name": str(number)}, now=NOW)["photo"]["name"])
        except SearchOver:
            return ""

    with ThreadPoolExecutor(4) as pool:
        taken = [name for name in pool.map(put, range(4)) if name]
    after = queries.get(search["_id"])
    assert taken == [after["photo"]["name"]]
    # The API dies here: nobody was asked, and what must follow is in the document.
    assert not asked_about(search)
    assert search["_id"] in outbox.overdue("face_searches", now=NOW + timedelta(seconds=3), limit=10)
    with ThreadPoolExecutor(3) as pool:
        put_ = set(pool.map(lambda _: service.put_question(search["_id"], now=NOW + timedelta(minutes=30)), range(3)))
    assert put_ == {after["review"]}
    assert asked_about(search) == ["open"]
    assert reviews.get(after["review"])["due_at"] < after["until"], "it is not over before they had their time"


def test_what_is_over_asks_nobody_and_what_asks_is_taken_back(search: Search) -> None:
    service.ask(search["_id"], PHOTO, now=NOW)
    service.put_question(search["_id"], now=NOW)
    service.end(search["_id"], "per_sara", reason="found", now=NOW)
    with ThreadPoolExecutor(2) as pool:  # the sweep that closes it, and a worker that asks again
        closed = pool.submit(service.close, queries.get(search["_id"]))
        pool.submit(service.put_question, search["_id"], now=NOW).result()
        assert closed.result()
    reviews.withdraw([search["_id"]], now=NOW)  # as the sweep does after it
    assert service.put_question(search["_id"], now=NOW) is None
    assert asked_about(search) == ["withdrawn"]
    assert service.decided(search["_id"], ReviewStatus.APPROVED, now=NOW) is None


def test_a_draft_whose_hour_is_over_takes_no_picture(search: Search) -> None:
    with pytest.raises(SearchOver):
        service.ask(search["_id"], PHOTO, now=NOW + timedelta(hours=1))


def test_two_yes_of_one_person_are_one(search: Search) -> None:
    service.ask(search["_id"], PHOTO, now=NOW)
    review = service.put_question(search["_id"], now=NOW) or ""

    def yes(_: int) -> str:
        return str(reviews.answer(review, by="per_imran", said=Said.YES, reason="read it", now=NOW)["status"])

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(yes, range(4))) == {"open"}


def test_its_row_goes_after_its_pictures_whatever_is_over(search: Search, tmp_path: Path) -> None:
    sealed = SealedFiles(Vault(KeyRing({"a": os.urandom(32)}), os.urandom(32)), Media(str(tmp_path)))
    photo = sealed.seal(
        search["_id"], "lahore", "photo", io.BytesIO(b"a face"), note=lambda name: service.note(search["_id"], [name]),
        now=NOW,
    )  # fmt: skip
    service.ask(search["_id"], photo, now=NOW)
    service.decided(search["_id"], ReviewStatus.APPROVED, now=NOW)
    short = replace(CITY, retention_days={**CITY.retention_days, Kept.EVIDENCE: 1})
    later = NOW + timedelta(days=2)  # of three that the search is allowed
    assert retention.expire(ENDS, short, keep=(), now=later, limit=10) == 0
    service.end_all("inc_1", "system:retention", now=later)  # its incident is forgotten
    retention.forget("inc_1")
    row = queries.get(search["_id"])
    assert row["until"] == later, "the sweep ends it now"
    over = service.close(row)
    assert over
    assert over["noted"], "it knows what may lie"
    service.forget_pictures(over)
    assert retention.expire(ENDS, short, keep=(), now=later, limit=10) == 1


def test_a_city_that_compares_no_faces_any_more_ends_what_goes_on(search: Search) -> None:
    service.ask(search["_id"], PHOTO, now=NOW)
    service.decided(search["_id"], ReviewStatus.APPROVED, now=NOW)
    assert service.stop("karachi", now=NOW) == 0
    assert service.stop("lahore", now=NOW) == 1
    assert service.stop("lahore", now=NOW) == 0
    assert service.begin(search["_id"], now=NOW) is None
    with pytest.raises(SearchOff):
        service.must_be_on(replace(CITY, face_search=False))
