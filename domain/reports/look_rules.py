"""When cameras are asked about a report that nobody has to believe yet, and what they saw is worth. Pure.

What speaks for the kind of report adds at most half a voice to its score, and is no voice: cameras alone raise nothing, and
one that saw nothing says nothing against anybody. Figures are ours, a first estimate.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from domain.correlation.rules import SPEAKS_FOR, believed
from domain.reports.categories import ReportCategory
from domain.reports.rules import Belief, Voice, is_fresh
from domain.reports.states import Flag

FROM: Final = 0.5
"""From this score on cameras near by may be asked, before it is believed,"""
VOICES: Final = 2
"""if so many independent people who are not new say so;"""
FROM_KNOWN: Final = 0.3
"""or from this one on the word of one alone, whose reports have helped more often than they were wrong;"""
WITHIN: Final = timedelta(minutes=10)
"""as long as cameras may still see it."""
STREET: Final = 9
"""Whoever reads of it is shown a street, no coarser cell: else its place would tell where somebody lives."""
MOST: Final = 0.5
"""What cameras saw weighs no more than half a neighbour of the place."""


def may_be_looked_at(
    kind: ReportCategory, allowed: Collection[str], flags: Iterable[Mapping[str, Any]], *, at: datetime, now: datetime
) -> bool:
    """Whether cameras may be asked about a report that nobody has to believe yet.

    Not of a kind that its city does not allow (`report_looks`), nor of one about which they are not asked later either; not
    where its place would tell where somebody lives (others see it coarser); not once a neighbour whose account is not new
    flagged it as `private`; not when they can no longer see it.
    """
    if kind.code not in allowed or not kind.camera or kind.cell < STREET or now - at > WITHIN:
        return False
    return not any(each.get("why") == Flag.PRIVATE and each.get("counts", True) for each in flags)


def is_worth_a_look(belief: Belief, author: Voice, *, now: datetime) -> bool:
    """Whether it is likely enough for cameras to be asked: by two of the place, or one whose word was good before."""
    known = not is_fresh(author.made, now) and author.helped > author.false_alarms
    if belief.voices < (1 if known else VOICES):
        return False
    return belief.score >= (FROM_KNOWN if known else FROM)


def share(sights: Iterable[Mapping[str, Any]], incident: str) -> float:
    """What cameras saw, as a weight: the best confidence of a finding that speaks for this kind of incident, halved. A human
    who has looked at it outweighs the detector.

    `sights`: [{findings: [{kind, confidence, said?}]}].
    """
    found = (each for sight in sights for each in sight.get("findings") or [])
    speaking = (
        believed(each["confidence"], each.get("said"))
        for each in found
        if incident in SPEAKS_FOR.get(each["kind"], frozenset())
    )
    return round(MOST * max(speaking, default=0.0), 3)
