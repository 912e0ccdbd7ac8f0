"""Pushes on the local carriers, through Google's real client: tokens, delivery, an app's receipts, and every switch."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import firebase_admin
import pytest
import requests
from firebase_admin import credentials, exceptions, messaging
from google.auth.exceptions import RefreshError

from tests.fakes.carriers_process import CarriersProcess
from tests.sandbox.conftest import City

TOKEN = "c1fX:APA91b-unit-7"
Send = Callable[..., str]


@pytest.fixture
def send(carriers: CarriersProcess, monkeypatch: pytest.MonkeyPatch) -> Iterator[Send]:
    """Send one push with the real client, whose credential is the service account that the carriers wrote."""
    monkeypatch.setattr(messaging._MessagingService, "FCM_URL", carriers.url + "/v1/projects/{0}/messages:send")
    certificate = credentials.Certificate(str(carriers.service_account))
    app = firebase_admin.initialize_app(certificate, {"httpTimeout": 0.5}, name=f"test-{time.monotonic_ns()}")
    # google-auth would ask an address of Google's own, which no test may call, in which regions the account may work.
    credential = messaging._get_messaging_service(app)._credential
    credential._is_regional_access_boundary_lookup_required = lambda: False

    def made(to: str = TOKEN, dry_run: bool = False, **fields: Any) -> str:
        fields.setdefault(
            "data", {"type": "assignment.offered", "delivery_id": "dlv_1", "receipt_token": "k3Jd92ksLq0a"}
        )
        name: str = messaging.send(messaging.Message(fid=to, **fields), dry_run=dry_run, app=app)
        return name

    yield made
    firebase_admin.delete_app(app)


def post(carriers: CarriersProcess, message: Any, token: str = "") -> requests.Response:
    """The bare request, for what the client would not send or would try again by itself."""
    return requests.post(
        f"{carriers.url}/v1/projects/{carriers.project}/messages:send",
        json={"message": message},
        headers={"Authorization": f"Bearer {token or access_token(carriers)}"},
        timeout=5,
    )


def access_token(carriers: CarriersProcess) -> str:
    """A fresh token from the token endpoint, by Google's own library."""
    token: str = credentials.Certificate(str(carriers.service_account)).get_access_token().access_token
    return token


def error_code(answer: requests.Response) -> str:
    (detail,) = (item for item in answer.json()["error"]["details"] if item["@type"].endswith("fcm.v1.FcmError"))
    code: str = detail["errorCode"]
    return code


def test_a_push_is_on_the_device_and_in_its_phone(carriers: CarriersProcess, send: Send) -> None:
    carriers.register(TOKEN, "+923001230021")
    name = send(
        notification=messaging.Notification("Amaan", "آپ کی مدد درکار ہے"),
        android=messaging.AndroidConfig(priority="high", ttl=30),
    )
    assert name.startswith(f"projects/{carriers.project}/messages/")
    (push,) = carriers.device(TOKEN)["pushes"]
    assert (push["name"], push["priority"], push["ttl_s"]) == (name, "high", 30.0)
    assert push["notification"]["body"] == "آپ کی مدد درکار ہے"
    assert push["data"]["delivery_id"] == "dlv_1"
    assert carriers.inbox("+923001230021")["pushes"] == [push]


def test_a_dry_run_reaches_nobody(carriers: CarriersProcess, send: Send) -> None:
    assert send(dry_run=True)
    assert carriers.device(TOKEN)["pushes"] == []


def test_the_app_sends_its_receipt_with_the_token_that_the_push_carried(
    carriers: CarriersProcess, send: Send, city: City
) -> None:
    carriers.register(TOKEN, auto_receipt=True, api_url=city.url)
    name = send()
    carriers.wait_for(lambda: city.heard)
    (receipt,) = city.asked("/v1/deliveries/dlv_1/received")
    assert receipt["receipt_token"] == "k3Jd92ksLq0a"
    carriers.wait_for(lambda: carriers.device(TOKEN)["pushes"][0]["receipt"] == "received")
    assert carriers.call("POST", f"/devices/{TOKEN}/seen", {"name": name}) == {"receipt": "seen"}
    assert len(city.asked("/v1/deliveries/dlv_1/seen")) == 1


def test_a_receipt_that_the_city_does_not_take_is_shown(carriers: CarriersProcess, send: Send, city: City) -> None:
    city.answers["/v1/deliveries/dlv_1/received"] = 404
    carriers.register(TOKEN, auto_receipt=True, api_url=city.url)
    send()
    carriers.wait_for(lambda: carriers.device(TOKEN)["pushes"][0]["receipt"] == "failed: HTTP 404")


