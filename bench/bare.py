"""The least that a broadcast can cost: the vendors' own clients in a loop, with as many threads as the product has, the same
messages to the same local carriers, and nothing written down.

Run in a process of its own by `bench/fanout.py`; prints one line of JSON.
"""

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import firebase_admin
from firebase_admin import credentials, messaging
from requests.adapters import HTTPAdapter
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from bench.figures import peak_mb
from notifications.bulk.deliver import SENDERS
from runtime.settings import Settings, load

CONNECTIONS = 64
"""The libraries keep ten by themselves: with more threads they would open a new one for every other message."""


class Local(TwilioHttpClient):  # type: ignore[misc]  # twilio is untyped
    """Twilio's own HTTP client, sent to the local carriers."""

    def __init__(self, base_url: str) -> None:
        super().__init__(timeout=5)
        self._base = urlsplit(base_url)
        self.session.trust_env = False
        self.session.mount("http://", HTTPAdapter(pool_maxsize=CONNECTIONS))

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        """The request, with scheme and host replaced."""
        there = urlsplit(url)
        url = urlunsplit((self._base.scheme, self._base.netloc, there.path, there.query, ""))
        return super().request(method, url, *args, **kwargs)


def firebase(settings: Settings) -> Any:
    """firebase-admin's app, sent to the local carriers."""
    options = {"projectId": settings.fcm_project, "httpTimeout": 3.0}
    app = firebase_admin.initialize_app(credentials.Certificate(settings.fcm_credentials), options)
    service: Any = messaging._get_messaging_service(app)
    service._credential._is_regional_access_boundary_lookup_required = lambda: False
    service._fcm_url = f"{settings.fcm_base_url}/v1/projects/{settings.fcm_project}/messages:send"
    session = service._client.session
    session.trust_env = False
    session.mount("http://", HTTPAdapter(pool_maxsize=CONNECTIONS))
    return app


def push(index: int, said: dict[str, str]) -> Any:
    """A push like the product's: the same fields of the same length."""
    data = {"type": "alert.issued", "v": "1", "delivery_id": f"dlv_{index:023d}", "receipt_token": "0123456789ab"}
    message = messaging.Message(
        data={**data, "alert_id": f"alt_{0:023d}"},
        notification=messaging.Notification(said["title"], said["body"]),
        android=messaging.AndroidConfig(
            priority="normal",
            ttl=timedelta(hours=6),
            notification=messaging.AndroidNotification(channel_id="normal", priority="default", visibility="private"),
        ),
        apns=messaging.APNSConfig(
            headers={"apns-push-type": "alert", "apns-priority": "5", "apns-expiration": str(int(time.time()) + 21600)},
            payload=messaging.APNSPayload(
                messaging.Aps(content_available=True, sound="default", custom_data={"interruption-level": "active"})
            ),
        ),
    )
    message.token = f"bench-push-{index}"
    return message


def main() -> None:
    """`bare PUSHES SMS TITLE BODY TEXT`: send them, and say how long it took."""
    pushes, texts = int(sys.argv[1]), int(sys.argv[2])
    said = dict(zip(("title", "body", "text"), sys.argv[3:6], strict=True))
    settings = load()
    app = firebase(settings)
    twilio = Client(
        settings.twilio_account_sid,
        settings.twilio_auth_token.get_secret_value(),
        http_client=Local(settings.twilio_base_url),
    )

    def one(index: int) -> None:
        if index < pushes:
            messaging.send(push(index, said), app=app)
        else:
            twilio.messages.create(
                to=f"+92300{index:07d}",
                from_=settings.twilio_from,
                body=said["text"],
                validity_period=21600,
                status_callback=f"{settings.public_url}/webhooks/twilio/status?delivery=bench&attempt=1",
            )

    with ThreadPoolExecutor(SENDERS) as pool:
        began = time.perf_counter()
        cpu = time.process_time()
        list(pool.map(one, range(pushes + texts)))
        seconds = time.perf_counter() - began
        cpu = time.process_time() - cpu
    peak = peak_mb()
    print(json.dumps({"seconds": seconds, "cpu_s": cpu, "peak_mb": peak}))


if __name__ == "__main__":
    main()
