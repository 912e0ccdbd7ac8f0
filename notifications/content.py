"""What each purpose says: the parameters of its text, read from the incident at the moment of sending.

One table, purpose → Content. `due` says whether it is still worth telling; the reason stands on the delivery else.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from domain.cities import queries as cities
from domain.deliveries.service import Delivery
from domain.dispatch import bridging
from domain.dispatch import queries as dispatch_queries
from domain.dispatch import rules as dispatch
from domain.drills import service as drills
from domain.errors import NotFound
from domain.helpline import service as helpline
from domain.ids import link_token
from domain.incidents import queries as incident_queries
from domain.incidents import seen
from domain.incidents import service as incidents
from domain.incidents.projection import is_quiet, stands_still
from domain.incidents.states import ASKED, HOLDING, AssignmentStatus, IncidentStatus
from domain.notices import queries as notices
from domain.notices.states import NoticeKind, NoticeStatus
from domain.people import codes
from domain.people import queries as people
from domain.people.addresses import OPTED_OUT
from domain.people.documents import ChallengeDoc, PersonDoc
from domain.people.states import Duty
from notifications import alerts, gatherings, groups, journeys, patrols, watch
from notifications.recipients import Reached
from notifications.render.text import distance
from runtime.settings import Settings
from runtime.vault import vault

Params = dict[str, str]

RINGS = 2
"""How often a drill rings somebody who does not answer."""
READ = "incident as read"
"""Where a delivery in memory keeps the incident that this step has read; never stored."""


@dataclass(frozen=True)
class Content:
    """How a purpose's parameters are found, and when it is no longer due (the reason, or "")."""

    params: Callable[[Delivery, Reached, Settings], Params]
    """Of the text. `variant` among them chooses the purpose's own wording, as `incident_updated.closed`; `quiet` shows a
    push without a sound."""
    overtaken: Callable[[Delivery], str]
    push: str = ""
    """The kind of its push (`mobile-contract/push/`); empty: never pushed."""
    urgent: bool = False
    push_only: Callable[[Delivery], bool] = lambda delivery: False
    """Whether nothing may ring now, whatever the plan was: an SOS may turn silent after it was raised."""
    takes_replies: bool = False
    """Its SMS may be answered with a reply code (`domain/lines`)."""
    word: str = ""
    """The word with which its SMS may be answered, the same for everybody who reads it."""


def _incident(delivery: Delivery) -> dict[str, Any]:
    """Read once for a step of a delivery, and kept beside it in memory: whether it is due and what it says agree."""
    if READ not in delivery:
        delivery[READ] = incidents.get(delivery["subject"])
    found: dict[str, Any] = delivery[READ]
    return found


def _of_incident(doc: Mapping[str, Any], language: str) -> Params:
    config = cities.current(doc["city"])
    position = doc.get("position")
    area = cities.area_name(doc["city"], position["lat"], position["lon"], language) if position else ""
    return {
        "category": config.category(doc["category"]).names.in_language(language),
        "area": area,
        "city": config.names.in_language(language),
    }


def guardian_token(secret: str, incident_id: str, guardian_id: str, generation: int) -> str:
    """The token of one guardian's live page."""
    return link_token(secret, "guardian", f"{incident_id}:{guardian_id}", generation)


def _offer(delivery: Delivery, reached: Reached, settings: Settings) -> Params:
    doc = _incident(delivery)
    assignment_id = delivery["refs"]["assignment"]
    assignment = dispatch.assignment_of(doc, assignment_id)
    token = dispatch.link_for(settings.signing_key, assignment_id, assignment["link_generation"])
    params = _of_incident(doc, reached.language)
    metres = assignment.get("distance_m")
    return {
        **params,
        "variant": "priority" if doc["severity"] == "Extreme" else "",
        "link": f"{settings.links}/a/{token}",
        "where": "" if metres is None else distance(metres, reached.language),
        "assignment_id": assignment_id,
        "incident_id": doc["_id"],
    }


def _offer_overtaken(delivery: Delivery) -> str:
    found = (_incident(delivery).get("assignments") or {}).get(delivery["refs"]["assignment"])
    if found is None:
        return "offer_renewed"  # the unit was asked again since, and again
    if found["status"] not in ASKED:
        return f"offer_{found['status']}"
    return "off_duty" if delivery["attempts"] and _has_left(delivery["recipient"], found["unit"]) else ""