def test_a_false_bearer_is_refused(carriers: CarriersProcess) -> None:
    answer = post(carriers, {"token": TOKEN}, "ya29.local-9999999999-forged")
    assert (answer.status_code, answer.json()["error"]["status"]) == (401, "UNAUTHENTICATED")


def test_a_forged_assertion_gets_no_token(carriers: CarriersProcess) -> None:
    grant = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": "e30.e30.e30"}
    answer = requests.post(f"{carriers.url}/token", grant, timeout=5)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ({"token": TOKEN, "data": {"n": 12}}, "message.data[0].value"),
        ({"token": TOKEN, "android": {"ttl": "soon"}}, "message.android.ttl"),
        ({"token": TOKEN, "text": "x"}, 'Unknown name "text"'),
        ({"data": {}}, "Recipient"),
        ({"token": TOKEN, "data": {"x": "y" * 4097}}, "too big"),
        ({"token": "with space"}, "not a valid FCM registration token"),
        ({"token": TOKEN, "data": {"from": "x"}}, "Invalid data payload key"),
        ("text", "message"),
    ],
)
def test_what_fcm_refuses_is_refused(carriers: CarriersProcess, message: Any, said: str) -> None:
    answer = post(carriers, message)
    assert (answer.status_code, answer.json()["error"]["status"]) == (400, "INVALID_ARGUMENT")
    assert said in answer.json()["error"]["message"]


def test_switch_unregistered(carriers: CarriersProcess, send: Send) -> None:
    carriers.set_switch("fcm", unregistered=[TOKEN])
    with pytest.raises(messaging.UnregisteredError):
        send()
    assert send("another-token")


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        ("SENDER_ID_MISMATCH", messaging.SenderIdMismatchError),
        ("THIRD_PARTY_AUTH_ERROR", messaging.ThirdPartyAuthError),
        ("INVALID_ARGUMENT", exceptions.InvalidArgumentError),
        ("QUOTA_EXCEEDED", messaging.QuotaExceededError),
    ],
)
def test_switch_error(carriers: CarriersProcess, send: Send, error: str, raised: type[Exception]) -> None:
    carriers.set_switch("fcm", TOKEN, error=error)
    with pytest.raises(raised):
        send()
    assert carriers.device(TOKEN)["pushes"] == []


@pytest.mark.parametrize(
    ("status", "code"), [(429, "QUOTA_EXCEEDED"), (500, "INTERNAL"), (503, "UNAVAILABLE"), (404, "UNREGISTERED")]
)
def test_switch_status(carriers: CarriersProcess, status: int, code: str) -> None:
    carriers.set_switch("fcm", status=status, retry_after=4)
    answer = post(carriers, {"token": TOKEN})
    assert (answer.status_code, error_code(answer), answer.headers["Retry-After"]) == (status, code, "4")


def test_switch_times_lets_the_clients_own_retry_through(carriers: CarriersProcess, send: Send) -> None:
    carriers.set_switch("fcm", status=503, times=1)
    assert send()
    assert carriers.call("GET", "/switches")["fired"] == {"fcm.503": 1}


def test_switch_slow(carriers: CarriersProcess, send: Send) -> None:
    carriers.set_switch("fcm", slow_s=0.3)
    begun = time.monotonic()
    send()
    assert time.monotonic() - begun >= 0.3


def test_switch_timeout_after_sending_reaches_the_device(carriers: CarriersProcess, send: Send) -> None:
    carriers.set_switch("fcm", timeout_after_sending=True)
    with pytest.raises(exceptions.UnavailableError):
        send()
    # The client tries again by itself after a read time-out: the device gets the same delivery twice.
    assert {push["data"]["delivery_id"] for push in carriers.device(TOKEN)["pushes"]} == {"dlv_1"}


def test_switch_no_receipt(carriers: CarriersProcess, send: Send, city: City) -> None:
    carriers.register(TOKEN, auto_receipt=True, api_url=city.url)
    carriers.set_switch("fcm", no_receipt=True)
    send()
    time.sleep(0.15)
    assert city.heard == []
    assert len(carriers.device(TOKEN)["pushes"]) == 1


def test_switch_oauth_fails_the_send_before_it_is_made(carriers: CarriersProcess, send: Send) -> None:
    carriers.set_switch("oauth", status=401)
    with pytest.raises(RefreshError):
        send()
    assert carriers.device(TOKEN)["pushes"] == []
