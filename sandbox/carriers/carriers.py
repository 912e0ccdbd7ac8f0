"""The parts of the local carriers that every route needs, built once per process."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.carriers.journal import Journal
from sandbox.carriers.later import Later
from sandbox.carriers.options import Options
from sandbox.carriers.state import State
from sandbox.carriers.switches import Switches


@dataclass(frozen=True)
class Carriers:
    """What a route works with."""

    options: Options
    state: State
    switches: Switches
    later: Later

    @classmethod
    def open(cls, options: Options) -> Carriers:
        """Read the journal and start the threads. Once per process, after any fork."""
        return cls(options, State(Journal(options.journal)), Switches(), Later())
