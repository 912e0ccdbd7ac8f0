"""Whether a group has stood where it stands for long enough, with enough neighbours, to act for others than its members.

Anybody founds a group, over streets where others live, and a number for an account costs little. So what reaches beyond a
group's own members on the word of one who leads it (a warning in a circle, a report that is believed, a published one that is
taken out) needs three things: an account that is not new, a group that is not new there, and neighbours in it who are
several hands. Until then they are neighbours like others: they report, confirm, flag, and warn their own members. The
control room is asked for the rest; it is bound by none of this.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from domain.cities import queries as cities
from domain.people import queries as people
from domain.watch.errors import NotSettled
from domain.watch.queries import Group, is_member, longest_members
from domain.watch.states import Moderation

HANDS: Final = 3
"""So many neighbours at least, whoever leads it among them: as many as make a report believed."""
APART: Final = timedelta(hours=1)
"""Accounts that were made within this of one another are one hand."""
LOOKED_AT: Final = 60
"""Of so many members, those of longest standing, the accounts are looked at."""


def hands(made: Iterable[datetime], *, before: datetime) -> int:
    """How many hands made these accounts, at least, of those that were made before a time. Pure."""
    found, last = 0, None
    for each in sorted(each for each in made if each <= before):
        if last is None or each - last >= APART:
            found += 1
        last = each
    return found


def is_placed(group: Group, *, now: datetime) -> bool:
    """Whether the group has had its area for as long as the city asks."""
    return bool(_placed(group) <= _before(group, now))


def reads_first(groups: Iterable[Group], author: str, *, now: datetime) -> bool:
    """Whether a group of these reads what somebody says before others do: a new one what its members say alone, else whoever
    founds one over a quarter would have silenced it.
    """
    return any(
        group["moderation"] == Moderation.PRE and (is_placed(group, now=now) or is_member(group["_id"], author))
        for group in groups
    )


def check(person: str, led: Sequence[Group], *, say: str = "ask the control room", now: datetime) -> None:
    """Raises NotSettled unless one of these groups that somebody leads may act for others on their word. `why` is
    `account_new`, `group_new` or `too_few_members`; `until` stands with what time alone mends; `say`: what to do instead.
    """
    row = people.collection().find_one({"_id": person}, {"created_at": 1}) or {}
    made, why, until = row.get("created_at"), "group_new", now
    for group in led:
        before = _before(group, now)
        if made is None or made > before:
            why, until = "account_new", now + ((made or now) - before)
        elif _placed(group) > before:
            why, until = "group_new", now + (_placed(group) - before)
        elif _hands(group, before) < HANDS:
            why = "too_few_members"
        else:
            return
    more: dict[str, Any] = {} if why == "too_few_members" else {"until": until}
    raise NotSettled(say, why=why, **more)


def _before(group: Group, now: datetime) -> datetime:
    return now - timedelta(days=cities.current(group["city"]).watch_settled_days)


def _placed(group: Group) -> datetime:
    found: datetime = group.get("placed_at") or group["created_at"]
    return found


def _hands(group: Group, before: datetime) -> int:
    ids = [row["person"] for row in longest_members(group["_id"], limit=LOOKED_AT)]
    rows = people.collection().find({"_id": {"$in": ids}}, {"created_at": 1})
    return hands((row["created_at"] for row in rows if row.get("created_at")), before=before)
