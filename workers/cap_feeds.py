"""Polls the CAP feeds of other systems (weather, floods) that a city reads, and hands on what they bring.

The sweeper finds the feeds that are due and gives each to `default`: another system's slow server must not stand before a
broadcast. A feed is an Atom or RSS list of links to CAP documents, a
list that carries them whole, or one document. Only addresses that the city's configuration allows are opened.
"""

import hashlib
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, Final, NamedTuple
from urllib.parse import urljoin

from lxml import etree
from pymongo.errors import DuplicateKeyError

from domain.alerts import cap_reading, intake, queries
from domain.alerts.cap import CAP, sender_of
from domain.alerts.errors import CapRefused
from domain.cities import queries as cities
from domain.cities.cap_feeds import may_open
from domain.cities.config import CapFeed, CityConfig, Severity
from domain.errors import DomainError
from domain.notices import service as notices
from domain.notices.states import NoticeKind
from runtime import logging
from runtime.fetch import NotFetched, fetch
from runtime.mongo import STORE_DOWN
from workers.context import Context, current

TIMEOUT_S: Final = 10.0
MOST_LINKS: Final = 50
"""Documents of one feed that are opened in one go: the newest."""
OPENED_AT_ONCE: Final = 8
"""So a feed of which every document hangs takes a minute, not eight."""
FEEDS: Final = 20
WAITS: Final = frozenset({"draft", "operator_must_cancel"})
"""What came of a message, where an operator must go on."""
GRAVE: Final = frozenset({Severity.EXTREME, Severity.SEVERE})
"""Operators on duty are told of these; the others stand among the notices."""
LONGEST_PAUSE: Final = timedelta(hours=1)

log = logging.get(__name__)


def poll_cap(city: str, feed: str) -> None:
    """The job that reads one feed."""
    poll(current(), city, feed)


def due_feeds(context: Context, pool: ThreadPoolExecutor) -> int:
    """Feeds that are to be read again, each put off at once: nobody else reads it meanwhile."""
    now = context.clock()
    _know(context)
    rows = queries.due_feeds(now=now, limit=FEEDS)
    for row in rows:
        feed = _feed(row["city"], row["feed"])
        if feed is None:
            queries.feeds().delete_one({"_id": row["_id"]})  # the city reads it no longer
            continue
        pause = min(LONGEST_PAUSE, timedelta(seconds=feed.every_s) * (1 << min(int(row.get("failures") or 0), 5)))
        mine = queries.feeds().update_one({"_id": row["_id"], "due": row["due"]}, {"$set": {"due": now + pause}})
        if mine.matched_count and not context.enqueue("poll_cap", row["city"], row["feed"]):
            pool.submit(_safely, context, row["city"], row["feed"])
    return len(rows)


def _know(context: Context) -> None:
    """Every feed of every city's configuration has its row."""
    for city in cities.known():
        wanted = cities.current(city).cap_feeds
        if not wanted:
            continue
        for feed in wanted.keys() - {row["feed"] for row in queries.feeds_of(city)}:
            row = {"_id": f"{city}:{feed}", "city": city, "feed": feed, "due": context.clock(), "failures": 0}
            try:
                queries.feeds().insert_one(row)
            except DuplicateKeyError:
                continue


def _feed(city: str, feed: str) -> CapFeed | None:
    try:
        return cities.current(city).cap_feeds.get(feed)
    except DomainError:
        return None


def _safely(context: Context, city: str, feed: str) -> None:
    try:
        poll(context, city, feed)
    except Exception:
        log.exception("feed_not_read", city=city, feed=feed)


def poll(context: Context, city: str, feed_id: str) -> dict[str, int]:
    """Read one feed now. Returns how many messages were taken, ignored and refused."""
    feed, found = _feed(city, feed_id), dict.fromkeys(("taken", "ignored", "refused"), 0)
    if feed is None:
        return found
    row = queries.feeds().find_one({"_id": f"{city}:{feed_id}"}) or {}
    tags = {"If-None-Match": row.get("etag"), "If-Modified-Since": row.get("modified")}
    started = context.clock()
    problem, seen = "", dict[str, Any]()
    try:
        came = fetch(
            feed.url,
            timeout_s=TIMEOUT_S,
            max_bytes=cap_reading.MAX_BYTES,
            headers={name: str(value) for name, value in tags.items() if value},
        )
        if came.status == 200:
            config = cities.current(city)
            known, whole = _take_all(context, came.body, feed, config, found, known=list(row.get("seen") or []))
            seen = {"seen": known}
            if whole:  # else the next look must bring the list again
                seen |= {"etag": came.headers.get("ETag"), "modified": came.headers.get("Last-Modified")}
    except NotFetched as error:
        problem = str(error)
    except CapRefused as error:
        problem = error.detail
    update: dict[str, Any] = {"asked_at": started, "problem": problem, **seen}
    update |= {"failures": int(row.get("failures") or 0) + 1} if problem else {"failures": 0, "answered_at": started}
    queries.feeds().update_one({"_id": f"{city}:{feed_id}"}, {"$set": update})
    if problem:
        log.warning("feed_not_read", city=city, feed=feed_id, reason=problem[:80])
    return found


