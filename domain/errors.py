"""What can go wrong in the domain. Each error carries a stable `code`; its class says which kind it is.

The kinds are few on purpose: `api/errors.py` maps a kind to an HTTP status in one table, so a new error needs a
subclass here (or in its concept) and nothing there.
"""

from collections.abc import Mapping
from typing import Any, ClassVar


class DomainError(Exception):
    """Something the caller can be told. `code` is stable and public, `data` is JSON-able and holds nothing private."""

    code: ClassVar[str] = "error"

    def __init__(self, detail: str = "", *, code: str | None = None, **data: Any) -> None:
        super().__init__(detail or self.__class__.__name__)
        self.detail = detail
        self.data: Mapping[str, Any] = data
        self._code = code

    @property
    def error_code(self) -> str:
        """The stable code: the instance's own, else the class's."""
        return self._code or self.code


class NotFound(DomainError):
    """It does not exist, or the caller may not know that it does."""

    code = "not_found"


class Conflict(DomainError):
    """It exists in a state that does not allow this; `data["current"]` says which."""

    code = "conflict"


class NotAllowed(DomainError):
    """The caller is known and may not do this."""

    code = "not_allowed"


class Unauthenticated(DomainError):
    """The caller is not known: no token, an expired one, or an ended session."""

    code = "unauthenticated"


class Invalid(DomainError):
    """The input cannot be understood; `data["errors"]` is {field: [messages]} where fields are known."""

    code = "invalid"


class Precondition(DomainError):
    """The caller's picture (If-Match, version) is not the current one."""

    code = "precondition_failed"


class Gone(DomainError):
    """It existed and will not come back: an expired link, a cursor that is too old."""

    code = "gone"


class TooLarge(DomainError):
    """More bytes or items than are taken at once."""

    code = "too_large"


class LimitReached(DomainError):
    """Too often; `data["retry_after"]` is in seconds."""

    code = "limit_reached"


class Unavailable(DomainError):
    """Something we need is down; trying again helps; `data["retry_after"]` is in seconds."""

    code = "unavailable"
