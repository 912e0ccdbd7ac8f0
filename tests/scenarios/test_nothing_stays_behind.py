"""What is held is read in the end, and stands on the record; what is no longer kept leaves nothing behind, on no phone."""

from typing import Any

import pytest

from domain import outbox
from domain.comments import service as comments
from domain.comments.states import CommentStatus
from domain.reports import gone, personal
from domain.reports import queries as report_queries
from domain.reports.states import Anonymity
from runtime.media import Media
from tests.factories.people import SECRET, Signed, signed_in, staff
from tests.fakes.small_city import SmallCity
from tests.scenarios.street import Body, a_group, call, joins, ok, reports, settled_in
from workers import comments as commented

NUMBER = "Call him: 0300 1234567"


@pytest.fixture
def street(small_city: SmallCity) -> tuple[Signed, Body, list[Signed]]:
    """A coordinator, her group, and four neighbours, none of them new."""
    city = small_city
    for name in ("watch_reports", "watch_clusters", "watch_groups", "watch_reports_gone", "reviews"):
        city.store[name].delete_many({})
    city.by_day()
    asma = signed_in(city.now(), name="Asma", language="en")
    group = a_group(city, asma)
    neighbours = [joins(city, group, asma, name=f"Neighbour {number}") for number in range(4)]
    settled_in(city, asma, *neighbours)
    return asma, group, neighbours


def held_by(city: SmallCity, subject: str) -> list[str]:
    return [row["actor"] for row in city.store.audit.find({"subject": subject, "action": {"$regex": "held$"}})]


def forgotten(city: SmallCity, who: Signed) -> None:
    assert call(city, who, "DELETE", "/me").status_code < 300
    city.settle()


def everywhere(city: SmallCity, what: str) -> list[str]:
    """The collections of the watch in which something still stands."""
    names = [name for name in city.store.list_collection_names() if name.startswith("watch_") or name == "links"]
    return [name for name in names if any(what in repr(row) for row in city.store[name].find())]


def gone_of(city: SmallCity, who: Signed, cursor: str) -> tuple[list[str], list[str]]:
    """(ids of reports that a phone is told to forget, of those that it is shown) since its cursor."""
    told: list[str] = []
    shown: list[str] = []
    while True:
        page = ok(call(city, who, "GET", f"/sync?cursor={cursor}"))
        told += [each["id"] for each in page["tombstones"] if each["kind"] == "watch_report"]
        shown += [each["id"] for each in page["items"] if each["kind"] == "watch_report"]
        if not page["more"]:
            return told, shown
        cursor = page["cursor"]


def test_a_held_comment_is_asked_about_until_somebody_answers(
    small_city: SmallCity, street: tuple[Signed, Body, list[Signed]]
) -> None:
    city, (_, _, (saw, other, *_)) = small_city, street
    report = reports(city, saw, "street_light")
    held = ok(call(city, other, "POST", f"/watch/reports/{report['id']}/comments", {"text": NUMBER}))["id"]

    def asked() -> list[dict[str, Any]]:
        return list(city.store.reviews.find({"subject": held}).sort("asked_at", 1))

    city.skip(2 * 86_400 + 60)
    city.skip(1)
    assert [row["status"] for row in asked()] == ["expired", "open"]
    over, again = asked()
    event = outbox.event(
        "review.decided", over["_id"], version=over["version"], now=city.now(), city="lahore", asks="moderation",
        status="expired",
    )  # fmt: skip
    commented.reviewed(event, city.context)
    assert [row["_id"] for row in asked()] == [over["_id"], again["_id"]], "twice is once"
    operator = staff(city.now(), "operator")
    waiting = ok(call(city, operator, "GET", "/reviews?city=lahore"))["items"]
    assert again["_id"] in [each["id"] for each in waiting]
    ok(call(city, operator, "POST", f"/reviews/{again['_id']}/answer", {"approve": False, "reason": "A number."}))
    assert city.store.watch_comments.find_one({"_id": held})["status"] == "removed"
    assert held_by(city, held) == ["rule"]


def test_every_hold_is_on_the_record_whoever_made_it(
    small_city: SmallCity, street: tuple[Signed, Body, list[Signed]]
) -> None:
    city, (asma, _, (saw, *others)) = small_city, street
    report = reports(city, saw, "street_light")
    said = ok(call(city, saw, "POST", f"/watch/reports/{report['id']}/comments", {"text": "Since Monday."}))["id"]
    for path in (f"/watch/comments/{said}", f"/watch/reports/{report['id']}"):
        subject = path.rsplit("/", 1)[1]
        for status in ("held", "published"):
            ok(call(city, asma, "POST", f"{path}/decision", {"status": status, "reason": "I look."}))
        assert held_by(city, subject) == [asma.person_id], "a human's own word is not told twice"
        for who in others:
            assert call(city, who, "POST", f"{path}/flags", {"why": "false"}).status_code == 204
        assert held_by(city, subject) == [asma.person_id, "rule"], "also of what a human had let through before"
        ok(call(city, asma, "POST", f"{path}/decision", {"status": "published", "reason": "It is so."}))


