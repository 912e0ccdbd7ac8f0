"""A city small enough for a test: the real API on a port, its jobs run beside it, real local carriers, one police unit.

Webhooks come from the carriers' own process, signed as Twilio signs them; messages go to it through Twilio's client.
"""

import logging
import re
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from pydantic import SecretStr
from pymongo import MongoClient
from twilio.request_validator import RequestValidator
from werkzeug.serving import make_server

from app import create_app
from cli.indexes import create as create_indexes
from domain import geo
from domain.cities import queries as cities
from domain.clock import utc_now
from domain.deliveries import service as deliveries
from domain.deliveries.service import Recipient, Telling
from domain.dispatch import queries as dispatch
from domain.dispatch import service as dispatching
from domain.incidents import service as incidents
from notifications import fanout, observed
from notifications.channels import twilio_sms
from notifications.registry import build_channels
from runtime import mongo, queues
from runtime.evidence import FileEvidence
from runtime.positions import RedisPositions
from runtime.settings import Settings
from tests.factories.people import SECRET, Signed, signed_in
from tests.fakes.carriers_process import CarriersProcess
from tests.invariants.sources import ROOT
from workers import alerts, drills, faces, footage, redaction, sweeps
from workers.context import Context
from workers.drain import drain_with

REPLIES, SOS, HELPLINE = "+924200000016", "+924200000015", "+924200001043"
"""What Lahore receives on (cities/lahore.toml)."""
PLACE = (31.5102, 74.3441)
"""Liberty Market, Lahore."""
TWO_GATEWAYS = "+92399"
"""Numbers that begin so are served by Twilio and, where that fails, by the local carriers' second gateway."""


def gateway_table(carriers: CarriersProcess, folder: Path) -> Path:
    """The example of a table of SMS gateways, pointed at these carriers, with TWO_GATEWAYS as its one prefix."""
    text = (ROOT / "deploy" / "sms-gateways.toml").read_text()
    _, _, http = text.partition("[[http]]")
    http = http.partition("# --- a gateway that speaks SMPP")[0]
    http = http.replace("http://127.0.0.1:8089", carriers.url).replace("local-carriers-auth-token", carriers.auth_token)
    routes = f'[routes]\n"{TWO_GATEWAYS}" = ["twilio_sms", "local_http"]\n"+" = ["twilio_sms"]\n\n'
    file = folder / "sms-gateways.toml"
    file.write_text(f"{routes}[[http]]{http}")
    return file


class Hands(ThreadPoolExecutor):
    """The threads that work in a small city, and what they have been given: the queue's jobs and the sweeper's."""

    def __init__(self, count: int) -> None:
        super().__init__(count)
        self.under_way: list[Future[Any]] = []

    def submit(self, *args: Any, **named: Any) -> Future[Any]:
        """As the pool does; `settle` waits for it."""
        future = super().submit(*args, **named)
        self.under_way.append(future)
        return future


