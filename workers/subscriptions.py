"""The one table of what happens: event → reactions, in order.

A reaction takes the event (ids only) and the context, may run twice, and raises when it must be tried again.
"""

from collections.abc import Callable, Mapping

from domain.outbox import Event
from runtime.mongo import STORE_DOWN
from workers import (
    alerts,
    bridge,
    campaigns,
    checks,
    citizen,
    clusters,
    comments,
    dispatch,
    escorts,
    faces,
    figures,
    footage,
    gatherings,
    handovers,
    helpline,
    journeys,
    notices,
    optouts,
    patrols,
    people,
    places,
    report_pictures,
    reviews,
    sight,
    tell,
    visitors,
    watch,
    watch_groups,
)
from workers.context import Context

Reaction = Callable[[Event, Context], None]

SUBSCRIPTIONS: Mapping[str, tuple[Reaction, ...]] = {
    "incident.raised": (dispatch.rank, dispatch.start_ladders, tell.guardians, visitors.tourist_police),
    "incident.surroundings": (sight.ask_cameras, footage.keep, sight.link_incident),
    "observation.made": (sight.show_observation, sight.link_observation, checks.ask_about_observation),
    "incident.reopened": (dispatch.start_ladders,),
    "incident.facts_added": (
        dispatch.start_ladders,
        tell.guardians_at_last,
        sight.ask_cameras,
        footage.keep,
        sight.link_incident,
    ),
    "incident.duress": (tell.operators_of_duress, escorts.call_police),
    "incident.closed": (
        dispatch.free_units,
        citizen.how_it_stands,
        figures.outcome,
        people.forget_if_erased,
        notices.ladder_answered,
    ),
    "incident.handed_over": (tell.handed_over,),
    "incident.held": (footage.held,),
    "incident.hold_lifted": (people.forget_if_erased, footage.released),
    "incident.message": (citizen.message,),
    "slot.reopened": (dispatch.start_ladders,),
    "slot.resumed": (dispatch.start_ladders,),
    "slot.supervisors": (tell.supervisors,),
    "slot.unanswered": (tell.notice_unanswered, figures.unanswered, notices.ladder_unanswered),
    "slot.callback": (tell.operators_to_call_back,),
    "assignment.offered": (tell.offered,),
    "assignment.withdrawn": (dispatch.free_units, tell.withdrawn),
    "assignment.accepted": (
        dispatch.keep_unit,
        citizen.how_it_stands,
        figures.dispatched,
        notices.ladder_answered,
    ),
    "assignment.en_route": (citizen.how_it_stands,),
    "assignment.on_scene": (citizen.how_it_stands, figures.arrived),
    "assignment.cleared": (dispatch.free_units,),
    "assignment.declined": (dispatch.free_units,),
    "assignment.mayday": (tell.mayday,),
    "bridge.opened": (bridge.opened,),
    "bridge.joined": (bridge.joined,),
    "assignment.doubted": (tell.still_coming,),
    "otp.requested": (tell.one_time_code,),
    "guardian.invited": (tell.guardian_invited,),
    "alert.issued": (alerts.announce, alerts.decided),
    "alert.discarded": (alerts.decided,),
    "session.ended": (people.session_ended, helpline.session_ended),
    "person.opted_out": (optouts.opted_out,),
    "person.erased": (
        people.person_erased,
        people.forget_journeys,
        escorts.forget,
        places.forget_audits,
        helpline.person_erased,
        patrols.forget,
        gatherings.forget,
        comments.forget,
        campaigns.forget,
        watch.forget_memberships,
    ),
    "place.audited": (places.fold_audit,),
    "escort.due": (escorts.raise_incident,),
    "journey.started": (journeys.share,),
    "journey.asked": (journeys.ask,),
    "journey.concern": (journeys.concern,),
    "journey.missed": (journeys.missed,),
    "journey.answered": (journeys.answered,),
    "journey.ended": (journeys.ended,),
    "journey.raised": (journeys.raise_sos,),
    "journey.moved": (journeys.pass_on,),
    "helpline.asked": (helpline.asked,),
    "helpline.claimed": (helpline.claimed,),
    "helpline.returned": (helpline.asked,),
    "helpline.offered": (helpline.offered,),
    "helpline.unclaimed": (helpline.unclaimed,),
    "helpline.message": (helpline.message,),
    "helpline.stopped": (helpline.to_counsellor,),
    "helpline.closed": (helpline.to_counsellor,),
    "helpline.sos": (helpline.became_sos,),
    "helpline.call": (helpline.call,),
    "helpline.call_joined": (helpline.call_joined,),
    "helpline.listen_call": (helpline.listen_call,),
    "helpline.expire_local": (helpline.expire_local,),
    "helpline.follow_up": (helpline.follow_up,),
    "helpline.case_joined": (helpline.case_joined,),
    "helpline.erased": (),
    "review.asked": (reviews.asked,),
    "review.decided": (
        reviews.decided,
        watch_groups.reviewed,
        watch.reviewed,
        checks.decided,
        comments.reviewed,
        faces.decided,
    ),
    "group.invited": (watch_groups.tell_invited,),
    "group.rules_changed": (watch_groups.rules_changed,),
    "group.led": (watch_groups.led,),
    "group.silent": (watch_groups.ask_coordinator,),
    "group.successor_asked": (watch_groups.ask_successor,),
    "group.leaderless": (watch_groups.leaderless,),
    "group.closed": (patrols.group_closed, gatherings.group_closed, watch_groups.closed),
    "sanction.imposed": (watch_groups.imposed,),
    "sanction.ended": (watch_groups.ended,),
    "sanction.appealed": (watch_groups.appealed,),
    "sanction.heard": (watch_groups.heard,),
    "face_search.asked": (faces.asked,),
    "hit.found": (checks.ask_about_hit,),
    "hit.confirmed": (checks.send,),
    "report.made": (clusters.join, clusters.link_report,),
    "report.media_added": (report_pictures.ask_for_a_copy,),
    "report.worth_a_look": (sight.ask_for_report,),
    "report.submitted": (watch.submitted,),
    "report.decided": (watch.decided, clusters.join),
    "report.withdrawn": (clusters.join,),
    "report.moved": (clusters.join,),
    "report.appealed": (watch.appealed,),
    "report.held": (watch.ask_a_human,),
    "report.believed": (clusters.raise_incident, clusters.tell_groups, handovers.by_rule),
    "handover.made": (handovers.made,),
    "handover.updated": (handovers.updated,),
    "comment.held": (comments.ask_a_human,),
    "gathering.remind": (gatherings.remind,),
    "gathering.changed": (gatherings.changed,),
    "gathering.cancelled": (gatherings.cancelled,),
    "patrol.remind": (patrols.remind,),
    "patrol.missed": (patrols.missed,),
    "patrol.cancelled": (patrols.cancelled,),
    "patrol.taken": (patrols.taken,),
    "drill.ended": (notices.drill_ended,),
    "notice.opened": (notices.opened,),
}

FIRST = frozenset(
    {
        "incident.raised",
        "assignment.offered",
        "assignment.mayday",
        "incident.duress",
        "slot.reopened",
        "journey.raised",
        "report.believed",
        "hit.confirmed",
        "bridge.opened",
        "bridge.joined",
    }
)
LAST = frozenset({"incident.surroundings", "observation.made", "report.worth_a_look"})


def urgency(event: Event) -> int:
    """0 before 1 before 2: whoever can come hears first, what explains comes last, by a worker that yields to others."""
    return 0 if event["type"] in FIRST else 2 if event["type"] in LAST else 1


def explains(event: Event) -> bool:
    """Whether it explains and calls nobody: cameras, links. The job `explain` does these, on a worker of their own."""
    return event["type"] in LAST


def react(event: Event, context: Context) -> None:
    """Run what follows from an event, all of it: one reaction that fails keeps no other from running.

    Raises the first failure at the end, so that the event is tried again. An event that nobody subscribed to is done.
    """
    failures: list[Exception] = []
    for reaction in SUBSCRIPTIONS.get(event["type"], ()):
        try:
            reaction(event, context)
        except STORE_DOWN:
            raise
        except Exception as error:
            failures.append(error)
    if failures:
        raise failures[0]
