"""What `amaan doctor` looks at: each check is a function from the settings to findings, and none changes anything.

A finding says what is so and, where it is not well, what to do. No secret, number or token is ever in one.
"""

import json
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path

from firebase_admin import credentials
from mongoengine.connection import get_connection
from redis import Redis
from redis.exceptions import RedisError

from cli import indexes
from domain import outbox
from domain.clock import utc_now
from notifications.channel import FailureCode, Unknown
from notifications.channels import twilio_client
from notifications.channels.bounded import within
from notifications.channels.http_sms import HttpSmsChannel
from notifications.channels.smpp_session import Lost, Session
from notifications.messages import Address, AddressKind, Message
from notifications.registry import table
from runtime import mongo, queues
from runtime.settings import Settings

CLOCK_MAY_DIFFER_S = 2.0
"""Signed links, one-time codes and leases of two machines are compared by their clocks."""
DEPTHS = {"urgent": 50, "default": 500, "vision": 200, "footage": 50, "bulk": 5000}
"""Jobs that wait, by queue: more than these say that its workers are too few or gone."""
LOST_AFTER = timedelta(seconds=30)
"""The sweeper finds overdue events within seconds; older ones say that it does not run."""
ASKING_S = 8.0


class State(StrEnum):
    """How a finding is to be read."""

    WELL = "well"
    """As it should be."""
    NOTE = "note"
    """Worth knowing, and works."""
    ILL = "ill"
    """Must be mended."""


@dataclass(frozen=True)
class Finding:
    """One line of the doctor's report."""

    about: str
    state: State
    text: str


Check = Callable[[Settings], Iterable[Finding]]


def well(about: str, text: str) -> Finding:
    """As it should be."""
    return Finding(about, State.WELL, text)


def note(about: str, text: str) -> Finding:
    """Worth knowing."""
    return Finding(about, State.NOTE, text)


def ill(about: str, text: str) -> Finding:
    """Must be mended."""
    return Finding(about, State.ILL, text)


def settings_are_safe(settings: Settings) -> Iterator[Finding]:
    """Addresses that a phone outside can reach, and a folder that only its owner can read."""
    yield well("settings", "complete")
    if settings.real_carriers:
        for name, address in (("AMAAN_PUBLIC_URL", settings.public_url), ("AMAAN_LINK_URL", settings.links)):
            if not address.startswith("https://"):
                yield ill("settings", f"{name}: real carriers are configured, so it must be an https address")
    else:
        yield note("settings", "messages go to local carriers, to no real phone")
    if settings.twilio_account_sid and not settings.twilio_from:
        yield ill("settings", "AMAAN_TWILIO_FROM: needed with AMAAN_TWILIO_ACCOUNT_SID; without it no SMS is sent")
    if settings.fcm_project and not Path(settings.fcm_credentials or "missing").is_file():
        yield ill("settings", "AMAAN_FCM_CREDENTIALS: no such file; without it no push is sent")
    if settings.var_dir.exists() and settings.var_dir.stat().st_mode & 0o077:
        yield ill("settings", f"{settings.var_dir} can be read by others: chmod 700")


def document_store(settings: Settings) -> Iterator[Finding]:
    """Whether it answers, how fast, and whether its clock is ours."""
    mongo.connect(settings)
    admin = get_connection().admin
    admin.command("ping")
    began = time.perf_counter()
    hello = admin.command("isMaster")  # `hello` by its old name, which every server knows
    took_ms = (time.perf_counter() - began) * 1000
    version = get_connection().server_info()["version"]
    yield well("document store", f"answers in {took_ms:.0f} ms, version {version}")
    if not hello.get("setName") and hello.get("msg") != "isdbgrid":
        yield note("document store", "one server alone: what it loses is lost; a city uses a replica set")
    if isinstance(there := hello.get("localTime"), datetime):
        yield clock("document store", there if there.tzinfo else there.replace(tzinfo=UTC))


def clock(about: str, there: datetime) -> Finding:
    """Whether a server's clock is ours."""
    apart = (there - datetime.now(UTC)).total_seconds()
    if abs(apart) > CLOCK_MAY_DIFFER_S:
        return ill("clock", f"differs from the {about}'s by {apart:+.1f} s: synchronise both (chrony)")
    return well("clock", f"as the {about}'s, within {abs(apart):.1f} s")


def declared_indexes(settings: Settings) -> Iterator[Finding]:
    """Whether every declared index is there."""
    mongo.connect(settings)
    lacking = indexes.missing()
    for collection, keys in lacking:
        yield ill("indexes", f"{collection} ({keys}) is missing: run `amaan indexes`")
    if not lacking:
        yield well("indexes", f"all of {len(indexes.documents())} collections are there")


def events_are_handled(settings: Settings) -> Iterator[Finding]:
    """Whether anything that was accepted still waits for what must follow."""
    mongo.connect(settings)
    indexes.documents()  # registers every outbox
    before = utc_now() - LOST_AFTER
    late = {name: len(outbox.overdue(name, now=before, limit=1000)) for name in outbox.names()}
    for name, count in late.items():
        if count:
            yield ill("events", f"{count} of {name} wait for more than {LOST_AFTER.seconds} s: is the sweeper running?")
    failing = {name: found for name in outbox.names() if (found := outbox.stubborn(name))}
    for name, subjects in failing.items():
        shown = ", ".join(subjects[:3])
        yield ill("events", f"what follows from {shown} ({name}) keeps failing: see reaction_keeps_failing in the log")
    if not failing and not any(late.values()):
        yield well("events", "none is overdue")


