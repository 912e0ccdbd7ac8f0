"""One kept connection to an SMSC, shared by threads.

smpplib speaks the protocol; this adds what several senders on one connection need: each answer goes to whoever waits for
it, a quiet line is asked for life, and whatever the SMSC sends by itself is handed on and acknowledged when it is kept.
"""

import contextlib
import logging
import queue
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Final

from smpplib import consts, exceptions, smpp
from smpplib.client import Client

from notifications.gateway_table import SmppGateway

QUIET_S: Final = 15.0
"""After so long without a word the SMSC is asked whether it is there; after as long again it is not."""
STALL_S: Final = 5.0
"""A message that stops half-way, in either direction, breaks the connection."""
RECEIPTS_WAIT: Final = consts.SMPP_ESME_RX_T_APPN
"""Temporary application error: deliver it again."""

# The library writes whole messages, in hexadecimal, at debug level.
logging.getLogger("amaan.smpp").setLevel(logging.CRITICAL)


class Lost(Exception):
    """The connection broke, or could not be made. `refused`: the SMSC did not let us in, with this command_status."""

    def __init__(self, refused: int = 0) -> None:
        super().__init__("the connection to the SMSC is gone")
        self.refused = refused


class _Quiet(Client):  # type: ignore[misc]
    """Without the warning of a client that is dropped after its connection broke, and with TLS that checks the name."""

    def __del__(self) -> None:
        """Nothing: the socket is closed by `Session`."""

    def _create_socket(self) -> Any:
        raw = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        raw.settimeout(self.timeout)
        return raw if self._ssl_context is None else self._ssl_context.wrap_socket(raw, server_hostname=self.host)


Deliver = Callable[[Any], int]
"""Takes a deliver_sm, and says how it is acknowledged (a command_status; 0: it is kept)."""


class Session:
    """One bind. Made by `bind`; `alive` until something breaks, and then another is made."""

    def __init__(self, client: Client, deliver: Deliver | None) -> None:
        self._client, self._deliver = client, deliver
        self._turn = threading.Lock()
        # One TLS connection may not be read and written at once.
        tls = isinstance(client._socket, ssl.SSLSocket)
        self._reading: contextlib.AbstractContextManager[Any] = self._turn if tls else contextlib.nullcontext()
        self._waiting: dict[int, Future[Any]] = {}
        self._heard = time.monotonic()
        self._asked = False
        self._came: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.alive = True
        threading.Thread(target=self._listen, name="smpp", daemon=True).start()
        threading.Thread(target=self._hand_on, name="smpp-receipts", daemon=True).start()

    @classmethod
    def bind(cls, gateway: SmppGateway, deliver: Deliver | None, *, timeout_s: float) -> "Session":
        """Connect and bind within `timeout_s`: as a transceiver, or without `deliver` as a transmitter. Raises Lost."""
        context = ssl.create_default_context() if gateway.tls else None
        client: Client = _Quiet(
            gateway.host,
            gateway.port,
            timeout=max(0.05, timeout_s),
            logger_name="amaan.smpp",
            ssl_context=context,
            allow_unknown_opt_params=True,
        )
        # Each read has its own time-out; this bounds them all together.
        guard = threading.Timer(timeout_s, _close, [client])
        guard.daemon = True
        guard.start()
        try:
            client.connect()
            bind = client.bind_transceiver if deliver is not None else client.bind_transmitter
            bind(
                system_id=gateway.system_id,
                password=gateway.password.get_secret_value(),
                system_type=gateway.system_type,
            )
        except (exceptions.ConnectionError, OSError):
            _close(client)
            raise Lost from None
        except exceptions.PDUError as error:
            _close(client)
            raise Lost(int(error.args[1]) if len(error.args) > 1 else 0) from None
        except Exception:  # what the library makes of bytes that are no SMPP
            _close(client)
            raise Lost from None
        finally:
            guard.cancel()
        held = client._socket
        if held is None:
            raise Lost
        held.settimeout(STALL_S)
        return cls(client, deliver)

    def ask(self, command: str, **fields: Any) -> Future[Any]:
        """Send a request; its answer comes as the future's result, whatever its status. Raises Lost where nothing left."""
        answer: Future[Any] = Future()
        with self._turn:
            if not self.alive:
                raise Lost
            pdu = smpp.make_pdu(command, client=self._client, **fields)
            self._waiting[pdu.sequence] = answer
            try:
                self._client.send_pdu(pdu)
            except Exception:
                # A part of it may have left, which nobody can read as a message; what others sent before is unknown.
                del self._waiting[pdu.sequence]
                self._end()
                raise Lost from None
        return answer

    def close(self) -> None:
        """Unbind, as politely as half a second allows."""
        with contextlib.suppress(Exception):
            self.ask("unbind").result(0.5)
        with self._turn:
            self._end()

    def _end(self) -> None:
        """Called with the lock held: nobody waits any longer."""
        self.alive = False
        waiting, self._waiting = self._waiting, {}
        self._came.put(None)
        _close(self._client)
        for answer in waiting.values():
            if not answer.done():
                answer.set_exception(Lost())

    def _listen(self) -> None:
        try:
            while self.alive:
                if self._readable():
                    self._heard, self._asked = time.monotonic(), False
                    with self._reading:
                        pdu = self._client.read_pdu()
                    self._take(pdu)
                elif time.monotonic() - self._heard > QUIET_S:
                    if self._asked:
                        break
                    self._heard, self._asked = time.monotonic(), True
                    self.ask("enquire_link")
        except Exception:
            logging.getLogger("amaan.smpp").debug("the connection ended")
        with self._turn:
            self._end()

    def _readable(self) -> bool:
        held = self._client._socket
        pending = getattr(held, "pending", None)
        if pending and pending():
            return True
        poll = select.poll()
        poll.register(held, select.POLLIN)
        return bool(poll.poll(500))

    def _take(self, pdu: Any) -> None:
        if pdu.is_response() or pdu.command == "generic_nack":
            with self._turn:
                answer = self._waiting.pop(pdu.sequence, None)
            if answer is not None and not answer.done():
                answer.set_result(pdu)
        elif pdu.command == "deliver_sm":
            self._came.put(pdu)  # to be kept before it is acknowledged, and not by the thread that others wait for
        elif pdu.command == "enquire_link":
            self._answer("enquire_link_resp", pdu, consts.SMPP_ESME_ROK)
        elif pdu.command == "unbind":
            self._answer("unbind_resp", pdu, consts.SMPP_ESME_ROK)
            raise Lost

    def _hand_on(self) -> None:
        while (pdu := self._came.get()) is not None:
            try:
                status = self._deliver(pdu) if self._deliver is not None else int(RECEIPTS_WAIT)
            except Exception:
                logging.getLogger(__name__).exception("a receipt could not be kept")
                status = RECEIPTS_WAIT
            with contextlib.suppress(Exception):
                self._answer("deliver_sm_resp", pdu, status)

    def _answer(self, command: str, pdu: Any, status: int) -> None:
        made = smpp.make_pdu(command, client=self._client, status=status)
        made.sequence, made.status = pdu.sequence, status
        with self._turn:
            self._client.send_pdu(made)


def _close(client: Client) -> None:
    held, client._socket = client._socket, None
    if held is not None:
        with contextlib.suppress(OSError):
            held.shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(OSError):
            held.close()