def _has_left(recipient: Mapping[str, Any], unit_id: str) -> bool:
    """Whether whoever was told went off duty since, while others of the unit are on: it is theirs to answer."""
    on_duty = {person.id for person in people.responders_of([unit_id]) if person.duty != Duty.OFF_DUTY}
    return recipient["kind"] == "person" and bool(on_duty) and recipient["id"] not in on_duty


def _doubt_overtaken(delivery: Delivery) -> str:
    found = (_incident(delivery).get("assignments") or {}).get(delivery["refs"]["assignment"]) or {}
    return "" if found.get("status") == AssignmentStatus.EN_ROUTE else "doubt_over"


def _withdrawn(delivery: Delivery, reached: Reached, settings: Settings) -> Params:
    return {
        **_of_incident(_incident(delivery), reached.language),
        # Nobody has it then: whoever is on the way all the same must not turn back.
        "variant": "stalled" if delivery["refs"].get("reason") == "stalled" else "",
        "assignment_id": delivery["refs"]["assignment"],
        "incident_id": delivery["subject"],
    }


def _update(delivery: Delivery, reached: Reached, settings: Settings) -> Params:
    doc = _incident(delivery)
    silent = is_quiet(doc)
    return {
        **_of_incident(doc, reached.language),
        "incident_id": doc["_id"],
        # On a silent SOS the phone neither rings nor shows how it stands.
        "variant": "" if silent else delivery["refs"].get("status", ""),
        "quiet": "1" if silent else "",
        "page": f"{settings.links}/t/{incidents.share_token(settings.signing_key, doc)}",
    }


def _update_overtaken(delivery: Delivery) -> str:
    doc = _incident(delivery)
    into = seen.merged_into(doc) if "into" in delivery["refs"] else None
    if stands_still(doc, into):
        return "cancelled"
    return "unmerged" if delivery["refs"].get("into") != (into or {}).get("_id") else ""


def _guardian(delivery: Delivery, reached: Reached, settings: Settings) -> Params:
    doc = _incident(delivery)
    owner: Any = PersonDoc.objects(id=delivery["recipient"]["of"]).only("name").first()
    token = guardian_token(
        settings.signing_key, doc["_id"], delivery["recipient"]["id"], doc.get("share_generation") or 0
    )
    return {
        **_of_incident(doc, reached.language),
        "first_name": (owner.name if owner else "").split(" ")[0],
        "link": f"{settings.links}/t/{token}",
        "incident_id": doc["_id"],
    }


def _guardian_overtaken(delivery: Delivery) -> str:
    doc = _incident(delivery)
    if (doc.get("citizen") or {}).get("cancel"):
        return "cancelled"
    return "closed" if doc["status"] == IncidentStatus.CLOSED else ""


def _invited(delivery: Delivery, reached: Reached, settings: Settings) -> Params:
    owner: Any = PersonDoc.objects(id=delivery["recipient"]["of"]).only("name", "guardians").first()
    guardian = owner.guardians[delivery["recipient"]["id"]]
    token = codes.guardian_token(settings.signing_key, owner.id, guardian.id, guardian.generation)
    return {"first_name": (owner.name or "").split(" ")[0], "link": f"{settings.links}/t/guardian/{token}"}


def _otp(delivery: Delivery, reached: Reached, settings: Settings) -> Params:
    challenge: Any = ChallengeDoc.objects(id=delivery["subject"]).first()
    return {"code": codes.otp_code(settings.signing_key, challenge)}


def _staff(delivery: Delivery, reached: Reached, settings: Settings) -> Params:
    """What the control room and supervisors hear: what and where, never who."""
    return {
        **_of_incident(_incident(delivery), reached.language),
        "variant": delivery["refs"].get("variant", ""),
        "incident_id": delivery["subject"],
    }


def _supervisor_overtaken(delivery: Delivery) -> str:
    """A call about a slot that somebody has, or that another supervisor sees to, rings nobody."""
    doc = _incident(delivery)
    if doc["status"] == IncidentStatus.CLOSED:
        return "closed"
    slot = (doc.get("slots") or {}).get(delivery["refs"].get("service") or "") or {}
    if slot.get("assignment"):
        return "answered"
    return "acknowledged" if slot.get("supervisor") and slot["supervisor"]["at"] >= delivery["created_at"] else ""