def redis(settings: Settings) -> Iterator[Finding]:
    """Whether it answers, keeps what it has on disk, and has our time."""
    client: Redis = queues.connect(settings.redis_url)
    began = time.perf_counter()
    client.ping()
    yield well("redis", f"answers in {(time.perf_counter() - began) * 1000:.0f} ms")
    persistence: dict[str, object] = client.info("persistence")
    if not persistence.get("aof_enabled"):
        yield note("redis", "has no append-only file: a restart forgets queues and live positions (appendonly yes)")
    seconds, micros = client.time()
    yield clock("redis", datetime.fromtimestamp(int(seconds) + int(micros) / 1e6, UTC))


def queue_depth(settings: Settings) -> Iterator[Finding]:
    """Whether jobs pile up."""
    waiting = queues.Queues(queues.connect(settings.redis_url)).depth()
    said = ", ".join(f"{name} {count}" for name, count in waiting.items())
    full = [name for name, count in waiting.items() if count > DEPTHS[name]]
    for name in full:
        yield ill("queues", f"{waiting[name]} jobs wait on {name}: are its workers running?")
    if not full:
        yield well("queues", f"waiting: {said}")


def twilio_credentials(settings: Settings) -> Iterator[Finding]:
    """Whether the account lets us in."""
    if not settings.twilio_account_sid:
        yield note("twilio", "not configured: no SMS and no calls")
        return
    client = twilio_client.client(
        settings.twilio_account_sid, settings.twilio_auth_token.get_secret_value(), settings.twilio_base_url
    )
    account = twilio_client.look(
        lambda: client.api.v2010.accounts(settings.twilio_account_sid).fetch(), timeout_s=ASKING_S
    )
    if account.status == "active":
        yield well("twilio", "the account lets us in and is active")
    else:
        yield ill("twilio", f"the account is {account.status}")


def fcm_credentials(settings: Settings) -> Iterator[Finding]:
    """Whether the service account is of this project and gets an access token."""
    if not settings.fcm_project:
        yield note("fcm", "not configured: no pushes")
        return
    project = json.loads(Path(settings.fcm_credentials).read_text()).get("project_id")
    if project != settings.fcm_project:
        yield ill("fcm", "AMAAN_FCM_CREDENTIALS is of another project than AMAAN_FCM_PROJECT")
    account = credentials.Certificate(settings.fcm_credentials)
    outcome = within(ASKING_S, account.get_access_token)
    if outcome.error is not None or outcome.overdue:
        why = "no answer" if outcome.error is None else type(outcome.error).__name__
        yield ill("fcm", f"no access token for the service account: {why}")
    else:
        yield well("fcm", "the service account gets an access token")


def sms_gateways(settings: Settings) -> Iterator[Finding]:
    """The gateways of the table: an SMSC lets us in, and an HTTP gateway with a list answers when it is asked."""
    further = table(settings)
    for smpp in further.smpp:
        try:
            Session.bind(smpp, None, timeout_s=ASKING_S).close()
        except Lost as lost:
            why = f"does not let us in (0x{lost.refused:02x})" if lost.refused else "does not answer"
            yield ill("sms gateways", f"{smpp.name} {why}")
        else:
            yield well("sms gateways", f"{smpp.name} lets us in")
    for http in further.http:
        nobody = Message("doctor-1", Address(AddressKind.SMS, "+10000000000"), nonce="doctor")
        try:
            HttpSmsChannel(http).reconcile(nobody, since=utc_now(), timeout_s=ASKING_S)
        except Unknown as unknown:
            if unknown.code == FailureCode.NO_LIST:
                yield note("sms gateways", f"{http.name} has no list to ask: only a message shows whether it works")
            else:
                yield ill("sms gateways", f"{http.name} does not answer, or does not let us in")
        else:
            yield well("sms gateways", f"{http.name} answers")


def vault_keys(settings: Settings) -> Iterator[Finding]:
    """Where the helpline's master keys come from. A laptop's is made from the secret; a city keeps them apart."""
    if settings.vault_kms:
        yield well("vault", "a plug-in keeps the master keys")
    elif settings.vault_keys.get_secret_value():
        yield well("vault", "master keys are set")
    else:
        found = ill if settings.real_carriers else note
        yield found("vault", "the master key is made from AMAAN_SECRET: set AMAAN_VAULT_KEYS (amaan vault key)")


CHECKS: tuple[tuple[str, str, Check], ...] = (
    ("settings", "", settings_are_safe),
    ("vault", "", vault_keys),
    ("document store", "", document_store),
    ("indexes", "document store", declared_indexes),
    ("events", "document store", events_are_handled),
    ("redis", "", redis),
    ("queues", "redis", queue_depth),
    ("twilio", "", twilio_credentials),
    ("sms gateways", "", sms_gateways),
    ("fcm", "", fcm_credentials),
)
"""(what it is about, what must answer for it to make sense, the check)."""


def findings(settings: Settings) -> Iterator[Finding]:
    """Every check's findings; a check that fails is itself a finding, and the next ones go on."""
    silent = set()
    for about, needs, check in CHECKS:
        if needs in silent:
            continue
        try:
            yield from check(settings)
        except (*mongo.STORE_DOWN, RedisError, OSError) as error:
            silent.add(about)
            yield ill(about, f"does not answer ({type(error).__name__})")
        except Exception as error:
            first = (str(error).splitlines() or [""])[0]
            yield ill(about, f"{type(error).__name__}: {first[:120]}")