def _take_all(
    context: Context, body: bytes, feed: CapFeed, config: CityConfig, found: dict[str, int], *, known: list[str]
) -> tuple[list[str], bool]:
    """Hand on every message of a feed, oldest first. `known` are links that need not be opened again.

    Returns those that are known now, and whether every link could be read.
    """
    root = cap_reading.parse_xml(body)
    if etree.QName(root).localname == "alert":
        return known, _take(context, body, feed, config, found)
    whole = True
    wanted = {link.mark: link for link in reversed(list(documents(root, feed))) if link.mark not in known}
    with ThreadPoolExecutor(OPENED_AT_ONCE, thread_name_prefix="cap") as pool:
        for mark, document in zip(wanted, pool.map(_opened, wanted.values()), strict=True):
            if isinstance(document, NotFetched):
                log.warning("cap_not_read", city=config.id, feed=feed.id, reason=str(document)[:80])
                whole = False
            elif _take(context, document, feed, config, found):
                known.append(mark)
            else:
                whole = False
    return known[-4 * MOST_LINKS :], whole


def _take(context: Context, document: bytes, feed: CapFeed, config: CityConfig, found: dict[str, int]) -> bool:
    """Hand on one message. False where a fault of ours stood in the way: it is looked at again, and the others go on."""
    now = context.clock()
    try:
        reading = cap_reading.read(document)
    except CapRefused as error:
        if intake.refused(config.id, feed, document, error, now=now):
            found["refused"] += 1
            log.warning("cap_refused", city=config.id, feed=feed.id, reason=str(error.data.get("reason")))
        return True
    try:
        came = intake.take(reading, feed, config, sender=sender_of(config.id, context.settings.public_url), now=now)
    except STORE_DOWN:
        raise
    except Exception:  # it must not stand before the alerts behind it
        log.exception("cap_not_taken", city=config.id, feed=feed.id)
        return False
    if came is None:
        return True
    found[str(came.state)] += 1
    log.info("cap_came", city=config.id, feed=feed.id, state=str(came.state), reason=came.reason, alert=came.alert)
    if came.alert:
        context.enqueue("drain", "alerts", came.alert)
    if came.reason in WAITS:
        grave = any(info.severity in GRAVE for info in reading.infos)
        notice = notices.see(NoticeKind.ALERT_WAITS, came.alert, city=config.id, now=now, tell=grave)
        context.enqueue("drain", "notices", notice)
    return True


def _opened(link: "Link") -> bytes | NotFetched:
    """A document of a list, or why it could not be opened."""
    try:
        return link.document or fetch(link.address, timeout_s=TIMEOUT_S, max_bytes=cap_reading.MAX_BYTES).body
    except NotFetched as error:
        return error


class Link(NamedTuple):
    """One document of a list: whole, or where it is. `mark` changes when the list says that the document did."""

    mark: str
    address: str = ""
    document: bytes | None = None


def documents(root: Any, feed: CapFeed) -> Iterator[Link]:
    """The CAP documents of an Atom or RSS list, as it orders them (newest first): whole ones, or addresses that may be
    opened.
    """
    entries = [each for each in root.iter() if _name(each) in {"entry", "item"}]
    for entry in entries[:MOST_LINKS]:
        whole = next(iter(entry.iter(f"{{{CAP}}}alert")), None)
        if whole is not None:
            document: bytes = etree.tostring(whole, encoding="utf-8", xml_declaration=True, with_tail=False)
            yield Link(hashlib.sha256(document).hexdigest()[:32], document=document)
            continue
        address = _absolute(feed, next((each for each in _links(entry) if each), ""))
        if may_open(feed, address):
            changed = [each.text or "" for each in entry if _name(each) in {"updated", "pubDate", "id", "guid"}]
            yield Link(hashlib.sha256("\n".join([address, *changed]).encode()).hexdigest()[:32], address)
        else:
            log.warning("cap_link_not_allowed", feed=feed.id)


def _absolute(feed: CapFeed, address: str) -> str:
    """A link as an address; "" for what can be none."""
    try:
        return urljoin(feed.url, address)
    except ValueError:
        return ""


def _links(entry: Any) -> Iterator[str]:
    """Addresses in an entry, CAP's own kind first."""
    links = [each for each in entry if _name(each) == "link"]
    kinds: Mapping[str, int] = {"application/cap+xml": 0, "application/common-alerting-protocol+xml": 0}
    for each in sorted(links, key=lambda link: kinds.get(str(link.get("type")), 1)):
        yield (each.get("href") or each.text or "").strip()


def _name(element: Any) -> str:
    return str(etree.QName(element).localname) if isinstance(element.tag, str) else ""
