"""The main journeys of a phone, played on the API: what mobile-contract/examples/ holds, request by request.

    python -m tests.contract.journeys      # writes the files anew, after the contract has changed

Time stands where the clock is put, and what is random or secret is written as what it stands for, so that the same
journeys make the same files.
"""

import base64
import hashlib
import json
import re
import tempfile
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import Flask
from pydantic import SecretStr

from api.desk import desk
from app import create_app
from cli.indexes import create as create_indexes
from domain.dispatch import queries as dispatch_queries
from domain.dispatch import service as dispatch
from domain.people import codes
from domain.people.documents import ChallengeDoc
from runtime import mongo
from runtime.settings import Settings
from tests import local_servers
from tests.factories.people import SECRET, Signed, signed_in, staff

FOLDER = Path(__file__).resolve().parents[2] / "mobile-contract" / "examples"
BEGAN = datetime(2026, 11, 23, 9, tzinfo=UTC)
HERE = {"lat": 31.5102, "lon": 74.3441, "accuracy_m": 12}
DEVICE = {"id": "c1f0a6de-phone", "platform": "android", "app_version": "1.0.0", "token": "fcm-token"}
_SHOWN = ("ETag", "Location", "Retry-After", "WWW-Authenticate", "Upload-Offset", "Upload-Expires", "Upload-Length")
_OPAQUE = re.compile(r"\b([a-z]{3})_[a-z0-9]{10,}\b")
_HASH = re.compile(r'W/\\"[0-9a-f]{40}\\"')
_SECRET = {
    "access_token": "eyJhbGciOiJIUzI1NiJ9.the-access-token.c2ln",
    "refresh_token": "the-refresh-token",
    "challenge_id": "the-challenge",
    "sos_token": "the-sos-token",
    "helpline_token": "the-helpline-token",
    "request_id": "0123456789abcdef0123456789abcdef",
}


@dataclass
class Journey:
    """One file: steps as they were sent and answered."""

    title: str
    app: Flask
    clock: "Clock"
    steps: list[dict[str, Any]] = field(default_factory=list)

    def send(
        self, say: str, method: str, path: str, *, body: Any = None, data: Any = None, **headers: str
    ) -> dict[str, Any]:
        """Send it as a phone would, and keep both sides. Returns the body of the answer."""
        self.clock.at += timedelta(seconds=1)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if method == "POST" and "/positions" in path:
            sent["Sent-At"] = text_of(self.clock.at)
        payload: dict[str, Any] = {"json": body} if body is not None else {"data": data} if data is not None else {}
        answer = self.app.test_client().open(path, method=method, headers=sent, **payload)
        rule = self.app.url_map.bind("").match(urlsplit(path).path, method=method, return_rule=True)[0]
        request: dict[str, Any] = {"method": method, "path": path, "headers": sent}
        if body is not None:
            request["body"] = body
        if data is not None:
            request["body_base64"] = base64.b64encode(data).decode()
        replied: dict[str, Any] = {
            "status": answer.status_code,
            "headers": {name: answer.headers[name] for name in _SHOWN if name in answer.headers},
        }
        if answer.data:
            replied["body"] = json.loads(answer.data)
        operation = rule.endpoint.replace(".", "_")
        self.steps.append({"say": say, "operation": operation, "request": request, "answer": replied})
        found: dict[str, Any] = replied.get("body", {}) | {"headers": replied["headers"]}
        return found


@dataclass
class Clock:
    """Time that moves by a second with each request."""

    at: datetime = BEGAN

    def __call__(self) -> datetime:
        return self.at


