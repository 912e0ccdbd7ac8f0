"""Alerts as the Common Alerting Protocol 1.2 and as an Atom feed (OASIS CAP-v1.2-os, RFC 4287). Pure.

One `info` for each language, in which the elements stand in the order that the schema wants. A polygon of CAP has no holes:
what lies in one is warned too.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from lxml import etree

from domain.alerts import rules

CAP: Final = "urn:oasis:names:tc:emergency:cap:1.2"
ATOM: Final = "http://www.w3.org/2005/Atom"
_LANGUAGE: Final[Mapping[str, str]] = {"en": "en-GB", "ur": "ur-PK"}

Reference = tuple[str, str, datetime]
"""(sender, identifier, sent) of an earlier message."""


def sender_of(city: str, public_url: str) -> str:
    """Who we are to other systems: unique where the public address is, without blanks and commas (CAP 1.2, §3.2.1)."""
    return f"{city}@{urlsplit(public_url).hostname or 'localhost'}"


def moment(at: datetime, zone: ZoneInfo) -> str:
    """A time as CAP writes it: whole seconds with the local offset, never `Z`."""
    return at.astimezone(zone).isoformat(timespec="seconds")


def alert_xml(
    alert: Mapping[str, Any],
    references: Sequence[Reference],
    *,
    zone: ZoneInfo,
    sender_name: str,
    web: str,
    whole_city: Mapping[str, Any],
) -> bytes:
    """An issued alert as a CAP document. `whole_city` is the geometry of an alert to all of the city; `web` its own address."""
    root = etree.Element(f"{{{CAP}}}alert", nsmap={None: CAP})
    _add(root, "identifier", alert["_id"])
    _add(root, "sender", alert["sender"])
    _add(root, "sent", moment(alert["issued_at"], zone))
    _add(root, "status", "Actual")
    _add(root, "msgType", str(alert["msg_type"]))
    if (alert.get("source") or {}).get("kind") == "feed":
        _add(root, "source", _plain(f"{alert['source'].get('sender', '')} {alert['source'].get('identifier', '')}"))
    _add(root, "scope", "Public")
    if references:
        _add(root, "references", " ".join(f"{who},{which},{moment(sent, zone)}" for who, which, sent in references))
    for language in _languages(alert["texts"]):
        _info(root, alert, language, zone=zone, sender_name=sender_name, web=web, whole_city=whole_city)
    written: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    return written


def _languages(texts: Mapping[str, Any]) -> Iterator[str]:
    for language in ("en", "ur"):
        if (texts.get(language) or {}).get("event"):
            yield language


def _info(
    root: Any,
    alert: Mapping[str, Any],
    language: str,
    *,
    zone: ZoneInfo,
    sender_name: str,
    web: str,
    whole_city: Mapping[str, Any],
) -> None:
    info, words = _add(root, "info"), alert["texts"][language]
    _add(info, "language", _LANGUAGE[language])
    _add(info, "category", alert["category"])
    _add(info, "event", _plain(words["event"]))
    if alert.get("response"):
        _add(info, "responseType", alert["response"])
    for name in ("urgency", "severity", "certainty"):
        _add(info, name, alert[name])
    _add(info, "effective", moment(alert["issued_at"], zone))
    if alert.get("onset"):
        _add(info, "onset", moment(alert["onset"], zone))
    _add(info, "expires", moment(alert["expires"], zone))
    _add(info, "senderName", _plain(sender_name))
    for name in ("headline", "description", "instruction"):
        if words.get(name):
            _add(info, name, _plain(words[name]))
    _add(info, "web", web)
    area, names = _add(info, "area"), alert["area"].get("name") or {}
    _add(area, "areaDesc", _plain(names.get(language) or names.get("en") or alert["city"]))
    for polygon in polygons(alert["area"].get("geometry") or whole_city):
        _add(area, "polygon", polygon)


def polygons(geometry: Mapping[str, Any]) -> Iterator[str]:
    """Each polygon's outer ring as CAP writes it: `lat,lon lat,lon …`, the first again at the end."""
    parts = geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]
    for rings in parts:
        yield " ".join(f"{lat:.5f},{lon:.5f}" for lon, lat in rings[0])


def feed_xml(
    alerts: Iterable[Mapping[str, Any]], *, feed_url: str, title: str, zone: ZoneInfo, empty_at: datetime
) -> bytes:
    """What was issued of late as an Atom feed, newest first; each entry links to its CAP document.

    `empty_at` is the time that a feed without entries was last changed.
    """
    listed = list(alerts)
    feed = etree.Element(f"{{{ATOM}}}feed", nsmap={None: ATOM})

    def put(parent: Any, name: str, text: str = "", **attributes: str) -> Any:
        made = etree.SubElement(parent, f"{{{ATOM}}}{name}", attributes)
        made.text = text or None
        return made

    put(feed, "id", feed_url)
    put(feed, "title", _plain(title))
    put(feed, "updated", moment(max((alert["issued_at"] for alert in listed), default=empty_at), zone))
    put(put(feed, "author"), "name", "Amaan")
    put(feed, "link", rel="self", type="application/atom+xml", href=feed_url)
    base = feed_url.partition("?")[0].removesuffix("feed.atom")
    for alert in listed:
        entry = put(feed, "entry")
        put(entry, "id", f"urn:amaan:{alert['_id']}")
        put(entry, "title", _plain(rules.in_language(alert["texts"], "en", "headline")))
        put(entry, "updated", moment(alert["issued_at"], zone))
        put(entry, "published", moment(alert["issued_at"], zone))
        put(entry, "category", term=str(alert["msg_type"]))
        put(entry, "summary", _plain(rules.in_language(alert["texts"], "en", "description")))
        href = f"{base}{alert['_id']}.xml"
        put(entry, "link", rel="alternate", type="application/cap+xml", href=href)
    written: bytes = etree.tostring(feed, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    return written


def _add(parent: Any, name: str, text: str | None = None) -> Any:
    made = etree.SubElement(parent, f"{{{CAP}}}{name}")
    made.text = text
    return made


def _plain(text: str) -> str:
    """Without the control characters that XML cannot hold (XML 1.0, §2.2)."""
    return "".join(char for char in text if char in "\t\n\r" or (ord(char) >= 32 and ord(char) not in (0xFFFE, 0xFFFF)))
