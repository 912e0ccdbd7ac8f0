"""Reads a CAP 1.2 document that a stranger wrote: what can be believed of it, or why not. Pure.

It asks what the schema of OASIS asks (which elements, how often, the words of the lists, times with an offset), but for
their order, with which systems in the field are careless. A polygon that cannot be drawn is left out: the schema takes it
for a text. No entity is resolved, nothing is fetched, and a document type declaration is refused altogether: with it go
entity bombs and files of this machine.

A signature (XML-DSig) is trusted for nothing, since whoever changes a document can sign it anew: the city's list of feeds
and TLS say whom to believe. But one that is broken shows that the document did not arrive as it was sent: it is refused.
"""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import shapely
from cryptography import x509
from lxml import etree
from shapely.geometry.base import BaseGeometry

from domain import geo
from domain.alerts.cap import CAP
from domain.alerts.errors import CapRefused
from domain.alerts.states import CapCategory, Response
from domain.cities.config import Certainty, Severity, Urgency

MAX_BYTES: Final = 1024 * 1024
MAX_AREAS: Final = 2_000
MAX_POINTS: Final = 200_000
STATUSES: Final = frozenset({"Actual", "Exercise", "System", "Test", "Draft"})
MSG_TYPES: Final = frozenset({"Alert", "Update", "Cancel", "Ack", "Error"})
SCOPES: Final = frozenset({"Public", "Restricted", "Private"})
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d")
_LANGUAGE: Final = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*")
_DSIG: Final = "http://www.w3.org/2000/09/xmldsig#"
MAX_CIRCLE_KM: Final = 2_000.0
_SIDES: Final = 48


@dataclass(frozen=True)
class Info:
    """One `info`: an alert in one language."""

    language: str
    category: CapCategory
    event: str
    urgency: Urgency
    severity: Severity
    certainty: Certainty
    response: Response | None
    onset: datetime | None
    expires: datetime | None
    sender_name: str
    headline: str
    description: str
    instruction: str
    areas: tuple[str, ...]
    """What the areas are called."""
    shapes: tuple[BaseGeometry, ...]
    """Their polygons and circles, in degrees (x is the longitude)."""


@dataclass(frozen=True)
class Reading:
    """A CAP document as it was understood."""

    identifier: str
    sender: str
    sent: datetime
    sent_text: str
    """As it was written: references name it so."""
    status: str
    msg_type: str
    scope: str
    references: tuple[tuple[str, str, str], ...]
    """(sender, identifier, sent) of earlier messages."""
    infos: tuple[Info, ...]


def refuse(reason: str, detail: str) -> CapRefused:
    """The error that says so. Reasons: too_large, not_xml, doctype, namespace, unknown, repeated, missing, value, time,
    signature.
    """
    return CapRefused(f"{reason}: {detail}", reason=reason)