def text_of(at: datetime) -> str:
    """RFC 3339."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _key(name: str) -> str:
    return str(uuid.UUID(bytes=hashlib.sha256(name.encode()).digest()[:16], version=4))


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _sign_in(journey: Journey) -> None:
    asked = journey.send("Ask for a code.", "POST", "/v1/auth/otp", body={"phone": "+923000000001", "language": "en"})
    challenge = asked["challenge_id"]
    with journey.app.app_context():
        code = codes.otp_code(SECRET, ChallengeDoc.objects(id=codes.challenge_id(challenge)).get())
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    body = {"challenge_id": challenge, "code": wrong, "device": DEVICE}
    journey.send("A wrong code.", "POST", "/v1/auth/token", body=body)
    tokens = journey.send("The code of the SMS.", "POST", "/v1/auth/token", body={**body, "code": code})
    mine = _bearer(tokens["access_token"])
    journey.send("Both PINs.", "PUT", "/v1/me/pins", body={"safe_pin": "4821", "duress_pin": "4822"}, **mine)
    guardian = {"name": "Sana", "phone": "+923000000002", "language": "en"}
    journey.send("A guardian.", "POST", "/v1/me/guardians", body=guardian, Idempotency_Key=_key("sana"), **mine)
    device = {"platform": "android", "app_version": "1.1.0", "token": "fcm-token-2"}
    journey.send("A new push token.", "PUT", "/v1/me/devices/c1f0a6de-phone", body=device, **mine)
    journey.send("Later: the next tokens.", "POST", "/v1/auth/refresh", body={"refresh_token": tokens["refresh_token"]})
    journey.send("Leave.", "POST", "/v1/auth/logout", **mine)
    journey.send("A token of an ended session.", "GET", "/v1/me", **mine)


def _sos(journey: Journey) -> None:
    key = _key("sos")
    body = {"position": {**HERE, "captured_at": text_of(journey.clock.at)}, "device": DEVICE["id"]}
    sos = journey.send("One tap, nobody signed in.", "POST", "/v1/sos", body=body, Idempotency_Key=key)
    fresher = {"position": {**HERE, "lat": 31.5106, "captured_at": text_of(journey.clock.at)}, "device": DEVICE["id"]}
    journey.send("No answer came: the same again, with what is new.", "POST", "/v1/sos", body=fresher,
                 Idempotency_Key=key)  # fmt: skip
    mine, path = {"Sos-Token": sos["sos_token"]}, f"/v1/sos/{sos['id']}"
    seen = journey.send("How does it stand?", "GET", path, **mine)
    journey.send("The same question: nothing new.", "GET", path, If_None_Match=seen["headers"]["ETag"], **mine)
    points = [
        {"lat": 31.5108, "lon": 74.3449, "accuracy_m": 8, "captured_at": text_of(journey.clock.at)},
        {"lat": 31.5107, "lon": 74.3445, "accuracy_m": 9, "captured_at": text_of(journey.clock.at - timedelta(0, 5))},
    ]
    journey.send("Where the phone is, in any order.", "POST", f"{path}/positions", body={"positions": points}, **mine)
    message = {"text": "I am behind the pharmacy."}
    journey.send("A text to the control room.", "POST", f"{path}/messages", body=message,
                 Idempotency_Key=_key("message"), **mine)  # fmt: skip
    journey.send("Somebody else's token.", "GET", path, Sos_Token="another")
    journey.send("It is over; no PIN is set.", "POST", f"{path}/cancel", body={"reason": "I am at home."}, **mine)


def _cancel(journey: Journey) -> None:
    with journey.app.app_context():
        citizen = signed_in(journey.clock.at, name="Ayesha", phone="+923000000003", otp_at=journey.clock.at)
    mine = citizen.headers
    journey.send("Both PINs.", "PUT", "/v1/me/pins", body={"safe_pin": "4821", "duress_pin": "4822"}, **mine)
    body = {"position": HERE, "device": DEVICE["id"], "category": "harassment", "silent": True}
    sos = journey.send("An SOS that rings no phone.", "POST", "/v1/sos", body=body, Idempotency_Key=_key("c"), **mine)
    path = f"/v1/sos/{sos['id']}"
    journey.send("A wrong PIN.", "POST", f"{path}/cancel", body={"pin": "1111"}, **mine)
    journey.send("The PIN.", "POST", f"{path}/cancel", body={"pin": "4821", "reason": "It is over."}, **mine)
    point = {"positions": [{**HERE, "captured_at": text_of(journey.clock.at)}]}
    journey.send("For 30 minutes more.", "POST", f"{path}/positions", body=point, **mine)
    journey.send("What changed for me.", "GET", "/v1/sync", **mine)


def _responder(journey: Journey) -> None:
    first, second = (_officer(journey, number) for number in (1, 2))
    journey.send("On duty.", "PUT", "/v1/responder/duty", body={"status": "available"}, **first.headers)
    point = {"positions": [{**HERE, "captured_at": text_of(journey.clock.at)}]}
    journey.send("Where the unit is.", "POST", "/v1/responder/positions", body=point, **first.headers)
    body = {"position": HERE, "device": DEVICE["id"], "category": "police"}
    sos = journey.app.test_client().post("/v1/sos", json=body, headers={"Idempotency-Key": _key("r")}).get_json()["id"]
    offers = []
    with journey.app.app_context():
        for number in (1, 2):
            unit = f"unt_example000{number}"
            doc = dispatch.assign(sos, "police", unit, desk("lahore"), by="per_operator0001", now=journey.clock.at)
            offers.append(next(each for each, found in doc["assignments"].items() if found["unit"] == unit))
    mine, theirs = (f"/v1/assignments/{each}" for each in offers)
    journey.send("What is one asked?", "GET", "/v1/responder/assignments", **first.headers)
    journey.send("Yes.", "POST", f"{mine}/accept", **first.headers)
    journey.send("Another unit is too late.", "POST", f"{theirs}/accept", **second.headers)
    journey.send("On the way.", "POST", f"{mine}/en_route", **first.headers)
    journey.send("There.", "POST", f"{mine}/on_scene", **first.headers)
    journey.send("Done.", "POST", f"{mine}/clear", body={"resolution": "helped"}, **first.headers)
    journey.send("A step that is no longer possible.", "POST", f"{mine}/en_route", **first.headers)


def _officer(journey: Journey, number: int) -> Signed:
    unit = f"unt_example000{number}"
    at = journey.clock.at
    held = [{"role": "responder", "city": "lahore", "agency_id": "punjab_police", "group_id": ""}]
    with journey.app.app_context():
        dispatch_queries.units().insert_one(
            {"_id": unit, "city": "lahore", "agency": "punjab_police", "name": f"Dolphin {number}", "version": 1}
            | {"services": ["police"], "skills": [], "status": "available", "responders": [], "created_at": at}
            | {"position": {"lat": 31.512, "lon": 74.35, "at": at}, "cells": {}}
        )
        return signed_in(
            at, roles=held, unit_id=unit, duty="available", phone=f"+92300000001{number}", language="en"
        )  # fmt: skip


def _upload(journey: Journey) -> None:
    body = {"position": HERE, "device": DEVICE["id"]}
    headers = {"Idempotency-Key": _key("u")}
    sos = journey.app.test_client().post("/v1/sos", json=body, headers=headers).get_json()
    mine = {"Sos-Token": sos["sos_token"], "Tus-Resumable": "1.0.0"}
    data = b"The first half, and the second."
    named = (
        f"filename {base64.b64encode(b'note.txt').decode()},sha256 "
        + base64.b64encode(hashlib.sha256(data).hexdigest().encode()).decode()
    )
    begun = journey.send(
        "Begin, with the hash of the whole.", "POST", f"/v1/sos/{sos['id']}/media", Upload_Length=str(len(data)),
        Upload_Metadata=named, Idempotency_Key=_key("file"), **mine,
    )  # fmt: skip
    path = urlsplit(begun["headers"]["Location"]).path
    part = {"Content-Type": "application/offset+octet-stream", **mine}
    journey.send("The first bytes.", "PATCH", path, data=data[:14], Upload_Offset="0", **part)
    journey.send("The network was away: how far is it?", "HEAD", path, **mine)
    journey.send("Bytes for another place.", "PATCH", path, data=data[3:], Upload_Offset="3", **part)
    journey.send("The rest.", "PATCH", path, data=data[14:], Upload_Offset="14", **part)


def _alerts(journey: Journey) -> None:
    with journey.app.app_context():
        reader = signed_in(journey.clock.at, phone="+923000000041", language="en")
        desk_at = staff(journey.clock.at, "operator", phone="+923000000042")
    home = {"alerts": {"areas": [{"label": "home", "lat": 31.51, "lon": 74.35}], "follow_device": True}}
    journey.send(
        "Hear the alerts for home, and for where the phone is.", "PATCH", "/v1/me", body=home, **reader.headers
    )
    near = {"near": {"lat": 31.5, "lon": 74.3}}
    journey.send("Roughly here.", "PUT", "/v1/me/devices/c1f0a6de-phone", body=near, **reader.headers)
    corners = [[74.32, 31.49], [74.37, 31.49], [74.37, 31.53], [74.32, 31.53], [74.32, 31.49]]
    flood = {
        "texts": {
            "en": {"event": "Flood", "headline": "Flood in Gulberg", "instruction": "Go to higher ground now."},
            "ur": {"event": "سیلاب", "headline": "گلبرگ میں سیلاب", "instruction": "فوراً اونچی جگہ جائیں۔"},
        },
        "category": "Met",
        "severity": "Severe",
        "urgency": "Immediate",
        "certainty": "Observed",
        "area": {"geometry": {"type": "Polygon", "coordinates": [corners]}, "name": {"en": "Gulberg", "ur": "گلبرگ"}},
        "city": "lahore",
    }
    made = journey.send(
        "Staff: a draft.", "POST", "/v1/alerts", body=flood, Idempotency_Key=_key("flood"), **desk_at.headers
    )
    path = f"/v1/alerts/{made['id']}"
    journey.send("A draft is nobody else's.", "GET", path, **reader.headers)
    journey.send("Staff: it goes out.", "POST", f"{path}/issue", **desk_at.headers)
    journey.send("What is in force for my places.", "GET", "/v1/alerts?city=lahore&mine=true", **reader.headers)
    told = journey.send("After the push `alert.issued`: what it says.", "GET", path, **reader.headers)
    journey.send("Nothing new.", "GET", path, If_None_Match=told["headers"]["ETag"], **reader.headers)
    over = {"reason": {"en": "The water has gone.", "ur": "پانی اتر گیا ہے۔"}}
    journey.send("Staff: it is over, an alert of its own.", "POST", f"{path}/cancel", body=over, **desk_at.headers)
    journey.send("It no longer holds.", "GET", path, **reader.headers)


def _walk(journey: Journey) -> None:
    """Somebody walks home; times of the journey stand in the body, by the phone's clock."""
    with journey.app.app_context():
        who = signed_in(journey.clock.at, phone="+923000000021", language="en")
    mine = {**who.headers, "Idempotency-Key": _key("walk")}
    home = {"lat": 31.5204, "lon": 74.3587, "name": "Home"}
    arrival = text_of(journey.clock.at + timedelta(minutes=30))
    body = {"destination": home, "expected_arrival": arrival, "check_in_every_s": 600, "position": HERE}
    started = journey.send("Home within half an hour.", "POST", "/v1/journeys", body=body, **mine)
    here = f"/v1/journeys/{started['id']}"
    point = {"lat": 31.5112, "lon": 74.3452, "accuracy_m": 9, "captured_at": text_of(journey.clock.at)}
    journey.send(
        "On the way.", "POST", f"{here}/positions", body={"positions": [point], "battery_pct": 40}, **who.headers
    )
    journey.send("All is well.", "POST", f"{here}/check-in", body={"battery_pct": 38}, **who.headers)
    later = text_of(journey.clock.at + timedelta(minutes=45))
    journey.send("Later than thought.", "POST", f"{here}/extend", body={"expected_arrival": later}, **who.headers)
    journey.send("There.", "POST", f"{here}/arrive", body={}, **who.headers)
    journey.send("It is over.", "POST", f"{here}/check-in", body={}, **who.headers)
    journey.send("Where to go now?", "GET", "/v1/safe-places?lat=31.5102&lon=74.3441&limit=2")


