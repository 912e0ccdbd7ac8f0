"""Which CAP feeds of other systems (weather, floods) a city reads, and how far it trusts each. Pure.

Only these addresses are opened, and of what a feed links to only what lies on its own host or on one of `hosts`: a feed
that was taken over cannot make a worker of ours speak to its neighbours.
"""

from typing import Final
from urllib.parse import urlsplit

from domain.cities.config import CapFeed, Text
from domain.cities.reader import Reader

MODES: Final = ("draft", "issue")


def parse_feed(reader: Reader) -> CapFeed:
    """One entry of `cap_feeds`: {id, name_en, name_ur, url, mode, every_s?, hosts?}."""
    url = reader.text("url")
    try:
        parts = urlsplit(url)
        good = (
            parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0 and "@" not in parts.netloc
        )
    except ValueError:
        good = False
    if not good or any(char in url for char in " \t\r\n\\\0"):
        raise reader.wrong("url", "must be an http or https address without credentials")
    mode = reader.text("mode")
    if mode not in MODES:
        raise reader.wrong("mode", "must be draft (an operator issues) or issue (it goes out by itself)")
    return CapFeed(
        id=reader.identifier("id"),
        names=Text(en=reader.text("name_en"), ur=reader.text("name_ur")),
        url=url,
        issues=mode == "issue",
        every_s=reader.integer("every_s", 10, 86_400, 300),
        hosts=frozenset(host.lower() for host in reader.texts("hosts")),
    )


def may_open(feed: CapFeed, address: str) -> bool:
    """Whether what a feed links to may be opened: the same scheme, on the feed's host and port or a host of its list."""
    try:
        parts, own = urlsplit(address), urlsplit(feed.url)
        port, own_port = parts.port, own.port
    except ValueError:
        return False
    if parts.scheme != own.scheme or not parts.hostname or "@" in parts.netloc or "\\" in address:
        return False
    if (parts.hostname, port) == (own.hostname, own_port):
        return True
    return parts.hostname in feed.hosts and port in {None, own_port}
