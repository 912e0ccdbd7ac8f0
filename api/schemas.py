"""What bodies and queries are made of: the base schema and the fields that the contract shares.

Unknown body fields are ignored (a new phone meets an old city's server). A string with a NUL or half a surrogate pair
is refused everywhere, since no store can keep it. Every string has a cap.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

import marshmallow as ma
from marshmallow import fields, validate

from domain.errors import Invalid
from domain.phones import parse_phone

_RFC3339: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)")
UNSTORABLE: Final = "Has a character that cannot be stored."
_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")


def unstorable(value: Any, path: str = "") -> Iterator[str]:
    """Paths of strings (keys too) with a NUL or a lone surrogate."""
    if isinstance(value, str):
        if _UNSTORABLE.search(value):
            yield path or "_"
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            if isinstance(key, str) and _UNSTORABLE.search(key):
                yield path or "_"
            else:
                yield from unstorable(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from unstorable(inner, f"{path}.{index}" if path else str(index))


class Schema(ma.Schema):
    """The base of every body, answer and query. What cannot be stored is refused in the fields that are read."""

    class Meta:
        unknown = ma.EXCLUDE

    @ma.validates_schema(skip_on_field_errors=False)
    def _is_storable(self, data: Any, **_: Any) -> None:
        if bad := {path: [UNSTORABLE] for path in unstorable(data)}:
            raise ma.ValidationError(bad)


class Answer(Schema):
    """An answer from which what is not known is left out, instead of standing there as null."""

    @ma.post_dump
    def _leave_out(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        return {name: value for name, value in data.items() if value is not None}


_LINES: Final = r"^[^\u0000]*$"
_LINES_WITH_SOMETHING: Final = r"^[^\u0000]*[^\s\u0000\u001c-\u001f\u0085][^\u0000]*$"  # what Python's strip() leaves
_LINE: Final = r"^[^\u0000-\u001f]*$"
_LINE_WITH_SOMETHING: Final = r"^[^\u0000-\u001f]*[^\s\u0000-\u001f][^\u0000-\u001f]*$"


class Text(fields.String):
    """A string with a cap in characters, surrounding blanks cut off. `multiline` keeps line breaks and tabs."""

    def __init__(self, max_chars: int = 200, *, min_chars: int = 0, multiline: bool = False, **kwargs: Any) -> None:
        rules = [validate.Length(min=min_chars or None, max=max_chars), *kwargs.pop("validate", [])]
        shape = (_LINES_WITH_SOMETHING if min_chars else _LINES) if multiline else _LINE_WITH_SOMETHING if min_chars else _LINE
        super().__init__(validate=rules, metadata={"pattern": shape, **kwargs.pop("metadata", {})}, **kwargs)
        self.multiline = multiline

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = str(super()._deserialize(value, attr, data, **kwargs)).strip()
        if not self.multiline and any(ord(char) < 32 for char in text):
            raise ma.ValidationError("Must be one line.")
        return text


class Shaped(validate.Regexp):
    """The whole string has this shape. Written as `^…$`, which JSON Schema understands; no line end slips through."""

    def __init__(self, shape: str, error: str) -> None:
        super().__init__(f"^{shape}$", error=error)

    def __call__(self, value: str | bytes) -> Any:
        if value[-1:] in ("\n", b"\n"):
            raise ma.ValidationError(str(self.error))
        return super().__call__(value)


def code_field(shape: str, error: str, **kwargs: Any) -> fields.String:
    """A string of exactly this shape: a PIN, a code, an id that a phone made."""
    return fields.String(validate=Shaped(shape, error), **kwargs)


class Id(fields.String):
    """An opaque id."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(validate=Shaped(r"[A-Za-z0-9_:.-]{1,80}", "Not an id."), **kwargs)


def rfc3339(at: datetime) -> str:
    """`2026-11-23T14:28:26.123Z`."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Time(fields.Field[datetime]):
    """RFC 3339 with an offset, kept as aware UTC cut to milliseconds, written as `2026-11-23T14:28:26.123Z`."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        if not isinstance(value, str) or not _RFC3339.fullmatch(value):
            raise ma.ValidationError("Must be an RFC 3339 time with an offset.")
        try:
            found = datetime.fromisoformat(value.upper()).astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise ma.ValidationError("Not a time that exists.") from error
        return found.replace(microsecond=found.microsecond // 1000 * 1000)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        if value is None:
            return None
        return rfc3339(value)


class Phone(fields.String):
    """A phone number, kept as E.164; Pakistani national forms are understood."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        try:
            return parse_phone(str(text))
        except Invalid as error:
            raise ma.ValidationError("Not a phone number.") from error


class Number(fields.Float):
    """A finite number between two bounds."""

    def __init__(self, low: float, high: float, **kwargs: Any) -> None:
        super().__init__(validate=validate.Range(min=low, max=high), allow_nan=False, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> float:
        if isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        found: Any = super()._deserialize(value, attr, data, **kwargs)
        return float(found)


class Whole(fields.Integer):
    """An integer between two bounds; `1.0` and `true` are not integers."""

    def __init__(self, low: int, high: int, **kwargs: Any) -> None:
        super().__init__(validate=validate.Range(min=low, max=high), **kwargs)

    def _validated(self, value: Any) -> Any:
        if isinstance(value, bool) or (isinstance(value, float) and not value.is_integer()):
            raise self.make_error("invalid", input=value)
        return super()._validated(value)


class Flag(fields.Boolean):
    """`true` or `false`, and none of the texts and numbers that marshmallow would take for one."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


class Language(fields.String):
    """A BCP 47 tag of which we write the language: `ur`, `en`; `ur-PK` is kept as `ur`."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(validate=Shaped(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}", "Not a language tag."), **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = str(super()._deserialize(value, attr, data, **kwargs))
        for rule in self.validators:  # the tag as it came, since what is kept is shorter
            rule(text)
        return text.split("-")[0].lower()


class Choice(fields.String):
    """One of a StrEnum's values; loads the member, writes the member or its stored text."""

    def __init__(self, of: type[StrEnum], **kwargs: Any) -> None:
        super().__init__(validate=validate.OneOf([str(member) for member in of]), **kwargs)
        self.of = of

    def deserialize(self, value: Any, attr: str | None = None, data: Any = None, **kwargs: Any) -> Any:
        found = super().deserialize(value, attr, data, **kwargs)
        return self.of(found) if isinstance(found, str) else found


class PositionSchema(Schema):
    """Where a phone was. WGS 84 degrees, metres."""

    lat = Number(-90, 90, required=True)
    lon = Number(-180, 180, required=True)
    accuracy_m = Number(0, 1e7, load_default=None)
    captured_at = Time(load_default=None)


class PlaceSchema(Schema):
    """A point that does not move. WGS 84 degrees."""

    lat = Number(-90, 90, required=True)
    lon = Number(-180, 180, required=True)


class ProblemSchema(Schema):
    """RFC 9457."""

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    code = fields.String(required=True, metadata={"description": "Stable; see error-codes.md."})
    detail = fields.String()
    request_id = fields.String(required=True)
    errors = fields.Dict(
        keys=fields.String(), values=fields.List(fields.String()), metadata={"description": "422 only: by field."}
    )