def _drill(delivery: Delivery, reached: Reached, settings: Settings) -> Params:
    """An exercise, and it says so. The link is one person's own; pressing a key says the same."""
    token = drills.link(settings.signing_key, delivery["subject"], delivery["recipient"]["id"])
    return {"link": f"{settings.links}/t/drill/{token}", "drill_id": delivery["subject"]}


def _drill_overtaken(delivery: Delivery) -> str:
    """Nobody is called for an exercise who is on the way to somebody, or needs help themself; nor rung a third time.

    Both of the first are one word: who reads a drill's report learns nothing of anybody's own SOS.
    """
    attempts = delivery["attempts"].values()
    if sum(each.get("code") in {"not_answered", "machine"} for each in attempts) >= RINGS:
        return "rang_enough"
    person = delivery["recipient"]["id"]
    unit = dispatch_queries.unit_of(person) or {}
    return "busy" if unit.get("lease") or incident_queries.goes_on_for(person) else ""


def _opted_out(delivery: Delivery, reached: Reached, settings: Settings) -> Params:
    """Who of theirs wants no more SMS; it stands in no delivery and no event."""
    person: Any = PersonDoc.objects(id=delivery["subject"]).only("name").first()
    return {
        "first_name": (person.name if person else "") or "",
        "city": cities.current(delivery["city"]).names.in_language(reached.language),
    }


def _opted_out_overtaken(delivery: Delivery) -> str:
    """They asked for SMS again meanwhile, or are nobody's responder any more."""
    person: Any = PersonDoc.objects(id=delivery["subject"], erased_at=None).only("retired", "unit_id").first()
    held = person.retired.get("sms") if person and person.unit_id else None
    return "" if held is not None and held.reason == OPTED_OUT else "opted_in"


def _bridge_overtaken(delivery: Delivery) -> str:
    """Nobody is put through any more once the unit has let it go, or the caller's phone may not ring."""
    doc = _incident(delivery)
    found = (doc.get("assignments") or {}).get(delivery["refs"]["assignment"]) or {}
    if found.get("status") not in HOLDING:
        return "offer_over"
    return "" if bridging.may_ring(doc) else "may_not_ring"


def _nothing(delivery: Delivery, reached: Reached, settings: Settings) -> Params:
    return {}


def _helpline(delivery: Delivery, reached: Reached, settings: Settings) -> Params:
    """What it pretends to be, as she chose; in the silent mode without a sound, and with nothing to see if she wants."""
    doc = helpline.get(delivery["subject"])
    return {
        "request_id": doc["_id"],
        "variant": "" if doc["disguise"] in ("plain", "nothing") else doc["disguise"],
        "hidden": "1" if doc["disguise"] == "nothing" else "",
        "quiet": "1" if doc["mode"] == "silent" else "",
    }


def _helpline_overtaken(delivery: Delivery) -> str:
    """Nothing reaches her after she said so, whatever was under way."""
    try:
        doc = helpline.get(delivery["subject"])
    except NotFound:
        return "erased"
    return "contact_stopped" if "stop_contact" in doc.get("flags", []) else ""


def _hidden(delivery: Delivery, reached: Reached, settings: Settings) -> Params:
    """For the app alone: nothing is shown."""
    return {"request_id": delivery["subject"], "hidden": "1"}


def _helpline_text(delivery: Delivery, reached: Reached, settings: Settings) -> Params:
    """To whoever writes by SMS: the counsellor's words, opened at the moment of sending and kept nowhere."""
    message = helpline.messages().find_one({"_id": delivery["refs"]["message"]}) or {}
    box = vault(settings).box(delivery["subject"])
    return {"what": box.open(f"message:{message['_id']}", message["sealed"])}


def _desk(delivery: Delivery, reached: Reached, settings: Settings) -> Params:
    """What a counsellor hears: that there is something, not what or whose."""
    return {"request_id": delivery["subject"], "variant": delivery["refs"].get("variant", "")}


def _notice_opened(delivery: Delivery, reached: Reached, settings: Settings) -> Params:
    """What is wrong with Amaan, and with which part of it: never a person, never a place."""
    notice = notices.get(delivery["subject"])
    return {
        "variant": notice["kind"],
        "city": cities.current(delivery["city"]).names.in_language(reached.language),
        "what": _part_of_us(notice),
        "notice_id": notice["_id"],
    }


