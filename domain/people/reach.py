"""What reached somebody last, where the usual way did not: one small record on the person, read with their addresses.

A phone that gets no pushes costs its owner seconds each time; so the next message begins where the last one arrived. The
record is gone as soon as the phone answers again, and counts for a day (`notifications/policy.py: WORKED_FOR`).
"""

from datetime import datetime

from domain.people import queries


def learned(person_id: str, channel: str, *, device: str | None, now: datetime) -> bool:
    """`channel` reached them where the push to `device` had no receipt; "": the phone answers. False: it was known.

    Not a change that anybody sees: the person's version and their sync stay.
    """
    known = {"_id": person_id, "erased_at": None}
    if not channel:
        done = queries.collection().update_one(
            {**known, "reached_by": {"$exists": True}}, {"$unset": {"reached_by": ""}}
        )
    else:
        record = {"channel": channel, "device": device, "at": now}
        done = queries.collection().update_one(known, {"$set": {"reached_by": record}})
    return bool(done.modified_count)
