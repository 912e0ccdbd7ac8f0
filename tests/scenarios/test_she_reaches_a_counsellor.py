"""The story of the helpline: a woman who is watched writes without a sound, waits with her place told, is answered by a
counsellor, and leaves nothing behind that anybody else can read.
"""

import json
import logging
import uuid
from typing import Any

import pytest
import requests

from domain.audit import chain as audit
from domain.helpline import service as helpline
from domain.people.tokens import access_token
from tests.factories.people import SECRET, Signed, staff
from tests.fakes.small_city import PLACE, SmallCity
from tests.scenarios.test_sos_reaches_a_responder import pushed, with_app

pytestmark = pytest.mark.timeout(120)

TIMEOUT_S = 30
STORY = "میرا شوہر مجھے مارتا ہے، وہ ابھی گھر پر ہے"
ANSWER = "میں آپ کے ساتھ ہوں۔ آپ محفوظ ہیں؟"
NUMBER, CODEWORD, NAME = "+923009988776", "نیلا دوپٹہ", "Rukhsana Parveen"


def key() -> dict[str, str]:
    return {"Idempotency-Key": str(uuid.uuid4())}


class Phone:
    """Her phone: no account at all, or one that she does not show."""

    def __init__(self, city: SmallCity, **body: Any) -> None:
        self.city = city
        self.push = f"push-{uuid.uuid4().hex}"
        city.carriers.register(self.push, NUMBER, auto_receipt=True, api_url=city.url)
        self.sent = {
            "mode": "silent",
            "language": "ur",
            "anonymous": True,
            "city": "lahore",
            "push_token": self.push,
            **body,
        }
        self.key = key()
        self.asked = self.ask()
        assert self.asked.status_code == 201, self.asked.text
        self.request: dict[str, Any] = self.asked.json()
        self.headers = {"Helpline-Token": self.request["helpline_token"]}
        city.settle()

    @staticmethod
    def ask_only(city: SmallCity, **body: Any) -> requests.Response:
        """Ask, and look at the answer alone."""
        return requests.post(f"{city.url}/v1/helpline/requests", json=body, headers=key(), timeout=TIMEOUT_S)

    def ask(self) -> requests.Response:
        return requests.post(
            f"{self.city.url}/v1/helpline/requests", json=self.sent, headers=self.key, timeout=TIMEOUT_S
        )

    def call(self, method: str, path: str = "", **options: Any) -> requests.Response:
        headers = {**self.headers, **options.pop("headers", {})}
        url = f"{self.city.url}/v1/helpline/requests/{self.request['id']}{path}"
        answer = requests.request(method, url, headers=headers, timeout=TIMEOUT_S, **options)
        assert answer.status_code < 500, answer.text
        self.city.settle()
        return answer

    def write(self, text: str, sent: dict[str, str] | None = None) -> requests.Response:
        return self.call("POST", "/messages", json={"text": text}, headers=sent or key())

    def read(self, after: int = 0) -> list[str]:
        return [each["text"] for each in self.call("GET", f"/messages?after_seq={after}").json()["items"]]


class Desk:
    """A counsellor at her console."""

    def __init__(
        self, city: SmallCity, *, role: str = "counsellor", gender: str = "female", on_shift: bool = True
    ) -> None:
        self.city = city
        self.who: Signed = staff(city.now(), role, gender=gender, language="ur")
        self.app = with_app(city, self.who)
        if on_shift:
            self.call("PUT", "/duty", json={"state": "available"})

    @property
    def bearer(self) -> dict[str, str]:
        """A fresh access token: time is skipped in stories."""
        who = self.who
        found = access_token(SECRET, who.person_id, who.session_id, now=self.city.now(), ttl_s=900)
        return {"Authorization": f"Bearer {found}"}

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        headers = {**self.bearer, **options.pop("headers", {})}
        url = f"{self.city.url}/v1/helpline{path}"
        answer = requests.request(method, url, headers=headers, timeout=TIMEOUT_S, **options)
        assert answer.status_code < 500, answer.text
        self.city.settle()
        return answer

    def on(self, phone: Phone, method: str, path: str, **options: Any) -> requests.Response:
        return self.call(method, f"/requests/{phone.request['id']}{path}", **options)

    def claim(self, phone: Phone) -> requests.Response:
        return self.on(phone, "POST", "/claim")

    def write(self, phone: Phone, text: str) -> requests.Response:
        return self.on(phone, "POST", "/messages", json={"text": text}, headers=key())


