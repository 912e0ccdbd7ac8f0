"""What each delivery of a batch needs now, decided by policy as for a single one; read and written for many at once."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from domain.deliveries import bulk as store
from domain.deliveries.service import Delivery
from domain.deliveries.states import ENDED, AttemptState, DeliveryStatus, Held, Suppressed
from notifications import optouts, policy, purposes, recipients
from notifications.bulk.go import PLAN, Go, Try, last, person_of
from notifications.gateways import Gateways
from notifications.recipients import Reached


def decide(go: Go, held: Mapping[str, Delivery], people: Sequence[str]) -> list[Try]:
    """What the delivery of each of these needs now; those that need nothing are left out."""
    tries: list[Try] = []
    endings: dict[str, tuple[DeliveryStatus, str]] = {}
    waiting: list[Delivery] = []
    nowhere: list[Delivery] = []
    now = go.post.clock()
    for person in people:
        delivery = held.get(person)
        new = delivery is None
        if delivery is None:
            delivery = go.fresh(person, now)
        if delivery["status"] in ENDED:
            continue
        reached = go.reached.get(person, recipients.NOWHERE)
        step, repeats = _step(go, delivery, reached, now)
        if step.do == policy.Do.SEND and _sleeps(go, delivery, step.channel):
            go.look_again(go.quiet_until)
            if new:
                waiting.append({**delivery, "held": {"reason": str(Held.QUIET_HOURS), "at": now}})
        elif step.do in {policy.Do.SEND, policy.Do.RECONCILE}:
            number = step.number if step.do == policy.Do.RECONCILE else delivery["tries"] + 1
            tries.append(Try(delivery, step, reached, number, new, repeats))
        elif step.do == policy.Do.GIVE_UP:
            ending = (_given_up(delivery, step.reason), step.reason)
            if new:
                nowhere.append({**delivery, "status": str(ending[0]), "reason": step.reason})
            else:
                endings[delivery["_id"]] = ending
        else:
            go.look_again(step.until)
            if new:
                waiting.append(delivery)
    store.insert([*waiting, *nowhere])
    store.end(endings, now=now)
    return tries


def left_out(go: Go, tries: Sequence[Try]) -> list[str]:
    """Whose number wants no SMS of ours, of those who are to get one now: as if it were not there from here on.

    Asked of the number itself as for a single delivery (it may have said so before it was this person's), with one
    read for all.
    """
    phones = {
        person_of(each): each.reached.addresses["sms"].value
        for each in tries
        if each.step.do == policy.Do.SEND and each.step.channel == "sms"
    }
    found = optouts.left_out_among(go.post.settings.signing_key, phones, now=go.post.clock())
    for person in found:
        reached = go.reached[person]
        others = {kind: address for kind, address in reached.addresses.items() if kind != "sms"}
        go.reached[person] = replace(reached, addresses=others)
    return sorted(found)


def _step(go: Go, delivery: Delivery, reached: Reached, now: datetime) -> tuple[policy.Step, bool]:
    """(the next step, whether it repeats a push of a process that died)."""
    latest = last(delivery)
    if latest is not None and latest["state"] == AttemptState.SENDING:
        # We hold the batch, so whoever began this is dead.
        if latest["channel"] == "fcm" and "fcm" in reached.addresses:
            return policy.Step(policy.Do.SEND, channel="fcm", gateway=latest.get("gateway") or ""), True
        if latest["channel"] in reached.addresses and latest["channel"] != "fcm":
            return policy.Step(policy.Do.RECONCILE, channel=latest["channel"], number=delivery["tries"]), False
    reachable = _reachable(go, delivery, reached)
    routes = {
        kind: channel.route(reached.addresses[kind].value, now, life_critical=go.batch.life_critical)
        for kind in reachable
        if isinstance(channel := go.post.channels.get(kind), Gateways)
    }
    return policy.next_step(delivery, reachable, now, routes), False


def _reachable(go: Go, delivery: Delivery, reached: Reached) -> list[str]:
    """An SMS instead of a push that failed only for now, or that has no receipt, is for what a life depends on."""
    names = [name for name in PLAN if name in reached.addresses and name in go.post.channels]
    latest = last(delivery)
    pushed = sum(each["channel"] == "fcm" for each in delivery["attempts"].values())
    if go.batch.life_critical or "fcm" not in names or pushed >= policy.TRIES_A_CHANNEL:
        return names
    return names if latest is not None and latest["state"] == AttemptState.PERMANENT else ["fcm"]


def _sleeps(go: Go, delivery: Delivery, channel: str) -> bool:
    return go.quiet_until is not None and purposes.sleeps(delivery, channel)


def _given_up(delivery: Delivery, reason: str) -> DeliveryStatus:
    """What waited until it no longer mattered, and was never tried, did not fail."""
    waited = reason == Suppressed.EXPIRED and (delivery.get("held") or not delivery["attempts"])
    return DeliveryStatus.SUPPRESSED if waited else DeliveryStatus.FAILED_PERMANENT
