"""Settings of the machine: one frozen object, built once from the environment and passed in.

What belongs to a city is data (`cities/<id>.toml`), not a setting. A wrong value stops the start with one line that
names the variable.
"""

import os
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import fsspec
from fsspec.utils import get_protocol
from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class BadSetting(Exception):
    """A setting is missing or wrong; the text names it in one line."""


def _named(*names: str) -> AliasChoices:
    return AliasChoices(*names)


class Settings(BaseSettings):
    """Everything that differs between a laptop and a city. README.md has this as a table."""

    model_config = SettingsConfigDict(
        env_prefix="AMAAN_", frozen=True, extra="ignore", populate_by_name=True, use_attribute_docstrings=True
    )

    mongodb_url: str = Field("mongodb://127.0.0.1:27017/amaan", validation_alias=_named("MONGODB_URL", "mongodb_url"))
    """The document store: MongoDB, or the embedded server that `amaan up` starts on a laptop."""
    redis_url: str = Field("redis://127.0.0.1:6379/0", validation_alias=_named("REDIS_URL", "redis_url"))
    """The queues and the live positions."""
    secret: SecretStr
    """Signs tokens and links, keys hashes; at least 32 characters."""
    public_url: str = "http://127.0.0.1:8000"
    """Where phones reach the API."""
    link_url: str = ""
    """The short host of signed links in an SMS; the public one where empty."""
    streams_url: str = ""
    """Where phones reach the event streams; the public one where empty."""
    cities_dir: Path = Path(__file__).resolve().parent.parent / "cities"
    """The folder of the cities' presets."""
    media_url: str = "file://var/media"
    """An fsspec address of a folder or bucket; s3://… needs the package s3fs beside the others."""
    audit_url: str = ""
    """Where the signed heads of the audit chain go (fsspec), best where what is written stays; with the media where empty."""
    var_dir: Path = Path("var")
    """Where a process may write."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """The least that is logged."""
    trusted_proxies: Annotated[int, Field(ge=0, le=5)] = 0
    """How many reverse proxies stand before the API; their X-Forwarded headers are believed."""
    cors_origins: str = ""
    """Origins of browser consoles, separated by commas."""

    twilio_account_sid: str = ""
    """The account at Twilio; empty: no SMS and no calls."""
    twilio_auth_token: SecretStr = SecretStr("")
    """Signs our requests and proves Twilio's webhooks."""
    twilio_from: str = ""
    """The sender of SMS and calls: an E.164 number, a short code or a messaging service."""
    twilio_base_url: str = ""
    """Empty for Twilio itself; the local carriers' address on a laptop."""
    twilio_two_way: bool = True
    """Whether the sender can receive: reply codes are offered only then."""
    sms_gateways: str = ""
    """Path of a table of further SMS gateways and of the numbers that each serves; `deploy/sms-gateways.toml` is an example."""
    fcm_project: str = ""
    """The Firebase project; empty: no pushes."""
    fcm_credentials: str = ""
    """Path of the service account file; the local carriers write one, `var/carriers/service-account.json`."""
    fcm_base_url: str = ""
    """Empty for Google itself; the local carriers' address on a laptop."""

    vault_keys: SecretStr = SecretStr("")
    """Master keys of the vault, `id:base64 of 32 bytes, …`; the first wraps what is new. Empty: one made from the secret."""
    vault_kms: str = ""
    """A plug-in that keeps the master keys instead, `package.module:Class` (`domain/vault/ports.py`)."""

    face_model: str = ""
    """Path of the `model.toml` of a city's own face model (`workers/vision/face_search.py`); empty: no face is compared."""
    fonts_dir: Path = Path("/usr/share/fonts/truetype/noto")
    """Where Noto Sans and Noto Nastaliq Urdu lie, for documents in PDF (Debian: fonts-noto-core)."""

    otp_ttl_s: Annotated[int, Field(ge=60, le=900)] = 300
    """How long a one-time code is good, in seconds."""
    access_ttl_s: Annotated[int, Field(ge=60, le=900)] = 900
    """How long an access token is good, in seconds."""
    refresh_ttl_days: Annotated[int, Field(ge=1, le=365)] = 90
    """How long a phone that is not used stays signed in, in days."""
    link_ttl_s: Annotated[int, Field(ge=300)] = 6 * 3600
    """How long the live page of an SOS is open, in seconds."""
    sos_rate_per_minute: Annotated[int, Field(ge=1)] = 6
    """SOS from one device or address beyond this are flagged, never refused."""
    upload_max_bytes: Annotated[int, Field(ge=1024)] = 200 * 1024 * 1024
    """The most that one upload may hold."""

    @field_validator("public_url", "link_url", "streams_url", "twilio_base_url", "fcm_base_url")
    @classmethod
    def _is_address(cls, value: str) -> str:
        if value and urlsplit(value).scheme not in {"http", "https"}:
            raise ValueError("must be an http or https address")
        return value.rstrip("/")

    @field_validator("media_url", "audit_url")
    @classmethod
    def _can_be_opened(cls, value: str) -> str:
        """A bucket needs its own client (`s3fs` for s3://): whoever lacks it hears so at the start, not at the first upload."""
        try:
            fsspec.get_filesystem_class(get_protocol(value) if value else "file")
        except (ImportError, ValueError) as error:
            raise ValueError(str(error).splitlines()[0]) from None
        return value

    @field_validator("secret")
    @classmethod
    def _is_strong(cls, value: SecretStr) -> SecretStr:
        if len(value.get_secret_value()) < 32:
            raise ValueError("must have at least 32 characters")
        return value

    @model_validator(mode="after")
    def _has_credentials(self) -> "Settings":
        if self.twilio_account_sid and not self.twilio_auth_token.get_secret_value():
            raise ValueError("AMAAN_TWILIO_AUTH_TOKEN is needed with AMAAN_TWILIO_ACCOUNT_SID")
        return self

    @property
    def signing_key(self) -> str:
        """The secret itself, for signing; keep it out of logs."""
        return self.secret.get_secret_value()

    @property
    def links(self) -> str:
        """The address that stands before /a and /t in a message."""
        return self.link_url or self.public_url

    @property
    def heads_url(self) -> str:
        """Where the signed heads of the audit chain go."""
        return self.audit_url or f"{self.media_url.rstrip('/')}/audit-heads"

    @property
    def streams(self) -> str:
        """The address of the event streams."""
        return self.streams_url or self.public_url

    @property
    def real_carriers(self) -> bool:
        """True when messages go to a real vendor."""
        return bool(
            (self.twilio_account_sid and not self.twilio_base_url) or (self.fcm_project and not self.fcm_base_url)
        )


def variable_of(name: str) -> str:
    """The environment variable of a setting."""
    return name.upper() if name.upper() in _COMMON else f"AMAAN_{name.upper()}"


_COMMON = frozenset({"MONGODB_URL", "REDIS_URL"})
"""Named as every hosting service names them."""


def load() -> Settings:
    """Settings from the environment; raises BadSetting with one line that names what is wrong."""
    from_environment_alone: dict[str, Any] = {}
    try:
        return Settings(**from_environment_alone)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = str(first["loc"][0]) if first["loc"] else ""
        variable = variable_of(name)
        reason = first["msg"].removeprefix("Value error, ")
        raise BadSetting(f"{variable}: {reason}" if name else reason) from None


def environment() -> dict[str, str]:
    """A copy of the environment, for starting other processes; nobody else reads it."""
    return dict(os.environ)
