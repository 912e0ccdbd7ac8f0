"""The words of tus 1.0 (tus.io/protocols/resumable-upload): headers in, headers out, and what is wrong with them."""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from flask import Request
from werkzeug.http import http_date

VERSION: Final = "1.0.0"
EXTENSIONS: Final = "creation,creation-with-upload,checksum,termination,expiration"
ALGORITHMS: Final = ("sha1", "sha256", "md5")
CONTENT_TYPE: Final = "application/offset+octet-stream"
METADATA_CHARS: Final = 4096
_KEY: Final = re.compile(r"[!-+\--~]+")  # ASCII without space and comma
_WHOLE: Final = re.compile(r"[0-9]{1,18}")
_HEX: Final = re.compile(r"[0-9a-fA-F]{64}")


class TusError(Exception):
    """A request that tus does not allow: status, stable code, and the headers that go with it."""

    def __init__(self, status: int, code: str, detail: str, **headers: str) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail = status, code, detail
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


@dataclass(frozen=True)
class Checksum:
    """Upload-Checksum: what the bytes of one request must be."""

    algorithm: str
    digest: bytes

    def begin(self) -> Any:
        """A hash to feed the bytes to."""
        return hashlib.new(self.algorithm, usedforsecurity=False)


def check_version(request: Request) -> None:
    """412 unless the client speaks our version."""
    if request.headers.get("Tus-Resumable") != VERSION:
        raise TusError(412, "wrong_tus_version", f"Tus-Resumable must be {VERSION}", Tus_Version=VERSION)


def whole_number(request: Request, name: str) -> int:
    """A header that must be a whole number; 400 otherwise."""
    value = request.headers.get(name, "").strip()
    if not _WHOLE.fullmatch(value):
        raise TusError(400, "bad_header", f"{name} must be a whole number of bytes")
    return int(value)


def checksum(request: Request) -> Checksum | None:
    """Upload-Checksum; 400 for an algorithm that we do not have or a value that is not base64."""
    given = request.headers.get("Upload-Checksum")
    if given is None:
        return None
    algorithm, _, value = given.strip().partition(" ")
    if algorithm not in ALGORITHMS:
        raise TusError(400, "unknown_checksum_algorithm", f"Upload-Checksum: one of {', '.join(ALGORITHMS)}")
    try:
        return Checksum(algorithm, base64.b64decode(value.strip(), validate=True))
    except (binascii.Error, ValueError):
        raise TusError(400, "bad_header", "Upload-Checksum: the value must be base64") from None


def metadata(given: str) -> dict[str, str]:
    """Upload-Metadata as texts; 400 where a key is missing, used twice, or a value is not base64."""
    if len(given) > METADATA_CHARS:
        raise TusError(413, "metadata_too_large", f"Upload-Metadata: at most {METADATA_CHARS} characters")
    found: dict[str, str] = {}
    for pair in given.split(",") if given.strip() else []:
        key, _, value = pair.strip().partition(" ")
        if not _KEY.fullmatch(key) or key in found:
            raise TusError(400, "bad_metadata", "Upload-Metadata: keys must be ASCII, not empty, and unique")
        try:
            found[key] = base64.b64decode(value.strip(), validate=True).decode("utf-8", "replace")
        except (binascii.Error, ValueError):
            raise TusError(400, "bad_metadata", "Upload-Metadata: values must be base64") from None
    return found


def declared(found: dict[str, str]) -> dict[str, str]:
    """What of the metadata we use: {filename, filetype, sha256}. A hash that is none is 400: it was meant to count."""
    kept = {name: found[name].replace("\x00", "")[:200] for name in ("filename", "filetype") if found.get(name)}
    if found.get("sha256"):
        if not _HEX.fullmatch(found["sha256"]):
            raise TusError(400, "bad_metadata", "Upload-Metadata: sha256 must be 64 hexadecimal digits")
        kept["sha256"] = found["sha256"].lower()
    return kept


def expires(at: datetime | None) -> dict[str, str]:
    """Upload-Expires, where it does."""
    return {"Upload-Expires": http_date(at)} if at else {}