@dataclass
class SmallCity:
    """The city and what tests do in it."""

    url: str
    settings: Settings
    carriers: CarriersProcess
    context: Context
    pool: Hands
    ahead: timedelta = timedelta(0)
    idle: bool = False
    """True: jobs are taken and not done."""

    def now(self) -> datetime:
        """The time in this city: the real one and what tests have skipped."""
        return utc_now() + self.ahead

    def enqueue(self, job: str, *args: Any) -> bool:
        """Do a job as a worker would, beside the request."""
        work: dict[str, Callable[..., Any]] = {
            "drain": lambda name, subject: drain_with(self.context, name, subject),
            "drill": lambda drill: drills.go_on(drill, self.context),
            "broadcast": lambda alert: alerts.find(self.context, alert),
            "broadcast_batch": lambda batch: alerts.tell(self.context, batch),
            "deliver": lambda delivery: fanout.advance_all([delivery], self.context.post),
            "footage": lambda request: footage.take_with(self.context, request),
            "search_faces": lambda search: faces.search_with(self.context, search, faces.in_a_child),
            "redact": lambda evidence: redaction.redact_with(self.context, evidence),
        }
        if job in work and not self.idle:
            self.pool.submit(work[job], *args)
        return True

    def settle(self) -> None:
        """Return when no job is left and all that they sent has been taken; raise what one of them raised."""
        while True:
            while self.pool.under_way:
                self.pool.under_way.pop(0).result(timeout=60)
            fanout.settle(timeout_s=60)
            if not self.pool.under_way:  # what was sent may have given the workers something to do
                return

    def wait_for(self, found: Callable[[], Any]) -> Any:
        """The first true answer of `found()`, on a machine that may be busy."""
        return self.carriers.wait_for(found, 20.0)

    def code(self, number: str) -> str:
        """The newest code to sign in that came to a phone by SMS, waited for; other texts may have come after it."""
        asked = re.compile(r"\b\d{6}\b(?= is your Amaan code)|\b\d{6}\b(?= آپ کا امان کوڈ)")
        found: list[str] = self.wait_for(lambda: [each for text in self.texts(number) for each in asked.findall(text)])
        return found[-1]

    def by_day(self) -> None:
        """Let it be the next noon in this city: nobody sleeps."""
        local = self.now().astimezone(cities.current("lahore").zone)
        noon = local.replace(hour=12, minute=0, second=0, microsecond=0)
        self.ahead += (noon if noon > local else noon + timedelta(days=1)) - local

    def skip(self, seconds: float) -> None:
        """Let time pass, and the sweeper look."""
        self.ahead += timedelta(seconds=seconds)
        sweeps.sweep_once(self.context, self.pool)
        self.settle()

    def responder(self, *, metres: float = 300.0, service: str = "police", **fields: Any) -> Signed:
        """A responder on a unit of their own, on duty, so far from PLACE."""
        unit_id = f"unt_{uuid.uuid4().hex[:12]}"
        lat, lon = geo.destination(*PLACE, 90.0, metres)
        cells = geo.cells(lat, lon)
        agency = cities.current("lahore").agencies_for(service)[0].id
        person = signed_in(
            self.now(), roles=[{"role": "responder", "city": "lahore", "agency_id": agency, "group_id": ""}],
            unit_id=unit_id, agency_id=agency, **{"language": "en", **fields},
        )  # fmt: skip
        dispatch.units().insert_one(
            {
                "_id": unit_id, "city": "lahore", "agency": agency, "name": "Unit", "services": [service],
                "skills": [], "status": "available", "responders": [person.person_id],
                # Older than what the phone says next: of one and the same millisecond the live positions hear nothing.
                "position": {"lat": lat, "lon": lon, "at": self.now() - timedelta(seconds=1)}, "version": 1,
                "created_at": self.now(),
                "cells": {"r5": cells.r5, "r7": cells.r7, "r9": cells.r9},
            }
        )  # fmt: skip
        dispatching.moved(unit_id, lat, lon, self.context.positions, at=self.now())
        return person

    def sos(self, **body: Any) -> dict[str, Any]:
        """An SOS raised as a phone raises it: the answer, with `id` and `sos_token`."""
        place = {"lat": PLACE[0], "lon": PLACE[1]}
        answer = requests.post(
            f"{self.url}/v1/sos", json={"position": place, "device": uuid.uuid4().hex, **body}, timeout=10
        )
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    def webhook(self, path: str, params: dict[str, str], *, signature: str | None = None) -> requests.Response:
        """What the carrier posts to `/webhooks/twilio/…`, signed by it unless another signature is given."""
        url = f"{self.url}/webhooks/twilio/{path}"
        signed = RequestValidator(self.carriers.auth_token).compute_signature(url, params)
        headers = {"X-Twilio-Signature": signed if signature is None else signature}
        return requests.post(url, data=params, headers=headers, timeout=10)

    def offer(self, *, plan: tuple[str, ...] = ("sms",), **sos: Any) -> tuple[Signed, dict[str, Any], dict[str, Any]]:
        """A responder who was asked for an SOS, told on these channels alone: (responder, incident, delivery)."""
        responder = self.responder()
        incident_id = self.sos(**sos)["id"]
        self.settle()
        doc = incidents.get(incident_id)
        unit = dispatch.unit_of(responder.person_id) or {}
        assignment = next(key for key, each in doc["assignments"].items() if each["unit"] == unit["_id"])
        telling = Telling(
            key=f"{assignment}-again", city="lahore", purpose="assignment_offered", subject=incident_id,
            recipient=Recipient("person", responder.person_id), plan=plan, valid_for=timedelta(minutes=10),
            refs={"assignment": assignment}, life_critical=True,
        )  # fmt: skip
        (delivery,) = fanout.tell([telling], self.context.post)
        fanout.settle()
        return responder, doc, deliveries.get(delivery)

    def evidence_store(self) -> FileEvidence:
        """Where the API keeps bytes."""
        return FileEvidence(self.settings.media_url)

    def texts(self, number: str) -> list[str]:
        """The SMS that a phone got, oldest first."""
        return [each["body"] for each in self.carriers.inbox(number)["sms"] if each["direction"] != "inbound"]

    def open_incidents(self) -> list[dict[str, Any]]:
        """Every incident, newest first."""
        return list(incidents.incidents().find({}).sort("received_at", -1))

    @property
    def store(self) -> Any:
        """The city's database, as it is stored."""
        return mongo.database()

    def off_duty(self) -> None:
        """Nobody is on duty any more, nothing is open: a fresh start for the next test."""
        dispatch.units().delete_many({})
        incidents.incidents().delete_many({})


