"""Rooms in which several calls hear one another: `<Dial><Conference>`, with its music, its star key and its end.

Source: Twilio's page on TwiML's Conference noun. A room begins when two are in it, one of whom may start it; until then
each hears what `waitUrl` says, over and over. A room lives as long as its calls and is not kept by the journal.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sandbox.carriers.call_events import ENDED
from sandbox.carriers.outgoing import Unreachable
from sandbox.carriers.records import Call, sid
from sandbox.carriers.twiml import BadTwiml, Verb, absolute, parse, spoken_seconds

if TYPE_CHECKING:
    from sandbox.carriers.line import Line, Live

SHORTEST_WAIT_S = 0.25
"""Between two askings of a waitUrl that has nothing to say."""


@dataclass
class Member:
    """A call in a room: what its `<Dial>` and `<Conference>` asked for."""

    call: Call
    dial: Verb
    noun: Verb
    base: str
    joined: float = field(default_factory=time.time)

    def says(self, name: str, default: str) -> bool:
        """A true-or-false attribute of the Conference."""
        return self.noun.attributes.get(name, default) == "true"


@dataclass
class Room:
    """One conference of one name; the next of that name is another one."""

    name: str
    sid: str = field(default_factory=lambda: sid("CF"))
    status: str = "init"
    created: float = field(default_factory=time.time)
    updated: float = field(default_factory=time.time)
    members: list[Member] = field(default_factory=list)
    ended_by: str | None = None
    why_ended: str | None = None


class Conferences:
    """Every room of a line, those that are over too."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self.lock = threading.RLock()
        self.rooms: list[Room] = []

    def join(self, call: Call, live: Live, dial: Verb, noun: Verb) -> None:
        """Put a call into the room that the noun names; the caller of this holds the call's lock."""
        member = Member(call, dial, noun, live.base)
        live.dial = None
        with self.lock:
            room = self._open_room(noun.text) or self._new_room(noun.text)
            full = len(room.members) >= int(noun.number("maxParticipants", 250))
            if not full:
                room.members.append(member)
        if full:
            self.line.script.play(call, live.turn)
            return
        live.room = room
        self.line.hear(call, verb="Conference", name=room.name, sid=room.sid)
        with self.lock:
            begins = room.status == "init" and len(room.members) > 1
            begins = begins and any(each.says("startConferenceOnEnter", "true") for each in room.members)
            if begins:
                room.status = "in-progress"
            room.updated = time.time()
            running, others = room.status == "in-progress", [each.call for each in room.members]
        if running:
            # Of a room that begins now everybody hears it, else whoever comes and those who are there.
            for each in others:
                self.line.hear(each, verb="Bridged", others=[other.phone for other in others if other is not each])
        else:
            self.line.carriers.posts.after(0, self._wait, call, room, live.turn, "")

    def _open_room(self, name: str) -> Room | None:
        return next((room for room in self.rooms if room.name == name and room.status != "completed"), None)

    def _new_room(self, name: str) -> Room:
        room = Room(name)
        self.rooms.append(room)
        return room

    def _wait(self, call: Call, room: Room, turn: int, url: str) -> None:
        """What is heard while nobody else is there: asked for again whenever it is over."""
        live = self.line.live(call)
        member = self._member(room, call)
        if member is None or room.status != "init" or live.turn != turn:
            return
        home = absolute(member.base, member.noun.attributes.get("waitUrl", ""))
        if not member.noun.attributes.get("waitUrl"):
            return  # Twilio's own music
        try:
            method = member.noun.attributes.get("waitMethod", "POST")
            more = {"ConferenceSid": room.sid, "FriendlyName": room.name}
            kind, body = self.line.events.request(url or home, self.line.events.params(call) | more, method)
            verbs = parse(body, kind)
        except (Unreachable, BadTwiml) as failure:
            self.line.hear(call, verb="Error", text=str(failure), code=11200)
            return
        seconds, onwards = 0.0, ""
        for verb in verbs:
            if room.status != "init" or live.turn != turn:
                return
            if verb.name in ("Say", "Play", "Pause"):
                self.line.script.heard_verb(call, verb)
                seconds += spoken_seconds(verb) * self.line.carriers.options.pace
            elif verb.name == "Redirect":
                onwards = absolute(url or home, verb.text)
                break
            else:
                # As Twilio: nothing else is allowed while one waits.
                self.line.hear(call, verb=verb.name, unplayed=True)
        later = self.line.carriers.later
        later.after(max(seconds, SHORTEST_WAIT_S), self._wait_again, call, room, turn, onwards)

    def _wait_again(self, call: Call, room: Room, turn: int, url: str) -> None:
        self.line.carriers.posts.after(0, self._wait, call, room, turn, url)

    def _member(self, room: Room, call: Call) -> Member | None:
        return next((each for each in list(room.members) if each.call is call), None)

    def star(self, call: Call) -> bool:
        """The star key: leaves the room where the `<Dial>` said so. False: the call is in none, or it was not said."""
        live = self.line.live(call)
        with live.lock:
            member = self._member(live.room, call) if live.room else None
            if live.room is None or member is None or member.dial.attributes.get("hangupOnStar") != "true":
                return False
            self.line.hear(call, verb="Digits", digits="*")
            self._out(call, live, live.room, member)
        return True

    def gone(self, call: Call, live: Live) -> None:
        """The call is over, or goes elsewhere: it is in no room any more."""
        room, live.room = live.room, None
        member = self._member(room, call) if room else None
        if room and member:
            self._left(room, member)

    def _out(self, call: Call, live: Live, room: Room, member: Member) -> None:
        """A call leaves its room and goes on with what its `<Dial>` says; the caller of this holds its lock."""
        live.room = None
        live.turn += 1
        self._left(room, member)
        self._go_on(call, member, live.turn)

    def _left(self, room: Room, member: Member) -> None:
        with self.lock:
            if member in room.members:
                room.members.remove(member)
            room.updated = time.time()
            over = not room.members or (room.status == "in-progress" and member.says("endConferenceOnExit", "false"))
            if over and room.status != "completed":
                room.status, room.ended_by = "completed", member.call.sid
                ends = "participant-with-end-conference-on-exit-left" if room.members else "last-participant-left"
                room.why_ended = ends
            rest = list(room.members) if over else []
        for each in rest:
            self.line.carriers.posts.after(0, self._ended, each, room)

    def _ended(self, member: Member, room: Room) -> None:
        """The room is over while this call is in it."""
        call, live = member.call, self.line.live(member.call)
        with live.lock:
            if live.room is room and call.status not in ENDED:
                self._out(call, live, room, member)

    def _go_on(self, call: Call, member: Member, turn: int) -> None:
        action = member.dial.attributes.get("action", "")
        if not action:
            self.line.carriers.posts.after(0, self.line.script.play, call, turn)
            return
        more: dict[str, Any] = {"DialCallStatus": "completed", "DialBridged": "true"}
        url, method = absolute(member.base, action), member.dial.attributes.get("method", "POST")
        self.line.carriers.posts.after(0, self.line.script.fetch, call, url, method, more)
