"""What is said about a watch group itself, about what moderators decided, and to whom is asked to join.

A push says that there is news, nothing else: the app asks for it. Whoever has no app reads it in an SMS.
"""

from collections.abc import Mapping
from typing import Any

from domain.deliveries.service import Delivery
from domain.deliveries.states import Suppressed
from domain.errors import NotFound
from domain.watch import queries, service
from domain.watch.states import GroupStatus, Standing
from notifications.recipients import Reached
from runtime.settings import Settings

PAGE = "/t/watch/"
"""Where whoever has no app reads a group's rules and accepts them."""


def link(membership: Mapping[str, Any], settings: Settings) -> str:
    """The page of one membership; "" where it has none."""
    if not membership.get("invite_hash"):
        return ""
    return f"{settings.links}{PAGE}{service.invite_token(settings.signing_key, membership['_id'])}"


def invited(delivery: Delivery, reached: Reached, settings: Settings) -> dict[str, str]:
    """Which group asks, and where its rules are. The same for whoever has the app and who has not."""
    group = queries.get(delivery["subject"])
    held = queries.membership(group["_id"], delivery["recipient"]["id"]) or {}
    return {"what": group["name"], "link": link(held, settings)}


def invited_overtaken(delivery: Delivery) -> str:
    """They have answered, or the invitation was taken back, or the group was closed."""
    held = queries.membership(delivery["subject"], delivery["recipient"]["id"])
    return "" if held and held["standing"] == Standing.INVITED else str(Suppressed.OVER)


def news(delivery: Delivery, reached: Reached, settings: Settings) -> dict[str, str]:
    """What happened to the group, for an SMS; a push carries its id alone."""
    group = queries.get(delivery["subject"])
    variant = delivery["refs"].get("variant", "")
    held = queries.membership(group["_id"], delivery["recipient"]["id"]) or {}
    return {
        "variant": variant,
        "what": group["name"],
        "group_id": group["_id"],
        "page": link(held, settings) if variant == "rules" else "",
    }


def news_overtaken(delivery: Delivery) -> str:
    """Of a group that was closed since, only that is told."""
    try:
        group = queries.get(delivery["subject"])
    except NotFound:
        return str(Suppressed.OVER)
    closed = group["status"] == GroupStatus.CLOSED
    return "" if closed == (delivery["refs"].get("variant") == "closed") else str(Suppressed.OVER)


def decided(delivery: Delivery, reached: Reached, settings: Settings) -> dict[str, str]:
    """That something was decided, or waits for a decision; what, the app asks for itself."""
    return {"variant": delivery["refs"].get("variant", ""), "subject_id": delivery["subject"]}
