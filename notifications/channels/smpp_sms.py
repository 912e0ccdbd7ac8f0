"""SMS through a carrier that is spoken to by SMPP 3.4.

SMPP has no list that could be asked for a message: only by the id that the answer brings (query_sm). So an attempt whose
answer did not come in time is found when the answer comes late; where the connection broke it is NO_LIST, and its receipt
says, or the next way is taken after a while (`policy.py`).
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from concurrent.futures import TimeoutError as NotInTime
from datetime import datetime
from typing import Any, Final

from notifications.channel import ChannelError, FailureCode, Receipt, Temporary, Unknown
from notifications.channels import smpp_wire
from notifications.channels.smpp_session import RECEIPTS_WAIT, Lost, Session
from notifications.gateway_table import SmppGateway
from notifications.messages import AddressKind, Message, Sent
from runtime import logging

Report = Callable[[str, str, Receipt], bool]
"""Keeps what a gateway says of its message: (gateway, its id, receipt). False where the id is not known (yet)."""

BIND_S: Final = 5.0
LONGEST_PAUSE_S: Final = 30.0
"""Between two tries to connect."""
_REMEMBERED: Final = 2000
_LATE_S: Final = 1.0
_OVERTOOK: Final = 3
"""How often a receipt of an id that we do not know is asked for again: it may have overtaken the answer to its message."""
_KEPT, _REFUSED = 0, 0x65
"""command_status of our acknowledgements: kept; permanent application error (a message from a person: not here)."""

log = logging.get(__name__)


class SmppSmsChannel:
    """Success: the SMSC has answered every part of the message with an id."""

    kind = AddressKind.SMS

    def __init__(self, gateway: SmppGateway, report: Report | None = None) -> None:
        """Without `report` only messages go this way: receipts come to another process."""
        self.name = gateway.name
        self._gateway, self._report = gateway, report
        self._turn = threading.Lock()
        self._session: Session | None = None
        self._binding: Future[Session] | None = None
        self._closed = threading.Event()
        self._window = threading.BoundedSemaphore(gateway.window)
        self._answers: OrderedDict[str, list[Future[Any]]] = OrderedDict()
        self._strangers: OrderedDict[str, int] = OrderedDict()

    def send(self, message: Message, *, timeout_s: float) -> Sent:
        """A submit_sm a part, each after the one before was taken; see `Channel.send`."""
        end = time.monotonic() + timeout_s
        session = self._bound(end)
        if not self._window.acquire(timeout=max(0.0, end - time.monotonic())):
            raise Temporary(FailureCode.RATE_LIMITED, vendor_code="window")
        try:
            return self._submit(session, message, end)
        finally:
            self._window.release()

    def reconcile(self, message: Message, *, since: datetime, timeout_s: float = 5.0) -> Sent | None:
        """The late answer, where it came meanwhile to this process; then query_sm by its id."""
        end = time.monotonic() + min(timeout_s, _LATE_S)
        answers = self._answers.get(message.key)
        if answers is None:
            raise Unknown(FailureCode.NO_LIST)
        ids = [self._id_of(answer, end, late=FailureCode.NO_LIST) for answer in list(answers)]
        if len(ids) < len(self._parts(message)):
            return None  # the rest of it was never sent: it is no message
        self._raise_if_given_up(ids[-1], end)
        return Sent("+".join(ids), len(ids))

    def open(self) -> None:
        """Bind now and whenever the connection breaks, so that receipts have a way to come."""
        threading.Thread(target=self._keep, name="smpp-keep", daemon=True).start()

    def close(self) -> None:
        """Unbind, and stay so."""
        self._closed.set()
        with self._turn:
            session, self._session = self._session, None
        if session is not None:
            session.close()

    def _keep(self) -> None:
        pause = 1.0
        while not self._closed.is_set():
            try:
                self._bound(time.monotonic() + BIND_S)
                pause = 1.0
            except ChannelError:
                pause = min(2 * pause, LONGEST_PAUSE_S)
            self._closed.wait(pause)

    def _submit(self, session: Session, message: Message, end: float) -> Sent:
        ids: list[str] = []
        answers: list[Future[Any]] = []
        with self._turn:
            self._answers[message.key] = answers
            while len(self._answers) > _REMEMBERED:
                self._answers.popitem(last=False)
        source, destination = smpp_wire.address(self._gateway.sender), smpp_wire.address(message.to.value)
        for part in self._parts(message):
            try:
                answer = session.ask(
                    "submit_sm",
                    source_addr_ton=source[0],
                    source_addr_npi=source[1],
                    source_addr=source[2],
                    dest_addr_ton=destination[0],
                    dest_addr_npi=destination[1],
                    destination_addr=destination[2],
                    esm_class=part.esm_class,
                    data_coding=part.data_coding,
                    short_message=part.octets,
                    registered_delivery=1,
                    validity_period=smpp_wire.validity(message.ttl_s),
                )
            except Lost:
                raise Temporary(FailureCode.NOT_CONNECTED, vendor_code="lost") from None
            answers.append(answer)
            ids.append(self._id_of(answer, end))
        return Sent("+".join(ids), len(ids))

    def _id_of(self, answer: Future[Any], end: float, *, late: FailureCode = FailureCode.NO_ANSWER) -> str:
        """The id in the answer to a submit_sm. Raises what else it says; Unknown where it says nothing in time."""
        try:
            pdu = answer.result(max(0.0, end - time.monotonic()))
        except NotInTime:
            raise Unknown(late, vendor_code="deadline") from None
        except (Lost, CancelledError):
            raise Unknown(late, vendor_code="lost") from None
        if pdu.status or pdu.command == "generic_nack":
            verdict, code = smpp_wire.status(int(pdu.status))
            raise verdict.error(code)
        found = _text(getattr(pdu, "message_id", b""))
        if not found:
            raise Unknown(FailureCode.NO_LIST, vendor_code="no id")
        return found

    def _raise_if_given_up(self, vendor_id: str, end: float) -> None:
        """Ask how a message fares; where that cannot be asked, that it was taken is enough."""
        source = smpp_wire.address(self._gateway.sender)
        try:
            pdu = (
                self._bound(end)
                .ask(
                    "query_sm",
                    message_id=vendor_id,
                    source_addr_ton=source[0],
                    source_addr_npi=source[1],
                    source_addr=source[2],
                )
                .result(max(0.0, end - time.monotonic()))
            )
        except (Lost, ChannelError, NotInTime, CancelledError):
            return
        found = smpp_wire.STATES.get(smpp_wire.WORDS.get(getattr(pdu, "message_state", None) or 0, ""))
        if not pdu.status and found is not None and found.code is not None:
            raise smpp_wire.failure(found)

    def _parts(self, message: Message) -> list[smpp_wire.Part]:
        return smpp_wire.parts(message.text, message.key, gsm7=self._gateway.gsm7)

    # --- the connection ---------------------------------------------------------------------------------------------

    def _bound(self, end: float) -> Session:
        """A live session by `end`. Raises Temporary."""
        with self._turn:
            if self._session is not None and self._session.alive:
                return self._session
            binding = self._begin_to_bind()
        try:
            return binding.result(max(0.0, end - time.monotonic()))
        except NotInTime:
            raise Temporary(FailureCode.NOT_CONNECTED, vendor_code="deadline") from None
        except Lost as lost:
            if lost.refused:
                verdict, code = smpp_wire.status(lost.refused)
                known = FailureCode.MISCONFIGURED if verdict.fate == "permanent" else verdict.code
                raise Temporary(known, vendor_code=code) from None
            raise Temporary(FailureCode.NOT_CONNECTED, vendor_code="connection") from None

    def _begin_to_bind(self) -> Future[Session]:
        """With the lock held: the bind that is under way, or a new one."""
        if self._binding is None or self._binding.done():
            self._binding = Future()
            threading.Thread(target=self._bind, args=(self._binding,), name="smpp-bind", daemon=True).start()
        return self._binding

    def _bind(self, binding: Future[Session]) -> None:
        try:
            deliver = self._deliver if self._report is not None else None
            session = Session.bind(self._gateway, deliver, timeout_s=BIND_S)
        except Lost as lost:
            binding.set_exception(lost)
            return
        except Exception:
            log.exception("smpp_bind_failed", gateway=self.name)
            binding.set_exception(Lost())
            return
        with self._turn:
            self._session = session
        binding.set_result(session)
        if self._closed.is_set():
            self.close()

    # --- what comes by itself -------------------------------------------------------------------------------------

    def _deliver(self, pdu: Any) -> int:
        """A deliver_sm: a receipt is kept; what people write to this number comes by another way."""
        assert self._report is not None
        if not int(pdu.esm_class or 0) & 0x04:
            log.warning("smpp_message_refused", gateway=self.name)
            return _REFUSED
        state = getattr(pdu, "message_state", None)
        octets = pdu.short_message or getattr(pdu, "message_payload", None) or b""
        told = smpp_wire.receipt(octets, _text(getattr(pdu, "receipted_message_id", b"")), state)
        if told is None:
            return _KEPT  # unreadable, and it would be next time
        for vendor_id in smpp_wire.spellings(told.vendor_id):
            if self._report(self.name, vendor_id, told.receipt):
                self._strangers.pop(told.vendor_id, None)
                return _KEPT
        asked = self._strangers.pop(told.vendor_id, 0) + 1
        if asked > _OVERTOOK:
            return _KEPT  # of a message that is not ours
        self._strangers[told.vendor_id] = asked
        while len(self._strangers) > _REMEMBERED:
            self._strangers.popitem(last=False)
        return int(RECEIPTS_WAIT)


def _text(value: Any) -> str:
    return (value.decode("latin-1") if isinstance(value, bytes) else str(value or "")).strip("\x00 ")
