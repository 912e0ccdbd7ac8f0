"""Reactions around what a human says of a picture: they are asked, their answer moves the links, and only a yes sends."""

from datetime import timedelta
from typing import Final

from domain.cameras import checks
from domain.cameras.errors import ObservationNotFound
from domain.correlation import service as correlation
from domain.outbox import Event
from domain.reports import sights
from domain.reviews import service as reviews
from domain.reviews.service import Review
from domain.reviews.states import ReviewKind, ReviewStatus, Said
from domain.watchlists import queries as watchlists
from domain.watchlists import readings as hits
from domain.watchlists import sending
from domain.watchlists.errors import HitNotFound
from workers.context import Context
from workers.reviews import to_desk

LISTED: Final = "listed_vehicle"
"""What an observation is found to show once a human has read the plate in it."""


def ask_about_observation(event: Event, context: Context) -> None:
    """Lying and hands up, and whatever else was found, are for a human to say."""
    try:
        asked = checks.ask_about(event["subject"], look=event.get("look") or "", now=context.clock())
    except ObservationNotFound:
        return  # its time to be kept was over
    for review in asked:
        context.enqueue("drain", "reviews", review)


def ask_about_hit(event: Event, context: Context) -> None:
    """A plate was read like a listed one: a human looks at the crop before anybody is sent."""
    try:
        review = hits.ask_about(event["subject"], now=context.clock())
    except HitNotFound:
        return
    if review is not None:
        context.enqueue("drain", "reviews", review)


def decided(event: Event, context: Context) -> None:
    """A human has answered about a picture, or nobody did in time."""
    kind = event.get("asks")
    if kind == ReviewKind.CLIP_CHECK:
        _clip(reviews.get(event["subject"]), context)
    elif kind == ReviewKind.PLATE_HIT:
        _hit(event, reviews.get(event["subject"]), context)


def _clip(review: Review, context: Context) -> None:
    found = checks.take_answer(review, now=context.clock())
    if found is not None:
        sights.checked(found, review["about"].get("look") or "", now=context.clock())
        correlation.relink_observation(found["_id"], now=context.clock())


def _hit(event: Event, review: Review, context: Context) -> None:
    hit = review["subject"]
    try:
        hits.decide(hit, ReviewStatus(review["status"]), now=context.clock())
        owner = hits.unanswered_owner(hit)
    except HitNotFound:
        return
    context.enqueue("drain", "hits", hit)
    if owner:
        to_desk(event, context, {owner}, subject=hit)


def send(event: Event, context: Context) -> None:
    """A human said yes: units are asked, and the SOS near by that asked the same camera show what was confirmed."""
    now = context.clock()
    ttl = timedelta(seconds=context.settings.link_ttl_s)
    try:
        hit = watchlists.hit(event["subject"])
        incident = sending.send(hit["_id"], secret=context.settings.signing_key, link_ttl=ttl, now=now)
    except HitNotFound:
        return
    if incident is not None and incident.get("pending_events"):
        context.enqueue("drain", "incidents", incident["_id"])
    by = reviews.get(hit["review"])["answers"][-1]["by"] if hit.get("review") else ""
    noted = checks.note(hit["observation"], LISTED, Said.YES, by=by, confidence=hit["score"], now=now)
    if noted is not None:
        correlation.relink_observation(noted["_id"], now=now)