def _helpline(journey: Journey) -> None:
    with journey.app.app_context():
        counsellor = staff(journey.clock.at, "counsellor", gender="female")
    desk = counsellor.headers
    journey.send("The desk: on shift.", "PUT", "/v1/helpline/duty", body={"state": "available"}, **desk)
    body = {"mode": "silent", "language": "ur", "anonymous": True, "city": "lahore", "disguise": "weather"}
    asked = journey.send("Ask, silently, from a phone without an account.", "POST", "/v1/helpline/requests",
                         body={**body, "message": "کیا کوئی ہے؟", "codeword": "نیلا دوپٹہ"},
                         Idempotency_Key=_key("helpline"))  # fmt: skip
    mine, path = {"Helpline-Token": asked["helpline_token"]}, f"/v1/helpline/requests/{asked['id']}"
    journey.send("Her place, and whether somebody is there.", "GET", path, **mine)
    journey.send("The desk: who waits, not what they told.", "GET", "/v1/helpline/waiting", **desk)
    journey.send("The desk: take it, and read what she told.", "POST", f"{path}/claim", **desk)
    journey.send("The desk: write.", "POST", f"{path}/messages", body={"quick": "i_am_here"},
                 Idempotency_Key=_key("desk"), **desk)  # fmt: skip
    journey.send("What came after the first.", "GET", f"{path}/messages?after_seq=1", **mine)
    journey.send("Received and seen.", "POST", f"{path}/receipts", body={"received": 2, "seen": 2}, **mine)
    journey.send("The desk: call her. She gave no number.", "POST", f"{path}/call", **desk)
    journey.send("No more contact, at once.", "POST", f"{path}/contact", body={"stop": True}, **mine)
    journey.send("All of it gone.", "DELETE", path, **mine)


