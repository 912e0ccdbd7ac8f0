"""The data of each push: ids that tell the app what to fetch, and nothing that a stranger may read on a locked screen.

No name, place, category, status or number is ever in it: the app asks the API with its own token. Each kind has a JSON
Schema in `mobile-contract/push/`; `CARRIED` is the same list for the code, and a test holds the two together.
"""

from collections.abc import Mapping

from notifications.render.text import MissingParam

VERSION = "1"
"""Of the payload's shape; a new field does not raise it, a field that changes or goes does."""

CARRIED: Mapping[str, tuple[str, ...]] = {
    "assignment.offered": ("assignment_id", "incident_id"),
    "assignment.withdrawn": ("assignment_id", "incident_id"),
    "incident.updated": ("incident_id",),
    "guardian.alerted": ("incident_id",),
    "guardian.invited": (),
    "journey.due": ("journey_id",),
    "call.due": ("call_id",),
    "helpline.message": ("request_id",),
    "helpline.expire_local": ("request_id",),
    "watch.alert": ("group_id", "alert_id"),
    "watch.group": ("group_id",),
    "watch.moderation": ("subject_id",),
    "roster.reminder": ("patrol_id",),
    "gathering.reminder": ("gathering_id",),
    "drill.ping": ("drill_id",),
    "alert.issued": ("alert_id",),
    "notice.opened": ("notice_id",),
}
"""Kind → the ids it carries beside the envelope (`type`, `v`, `delivery_id`, `receipt_token`)."""


def push_payload(kind: str, *, delivery_id: str, receipt_token: str, params: Mapping[str, str]) -> dict[str, str]:
    """The data of one push, strings only. Of `params` only the ids that the kind carries are taken, whatever else is
    there.

    `delivery_id` is what the app keeps to show a repeated push once; `receipt_token` opens its receipts and nothing
    else. Raises MissingParam where an id is missing, KeyError for a kind that does not exist: faults in the code that
    asked.
    """
    payload = {"type": kind, "v": VERSION, "delivery_id": delivery_id, "receipt_token": receipt_token}
    for name in CARRIED[kind]:
        if not params.get(name):
            raise MissingParam(name)
        payload[name] = params[name]
    return payload