def stored(city: SmallCity) -> str:
    """Everything that the city has stored, as text."""
    rows = {name: list(city.store[name].find({})) for name in city.store.list_collection_names()}
    return json.dumps(rows, default=str, ensure_ascii=False)


def nowhere(text: str, *secrets: str) -> None:
    for secret in secrets:
        assert secret not in text, f"{secret!r} stands in clear"


def test_she_reaches_a_counsellor(
    small_city: SmallCity, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    city = small_city
    caplog.set_level(logging.DEBUG)
    place = {"lat": PLACE[0] + 0.0012345, "lon": PLACE[1] + 0.0054321}
    desk, other = Desk(city), Desk(city)

    # From a phone without an account, silently, in Urdu: stored, and her place is told.
    her = Phone(city, message=STORY, phone=NUMBER, name=NAME, codeword=CODEWORD, position=place, disguise="weather")
    assert (her.request["status"], her.request["position"], her.request["staffed"]) == ("waiting", 1, True)
    assert her.request["waiting_s"] > 0
    again = her.ask()
    assert (again.status_code, again.json()["id"]) == (200, her.request["id"])

    # Who is on shift hears that somebody waits; the line shows that, and nothing that she told.
    assert pushed(city, desk.app, "helpline.message")
    (row,) = desk.call("GET", "/waiting").json()["items"]
    assert (row["id"], row["mode"], row["suits"]) == (her.request["id"], "silent", True)
    nowhere(json.dumps(row), STORY, NUMBER, CODEWORD)

    # One of them takes it; the other one is told so. The opening is on the audit chain before it answers.
    file = desk.claim(her).json()
    assert (file["codeword"], file["position"]["lat"]) == (CODEWORD, place["lat"])
    assert NUMBER not in json.dumps(file)
    refused = other.claim(her)
    assert (refused.status_code, refused.json()["code"]) == (409, "already_claimed")
    assert other.on(her, "GET", "/file").json()["code"] == "opening_needed"
    actions = [each["action"] for each in city.store["audit"].find({"subject": her.request["id"]}).sort("seq", 1)]
    assert actions == ["helpline.opened"]

    # Her phone shows the weather, without a sound; she reads and writes.
    (push,) = city.carriers.device(her.push)["pushes"]
    assert push["data"]["request_id"] == her.request["id"]
    assert "موسم" in json.dumps(push, ensure_ascii=False)
    assert "quiet" in json.dumps(push)
    assert [each["text"] for each in desk.on(her, "GET", "/messages").json()["items"]] == [STORY]
    desk.write(her, ANSWER)
    assert len(city.carriers.device(her.push)["pushes"]) == 2
    assert her.read() == [STORY, ANSWER]
    assert her.call("POST", "/receipts", json={"received": 2, "seen": 2}).status_code == 204
    assert len(pushed(city, desk.app, "helpline.message")) == 1
    her.write("جی")
    assert len(pushed(city, desk.app, "helpline.message")) == 2
    assert her.read(after=2) == ["جی"]
    assert city.texts(NUMBER) == []

    # It ends. Nothing of it stands anywhere in clear: not in the store, not in a delivery, not in a log.
    desk.on(her, "POST", "/close", json={"outcome": "helped"})
    view = her.call("GET").json()
    assert (view["status"], view["outcome"]) == ("closed", "helped")
    assert her.write("later").json()["code"] == "helpline_request_closed"
    told = (STORY, ANSWER, NUMBER, NUMBER[1:], CODEWORD, NAME, str(place["lat"]), str(place["lon"]), her.push)
    nowhere(stored(city), *told)
    out, err = capfd.readouterr()
    nowhere(out + err + caplog.text, *told)
    assert audit.verify("lahore", city.now()).broken_at is None

    # She wants it gone: the key is destroyed, and with it every word.
    assert her.call("DELETE").status_code == 204
    assert her.call("GET").status_code == 404
    assert "wrapped" not in city.store["vault_keys"].find_one({"_id": her.request["id"]})
    assert city.store["helpline_messages"].count_documents({"request": her.request["id"]}) == 0
    assert helpline.requests().find_one({"_id": her.request["id"]}, {"sealed": 1}) == {"_id": her.request["id"]}
