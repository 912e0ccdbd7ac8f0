"""From which network a word comes: what is kept of an address, so that one household does not speak as many. Pure.

Kept is a keyed hash, never the address, of its network: /24 of IPv4, /64 of IPv6. The key changes with the day of what is
reported, so that nobody is followed by it from one report to another, and it goes with the report.

What it tells differs. A /64 is one household's line, or one mobile phone (RFC 6177; RFC 7849): who speaks from it is one
hand. A /24 may be a carrier's gateway with a whole quarter behind it (RFC 6888): of voices that have nothing else in common
it is a doubt, and no more (`rules.py`). Addresses that are nobody's on the internet (a loopback, a private network, a
carrier's inside of RFC 6598, a proxy of ours) tell nothing, and nothing is kept of them.
"""

import hashlib
import hmac
import ipaddress
from datetime import UTC, datetime
from typing import Final

HOME: Final = "6:"
"""What begins like this is of one household or phone."""
SHARED: Final = "4:"
"""What begins like this may be of many."""
_PREFIX: Final = {4: 24, 6: 64}


def network(address: str) -> str:
    """The network of an address, such as `203.0.113.0/24`; empty for one that tells nothing."""
    try:
        found = ipaddress.ip_address(address.split("%")[0])
    except ValueError:
        return ""
    mapped = getattr(found, "ipv4_mapped", None) or getattr(found, "sixtofour", None)
    if mapped is not None:
        found = mapped
    if not found.is_global or found.is_multicast:
        return ""
    return str(ipaddress.ip_network((found, _PREFIX[found.version]), strict=False))


def hashed(address: str, secret: str, at: datetime) -> str:
    """What is kept of it beside a word about something that was seen `at`; empty for an address that tells nothing."""
    if not (found := network(address)):
        return ""
    key = hmac.new(secret.encode(), f"amaan/watch-origin/{at.astimezone(UTC).date()}".encode(), hashlib.sha256).digest()
    digest = hmac.new(key, found.encode(), hashlib.sha256).hexdigest()[:24]
    return f"{HOME if ':' in found else SHARED}{digest}"
