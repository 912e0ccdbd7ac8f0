"""Further rows of the table in `test_idempotent.py`: patrols, gatherings and comments of watch groups."""

import uuid
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any, Protocol

from domain.cities import queries as cities
from domain.comments import service as comments
from domain.gatherings import service as gatherings
from domain.gatherings.states import Coming, GatheringKind
from domain.handovers import service as handovers
from domain.handovers.states import HandoverStatus
from domain.patrols import mapping
from domain.patrols import service as patrols
from domain.patrols.service import Plan
from domain.reports import queries as reports
from domain.reports.states import Anonymity
from domain.watch import queries as watch
from domain.watch import service as watching
from tests.factories.people import SECRET, Signed, signed_in
from tests.fakes.small_city import PLACE, SmallCity

CORNERS = [[74.34, 31.507], [74.349, 31.507], [74.349, 31.514], [74.34, 31.514], [74.34, 31.507]]
OFFICE = "sui_northern"
AREA = {"type": "Polygon", "coordinates": [CORNERS]}


class Case(Protocol):
    """What a play needs of its case: the citizen leads a group."""

    city: SmallCity
    citizen: Signed

    def raise_sos(self, **more: Any) -> Any: ...
    def post(self, path: str, body: Mapping[str, Any], *, key: str = "") -> Any: ...
    def follow(self, name: str, subject: str) -> Any: ...


def _member(case: Case, group: dict[str, Any]) -> str:
    device = {"id": "dev_m", "token": f"push-{uuid.uuid4().hex}", "session_id": "ses_1", "seen_at": case.city.now()}
    who = signed_in(case.city.now(), language="en", devices={"dev_m": device})
    watching.invite(group, [who.phone], by=case.citizen.person_id, secret=SECRET, now=case.city.now())
    watching.join(group, who.person_id, rules_version=1, now=case.city.now())
    return who.person_id


def _group(case: Case) -> tuple[dict[str, Any], str]:
    """(a group, a member with an app)."""
    case.raise_sos()
    for name in ("watch_groups", "watch_members"):  # no group of another play's reads first what is said
        case.city.store[name].delete_many({})
    made = case.post("/watch/groups", {"name": "Block C", "area": AREA, "rules": "Be kind."}).json()
    group = watch.get(made["id"])
    return group, _member(case, group)


def _patrol(case: Case, step: Callable[[Mapping[str, Any], str, Any], Any]) -> None:
    group, member = _group(case)
    now, zone = case.city.now(), cities.current("lahore").zone
    beat, _ = mapping.draw(f"bea_{uuid.uuid4().hex}", group, "Market", AREA, fingerprint="f", now=now)
    starts = (now + timedelta(days=2)).astimezone(zone).replace(hour=14, minute=0)
    wanted = Plan([starts.date()], starts.time().replace(second=0, microsecond=0), starts.time().replace(hour=16), 3)
    (patrol,), _ = patrols.plan(uuid.uuid4().hex, beat, wanted, fingerprint="f", now=now)
    patrols.sign_up(patrol["_id"], member, now=now)
    step(patrol, member, lambda: _member(case, group))
    case.follow("watch_patrols", patrol["_id"])


def _taken(patrol: Mapping[str, Any], member: str, another: Callable[[], str]) -> None:
    patrols.offer(patrol["_id"], member, offered=True, now=patrol["created_at"])
    patrols.take(patrol["_id"], another(), now=patrol["created_at"])


def _at(name: str, later: timedelta = timedelta(0)) -> Callable[..., Any]:
    return lambda patrol, member, another: patrols.timers(patrol["_id"], now=patrol[name] + later)


def _gathering(case: Case, step: Callable[[Mapping[str, Any]], Any]) -> None:
    group, member = _group(case)
    now = case.city.now()
    starts = (now + timedelta(days=3)).replace(hour=9)
    place = {"lat": PLACE[0], "lon": PLACE[1], "name": "School"}
    wanted = gatherings.Plan(GatheringKind.MEETING, "Talk", "", place, starts, starts + timedelta(hours=1), 20)
    made, _ = gatherings.plan(f"gat_{uuid.uuid4().hex}", group, wanted, by="x", fingerprint="f", now=now)
    gatherings.answer(made["_id"], member, Coming.GOING, now=now)
    step(made)
    case.follow("watch_gatherings", made["_id"])


def _comment(case: Case) -> None:
    """A comment with a number in it: those who lead the group read it first."""
    _, member = _group(case)
    here = {"lat": PLACE[0], "lon": PLACE[1]}
    report = case.post("/watch/reports", {"category": "noise", "position": here, "note": "Loud music."}).json()["id"]
    case.city.store.watch_reports.update_one({"_id": report}, {"$set": {"status": "published"}})  # whatever groups are near
    made, _ = comments.add(
        f"cmt_{uuid.uuid4().hex}", reports.get(report), member, "Call 0300 1234567", anonymous=Anonymity.NOBODY,
        fingerprint="f", secret=SECRET, now=case.city.now(),
    )  # fmt: skip
    case.follow("watch_comments", made["_id"])


def _handover(case: Case, *, answered: bool = False) -> None:
    """A street light goes to the office that sees to it, which says that it works again."""
    now, here = case.city.now(), {"lat": PLACE[0], "lon": PLACE[1]}
    device = {"id": "dev_a", "token": f"push-{uuid.uuid4().hex}", "session_id": "ses_1", "seen_at": now}
    author = signed_in(now, language="en", devices={"dev_a": device})
    report = case.post("/watch/reports", {"category": "street_light", "position": here, "note": "Dark."}).json()["id"]
    held = {"status": "published", "author": author.person_id}
    case.city.store.watch_reports.update_one({"_id": report}, {"$set": held})
    handovers.open_desk("lahore", OFFICE, ["street_light"], now=now)
    made, _ = handovers.hand_over(reports.get(report), by="x", now=now)
    case.follow("watch_handovers", made["_id"])
    if answered:
        handovers.update(made["_id"], OFFICE, HandoverStatus.CLOSED, "Repaired.", now=case.city.now())
        case.follow("watch_handovers", made["_id"])
    handovers.close_desk("lahore", OFFICE)


PLAYS: Mapping[str, Callable[[Any], Any]] = {
    "handover.made": _handover,
    "handover.updated": partial(_handover, answered=True),
    "patrol.remind": partial(_patrol, step=_at("remind_at")),
    "patrol.missed": partial(_patrol, step=_at("check_at")),
    "patrol.cancelled": partial(
        _patrol, step=lambda patrol, *_: patrols.cancel(patrol["_id"], "Rain.", now=patrol["created_at"])
    ),
    "patrol.taken": partial(_patrol, step=_taken),
    "gathering.remind": partial(_gathering, step=lambda made: gatherings.timers(made["_id"], now=made["remind_at"])),
    "gathering.changed": partial(
        _gathering, step=lambda made: gatherings.revise(made["_id"], {"title": "Talk, moved"}, now=made["created_at"])
    ),
    "gathering.cancelled": partial(
        _gathering, step=lambda made: gatherings.cancel(made["_id"], "Rain.", now=made["created_at"])
    ),
    "comment.held": _comment,
}
