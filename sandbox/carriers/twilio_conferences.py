"""Twilio's Conferences API, to look at: `/2010-04-01/Accounts/{sid}/Conferences…`."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request

from sandbox.carriers.carriers import Carriers
from sandbox.carriers.conferences import Conferences, Member, Room
from sandbox.carriers.options import Options
from sandbox.carriers.twilio_wire import VERSION, answer, authenticate, dated, not_found, page, rfc2822


def routes(carriers: Carriers, conferences: Conferences) -> Blueprint:
    """The blueprint."""
    blueprint = Blueprint("conferences", __name__, url_prefix=f"/{VERSION}/Accounts/<account>")
    options = carriers.options

    def one(account: str, conference: str) -> Room:
        authenticate(options, request, account)
        found = next((room for room in list(conferences.rooms) if room.sid == conference), None)
        if found is None:
            raise not_found(request)
        return found

    @blueprint.get("/Conferences.json")
    def index(account: str) -> Response:
        authenticate(options, request, account)
        wanted = {"FriendlyName": "name", "Status": "status"}
        found = [
            room
            for room in reversed(list(conferences.rooms))
            if all(
                not request.args.get(name) or getattr(room, field) == request.args[name]
                for name, field in wanted.items()
            )
            and dated(request, "DateCreated", room.created)
            and dated(request, "DateUpdated", room.updated)
        ]
        return page(request, "conferences", found, lambda room: _conference(options, room))

    @blueprint.get("/Conferences/<conference>.json")
    def fetch(account: str, conference: str) -> Response:
        return answer(_conference(options, one(account, conference)))

    @blueprint.get("/Conferences/<conference>/Participants.json")
    def participants(account: str, conference: str) -> Response:
        room = one(account, conference)
        return page(request, "participants", list(room.members), lambda member: _participant(options, room, member))

    return blueprint


def _conference(options: Options, room: Room) -> dict[str, Any]:
    """The Conference resource; why it ended is said once it has, for Twilio's document has no empty value for that."""
    uri = f"/{VERSION}/Accounts/{options.account_sid}/Conferences/{room.sid}"
    return {
        "account_sid": options.account_sid,
        "api_version": VERSION,
        "call_sid_ending_conference": room.ended_by,
        "date_created": rfc2822(room.created),
        "date_updated": rfc2822(room.updated),
        "friendly_name": room.name,
        "region": "us1",
        "sid": room.sid,
        "status": room.status,
        "subresource_uris": {"participants": f"{uri}/Participants.json", "recordings": f"{uri}/Recordings.json"},
        "uri": f"{uri}.json",
        **({"reason_conference_ended": room.why_ended} if room.why_ended else {}),
    }


def _participant(options: Options, room: Room, member: Member) -> dict[str, Any]:
    """The Participant resource with all its fields."""
    uri = f"/{VERSION}/Accounts/{options.account_sid}/Conferences/{room.sid}/Participants/{member.call.sid}.json"
    return {
        "account_sid": options.account_sid,
        "call_sid": member.call.sid,
        "call_sid_to_coach": None,
        "coaching": False,
        "conference_sid": room.sid,
        "date_created": rfc2822(member.joined),
        "date_updated": rfc2822(member.joined),
        "end_conference_on_exit": member.says("endConferenceOnExit", "false"),
        "hold": False,
        "label": member.noun.attributes.get("participantLabel"),
        "muted": member.says("muted", "false"),
        "queue_time": "0",
        "start_conference_on_enter": member.says("startConferenceOnEnter", "true"),
        "status": "connected",
        "uri": uri,
    }
