"""What must happen once for each thing that follows from watch groups, their reports and what moderators impose."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any

from domain.cameras import observations
from domain.people import queries as people
from domain.reports import believing, changing, moderating
from domain.reports import queries as report_queries
from domain.reports import service as reporting
from domain.reports.states import ReportStatus, Stand
from domain.reviews import service as reviews
from domain.reviews.states import Said
from domain.watch import founding, leading, queries, sanctions, service, succession
from domain.watch.sanctions import Wanted
from domain.watch.states import GroupRole, Sanction
from tests.factories import cameras
from tests.factories.people import SECRET, phone, signed_in
from tests.fakes.small_city import PLACE

Doc = dict[str, Any]


def _group(case: Any, **more: Any) -> Doc:
    """A group with a member, who has a phone, and somebody who was only asked."""
    corners = [[74.34, 31.507], [74.349, 31.507], [74.349, 31.514], [74.34, 31.514], [74.34, 31.507]]
    area = {"type": "Polygon", "coordinates": [corners]}
    for name in ("watch_groups", "watch_members", "watch_sanctions", "watch_reports", "reviews"):
        case.city.store[name].delete_many({})
    case.raise_sos()
    made = case.post("/watch/groups", {"name": "Block C", "area": area, "rules": "Be kind.", **more}).json()
    group, now = queries.get(made["id"]), case.city.now()
    member = signed_in(now, language="en", devices=_device(case, "m"))
    service.invite(group, [member.phone, phone()], by=case.citizen.person_id, secret=SECRET, now=now)
    service.join(queries.get(group["_id"]), member.person_id, rules_version=1, now=now)
    case.follow("watch_groups", group["_id"])
    return {**queries.get(group["_id"]), "member": member.person_id}


def _device(case: Any, name: str) -> Doc:
    device = {
        "id": f"dev_{name}",
        "session_id": "ses_1",
        "seen_at": case.city.now(),
        "token": f"push-{name}-{phone()[1:]}",
    }
    return {f"dev_{name}": device}


def _changed(case: Any) -> None:
    group = _group(case)
    founding.change(group, {"rules": "Chase nobody."}, now=case.city.now())
    case.follow("watch_groups", group["_id"])


def _led(case: Any) -> None:
    group = _group(case)
    leading.appoint(group, group["member"], GroupRole.COORDINATOR, by="x", now=case.city.now())
    case.follow("watch_groups", group["_id"])


def _closed(case: Any) -> None:
    group = _group(case)
    founding.close(group, now=case.city.now())
    case.follow("watch_groups", group["_id"])


def _silent(case: Any, steps: int = 1, *, alone: bool = False) -> None:
    """The coordinator was not seen for long; each step is a few days later."""
    group = _group(case)
    now = case.city.now()
    old = now - timedelta(days=40)
    away = [case.citizen.person_id, *([group["member"]] if alone else [])]
    for person in away:
        sessions = people.collection().find_one({"_id": person}, {"sessions": 1}) or {}
        fields = {f"sessions.{each}.{name}": old for each in sessions["sessions"] for name in ("seen_at", "created_at")}
        people.collection().update_one({"_id": person}, {"$set": fields})
    for _ in range(steps):
        succession.step(queries.get(group["_id"]), now=now)
        case.follow("watch_groups", group["_id"])


def _sanction(case: Any, *then: Callable[[Doc, Any], Any]) -> None:
    """A member is kept out, and what follows."""
    group = _group(case)
    wanted = Wanted("lahore", group["_id"], group["member"], Sanction.SUSPENSION, timedelta(days=1), "Insults.")
    row, _ = sanctions.impose(f"san_{group['_id'][4:]}", wanted, by=case.citizen.person_id, now=case.city.now())
    case.follow("watch_sanctions", row["_id"])
    for step in then:
        step(row, case.city.now())
        case.follow("watch_sanctions", row["_id"])


def _lifted(row: Doc, now: Any) -> None:
    sanctions.lift(row["_id"], by="x", reason="Enough.", now=now)


def _appealed(row: Doc, now: Any) -> None:
    sanctions.appeal(row["_id"], row["person"], "It was my brother.", now=now)


def _heard(row: Doc, now: Any) -> None:
    sanctions.heard(row["_id"], upheld=False, by="x", reason="It was.", now=now)


def _report(case: Any, *, category: str = "noise", **more: Any) -> Doc:
    group = _group(case, **more)
    body = {"category": category, "position": {"lat": PLACE[0], "lon": PLACE[1]}, "note": "Drums."}
    # Somebody else reads it: nobody is told of their own.
    leading.appoint(group, group["member"], GroupRole.COORDINATOR, by="x", now=case.city.now())
    made = case.post("/watch/reports", body).json()
    case.follow("watch_reports", made["id"])
    return report_queries.get(made["id"])


def _submitted(case: Any) -> None:
    doc = _report(case, moderation="pre")
    assert doc["status"] == ReportStatus.SUBMITTED


def _decided(case: Any) -> Doc:
    doc = _report(case)
    moderating.decide(doc["_id"], ReportStatus.REMOVED, by="x", reason="Nothing there.", now=case.city.now())
    case.follow("watch_reports", doc["_id"])
    return doc


def _withdrawn(case: Any) -> None:
    doc = _report(case)
    reporting.withdraw(doc["_id"], now=case.city.now())
    case.follow("watch_reports", doc["_id"])


def _moved(case: Any) -> None:
    doc = _report(case, category="street_light")
    reporting.edit(doc["_id"], {"category": "open_manhole"}, now=case.city.now())
    case.follow("watch_reports", doc["_id"])


def _report_appealed(case: Any) -> None:
    doc, now = _decided(case), case.city.now()
    moderating.appeal(doc["_id"], doc["author"], "There are drums.", now=now)
    case.follow("watch_reports", doc["_id"])
    (review,) = reviews.reviews().find({"subject": doc["_id"], "kind": "report_appeal"})
    reviews.answer(review["_id"], by="y", said=Said.YES, reason="I hear them.", now=case.city.now())
    case.follow("reviews", review["_id"])


def _pictured(case: Any) -> None:
    doc, now = _report(case), case.city.now()
    picture = {"id": "med_1", "sha256": "0" * 64, "size": 1, "type": "image/jpeg", "shown": {"sha256": "0" * 64}}
    changing.change(doc["_id"], lambda _: {"media": [picture], "events": ["report.media_added"]}, now=now)
    case.follow("watch_reports", doc["_id"])


def _looked_at(case: Any) -> None:
    """Gunfire that one whose reports have helped tells of: the camera there is asked once, and what it saw counts."""
    store, now = case.city.store, case.city.now()
    street = cameras.camera(f"cam {case.citizen.person_id[-8:]}")
    store.people.update_one({"_id": case.citizen.person_id}, {"$set": {"created_at": now - timedelta(days=90)}})
    store.people.update_one({"_id": case.citizen.person_id}, {"$set": {"trust": {"helped": 3, "false_alarm": 0}}})
    doc = _report(case, category="shooting")
    (look,) = store.looks.find({"reports": doc["_id"]})
    assert doc["sights"].keys() == {street["_id"]}
    neighbour = signed_in(now, created_at=now - timedelta(days=90))
    believing.speak(doc["_id"], neighbour.person_id, Stand.CONFIRM, session=neighbour.session_id, now=now)
    before = report_queries.get(doc["_id"])
    seen = cameras.seen("seen", ("dispersal", 0.8))
    found = observations.of_look(street, look, seen, [], at=now, now=now)
    case.follow("observations", found["_id"])
    after = report_queries.get(doc["_id"])
    assert after["sights"][street["_id"]]["observation"] == found["_id"]
    assert after["parts"]["cameras"] == 0.4
    assert after["score"] > before["score"]
    assert not after.get("believed_at")
    assert store.looks.count_documents({"camera": street["_id"], "reports": doc["_id"]}) == 1
    case.follow("watch_reports", doc["_id"])


PLAYS: Mapping[str, Callable[[Any], Any]] = {
    "group.invited": _group,
    "group.rules_changed": _changed,
    "group.led": _led,
    "group.closed": _closed,
    "group.silent": _silent,
    "group.successor_asked": partial(_silent, steps=2),
    "group.leaderless": partial(_silent, steps=2, alone=True),
    "sanction.imposed": _sanction,
    "sanction.ended": lambda case: _sanction(case, _lifted),
    "sanction.appealed": lambda case: _sanction(case, _appealed),
    "sanction.heard": lambda case: _sanction(case, _appealed, _heard),
    "report.submitted": _submitted,
    "report.decided": _decided,
    "report.withdrawn": _withdrawn,
    "report.moved": _moved,
    "report.media_added": _pictured,
    "report.worth_a_look": _looked_at,
    "report.appealed": _report_appealed,
}