@pytest.fixture(scope="session")
def city_carriers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CarriersProcess]:
    """Local carriers whose numbers are Lahore's."""
    process = CarriersProcess(tmp_path_factory.mktemp("city_carriers"), numbers=(REPLIES, SOS, HELPLINE))
    yield process
    process.stop()


@pytest.fixture(scope="module")
def whole_city(
    mongodb_url: str,
    redis_url: str,
    mongo_client: MongoClient[dict[str, Any]],
    city_carriers: CarriersProcess,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[SmallCity]:
    """The API and its jobs, once per module."""
    settings = Settings(
        secret=SecretStr(SECRET),
        mongodb_url=f"{mongodb_url.rstrip('/')}/t_{uuid.uuid4().hex[:12]}",
        redis_url=redis_url,
        media_url=f"file://{tmp_path_factory.mktemp('media')}",
        var_dir=tmp_path_factory.mktemp("var"),
        upload_max_bytes=8 * 1024 * 1024,
        twilio_account_sid=city_carriers.account_sid,
        twilio_auth_token=SecretStr(city_carriers.auth_token),
        twilio_from=REPLIES,
        twilio_base_url=city_carriers.url,
        sms_gateways=str(gateway_table(city_carriers, tmp_path_factory.mktemp("gateways"))),
        fcm_project=city_carriers.project,
        fcm_credentials=str(city_carriers.service_account),
        fcm_base_url=city_carriers.url,
    )
    pool = Hands(8)
    ahead: dict[str, SmallCity] = {}

    def clock() -> datetime:
        return ahead["city"].now() if ahead else utc_now()

    def enqueue(job: str, *args: Any) -> bool:
        return ahead["city"].enqueue(job, *args)

    app = create_app(settings, clock=clock, enqueue=enqueue)
    create_indexes()
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    url = f"http://127.0.0.1:{server.server_port}"
    # The address is known only now; what signs and what links are made from it.
    settings = settings.model_copy(update={"public_url": url})
    app.extensions["amaan"] = replace(app.extensions["amaan"], settings=settings)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    channels = {
        str(kind): channel for kind, channel in build_channels(settings, clock=clock).items() if str(kind) != "console"
    }
    positions = RedisPositions(queues.connect(redis_url))
    context = Context(settings, clock, enqueue, positions, channels)
    ahead["city"] = SmallCity(url, settings, city_carriers, context, pool)
    with pytest.MonkeyPatch.context() as carriers_clock:
        # It is not moved with the city's: what a carrier took just now looks old to a city that has let hours pass.
        carriers_clock.setattr(twilio_sms, "_CLOCKS_APART", timedelta(days=3))
        yield ahead["city"]
        ahead["city"].settle()
    pool.shutdown()
    server.shutdown()
    thread.join(5)
    server.server_close()
    name = mongo.database().name
    observed.tally.flush()  # its thread would write into the next test's store, or open one while this is being closed
    mongo.disconnect()
    mongo_client.drop_database(name)


@pytest.fixture
def small_city(whole_city: SmallCity) -> Iterator[SmallCity]:
    """The city with empty inboxes, nobody on duty and nothing open."""
    hooks = f"{whole_city.url}/webhooks/twilio"
    whole_city.carriers.reset()
    whole_city.carriers.set_webhooks(
        sms_url=f"{hooks}/sms", voice_url=f"{hooks}/voice", voice_status_url=f"{hooks}/status"
    )
    whole_city.off_duty()
    yield whole_city
    whole_city.settle()
    whole_city.carriers.reset()
