"""Reactions that tell people: who must know of an event, in which order of channels, and for how long it matters.

Each telling has a key made of ids, so a reaction that runs again tells nobody twice.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from domain.cities import queries as cities
from domain.deliveries import queries as deliveries
from domain.deliveries.service import Recipient, Telling
from domain.dispatch.service import ladder_of
from domain.dispatch.supervising import supervised
from domain.ids import token_hash
from domain.incidents import service as incidents
from domain.incidents.draft import Draft
from domain.outbox import Event
from domain.people import queries as people
from domain.people.documents import PersonDoc
from domain.people.states import Duty
from domain.permissions import Role
from notifications.content import guardian_token
from notifications.fanout import tell, tell_one
from runtime import logging
from workers.context import Context

OFFER_MATTERS = timedelta(minutes=10)
ALARM_MATTERS = timedelta(minutes=30)
NEWS_MATTERS = timedelta(hours=2)
STAND_DOWN_WAIT_S = 15
"""How long the app has to say that it has a stand-down before it goes by SMS too: nobody who has it is texted as well."""
ON_DUTY = frozenset({Duty.AVAILABLE, Duty.BUSY})

log = logging.get(__name__)


def responders(unit_ids: Iterable[str], *, but: str | None = None) -> dict[str, list[Recipient]]:
    """Who is told for each unit: its responders who are on duty; all of them where nobody says so; or the unit's own
    phone when nobody is on it by name. Never `but`, the citizen, whose phone may be in other hands.
    """
    ids = sorted(set(unit_ids))
    found: dict[str, list[Any]] = {unit_id: [] for unit_id in ids}
    for person in people.responders_of(ids):
        if person.id != but:
            found[person.unit_id].append(person)
    told: dict[str, list[Recipient]] = {}
    for unit_id, crew in found.items():
        on_duty = [person for person in crew if person.duty in ON_DUTY]
        told[unit_id] = [Recipient("person", person.id) for person in on_duty or crew] or [Recipient("unit", unit_id)]
    return told


def offered(event: Event, context: Context) -> None:
    """Everybody on the units that were asked hears of it: push first, SMS where no receipt comes, voice by the rung."""
    doc = incidents.get(event["subject"])
    asked = {each: found for each in event["assignments"] if (found := doc["assignments"].get(each))}
    citizen = (doc.get("citizen") or {}).get("person")
    on_unit = responders((assignment["unit"] for assignment in asked.values()), but=citizen)
    tellings = []
    for assignment_id, assignment in asked.items():
        ladder = ladder_of(doc, assignment["service"], cities.current(doc["city"]))
        tellings += [
            Telling(
                key=assignment_id,
                city=doc["city"],
                purpose="assignment_offered",
                subject=doc["_id"],
                recipient=recipient,
                plan=tuple(assignment["channels"]),
                valid_for=OFFER_MATTERS,
                refs={"assignment": assignment_id},
                life_critical=True,
                receipt_wait_s=ladder.receipt_wait_s,
            )
            for recipient in on_unit[assignment["unit"]]
        ]
    tell(tellings, context.post, about=doc)


def withdrawn(event: Event, context: Context) -> None:
    """Whoever was asked or had it is told that it is handled: they may be on the way. First as they heard of it, else by
    the other kind of text; where only a call told them, too.
    """
    tellings = []
    for delivery in deliveries.offers(event["subject"], event["assignments"]):
        if not delivery["attempts"]:
            continue
        heard_by_sms = any(attempt["channel"] == "sms" for attempt in delivery["attempts"].values())
        assignment_id = delivery["refs"]["assignment"]
        tellings.append(
            Telling(
                key=f"{assignment_id}-{event['v']}",
                city=event["city"],
                purpose="assignment_withdrawn",
                subject=event["subject"],
                recipient=Recipient(**delivery["recipient"]),
                plan=("sms", "fcm") if heard_by_sms else ("fcm", "sms"),
                valid_for=NEWS_MATTERS,
                refs={"assignment": assignment_id, "reason": event["reason"]},
                receipt_wait_s=STAND_DOWN_WAIT_S,
            )
        )
    tell(tellings, context.post)


def guardians(event: Event, context: Context) -> None:
    """Each guardian gets a live page of their own; one who has not confirmed hears too, with how to say no."""
    doc = incidents.get(event["subject"])
    citizen = doc.get("citizen") or {}
    if citizen.get("hidden") or doc["channel"] in {"escort", "helpline"}:
        # A guardian who rings would give it away; company on the way is no alarm; and of what she told the helpline
        # nobody hears but by her own link: the guardian may be whom she fears.
        return
    person_id = citizen.get("person")
    person = PersonDoc.objects(id=person_id, erased_at=None).first() if person_id else None
    if person is None:
        return
    told = people.guardians_of(person)
    if not told:
        return
    _open_pages(doc, [guardian.id for guardian in told], context)
    tell(
        [
            Telling(
                key=f"{doc['_id']}-guardian",
                city=doc["city"],
                purpose="guardian_alerted" if guardian.status == "confirmed" else "guardian_alerted_unconfirmed",
                subject=doc["_id"],
                recipient=Recipient("guardian", guardian.id, of=person.id),
                plan=("fcm", "sms"),
                valid_for=ALARM_MATTERS,
                life_critical=True,
            )
            for guardian in told
        ],
        context.post,
    )


def guardians_at_last(event: Event, context: Context) -> None:
    """A retry was the first to say who she is: her guardians hear now. Pages that were opened or taken back stay so."""
    if not any(link["kind"] == "guardian" for link in incidents.get(event["subject"]).get("links") or []):
        guardians(event, context)


def _open_pages(doc: dict[str, Any], guardian_ids: Sequence[str], context: Context) -> None:
    """Let each guardian's link open the live page, once."""
    secret, now = context.settings.signing_key, context.clock()

    def rule(draft: Draft) -> None:
        generation = draft.doc.get("share_generation") or 0
        links = list(draft.doc.get("links") or [])
        known = {link["h"] for link in links}
        for guardian_id in guardian_ids:
            hashed = token_hash(guardian_token(secret, doc["_id"], guardian_id, generation))
            if hashed not in known:
                until = now + timedelta(seconds=context.settings.link_ttl_s)
                links.append({"h": hashed, "kind": "guardian", "id": guardian_id, "until": until})
        if len(links) > len(known):
            draft.set("links", links)
            draft.entry("guardians_told", count=len(guardian_ids))

    incidents.change(doc["_id"], rule, now=now)


