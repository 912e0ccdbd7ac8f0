"""The table of further SMS gateways and of which numbers each one serves: a TOML file that a setting names.

`deploy/sms-gateways.toml` is an example with every field. It holds passwords, so it is a file of the machine and not a
city's data. A wrong table stops the start with one line.
"""

import re
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator

from notifications.channel import USUAL_VERDICTS, FailureCode
from runtime.settings import BadSetting

FIELDS = frozenset({"to", "digits", "from", "text", "ttl_s", "ttl_min", "key", "nonce", "report_url", "encoding"})
"""What a template may name. `digits`: the number without its plus; `ttl_min`: the lifetime in minutes, rounded up;
`key`: our own id of the attempt, the same however often it is asked for; `encoding`: gsm7 or ucs2.
"""
LOCAL = frozenset({"127.0.0.1", "localhost"})
_PLACE = re.compile(r"\{([^{}]*)\}")
_PREFIX = re.compile(r"(\+\d{0,15})?")

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,30}$")]


class BadTable(BadSetting):
    """The table is wrong; the text is one line that names where."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Gateway(_Strict):
    name: Name
    sender: str = Field(min_length=1)
    """An E.164 number, a short code or a name, as the gateway wants it."""
    two_way: bool = False
    """Whether what people answer to `sender` reaches the city: reply codes are offered only then."""


def _named(template: Any) -> set[str]:
    """The places that a template names. Raises ValueError for one that does not exist."""
    named = {name for text in _texts(template) for name in _PLACE.findall(text)}
    if unknown := sorted(named - FIELDS):
        raise ValueError(f"names {', '.join(unknown)}; there are {', '.join(sorted(FIELDS))}")
    return named


def _checked(url: str) -> str:
    """An address that keeps what it is sent to itself. Raises ValueError."""
    there = urlsplit(url)
    if there.scheme != "https" and not (there.scheme == "http" and there.hostname in LOCAL):
        raise ValueError("must be an https address")
    _named(url)
    return url


class LookUp(_Strict):
    """Where the gateway can be asked what it took, by our own id of the attempt."""

    url: str

    @field_validator("url")
    @classmethod
    def _is_address(cls, value: str) -> str:
        return _checked(value)

    items: str = ""
    """Dotted path of the list of messages in the answer; empty: the answer is it."""
    id: str = "id"
    status: str = ""


class Reports(_Strict):
    """How the gateway reports: fields of a JSON body or a form, by dotted path."""

    status: str
    error: str = ""
    id: str = ""
    """The gateway's own id, where it reports to one address for all (`amaan gateways` prints it)."""
    statuses: Mapping[str, Literal["sent", "delivered", "seen", "failed"]]
    """Each status that says something; others are passed over."""


class HttpGateway(_Gateway):
    """A gateway that takes one message with one HTTP request."""

    @property
    def is_local(self) -> bool:
        """Whether it is on this machine: nobody real hears of what it takes."""
        return urlsplit(self.url).hostname in LOCAL

    url: str
    method: Literal["POST", "GET", "PUT"] = "POST"
    format: Literal["json", "form", "query"] = "json"
    headers: Mapping[str, SecretStr] = {}
    body: Mapping[str, Any]
    """The fields of the request; texts may name FIELDS in braces."""
    id: str
    """Dotted path of the gateway's own id in its answer. An answer without one is no answer."""
    segments: str = ""
    error: str = ""
    """Dotted path of its error code. One that is not empty or 0 is a failure, whatever the HTTP status."""
    errors: Mapping[str, FailureCode] = {}
    """Its codes in our words; also `http 402` for a status that means something of its own."""
    look_up: LookUp | None = None
    reports: Reports | None = None

    @field_validator("url")
    @classmethod
    def _is_address(cls, value: str) -> str:
        return _checked(value)

    @field_validator("errors")
    @classmethod
    def _has_a_verdict(cls, value: Mapping[str, FailureCode]) -> Mapping[str, FailureCode]:
        if unknown := sorted(str(code) for code in value.values() if code not in USUAL_VERDICTS):
            raise ValueError(f"cannot be {', '.join(unknown)}")
        return value

    @field_validator("body")
    @classmethod
    def _names_known_fields(cls, value: Mapping[str, Any]) -> Mapping[str, Any]:
        named = _named(value)
        if not named & {"ttl_s", "ttl_min"}:
            raise ValueError("must name ttl_s or ttl_min: nothing about an old alarm may arrive late")
        if "text" not in named or not named & {"to", "digits"}:
            raise ValueError("must name text, and to or digits")
        return value


