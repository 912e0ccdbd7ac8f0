"""Chapter `helpline`: a woman who is watched writes without a sound, is answered, is called back when it is safe, calls for
help with one button, and gets her own copy; nobody else reads what she told without a reason and a second yes.

Two phones and a desk. Nothing is read from the store: every step is seen through the API, or in a phone's inbox.
"""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import requests

from cli.chapters.observed import NotObserved, Story, wait_for
from cli.chapters.phones import Phone, Town, unix
from sandbox.townspeople import PLACE, Cast, number

STORY = "میرا شوہر مجھے مارتا ہے۔ وہ دوسرے کمرے میں ہے۔"
WHY = "Her lawyer asks for the dates, by her wish."
ZONE = ZoneInfo("Asia/Karachi")

Seen = tuple[str, float | None] | None


class Asking:
    """A phone at the helpline. It has no account: only the token of its request."""

    def __init__(self, town: Town, its_number: str, **body: Any) -> None:
        self.town, self.number = town, its_number
        self.push = f"push-{uuid.uuid4().hex}"
        register = {"number": its_number, "auto_receipt": True, "api_url": town.api}
        town.http.put(f"{town.carriers}/devices/{self.push}", json=register, timeout=10).raise_for_status()
        sent = {"anonymous": True, "language": "ur", "city": "lahore", "push_token": self.push, **body}
        answer = self.send("POST", "/v1/helpline/requests", sent, Idempotency_Key=str(uuid.uuid4()))
        answer.raise_for_status()
        self.request: dict[str, Any] = answer.json()

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> requests.Response:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.town.http.request(method, self.town.api + path, json=body, headers=sent, timeout=15)

    def call(self, method: str, path: str = "", body: Any = None, **headers: str) -> requests.Response:
        whole = f"/v1/helpline/requests/{self.request['id']}{path}"
        return self.send(method, whole, body, Helpline_Token=self.request["helpline_token"], **headers)

    def pushes(self) -> list[dict[str, Any]]:
        url = f"{self.town.carriers}/devices/{self.push}.json"
        found: list[dict[str, Any]] = self.town.http.get(url, timeout=10).json()["pushes"]
        return found


def _desk(phone: Phone, asking: Asking, method: str, path: str, body: Any = None) -> requests.Response:
    whole = f"/v1/helpline/requests/{asking.request['id']}{path}"
    return phone.call(method, whole, body, Idempotency_Key=str(uuid.uuid4()))


def play(town: Town, cast: Cast, story: Story, *, operator_token: str) -> None:
    """Play it. Steps that are not seen in time are recorded as missed; the story goes on as far as it can."""
    nadia, samina, tahira, auditor = town.desk

    def step(name: str, text: str, look: Callable[[], Seen], seconds: float = 10) -> bool:
        try:
            evidence, at = wait_for(text, look, seconds)
        except (NotObserved, requests.RequestException, KeyError) as error:
            story.missed(name, text, str(error))
            return False
        story.seen(name, text, evidence, at=at)
        return True

    for counsellor in (nadia, samina):
        counsellor.call("PUT", "/v1/helpline/duty", {"state": "available"}).raise_for_status()
    story.say("Two counsellors are on shift. A woman writes from a phone without an account, silently, in Urdu.")
    story.begin()
    place = {"lat": PLACE[0], "lon": PLACE[1], "accuracy_m": 15}
    her = Asking(
        town, number(21), mode="silent", disguise="weather", message=STORY, codeword="نیلا دوپٹہ", phone=number(21),
        position=place,
    )  # fmt: skip
    shown = her.request
    line = f"position {shown['position']}, about {shown['waiting_s']} s, {shown['id']}"
    story.seen("asked", "She is in the line, with her place told", line)
    step("desk", "The desk hears that somebody waits", lambda: _pushed(nadia.pushes("helpline.message")))
    step("claimed", "One counsellor takes it, the other one is too late", lambda: _claims(her, nadia, samina))
    step("disguise", "Her phone shows the weather, without a sound", lambda: _weather(her))
    step("chat", "Over a broken network each message arrives once, in order", lambda: _talk(her, nadia))
    _call_back(town, story, step, nadia)
    step("sos", "Danger: one button, and units are asked; she tells nothing again", lambda: _sos(town, cast, her))
    step(
        "opening", "Another counsellor reads only with a reason and a second yes", lambda: _opening(her, samina, tahira)
    )
    step(
        "operator",
        "The control room sees that it exists, not what it says",
        lambda: _exists(nadia, her, operator_token),
    )
    step("audit", "Each opening is on the audit chain, which holds", lambda: _audit(auditor, her))
    step("copy", "Her own copy as PDF, in Urdu", lambda: _copy(town, her))
    step("erased", "She wants it gone: its key is destroyed", lambda: _erased(her))