def _problems(journey: Journey) -> None:
    journey.send("How this city works.", "GET", "/v1/app-config?lat=31.5102&lon=74.3441")
    journey.send("A filter that does not exist.", "GET", "/v1/app-config?town=lahore")
    journey.send("A field that cannot be.", "POST", "/v1/auth/otp", body={"phone": "fifteen"})
    journey.send("Nobody signed in.", "GET", "/v1/me")
    journey.send("An SOS by nobody, from nowhere.", "POST", "/v1/sos", body={"note": "help"})


def _watch(journey: Journey) -> None:
    with journey.app.app_context():
        leads = signed_in(journey.clock.at, phone="+923000000051", language="en", name="Asma")
        saw = signed_in(journey.clock.at, phone="+923000000052", language="en", name="Bilal")
    corners = [[74.34, 31.507], [74.349, 31.507], [74.349, 31.514], [74.34, 31.514], [74.34, 31.507]]
    body = {"name": "Block C", "area": {"type": "Polygon", "coordinates": [corners]}, "rules": "Say what, not who."}
    group = journey.send("Found a group.", "POST", "/v1/watch/groups", body=body, Idempotency_Key=_key("group"),
                         **leads.headers)  # fmt: skip
    path = f"/v1/watch/groups/{group['id']}"
    journey.send("Which groups are around?", "GET", "/v1/watch/groups?lat=31.5102&lon=74.3441", **saw.headers)
    read = journey.send("Its rules.", "GET", path, **saw.headers)
    rules = {"rules_version": read["rules_version"]}
    journey.send("Accept them, and ask to join.", "POST", f"{path}/members", body=rules, **saw.headers)
    waiting = journey.send("Who asks?", "GET", f"{path}/members?standing=requested", **leads.headers)
    someone = waiting["items"][0]["person"]
    journey.send("Come in.", "POST", f"{path}/members/{someone}/admit", **leads.headers)
    position = {**HERE, "captured_at": text_of(journey.clock.at)}
    report = {"category": "suspicious", "position": position, "note": "Somebody tries the doors of parked cars."}
    made = journey.send("What one sees.", "POST", "/v1/watch/reports", body=report, Idempotency_Key=_key("report"),
                        **saw.headers)  # fmt: skip
    here = f"/v1/watch/reports/{made['id']}"
    word = {"stand": "confirm", "position": {**HERE, "lat": 31.5104}}
    journey.send("A neighbour sees it too.", "POST", f"{here}/confirmations", body=word, **leads.headers)
    journey.send("What is going on here?", "GET", "/v1/watch/reports?near=31.5102,74.3441", **leads.headers)
    journey.send("He went away.", "POST", f"{here}/withdraw", **saw.headers)
    journey.send("It is gone.", "GET", here, **leads.headers)