def supervisors(event: Event, context: Context) -> None:
    """The ladder found nobody so far: the supervisors of the service's agencies are called."""
    if supervised(incidents.get(event["subject"]), event["service"], context.clock()):
        return
    config = cities.current(event["city"])
    called = {
        person.id
        for agency in config.agencies_for(event["service"])
        for person in people.supervisors_of(event["city"], agency.id)
    }
    _notify(event, context, "supervisor_called", called, ("voice", "sms"), key=f"{event['round']}-{event['rung']}")


def notice_unanswered(event: Event, context: Context) -> None:
    """The whole ladder found nobody: the control room hears of it, and again with every round."""
    _notify(event, context, "notice", _operators(event["city"]), ("fcm", "sms"), key=str(event["v"]))


def operators_to_call_back(event: Event, context: Context) -> None:
    """Trust is low: the control room calls the citizen back; the units follow by themselves."""
    _notify(event, context, "notice", _operators(event["city"]), ("fcm",), key=str(event["v"]))


def mayday(event: Event, context: Context) -> None:
    """A responder needs help: the control room and the supervisors hear of it at once."""
    doc = incidents.get(event["subject"])
    agency = doc["assignments"][event["assignment"]]["agency"]
    told = _operators(event["city"]) | {person.id for person in people.supervisors_of(event["city"], agency)}
    _notify(event, context, "supervisor_called", told, ("voice", "sms"), key=event["assignment"])


def still_coming(event: Event, context: Context) -> None:
    """Nobody sees that the unit comes: whoever was asked for it is asked by SMS, and the control room hears of it."""
    asked = {
        (each["recipient"]["kind"], each["recipient"]["id"]): each["recipient"]
        for each in deliveries.offers(event["subject"], [event["assignment"]])
    }
    tell(
        [
            Telling(
                key=event["id"],
                city=event["city"],
                purpose="assignment_doubted",
                subject=event["subject"],
                recipient=Recipient(**recipient),
                plan=("sms",),
                valid_for=OFFER_MATTERS,
                refs={"assignment": event["assignment"]},
                life_critical=True,
            )
            for recipient in asked.values()
        ],
        context.post,
    )
    _notify(event, context, "notice", _operators(event["city"]), ("fcm", "sms"), key=str(event["v"]))


def operators_of_duress(event: Event, context: Context) -> None:
    """The control room hears that a cancel was not one. Nothing goes to the phone."""
    _notify(event, context, "notice", _operators(event["city"]), ("fcm", "sms"), key=str(event["v"]))


def handed_over(event: Event, context: Context) -> None:
    """Another agency was put beside: its supervisors hear of it."""
    told = {person.id for person in people.supervisors_of(event["city"], event["agency"])}
    _notify(event, context, "notice", told, ("fcm", "sms"), key=event["agency"])


def _operators(city: str) -> set[str]:
    return {person.id for person in people.with_role(city, Role.OPERATOR)}


def _notify(event: Event, context: Context, purpose: str, told: set[str], plan: Sequence[str], *, key: str) -> None:
    # Never on the citizen's own phone, whatever else they are to the city: it may be in other hands.
    told = told - {(incidents.get(event["subject"]).get("citizen") or {}).get("person")}
    if not told:
        log.warning("nobody_to_notify", purpose=purpose, type=event["type"], subject=event["subject"])
    tell(
        [
            Telling(
                key=f"{event['type']}-{event['subject']}-{key}",
                city=event["city"],
                purpose=purpose,
                subject=event["subject"],
                recipient=Recipient("person", person_id),
                plan=plan,
                valid_for=OFFER_MATTERS,
                refs={
                    "variant": event["type"].rpartition(".")[2],
                    **{name: event[name] for name in ("service", "assignment") if event.get(name)},
                },
                life_critical=True,
            )
            for person_id in sorted(told)
        ],
        context.post,
    )


def one_time_code(event: Event, context: Context) -> None:
    """A code to sign in with: SMS alone, worth five minutes."""
    matters = timedelta(seconds=context.settings.otp_ttl_s)
    to = Recipient("challenge", event["subject"])
    tell_one(event, to, context.post, purpose="otp", plan=("sms",), valid_for=matters)


def guardian_invited(event: Event, context: Context) -> None:
    """Somebody was named as guardian and is asked by link."""
    to = Recipient("guardian", event["guardian"], of=event["subject"])
    tell_one(event, to, context.post, purpose="guardian_invited", plan=("sms",), valid_for=timedelta(days=1))