def _pushed(found: list[dict[str, Any]]) -> Seen:
    return (f"push {found[0]['data']['type']}", unix(found[0]["at"])) if found else None


def _claims(her: Asking, nadia: Phone, samina: Phone) -> Seen:
    taken, late = _desk(nadia, her, "POST", "/claim"), _desk(samina, her, "POST", "/claim")
    taken.raise_for_status()
    if late.status_code != 409 or her.number in taken.text:
        return None
    return f"200 and {late.status_code} {late.json()['code']}; her number is not shown", None


def _weather(her: Asking) -> Seen:
    for push in her.pushes():
        shown = push.get("notification") or {}
        if shown.get("title") == "موسم" and shown.get("channel_id", "quiet") == "quiet" and "quiet" in str(push):
            return f"push “{shown['title']}: {shown['body']}”", unix(push["at"])
    return None


def _talk(her: Asking, nadia: Phone) -> Seen:
    sent = str(uuid.uuid4())
    for _ in range(2):  # the answer to the first one was lost
        her.call("POST", "/messages", {"text": "کیا آپ ہیں؟"}, Idempotency_Key=sent).raise_for_status()
    for text in ("جی، میں یہاں ہوں۔", "کیا آپ ابھی محفوظ ہیں؟"):
        _desk(nadia, her, "POST", "/messages", {"text": text}).raise_for_status()
    texts = [each["text"] for each in her.call("GET", "/messages?after_seq=1").json()["items"]]
    if texts != ["کیا آپ ہیں؟", "جی، میں یہاں ہوں۔", "کیا آپ ابھی محفوظ ہیں؟"]:
        return None
    return "after message 1: 3 messages, none twice", None


def _call_back(town: Town, story: Story, step: Callable[..., bool], nadia: Phone) -> None:
    local = datetime.now(UTC).astimezone(ZONE)
    later, now = local + timedelta(hours=3), local - timedelta(minutes=5)

    def window(begins: datetime) -> dict[str, Any]:
        until = begins + timedelta(minutes=40)
        return {"days": [f"{begins:%a}".lower()], "from": f"{begins:%H:%M}", "until": f"{until:%H:%M}"}

    second = Asking(town, number(22), mode="call_back", phone=number(22), safe_to_call=[window(later)])
    _desk(nadia, second, "POST", "/claim").raise_for_status()

    def refused() -> Seen:
        answer = _desk(nadia, second, "POST", "/call")
        if answer.status_code != 409 or town.inbox(number(22))["calls"]:
            return None
        return f"{answer.status_code} {answer.json()['code']}, next at {answer.json()['next_at']}", None

    step("refused", "A call outside her safe times is refused by the system", refused)
    second.call("PATCH", "", {"safe_to_call": [window(now)]}).raise_for_status()
    _desk(nadia, second, "POST", "/call").raise_for_status()

    def rings(phone: str) -> Seen:
        calls = town.inbox(phone)["calls"]
        return (calls[-1]["sid"], None) if calls and calls[-1]["status"] in ("ringing", "in-progress") else None

    def connected() -> Seen:
        for phone in (nadia.number, number(22)):
            call, _ = wait_for(f"a call on {phone}", lambda phone=phone: rings(phone), 10)  # type: ignore[misc]
            press = f"{town.carriers}/phones/{phone}/calls/{call}/press"
            town.http.post(press, json={"digits": "1"}, timeout=10).raise_for_status()
        heard = wait_for("both on one call", lambda: _bridged(town, number(22)), 10)
        return f"{heard} and {number(22)} hear each other", None

    step("call_back", "In her time the counsellor's phone rings first, then hers", connected, 25)
    second.call("POST", "/close", {})