JOURNEYS: Mapping[str, tuple[str, Callable[[Journey], None]]] = {
    "sign-in.json": ("Signing in, PINs, a guardian, tokens that rotate, leaving.", _sign_in),
    "sos.json": ("An SOS by one tap, its retry, following it, positions, a message, its end.", _sos),
    "cancel.json": ("An SOS that needs its PIN to be cancelled, and what a sync says after.", _cancel),
    "responder.json": ("A responder: duty, positions, an offer, yes, on the way, there, done.", _responder),
    "upload.json": ("A file that is sent in parts (tus 1.0).", _upload),
    "alerts.json": ("Public alerts: whose are heard, one that is issued, and its end.", _alerts),
    "problems.json": ("What a city is made of, and what goes wrong.", _problems),
    "helpline.json": (
        "The helpline, from both sides: silent, answered, no call, contact stopped, gone.",
        _helpline,
    ),
    "watch.json": ("A watch group: founded, joined; a report, confirmed, taken back.", _watch),
    "journey.json": ("A journey: started, on the way, a check-in, later than thought, there.", _walk),
}


def play(app: Flask, clock: Clock) -> dict[str, str]:
    """File name → its text, after playing every journey on this application."""
    files = {}
    for name, (title, steps) in JOURNEYS.items():
        clock.at += timedelta(hours=1)
        journey = Journey(title, app, clock)
        steps(journey)
        shown = _shown({"title": title, "steps": journey.steps})
        files[name] = json.dumps(shown, indent=1, ensure_ascii=False) + "\n"
    return files


