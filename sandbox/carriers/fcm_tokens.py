"""Google's OAuth token endpoint and service account, as far as FCM's sender needs them.

The service account's key is made once and kept beside the journal; access tokens are signed with a secret drawn from
it, so that they outlive a restart without being stored.
"""

from __future__ import annotations

import hmac
import os
import time
from hashlib import sha256
from pathlib import Path
from typing import Any

import jwt
import orjson
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

SCOPES = ("https://www.googleapis.com/auth/firebase.messaging", "https://www.googleapis.com/auth/cloud-platform")
LIFETIME = 3600
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


class TokenRefused(Exception):
    """The assertion is no good; the text is Google's `error` and `error_description`, parted by a colon."""


def write_service_account(path: Path, project: str, base_url: str) -> None:
    """Make the service account file, or point a kept one (same key) to where the token endpoint now is. Mode 0600."""
    if path.exists():
        account: dict[str, Any] = orjson.loads(path.read_bytes())
    else:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        account = {"type": "service_account", "private_key_id": os.urandom(20).hex(), "private_key": pem.decode()}
    email = f"local-carriers@{project}.iam.gserviceaccount.com"
    account |= {"project_id": project, "client_email": email, "client_id": "1", "token_uri": f"{base_url}/token"}
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = path.with_suffix(".part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(orjson.dumps(account, option=orjson.OPT_INDENT_2))
    part.replace(path)


class Tokens:
    """Exchanges signed assertions for access tokens, and knows its own tokens again."""

    def __init__(self, service_account: Path) -> None:
        account = orjson.loads(service_account.read_bytes())
        key = serialization.load_pem_private_key(account["private_key"].encode(), None)
        self._email = account["client_email"]
        self._public = key.public_key()
        self._secret = sha256(account["private_key"].encode()).digest()
        self._good: dict[str, float] = {}

    def exchange(self, form: dict[str, str]) -> dict[str, Any]:
        """The token endpoint's answer to a JWT bearer grant (RFC 7523). Raises TokenRefused."""
        if form.get("grant_type") != GRANT:
            raise TokenRefused(f"unsupported_grant_type:Invalid grant_type: {form.get('grant_type', '')}")
        try:
            claims = jwt.decode(
                form.get("assertion", ""), self._public, ["RS256"],  # type: ignore[arg-type]
                issuer=self._email, leeway=60, options={"require": ["iss", "exp", "iat"], "verify_aud": False},
            )  # fmt: skip
        except jwt.PyJWTError as failure:
            raise TokenRefused(f"invalid_grant:Invalid JWT Signature. {failure}") from failure
        if not set(str(claims.get("scope", "")).split()) & set(SCOPES):
            raise TokenRefused("invalid_scope:Invalid OAuth scope or ID token audience provided.")
        return {
            "access_token": self._make(int(time.time()) + LIFETIME),
            "expires_in": LIFETIME - 1,
            "token_type": "Bearer",
        }

    def good(self, authorization: str | None) -> bool:
        """Whether an Authorization header carries a token of ours that is not over."""
        kind, _, token = (authorization or "").partition(" ")
        if kind != "Bearer":
            return False
        expires = self._good.get(token)
        if expires is None:
            stamp = token.removeprefix("ya29.local-").partition("-")[0]
            if not stamp.isdecimal() or not hmac.compare_digest(self._make(int(stamp)).encode(), token.encode()):
                return False
            expires = self._good[token] = float(stamp)
        return time.time() < expires

    def _make(self, expires: int) -> str:
        return f"ya29.local-{expires}-{hmac.new(self._secret, str(expires).encode(), sha256).hexdigest()}"
