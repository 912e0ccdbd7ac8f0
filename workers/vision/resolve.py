"""From a listed name to the one address that is connected to.

A name that is on the city's list may point to one place when it is looked at and to another when it is connected to (DNS
rebinding). So it is resolved once, what came is judged, and that very address is what the connection goes to.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TookTooLong
from threading import Thread
from urllib.parse import SplitResult

from workers.vision.admit import PORTS, Unseen
from workers.vision.observation import Status

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def resolved(parts: SplitResult, networks: Sequence[str], timeout_s: float) -> tuple[str, int]:
    """(IP address, port) to connect to. ``networks``: the addresses and networks (CIDR) on the city's list.

    Raises ``Unseen``: not allowed when the name points elsewhere, down when it points nowhere or nobody answers in time.
    """
    host, port = parts.hostname or "", parts.port or PORTS[parts.scheme]
    try:
        return str(ipaddress.ip_address(host)), port  # written as such on the list, and compared as such
    except ValueError:
        found = _looked_up(host, port, timeout_s)
    fitting = [each for each in found if fits(each, networks)]
    if not fitting:
        raise Unseen(Status.UNSUPPORTED, "address_not_allowed", not_allowed=True)
    return str(fitting[0]), port


def fits(address: Address, networks: Iterable[str]) -> bool:
    """Whether a name may point there: into a listed network; where no network is listed, to no machine-local address.

    This machine, its link (169.254.169.254 tells a cloud's secrets), multicast and what is reserved are never a camera's
    unless they are listed themselves.
    """
    listed = [ipaddress.ip_network(each, strict=False) for each in networks]
    plain = address.ipv4_mapped or address if isinstance(address, ipaddress.IPv6Address) else address
    if any(plain.version == each.version and plain in each for each in listed):
        return True
    if any(each.num_addresses > 1 for each in listed):
        return False
    return not (
        plain.is_loopback or plain.is_link_local or plain.is_multicast or plain.is_unspecified or plain.is_reserved
    )


def _looked_up(host: str, port: int, timeout_s: float) -> list[Address]:
    """All addresses of a name, asked for once. A resolver has no time-out of its own that could be set."""
    answer: Future[list[Address]] = Future()

    def ask() -> None:
        try:
            rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answer.set_result([ipaddress.ip_address(str(row[4][0]).partition("%")[0]) for row in rows])
        except (OSError, UnicodeError, ValueError) as error:
            answer.set_exception(error)

    Thread(target=ask, daemon=True, name="resolve").start()
    try:
        return answer.result(timeout_s)
    except (OSError, UnicodeError, ValueError, TookTooLong) as error:
        raise Unseen(Status.TIMEOUT, "no_answer", down=True) from error
