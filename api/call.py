"""One request as a view sees it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flask import request

from api.paging import DEFAULT_LIMIT, decode_cursor
from api.services import Services
from domain import permissions
from domain.errors import Precondition, Unauthenticated
from domain.ids import derived_id, new_id
from domain.permissions import Principal, Target


@dataclass(frozen=True)
class Call:
    """One request, parsed: all that a view needs to translate it into the domain."""

    services: Services
    now: datetime
    principal: Principal | None = None
    body: Mapping[str, Any] = field(default_factory=dict)
    query: Mapping[str, Any] = field(default_factory=dict)
    key: str | None = None
    """Idempotency-Key."""
    sent_at: datetime | None = None

    @property
    def who(self) -> Principal:
        """The caller of a route that has a permission."""
        if self.principal is None:
            raise Unauthenticated("a bearer token is needed")
        return self.principal

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the body as sent: what a key is bound to, for `idempotency_conflict`."""
        return hashlib.sha256(request.get_data(cache=True)).hexdigest()

    @property
    def limit(self) -> int:
        """Page size asked for."""
        return int(self.query.get("limit") or DEFAULT_LIMIT)

    def new_id(self, prefix: str) -> str:
        """The id of what is created: derived from caller and key, so that a retry meets it; fresh without a key."""
        if self.key is None:
            return new_id(prefix, self.now)
        return derived_id(prefix, self.who.person_id, self.key)

    def after(self, *kinds: type) -> tuple[Any, ...] | None:
        """The sort values after which the page starts, by their types; None for the first page."""
        found = decode_cursor(self.query.get("cursor"), kinds)
        return None if found is None else tuple(found)

    def require_reach(self, action: str, target: Target) -> None:
        """NotFound when the caller's roles do not reach the target."""
        permissions.require_reach(self.who, action, target)

    def require_match(self, version: int) -> None:
        """Precondition when the request has If-Match and it is not this version."""
        if request.if_match and not request.if_match.contains_weak(str(version)):
            raise Precondition("it changed in between", current=version)