def test_a_hold_that_a_human_undid_before_it_was_seen_to_is_on_the_record(
    small_city: SmallCity, street: tuple[Signed, Body, list[Signed]]
) -> None:
    city, (asma, _, (saw, other, *_)) = small_city, street
    report = report_queries.get(reports(city, saw, "street_light")["id"])
    made, _ = comments.add(
        "cmt_early", report, other.person_id, NUMBER, anonymous=Anonymity.NOBODY, fingerprint="f", secret=SECRET,
        now=city.now(),
    )  # fmt: skip
    comments.decide(made["_id"], CommentStatus.PUBLISHED, by=asma.person_id, reason="Mine.", now=city.now())
    city.enqueue("drain", "watch_comments", made["_id"])
    city.settle()
    assert held_by(city, made["_id"]) == ["rule"]
    assert city.store.reviews.count_documents({"subject": made["_id"]}) == 0, "nobody is asked about it any more"


def test_who_is_forgotten_stands_in_no_flag_and_their_reports_on_no_phone(
    small_city: SmallCity, street: tuple[Signed, Body, list[Signed]]
) -> None:
    city, (asma, group, (saw, flags, stays, _)) = small_city, street
    cursor = ok(call(city, stays, "GET", "/sync"))["cursor"]
    city.skip(60)
    mine, theirs = reports(city, saw, "street_light"), reports(city, stays, "open_manhole")
    said = ok(call(city, stays, "POST", f"/watch/reports/{theirs['id']}/comments", {"text": "Since Monday."}))["id"]
    for path in (f"/watch/reports/{theirs['id']}", f"/watch/comments/{said}"):
        assert call(city, flags, "POST", f"{path}/flags", {"why": "false"}).status_code == 204
    for who in (flags, stays):
        ok(call(city, who, "PUT", f"/watch/reports/{mine['id']}/follow"))
    ok(call(city, stays, "POST", f"/watch/reports/{mine['id']}/confirmations", {"stand": "confirm", "position": {
        "lat": mine["place"]["lat"], "lon": mine["place"]["lon"]}}))  # fmt: skip
    assert everywhere(city, flags.person_id)
    forgotten(city, flags)
    assert everywhere(city, flags.person_id) == []
    again = ok(call(city, asma, "GET", f"/watch/reports/{theirs['id']}"))
    assert again["status"] == "published"
    city.skip(60)
    forgotten(city, saw)
    assert everywhere(city, saw.person_id) == []
    assert set(everywhere(city, mine["id"])) <= {"watch_reports_gone", "watch_clusters"}
    told, shown = gone_of(city, stays, cursor)
    assert (told, shown) == ([mine["id"]], [theirs["id"]])
    (left,) = gone.gone().find({"_id": mine["id"]})
    assert left.keys() == {"_id", "city", "groups", "changed_at"}
    assert left["groups"] == [group["id"]]


def test_what_a_city_keeps_no_longer_leaves_every_phone_and_nothing_behind(
    small_city: SmallCity, street: tuple[Signed, Body, list[Signed]]
) -> None:
    city, (asma, _, (saw, other, *_)) = small_city, street
    held = reports(city, saw, "suspicious", note="LEB 1234 again.")["id"]
    lamp, second = reports(city, saw, "street_light")["id"], reports(city, other, "street_light", metres=20.0)["id"]
    ok(call(city, asma, "PUT", f"/watch/reports/{lamp}/follow"))
    ok(call(city, other, "POST", f"/watch/reports/{lamp}/comments", {"text": NUMBER}))
    assert "links" in everywhere(city, lamp)
    assert city.store.reviews.count_documents({"status": "open"}) == 2
    cursors = [ok(call(city, who, "GET", "/sync"))["cursor"] for who in (saw, other)]
    city.skip(120)
    drop = Media(city.settings.media_url).delete
    for _ in range(2):
        personal.expire("lahore", city.now(), keep=(), drop=drop, now=city.now(), limit=10)
    for report in (held, lamp, second):
        assert set(everywhere(city, report)) <= {"watch_reports_gone", "watch_clusters"}
    city.skip(5)
    assert city.store.reviews.count_documents({"status": "open"}) == 0, "nobody is asked about what is not there"
    for who, cursor in zip((saw, other), cursors, strict=True):
        told, shown = gone_of(city, who, cursor)
        assert (sorted(told), shown) == (sorted([held, lamp, second]), [])
    forgotten(city, saw)
    assert everywhere(city, saw.person_id) == [], "whose it was is forgotten with them"
    city.skip(91 * 86_400)
    assert gone.gone().count_documents({}) == 0


def test_hundreds_that_went_at_one_moment_reach_a_phone_each_once(
    small_city: SmallCity, street: tuple[Signed, Body, list[Signed]]
) -> None:
    city, (_, group, (who, *_)) = small_city, street
    cursor = ok(call(city, who, "GET", "/sync"))["cursor"]
    city.skip(60)
    ids = [f"rpt_{number:03}" for number in range(230)]
    at = city.now()
    for each in ids:
        gone.leave({"_id": each, "city": "lahore", "groups": [group["id"]]}, author=who.person_id, now=at)
    city.skip(60)
    assert gone_of(city, who, cursor) == (ids, [])
    gone.forget(who.person_id)
    stranger = signed_in(city.now(), language="en")
    assert gone_of(city, stranger, cursor) == ([], [])
