"""The movement of a look's pictures, measured only where it can matter.

A dispersal needs people who stood together and are fewer afterwards, which their number alone tells; only around such moments
is it asked how fast and which way the picture moved. The answer is the same as if all of it had been measured.
"""

from __future__ import annotations

from workers.vision.crowd import PARAMETERS, Glimpse, Stir, chances, optical_flow

OPEN = 120  # pictures that wait to be measured or not, 5 MB
REACH_S = PARAMETERS["before_s"] + PARAMETERS["wait_s"]


class Stirs:
    """Feed glimpses in order of time, then take ``all``."""

    def __init__(self) -> None:
        self._stirs: list[Stir] = []
        self._open: list[Glimpse | None] = []  # of the last pictures; None where it was measured

    def see(self, glimpse: Glimpse) -> None:
        """The next picture."""
        self._stirs.append(glimpse.still())
        self._open.append(glimpse)
        if len(self._open) >= OPEN:
            self._measure()
            near = sum(stir.t > self._stirs[-1].t - REACH_S for stir in self._stirs[-OPEN:])
            self._open = self._open[-min(near, OPEN // 2) :]

    def all(self) -> list[Stir]:
        """Every picture's; ``flow`` and ``outward`` are 0 where no dispersal can be."""
        self._measure()
        return self._stirs

    def _measure(self) -> None:
        first, flow = len(self._stirs) - len(self._open), optical_flow()
        wanted = {stir.t for _, before, after in chances(self._stirs[first:]) for stir in (*before, *after)}
        for index, glimpse in enumerate(self._open):
            if glimpse is not None and glimpse.t in wanted:
                self._stirs[first + index] = glimpse.stir(flow)
                self._open[index] = None
