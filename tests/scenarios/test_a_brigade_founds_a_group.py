"""A brigade founds a group: two numbers bought today, a group drawn over other people's streets, and nobody is alarmed by it,
nobody silenced. Neighbours who have been there for a while do the same things, and are heard.
"""

from datetime import datetime, timedelta
from typing import Any

import pytest

from domain import geo
from domain.people import queries as people
from tests.factories.people import Signed, signed_in, staff
from tests.fakes.small_city import PLACE, SmallCity
from tests.scenarios.street import (
    Body,
    a_group,
    call,
    joins,
    ok,
    reports,
    says,
    settled_in,
    square,
)

HELD = "Two men at the gate, LEB 1234."


@pytest.fixture
def quiet(small_city: SmallCity) -> SmallCity:
    for name in ("watch_reports", "watch_clusters", "watch_groups", "watch_members", "watch_voices", "watch_alerts"):
        small_city.store[name].delete_many({})
    small_city.by_day()
    return small_city


def refused(answer: Any) -> tuple[int, str, str]:
    body = answer.json()
    return answer.status_code, body["code"], body.get("why", "")


def founder_of(city: SmallCity, **more: Any) -> tuple[Signed, Body]:
    who = signed_in(city.now(), name="Founder", language="en")
    return who, a_group(city, who, **more)


def made_at(city: SmallCity, who: Signed, **ago: float) -> None:
    people.collection().update_one({"_id": who.person_id}, {"$set": {"created_at": city.now() - timedelta(**ago)}})


def circle(metres: float = 0.0) -> Body:
    lat, lon = geo.destination(*PLACE, 90.0, metres)
    return {"around": {"lat": lat, "lon": lon, "radius_m": 1900}, "texts": {"en": {"headline": "They are coming"}}}


def test_two_new_accounts_with_a_group_of_their_own_alarm_nobody(quiet: SmallCity) -> None:
    city = quiet
    neighbours = a_group(city, signed_in(city.now(), name="Asma", language="en"), name="The street's")
    founder, group = founder_of(city)
    author = joins(city, group, founder)
    made = reports(city, author, "explosion")
    says(city, founder, made)
    word = f"/watch/reports/{made['id']}/incident"
    said = call(city, founder, "POST", word)
    assert refused(said) == (403, "not_settled", "account_new")
    until = datetime.fromisoformat(said.json()["until"])
    assert abs(until - city.now() - timedelta(days=7)) < timedelta(minutes=5), "when it may be tried again"
    assert said.json()["until"].endswith("Z")
    assert refused(call(city, founder, "POST", "/watch/alerts", circle())) == (403, "not_settled", "account_new")
    assert not ok(call(city, author, "GET", f"/watch/reports/{made['id']}"))["believed"]
    assert city.open_incidents() == []
    assert city.store.deliveries.count_documents({"purpose": "watch_alert", "subject": made["id"]}) == 0
    assert city.store.watch_alerts.count_documents({}) == 0
    own = {"groups": [group["id"]], "texts": circle()["texts"]}
    assert ok(call(city, founder, "POST", "/watch/alerts", own))["groups"] == [group["id"]], (
        "its own members it may warn"
    )
    assert city.store.audit.count_documents({"subject": made["id"], "action": "report.believed"}) == 0

    operator = staff(city.now(), "operator")
    assert set(ok(call(city, operator, "POST", "/watch/alerts", circle()))["groups"]) == {group["id"], neighbours["id"]}
    assert ok(call(city, operator, "POST", word))["believed"], "the control room is bound by none of it"


def test_a_new_group_silences_nobody_who_lives_there(quiet: SmallCity) -> None:
    city = quiet
    founder, group = founder_of(city, moderation="pre")
    resident, member = signed_in(city.now(), language="en"), joins(city, group, founder)
    seen = reports(city, resident, "robbery")
    assert seen["status"] == "published", "who drew a group over a street does not read first what is said there"
    taken_out = {"status": "removed", "reason": "I say so."}
    path = f"/watch/reports/{seen['id']}"
    for decision in (taken_out, {**taken_out, "status": "held"}):
        assert refused(call(city, founder, "POST", f"{path}/decision", decision))[:2] == (403, "not_settled")
    held = reports(city, member, "suspicious", note=HELD)
    publish = {"status": "published", "reason": "It is true."}
    let_through = call(city, founder, "POST", f"/watch/reports/{held['id']}/decision", publish)
    assert refused(let_through)[:2] == (403, "not_settled"), "nor is a rule undone by one's own second account"
    own = reports(city, member, "noise")
    assert own["status"] == "submitted"
    assert ok(call(city, founder, "POST", f"/watch/reports/{own['id']}/decision", publish))["status"] == "published"
    said = ok(call(city, resident, "POST", f"{path}/comments", {"text": "It is still going on."}))
    assert said["status"] == "published"
    invited = {"phones": [resident.phone]}
    assert ok(call(city, founder, "POST", f"/watch/groups/{group['id']}/invitations", invited))["invited"] == 1
    mute = {"person": resident.person_id, "kind": "mute", "hours": 24, "reason": "Quiet."}
    muted = call(city, founder, "POST", f"/watch/groups/{group['id']}/sanctions", mute)
    assert refused(muted)[:2] == (404, "member_not_found"), "who was only invited is nobody's to silence"
    gone = call(city, founder, "POST", f"/watch/comments/{said['id']}/decision", taken_out)
    assert refused(gone)[:2] == (403, "not_settled")


def test_whose_word_is_enough(quiet: SmallCity) -> None:
    city = quiet
    founder, group = founder_of(city)
    author = joins(city, group, founder)
    word = f"/watch/reports/{reports(city, author, 'robbery')['id']}/incident"
    settled_in(city, founder, author)
    assert refused(call(city, founder, "POST", word)) == (403, "not_settled", "too_few_members")
    others = [joins(city, group, founder) for _ in range(2)]
    for minutes, who in enumerate((founder, author, *others)):
        made_at(city, who, days=20, minutes=20 * minutes)
    assert refused(call(city, founder, "POST", word)) == (403, "not_settled", "too_few_members"), "one after another"
    for number, who in enumerate(others, 1):
        made_at(city, who, days=20, hours=3 * number)
    assert refused(call(city, founder, "POST", word))[:2] == (403, "not_independent")
    made_at(city, author, days=20, hours=9)
    ok(call(city, founder, "PATCH", f"/watch/groups/{group['id']}", {"area": square(450.0)}))
    assert refused(call(city, founder, "POST", word)) == (403, "not_settled", "group_new"), (
        "it was somewhere else before"
    )
    settled_in(city, founder)
    phone = {"author_device": f"dev-{founder.session_id[-8:]}"}
    city.store.watch_reports.update_one({"_id": word.split("/")[3]}, {"$set": phone})
    assert refused(call(city, founder, "POST", word))[:2] == (403, "not_independent"), "from one phone"
    city.store.watch_reports.update_one({"_id": word.split("/")[3]}, {"$set": {"author_device": "dev-another"}})
    assert ok(call(city, founder, "POST", word))["believed"]
    assert len(city.open_incidents()) == 1
    other, elsewhere = founder_of(city, area=square(middle=geo.destination(*PLACE, 90.0, 1500.0)))
    assert elsewhere["id"] in ok(call(city, founder, "POST", "/watch/alerts", circle()))["groups"]
    assert refused(call(city, other, "POST", "/watch/alerts", circle(1500.0)))[:2] == (403, "not_settled")