def _shown(journey: dict[str, Any]) -> dict[str, Any]:
    """With what is secret or made by chance replaced, the same thing by the same word everywhere."""
    words: dict[str, str] = {}

    def learn(node: Any) -> None:
        if isinstance(node, dict):
            for key, value in node.items():
                if key in _SECRET and isinstance(value, str):
                    count = len({each for each in words.values() if each.startswith(_SECRET[key])})
                    same = key == "request_id"
                    words.setdefault(value, _SECRET[key] + (f"-{count + 1}" if count and not same else ""))
                elif key == "share_url":
                    words.setdefault(value.rsplit("/", 1)[1], "k3y0fTheP4ge")
                elif key == "cursor" and isinstance(value, str):
                    words.setdefault(value, "the-cursor")
                elif key == "Authorization":
                    words.setdefault(value.removeprefix("Bearer "), _SECRET["access_token"])
                elif key == "code" and str(value).isdigit():
                    words.setdefault(value, "123456" if "123456" not in words.values() else "654321")
                learn(value)
        elif isinstance(node, list):
            for value in node:
                learn(value)

    learn(journey)
    text = json.dumps(journey, ensure_ascii=False)
    for secret in sorted(words, key=len, reverse=True):
        text = text.replace(secret, words[secret])
    text = _HASH.sub(r'W/\\"the-hash-of-this-answer\\"', text)
    ids: dict[str, str] = {}

    def named(found: re.Match[str]) -> str:
        prefix = found.group(1)
        same = [each for each in ids.values() if each.startswith(prefix)]
        return ids.setdefault(found.group(), f"{prefix}_example{len(same) + 1:04d}")

    result: dict[str, Any] = json.loads(_OPAQUE.sub(named, text))
    return result


def main() -> None:
    """Write the files."""
    clock = Clock()
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        with (
            local_servers.embedded_docstore(directory) as (mongodb_url, _),
            local_servers.redis_server(directory) as redis_url,
        ):
            settings = settings_for(f"{mongodb_url}journeys", redis_url, directory)
            app = create_app(settings, clock=clock, enqueue=lambda *_: True)
            create_indexes()
            files = play(app, clock)
            mongo.disconnect()
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.json"):
        old.unlink()
    for file, text in files.items():
        (FOLDER / file).write_text(text, encoding="utf-8")


def settings_for(mongodb_url: str, redis_url: str, directory: Path) -> Settings:
    """Where the journeys are played."""
    return Settings(
        secret=SecretStr(SECRET),
        mongodb_url=mongodb_url,
        redis_url=redis_url,
        public_url="https://api.example.org",
        media_url=f"file://{directory}/media",
    )


if __name__ == "__main__":
    main()
