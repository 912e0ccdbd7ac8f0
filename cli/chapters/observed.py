"""What a chapter saw, with its time from the tap; and how it waits for things to be seen."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from rich.console import Console

Found = TypeVar("Found")


class NotObserved(Exception):
    """Something that the story promises was not seen in time."""


@dataclass
class Step:
    """One promise of the story: what, when it was seen (seconds from the tap, None if never), and by what evidence."""

    name: str
    text: str
    at_s: float | None
    evidence: str


@dataclass
class Story:
    """The timeline of a chapter, printed as it happens."""

    console: Console
    quiet: bool = False
    steps: list[Step] = field(default_factory=list)
    _began: float = field(default_factory=time.time)

    def begin(self) -> None:
        """The tap: from here on times are counted."""
        self._began = time.time()

    def seen(self, name: str, text: str, evidence: str, *, at: float | None = None) -> None:
        """Record a step; `at` is a Unix time taken from outside (an inbox), now when not given."""
        seconds = (at if at is not None else time.time()) - self._began
        self.steps.append(Step(name, text, round(seconds, 3), evidence))
        if not self.quiet:
            self.console.print(f"[bold green]{seconds:7.2f} s[/]  {text}  [dim]{evidence}[/]")

    def missed(self, name: str, text: str, why: str) -> None:
        """Record a step that was not seen."""
        self.steps.append(Step(name, text, None, why))
        if not self.quiet:
            self.console.print(f"[bold red]  missed[/]  {text}  [dim]{why}[/]")

    def say(self, text: str) -> None:
        """A line beside the timeline."""
        if not self.quiet:
            self.console.print(f"           [dim]{text}[/]")

    @property
    def complete(self) -> bool:
        """Whether every step was seen."""
        return all(step.at_s is not None for step in self.steps)

    def to_document(self) -> dict[str, Any]:
        """For machines: {complete, steps: [{name, text, at_s, evidence}]}."""
        return {"complete": self.complete, "steps": [vars(step) for step in self.steps]}


def wait_for(what: str, look: Callable[[], Found | None], seconds: float, *, every_s: float = 0.03) -> Found:
    """The first true answer of `look`; raises NotObserved after `seconds`."""
    end = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > end:
            raise NotObserved(f"{what}: not within {seconds:.0f} s")
        time.sleep(every_s)
