"""The parts of the local carriers that every route needs, built once per process."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.carriers.journal import Journal
from sandbox.carriers.later import Later
from sandbox.carriers.options import Options
from sandbox.carriers.state import State
from sandbox.carriers.switches import Switches


@dataclass
class Webhooks:
    """Where the city listens; may be changed while it runs, as a number's settings may be at Twilio."""

    sms_url: str
    voice_url: str
    voice_status_url: str


@dataclass(frozen=True)
class Carriers:
    """What a route works with."""

    options: Options
    state: State
    switches: Switches
    later: Later
    """What the network does by itself: never waits for anybody."""
    posts: Later
    """What asks the city: may wait for an answer, and must not hold up the network while it does."""
    webhooks: Webhooks

    @classmethod
    def open(cls, options: Options) -> Carriers:
        """Read the journal and start the threads. Once per process, after any fork."""
        webhooks = Webhooks(options.sms_url, options.voice_url, options.voice_status_url)
        return cls(
            options, State(Journal(options.journal)), Switches(), Later("later", 4), Later("posts", 24), webhooks
        )