def _bridged(town: Town, phone: str) -> str | None:
    for event in town.inbox(phone)["calls"][-1]["heard"]:
        if event["verb"] == "Bridged":
            return str(event["others"][0])
    return None


def _sos(town: Town, cast: Cast, her: Asking) -> Seen:
    made = her.call("POST", "/sos", {})
    made.raise_for_status()
    sos = made.json()
    sent = {"Sos-Token": sos["sos_token"]}

    def asked() -> str | None:
        for phone in cast.responder_phones:
            inbox = town.inbox(phone)
            if any(her_sms["direction"] != "inbound" and "/a/" in her_sms["body"] for her_sms in inbox["sms"][-1:]):
                return phone
        return None

    phone = wait_for("a unit is asked", asked, 10)
    view = town.http.get(f"{town.api}/v1/sos/{sos['id']}", headers=sent, timeout=10).json()
    if not view["silent"] or her.call("GET").json()["sos_id"] != sos["id"]:
        return None
    return f"{sos['id']}, silent; {phone} is asked", None


def _opening(her: Asking, samina: Phone, tahira: Phone) -> Seen:
    before = _desk(samina, her, "GET", "/file")
    asked = _desk(samina, her, "POST", "/openings", {"reason": WHY}).json()
    own = samina.call("POST", f"/v1/reviews/{asked['id']}/answer", {"approve": True, "reason": "Mine."})
    said = tahira.call("POST", f"/v1/reviews/{asked['id']}/answer", {"approve": True, "reason": "Seen the letter."})
    after = _desk(samina, her, "GET", "/file")
    if [before.status_code, own.status_code, said.status_code, after.status_code] != [403, 403, 200, 200]:
        return None
    return f"403 {before.json()['code']}; her own yes 403; {asked['id']} approved; 200", None


def _exists(nadia: Phone, her: Asking, operator: str) -> Seen:
    line = nadia.call("GET", "/v1/helpline/line", bearer=operator).json()
    closed = nadia.call("GET", f"/v1/helpline/requests/{her.request['id']}", bearer=operator).status_code
    return (
        (f"{line['asked']} asked, {line['answered']} answered; the request itself: {closed}", None)
        if closed == 404
        else None
    )


def _audit(auditor: Phone, her: Asking) -> Seen:
    day = f"{datetime.now(UTC):%Y-%m-%d}"
    verdict = auditor.call("GET", f"/v1/audit/verify?city=lahore&day={day}").json()
    rows = auditor.call("GET", f"/v1/audit?city=lahore&subject={her.request['id']}").json()["items"]
    actions = [row["action"] for row in reversed(rows)]
    if not verdict["holds"] or "helpline.opened" not in actions:
        return None
    return f"{verdict['entries']} entries hold; {', '.join(actions)}", None


def _copy(town: Town, her: Asking) -> Seen:
    answer = her.call("GET", "/export?language=ur")
    answer.raise_for_status()
    if not answer.content.startswith(b"%PDF-"):
        return None
    where = f"{len(answer.content)} bytes"
    if town.papers is not None:
        file = town.papers / "her-copy.pdf"
        file.write_bytes(answer.content)
        where = f"{file}, {where}"
    return where, None


def _erased(her: Asking) -> Seen:
    gone = her.call("DELETE").status_code
    after = her.call("GET").status_code
    return (f"{gone}, then {after}", None) if (gone, after) == (204, 404) else None