class SmppGateway(_Gateway):
    """A gateway that is spoken to by SMPP 3.4 over one kept connection a process."""

    @property
    def is_local(self) -> bool:
        """Whether it is on this machine: nobody real hears of what it takes."""
        return self.host in LOCAL

    host: str
    port: int = Field(2775, ge=1, le=65535)
    tls: bool = False
    system_id: str = Field(max_length=15)
    password: Annotated[SecretStr, Field(max_length=8)]
    """At most eight characters (SMPP 3.4 §5.2.2): more would be cut off on the way, and refused."""
    system_type: str = Field("", max_length=12)
    window: int = Field(10, ge=1, le=1000)
    """How many messages may wait for the gateway's answer at once."""
    gsm7: bool = True
    """False where the gateway takes data coding 0 for something else than the GSM alphabet: all is sent as UCS-2 then."""


class Table(_Strict):
    """All of it."""

    http: tuple[HttpGateway, ...] = ()
    smpp: tuple[SmppGateway, ...] = ()
    routes: Mapping[str, tuple[Name, ...]] = {}
    """E.164 prefix → gateways in order, `twilio_sms` among them; the longest prefix wins. Empty: all, as they stand here."""

    @model_validator(mode="after")
    def _fits_together(self) -> "Table":
        names = [each.name for each in (*self.http, *self.smpp)]
        if len(set(names)) != len(names) or "twilio_sms" in names:
            raise ValueError("each gateway needs a name of its own")
        for prefix, chosen in self.routes.items():
            if not _PREFIX.fullmatch(prefix):
                raise ValueError(f'routes: "{prefix}" is not the beginning of an E.164 number')
            if unknown := sorted(set(chosen) - {*names, "twilio_sms"}):
                raise ValueError(f'routes: "{prefix}" names {", ".join(unknown)}')
            if not chosen:
                raise ValueError(f'routes: "{prefix}" names no gateway')
        if self.routes and not {"", "+"} & set(self.routes):
            raise ValueError('routes: say what serves every other number, by the prefix "+"')
        return self


@lru_cache(maxsize=8)
def read(path: Path) -> Table:
    """The table in a file, as it was when this process first asked. Raises BadTable."""
    try:
        return parse(tomllib.loads(path.read_text(encoding="utf-8")), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise BadTable(f"AMAAN_SMS_GATEWAYS: {path}: {getattr(error, 'strerror', None) or 'not UTF-8'}") from None
    except tomllib.TOMLDecodeError as error:
        raise BadTable(f"AMAAN_SMS_GATEWAYS: {path}: {error}") from None


def parse(body: Mapping[str, Any], name: str) -> Table:
    """The table that a TOML document holds; `name` stands before what is wrong with it. Raises BadTable."""
    try:
        return Table(**body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = [name, ".".join(map(str, first["loc"]))] if first["loc"] else [name]
        why = first["msg"].removeprefix("Value error, ")
        raise BadTable(f"AMAAN_SMS_GATEWAYS: {': '.join(place)}: {why}") from None


def fill(template: Any, values: Mapping[str, Any]) -> Any:
    """A template with its places filled, whatever their text holds. One that is a place alone keeps the value's type."""
    if isinstance(template, Mapping):
        return {name: fill(each, values) for name, each in template.items()}
    if isinstance(template, list | tuple):
        return [fill(each, values) for each in template]
    if not isinstance(template, str):
        return template
    alone = _PLACE.fullmatch(template)
    if alone:
        return values[alone[1]]
    return _PLACE.sub(lambda place: str(values[place[1]]), template)


def at(body: Any, path: str) -> Any:
    """What stands at a dotted path (`messages.0.id`) of a JSON value; None where nothing does."""
    for part in path.split(".") if path else ():
        if isinstance(body, list) and part.isdecimal():
            body = body[int(part)] if int(part) < len(body) else None
        elif isinstance(body, Mapping):
            body = body.get(part)
        else:
            return None
    return body


def _texts(template: Any) -> list[str]:
    if isinstance(template, str):
        return [template]
    if isinstance(template, Mapping):
        return [text for each in template.values() for text in _texts(each)]
    if isinstance(template, list | tuple):
        return [text for each in template for text in _texts(each)]
    return []