def parse_xml(document: bytes) -> Any:
    """The root element of a document, safely. Raises CapRefused."""
    if len(document) > MAX_BYTES:
        raise refuse("too_large", f"more than {MAX_BYTES} bytes")
    if _has_doctype(document):
        raise refuse("doctype", "document type declarations are not taken")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False,
        remove_comments=True, remove_pis=True,
    )  # fmt: skip
    try:
        root = etree.fromstring(document, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise refuse("not_xml", str(error)[:200]) from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise refuse("doctype", "document type declarations are not taken")
    return root


def _has_doctype(document: bytes) -> bool:
    """Before any parser sees it, in each encoding that may hide it."""
    plain = document.replace(b"\x00", b"")  # UTF-16 and UTF-32 of ASCII have zeros between
    return b"<!DOCTYPE" in plain or b"<!ENTITY" in plain


def read(document: bytes) -> Reading:
    """Read one CAP document. Raises CapRefused with a reason."""
    return reading_of(parse_xml(document))


def reading_of(root: Any) -> Reading:
    """The same of an element that was parsed before: a feed may carry documents whole."""
    name = etree.QName(root)
    if name.localname != "alert" or name.namespace != CAP:
        raise refuse("namespace", f"not a CAP 1.2 alert but {{{name.namespace or ''}}}{name.localname}"[:200])
    _check_structure(root, "alert")
    _check_signatures(root)
    identifier, sender = _text(root, "identifier", needed=True), _text(root, "sender", needed=True)
    for which, value in (("identifier", identifier), ("sender", sender)):
        if len(value) > 300:
            raise refuse("value", f"{which} is too long")
    sent_text = _text(root, "sent", needed=True)
    return Reading(
        identifier=identifier,
        sender=sender,
        sent=_moment(sent_text, "sent"),
        sent_text=sent_text,
        status=_one_of(_text(root, "status", needed=True), STATUSES, "status"),
        msg_type=_one_of(_text(root, "msgType", needed=True), MSG_TYPES, "msgType"),
        scope=_one_of(_text(root, "scope", needed=True), SCOPES, "scope"),
        references=tuple(_references(_text(root, "references"))),
        infos=tuple(_info(each) for each in _children(root, "info")),
    )


ONE, MAYBE, SOME, ANY = (1, 1), (0, 1), (1, 10_000), (0, 10_000)
STRUCTURE: Final[Mapping[str, Mapping[str, tuple[int, int]]]] = {
    # Element → its children and how often each may stand. Source: OASIS CAP-v1.2.xsd.
    "alert": {
        **dict.fromkeys(("identifier", "sender", "sent", "status", "msgType", "scope"), ONE),
        **dict.fromkeys(("source", "restriction", "addresses", "note", "references", "incidents"), MAYBE),
        **dict.fromkeys(("code", "info"), ANY),
    },
    "info": {
        **dict.fromkeys(("event", "urgency", "severity", "certainty"), ONE),
        **dict.fromkeys(("language", "audience", "effective", "onset", "expires", "senderName", "headline"), MAYBE),
        **dict.fromkeys(("description", "instruction", "web", "contact"), MAYBE),
        **dict.fromkeys(("responseType", "eventCode", "parameter", "resource", "area"), ANY),
        "category": SOME,
    },
    "area": {"areaDesc": ONE, "polygon": ANY, "circle": ANY, "geocode": ANY, "altitude": MAYBE, "ceiling": MAYBE},
    "resource": {
        **dict.fromkeys(("resourceDesc", "mimeType"), ONE),
        **dict.fromkeys(("size", "uri", "derefUri", "digest"), MAYBE),
    },
    **{name: {"valueName": ONE, "value": ONE} for name in ("eventCode", "parameter", "geocode")},
}


def _check_structure(element: Any, name: str) -> None:
    """Only known elements, each as often as the schema says, in any order; signatures at the end of an alert."""
    counts: dict[str, int] = {}
    for child in element:
        found = etree.QName(child)
        if found.namespace == _DSIG and name == "alert":
            continue
        if found.namespace != CAP or found.localname not in STRUCTURE[name]:
            raise refuse("unknown", f"{name} has an element {found.localname}"[:200])
        counts[found.localname] = counts.get(found.localname, 0) + 1
        if found.localname in STRUCTURE:
            _check_structure(child, found.localname)
        elif len(child):
            raise refuse("unknown", f"{found.localname} has elements in it")
    for child_name, (least, most) in STRUCTURE[name].items():
        number = counts.get(child_name, 0)
        if number < least:
            raise refuse("missing", f"no {child_name} in {name}")
        if number > most:
            raise refuse("repeated", f"{number} of {child_name} in {name}")


def _children(parent: Any, name: str) -> list[Any]:
    return list(parent.findall(f"{{{CAP}}}{name}"))


def _text(parent: Any, name: str, *, needed: bool = False) -> str:
    """The text of the first child of that name, wherever it stands among its siblings."""
    found = parent.find(f"{{{CAP}}}{name}")
    value = _text_of(found) if found is not None else ""
    if needed and not value:
        raise refuse("missing", f"no {name}")
    return value


def _text_of(element: Any) -> str:
    return "".join(element.itertext()).strip()


def _one_of(value: str, known: Any, name: str) -> str:
    if value not in known:
        raise refuse("value", f"{name} is not one of its words")
    return value


def _moment(text: str, name: str) -> datetime:
    """CAP's form, without fractions and `Z`; `-00:00` is UTC."""
    if not _TIME.fullmatch(text):
        raise refuse("time", f"{name} is not a time with an offset")
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise refuse("time", f"{name} does not exist") from None


def _optional_moment(info: Any, name: str) -> datetime | None:
    return _moment(_text(info, name), name) if _children(info, name) else None


def _references(text: str) -> Iterator[tuple[str, str, str]]:
    for each in text.split():
        parts = tuple(each.split(","))
        if len(parts) == 3 and all(parts):
            yield parts[0], parts[1], parts[2]


def _info(info: Any) -> Info:
    responses = [_one_of(_text_of(each), set(Response), "responseType") for each in _children(info, "responseType")]
    categories = [_one_of(_text_of(each), set(CapCategory), "category") for each in _children(info, "category")]
    language = _text(info, "language") if _children(info, "language") else "en-US"
    if not _LANGUAGE.fullmatch(language):
        raise refuse("value", "language is not a language")
    effective = _optional_moment(info, "effective")
    shapes, names = _areas(info)
    return Info(
        language=language,
        category=CapCategory(categories[0]),
        event=_text(info, "event", needed=True),
        urgency=Urgency(_one_of(_text(info, "urgency", needed=True), set(Urgency), "urgency")),
        severity=Severity(_one_of(_text(info, "severity", needed=True), set(Severity), "severity")),
        certainty=Certainty(_one_of(_text(info, "certainty", needed=True), set(Certainty), "certainty")),
        response=Response(responses[0]) if responses else None,
        onset=_optional_moment(info, "onset") or effective,
        expires=_optional_moment(info, "expires"),
        sender_name=_text(info, "senderName"),
        headline=_text(info, "headline"),
        description=_text(info, "description"),
        instruction=_text(info, "instruction"),
        areas=names,
        shapes=shapes,
    )


def _areas(info: Any) -> tuple[tuple[BaseGeometry, ...], tuple[str, ...]]:
    shapes: list[BaseGeometry] = []
    names: list[str] = []
    points = 0
    areas = _children(info, "area")
    if len(areas) > MAX_AREAS:
        raise refuse("too_large", "too many areas")
    for area in areas:
        names.append(_text(area, "areaDesc", needed=True))
        for each, make in ((each, make) for kind, make in _KINDS.items() for each in _children(area, kind)):
            text = (each.text or "").strip()
            if not text:
                continue
            points += text.count(",")
            if points > MAX_POINTS:
                raise refuse("too_large", "too many points")
            found = make(text)
            if found is not None:
                shapes.append(found)
    return tuple(shapes), tuple(names)


def _polygon(text: str) -> BaseGeometry | None:
    """`lat,lon lat,lon …`, at least four pairs, the first again at the end (a ring that is left open is closed)."""
    pairs = [_pair(each) for each in text.split()]
    if any(each is None for each in pairs):
        return None
    ring = [each for each in pairs if each is not None]
    if ring and ring[0] != ring[-1]:
        ring.append(ring[0])
    if len(ring) < 4:
        return None
    found = shapely.make_valid(shapely.Polygon(ring))
    return None if found.is_empty or not found.area else found


def _pair(text: str) -> tuple[float, float] | None:
    parts = text.split(",")
    try:
        lat, lon = (float(part) for part in parts)
    except ValueError:
        return None
    # An area that crosses the date line goes on beyond 180.
    return (lon, lat) if -90.0 <= lat <= 90.0 and -360.0 <= lon <= 360.0 else None


def _circle(text: str) -> BaseGeometry | None:
    """`lat,lon radius`, the radius in kilometres. One of radius 0 is a place without an area: a few steps around it."""
    centre, _, radius = text.partition(" ")
    place = _pair(centre)
    try:
        km = float(radius)
    except ValueError:
        return None
    if place is None or not 0.0 <= km <= MAX_CIRCLE_KM:
        return None
    metres = max(km * 1000.0, 100.0)
    ring = [geo.destination(place[1], place[0], bearing * 360.0 / _SIDES, metres)[::-1] for bearing in range(_SIDES)]
    found = shapely.make_valid(shapely.Polygon(ring))
    return None if found.is_empty else found


_KINDS: Final = {"polygon": _polygon, "circle": _circle}


def _check_signatures(root: Any) -> None:
    """Every digest, value and certificate of a signature must be what it says: canonical base64, a certificate that parses."""
    for signature in root.iter(f"{{{_DSIG}}}Signature"):
        if signature.find(f"{{{_DSIG}}}SignedInfo") is None:
            raise refuse("signature", "it signs nothing")
        for name in ("DigestValue", "SignatureValue", "X509Certificate"):
            for each in signature.iter(f"{{{_DSIG}}}{name}"):
                raw = _decoded("".join(each.itertext()))
                if raw is None:
                    raise refuse("signature", f"{name} is broken")
                if name == "X509Certificate":
                    try:
                        x509.load_der_x509_certificate(raw)
                    except ValueError:
                        raise refuse("signature", "its certificate is broken") from None


def _decoded(text: str) -> bytes | None:
    """The bytes of canonical base64 (RFC 4648, §3.5: no stray bits at the end); None for anything else."""
    packed = "".join(text.split())
    try:
        raw = base64.b64decode(packed, validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw if raw and base64.b64encode(raw).decode() == packed else None