def _part_of_us(notice: Mapping[str, Any]) -> str:
    if notice["kind"] == NoticeKind.PEOPLE_UNREACHABLE:
        figures = notice["figures"]
        return f"{figures['unreachable']} / {figures['people']}"
    if notice["kind"] in (NoticeKind.CAMERAS_BLIND, NoticeKind.CAMERAS_UNWATCHED):
        return str(notice["figures"]["cameras"])
    return str(notice["cause"])


def _notice_opened_overtaken(delivery: Delivery) -> str:
    return "cleared" if notices.get(delivery["subject"])["status"] == NoticeStatus.CLEARED else ""


def _never(delivery: Delivery) -> str:
    return ""


def _on_silent(delivery: Delivery) -> bool:
    """By what she chose, never by the flags: a duress PIN sets one, and her phone must not tell."""
    return is_quiet(_incident(delivery))


CONTENT: Mapping[str, Content] = {
    "assignment_offered": Content(_offer, _offer_overtaken, "assignment.offered", urgent=True, takes_replies=True),
    "assignment_doubted": Content(_offer, _doubt_overtaken, urgent=True),
    "assignment_withdrawn": Content(_withdrawn, _never, "assignment.withdrawn", urgent=True),
    "incident_updated": Content(_update, _update_overtaken, "incident.updated", push_only=_on_silent),
    "guardian_alerted": Content(_guardian, _guardian_overtaken, "guardian.alerted", urgent=True),
    "guardian_alerted_unconfirmed": Content(_guardian, _guardian_overtaken, "guardian.alerted", urgent=True),
    "guardian_invited": Content(_invited, _never, "guardian.invited"),
    "supervisor_called": Content(_staff, _supervisor_overtaken, urgent=True),
    "responder_opted_out": Content(_opted_out, _opted_out_overtaken),
    "bridge_caller": Content(_nothing, _bridge_overtaken, urgent=True),
    "bridge_joined": Content(_staff, _bridge_overtaken, urgent=True),
    "otp": Content(_otp, _never),
    "notice_opened": Content(_notice_opened, _notice_opened_overtaken, "notice.opened", urgent=True),
    "drill_ping": Content(_drill, _drill_overtaken, "drill.ping", urgent=True),
    "helpline_message": Content(_helpline, _helpline_overtaken, "helpline.message", urgent=True),
    "helpline_expire": Content(_hidden, _never, "helpline.expire_local"),
    "helpline_text": Content(_helpline_text, _helpline_overtaken),
    "helpline_call": Content(_helpline, _helpline_overtaken, urgent=True),
    "helpline_call_desk": Content(_desk, _helpline_overtaken, urgent=True),
    "helpline_desk": Content(_desk, _never, "helpline.message", urgent=True),
    "alert_issued": Content(alerts.issued, alerts.overtaken, "alert.issued"),
    "group_invited": Content(groups.invited, groups.invited_overtaken, takes_replies=True),
    "watch_group": Content(groups.news, groups.news_overtaken, "watch.group"),
    "watch_moderation": Content(groups.decided, _never, "watch.moderation"),
    "watch_alert": Content(watch.alert, watch.overtaken, "watch.alert", takes_replies=True),
    "group_alert": Content(watch.warning, watch.warning_overtaken, "watch.alert", word=watch.SEEN),
    "roster_reminder": Content(patrols.roster, patrols.roster_overtaken, "roster.reminder"),
    "gathering_reminder": Content(gatherings.reminder, gatherings.overtaken, "gathering.reminder"),
    "patrol_missed": Content(patrols.missed, patrols.missed_overtaken, "roster.reminder"),
    "notice": Content(_staff, _never, "incident.updated", urgent=True),
    "journey_due": Content(
        journeys.due, journeys.due_overtaken, "journey.due", urgent=True, push_only=journeys.is_silent
    ),
    "call_due": Content(journeys.call, journeys.call_overtaken, "call.due", urgent=True),
    "journey_shared": Content(journeys.guardian, journeys.shared_overtaken),
    "journey_concern": Content(journeys.guardian, journeys.concern_overtaken, urgent=True),
    "journey_missed": Content(journeys.guardian, journeys.missed_overtaken, urgent=True),
    "journey_over": Content(journeys.guardian, _never),
}
