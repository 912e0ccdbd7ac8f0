"""What a camera's `source` may say. Pure.

`{kind: file, path, recorded_at?}`, `{kind: segments, path, segment_s?}`, `{kind: mjpeg|rtsp|hls, url}`, `{kind: gateway}`.
A source names exactly one thing, so that what was compared with the city's list is what is opened.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit, urlunsplit

from domain.cameras.errors import SourceNotAllowed
from domain.cameras.states import SourceKind
from domain.cities.camera_sources import is_allowed, is_network
from domain.cities.config import CityConfig
from domain.errors import Invalid

SCHEMES: Final[Mapping[SourceKind, frozenset[str]]] = {
    SourceKind.MJPEG: frozenset({"http", "https"}),
    SourceKind.RTSP: frozenset({"rtsp"}),
    SourceKind.HLS: frozenset({"http", "https"}),
}
STREAMS: Final = frozenset(SCHEMES)
"""Sources that show what is before the camera now: the rolling recorder remembers it."""
FILES: Final = frozenset({SourceKind.FILE, SourceKind.SEGMENTS})
SEGMENT_S: Final = 10
"""How long a recorder's files are, where the source does not say."""
MAX_ADDRESS: Final = 2048


_PLAIN: Final = frozenset(
    {"camera", "ch", "channel", "codec", "fps", "profile", "resolution", "stream", "streamtype", "subtype", "unicast"}
)
"""What an address may ask for in the open. Many cameras want their password there, too, under whatever name."""


class Cleaned(NamedTuple):
    """A source as it is stored, and what was taken out of its address, to be sealed: `user:password`, and behind a `?` the
    address's query, where a password may stand in that.
    """

    source: dict[str, Any]
    credentials: str


def clean(source: Mapping[str, Any], config: CityConfig) -> Cleaned:
    """The source with nothing in it but what its kind knows.

    Raises Invalid for one that cannot be understood, SourceNotAllowed for an address that the city's list does not have.
    """
    try:
        kind = SourceKind(str(source.get("kind")))
    except ValueError:
        raise _invalid("kind", f"must be one of {', '.join(SourceKind)}") from None
    if kind is SourceKind.GATEWAY:
        return Cleaned({"kind": str(kind)}, "")
    if kind in FILES:
        found = _file(kind, source)
        credentials = ""
    else:
        found, credentials = _stream(kind, source)
    if not is_allowed(config, address_of(found)):
        raise SourceNotAllowed("the city does not allow this address", errors={"source": ["Not on the city's list."]})
    return Cleaned(found, credentials)


def _file(kind: SourceKind, source: Mapping[str, Any]) -> dict[str, Any]:
    path = source.get("path")
    if not isinstance(path, str) or not path or len(path) > MAX_ADDRESS or any(char in path for char in "\x00?#%"):
        raise _invalid("path", "is needed, without ?, # and %")  # a list that reads it as an address would see less
    found: dict[str, Any] = {"kind": str(kind), "path": path}
    if kind is SourceKind.FILE and source.get("recorded_at"):
        found["recorded_at"] = _moment(source["recorded_at"])
    if kind is SourceKind.SEGMENTS and source.get("segment_s") is not None:
        seconds = source["segment_s"]
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 1 <= seconds <= 300:
            raise _invalid("segment_s", "must be between 1 and 300 seconds")
        found["segment_s"] = float(seconds)
    return found


def _moment(given: Any) -> str:
    """As text with its offset: what the pipeline reads."""
    try:
        moment = given if isinstance(given, datetime) else datetime.fromisoformat(str(given))
    except ValueError:
        raise _invalid("recorded_at", "must be a time") from None
    if moment.tzinfo is None:
        raise _invalid("recorded_at", "needs an offset")
    return moment.isoformat()


def _stream(kind: SourceKind, source: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    url = source.get("url")
    if not isinstance(url, str) or len(url) > MAX_ADDRESS or any(char in url for char in "\\\x00 \t\r\n"):
        raise _invalid("url", "is needed, without blanks")
    try:
        parts = urlsplit(url)
        port_is_good = parts.port != 0
    except ValueError:
        raise _invalid("url", "cannot be read") from None
    if parts.scheme not in SCHEMES[kind] or not parts.hostname or not port_is_good:
        raise _invalid("url", f"must begin with {' or '.join(sorted(SCHEMES[kind]))}:// and name a host")
    credentials, at, place = parts.netloc.rpartition("@")
    hidden = "" if _is_plain(parts.query) else f"?{parts.query}"
    bare = urlunsplit((parts.scheme, place, parts.path, "" if hidden else parts.query, ""))
    return {"kind": str(kind), "url": bare}, (credentials if at else "") + hidden


def _is_plain(query: str) -> bool:
    return not query or all(pair.partition("=")[0].lower() in _PLAIN for pair in query.split("&"))


def _invalid(field: str, text: str) -> Invalid:
    return Invalid("the source cannot be understood", errors={f"source.{field}": [f"{field} {text}."]})


def address_of(source: Mapping[str, Any]) -> str:
    """A source as the city's list compares it: its URL, or `file:` and its path (a folder ends in /)."""
    kind = source.get("kind")
    if kind in FILES:
        path = str(source.get("path", ""))
        return f"file:{path.rstrip('/')}/" if kind == SourceKind.SEGMENTS else f"file:{path}"
    return str(source.get("url", ""))


def allowed_now(source: Mapping[str, Any], config: CityConfig) -> bool:
    """Whether the city's list, as it stands at this moment, has the source: lists become shorter, too."""
    return source.get("kind") in {*FILES, *SCHEMES} and is_allowed(config, address_of(source))


def place_of(url: str) -> str:
    """`scheme://host:port` of a stored address: the one place that a look of this camera may speak to."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], "", "", ""))


def networks_of(url: str, config: CityConfig) -> list[str]:
    """The addresses and networks on the city's list for the address's scheme: where a listed name may point to."""
    scheme = urlsplit(url).scheme
    return [each.host for each in config.camera_sources if each.scheme == scheme and is_network(each.host)]


def with_credentials(url: str, credentials: str) -> str:
    """The address with what `clean` took out of it again, for whoever opens it."""
    parts = urlsplit(url)
    who, _, query = credentials.partition("?")
    place = f"{who}@{parts.netloc}" if who else parts.netloc
    return urlunsplit((parts.scheme, place, parts.path, query or parts.query, ""))


def is_recorded(source: Mapping[str, Any]) -> bool:
    """Whether the time asked about can be looked at; else a look shows what is before the camera now."""
    kind = source.get("kind")
    return kind == SourceKind.SEGMENTS or (kind == SourceKind.FILE and bool(source.get("recorded_at")))
