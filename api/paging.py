"""Cursor-paged lists: `{items, next}`; `next` is opaque, and absent from the last page."""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from marshmallow import fields

from api.schemas import Schema, Whole
from domain.errors import Invalid

MAX_LIMIT: Final = 100
DEFAULT_LIMIT: Final = 20
_MAX_CURSOR: Final = 400
Row = TypeVar("Row", bound=Mapping[str, Any])


class PageQuery(Schema):
    """What every list takes. A list with filters has them in a subclass of this."""

    cursor = fields.String(metadata={"description": "`next` of the page before."})
    limit = Whole(1, MAX_LIMIT, load_default=DEFAULT_LIMIT)


@dataclass(frozen=True)
class Listed:
    """A page as a view returns it: rows, and the sort values of the last one when there are more."""

    items: Sequence[Any]
    after: Sequence[str | int | float | datetime] | None = None
    extra: dict[str, Any] = field(default_factory=dict)


def cut(rows: list[Row], limit: int, *by: str) -> tuple[list[Row], list[Any] | None]:
    """A page of rows that were asked for as one more than `limit`, and the sort values, `by`, of its last row when there
    are more: (page, after).
    """
    page = rows[:limit]
    return page, [page[-1][name] for name in by] if len(rows) > limit else None


def encode_cursor(values: Sequence[str | int | float | datetime]) -> str:
    """An opaque string for these sort values; times keep their milliseconds."""
    plain = [{"t": round(value.timestamp() * 1000)} if isinstance(value, datetime) else value for value in values]
    return base64.urlsafe_b64encode(json.dumps(plain, separators=(",", ":")).encode()).rstrip(b"=").decode()


def decode_cursor(cursor: str | None, kinds: Sequence[type]) -> list[Any] | None:
    """The sort values again, checked against their kinds; None for no cursor. Raises Invalid for one not of ours."""
    if cursor is None:
        return None
    try:
        raw = base64.urlsafe_b64decode((cursor + "=" * (-len(cursor) % 4)).encode("ascii"))
        plain = json.loads(raw) if len(cursor) <= _MAX_CURSOR else None
        values = [
            datetime.fromtimestamp(item["t"] / 1000, UTC) if isinstance(item, dict) else item
            for item in (plain if isinstance(plain, list) else [])
        ]
    except (ValueError, binascii.Error, KeyError, TypeError, OverflowError, OSError, RecursionError) as error:
        raise _bad() from error
    if len(values) != len(kinds) or any(type(value) is not kind for value, kind in zip(values, kinds, strict=True)):
        raise _bad()
    if any(isinstance(value, str) and ("\x00" in value or not value.isprintable()) for value in values):
        raise _bad()
    return values


class CursorInvalid(Invalid):
    """The cursor is not one of this list: start again without one."""

    code = "cursor_invalid"


def _bad() -> CursorInvalid:
    return CursorInvalid("start the list again without a cursor", errors={"cursor": ["Not a cursor of this list."]})
