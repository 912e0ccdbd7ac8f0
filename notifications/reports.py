"""What carriers report of a message that they took: one place for all of them, whichever way the report comes.

In any order, again, and about deliveries long gone. A report names the attempt by its address, which is signed
(`address`), or by the carrier's own id of the message.
"""

import hmac
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from domain.clock import Clock
from domain.deliveries import service as deliveries
from domain.deliveries.states import AttemptState
from domain.errors import NotFound
from domain.ids import link_token
from notifications import observed, recipients
from notifications.channel import Receipt
from runtime import logging

log = logging.get(__name__)

_STATES: Final[Mapping[str, AttemptState]] = {
    "sent": AttemptState.SENT,
    "delivered": AttemptState.DELIVERED,
    "seen": AttemptState.DELIVERED,
    "failed_temporary": AttemptState.TEMPORARY,
    "failed_permanent": AttemptState.PERMANENT,
}


def address(public_url: str, secret: str, gateway: str, delivery_id: str, number: int) -> str:
    """Where a gateway reports on one attempt; nobody else can make it."""
    path = f"{public_url}/webhooks/sms/{gateway}"
    return (
        f"{path}?delivery={delivery_id}&attempt={number}&signature={_signature(secret, gateway, delivery_id, number)}"
    )


def is_signed(secret: str, gateway: str, delivery_id: str, number: int, signature: str) -> bool:
    """Whether a report came by the address that we gave for this attempt."""
    return hmac.compare_digest(_signature(secret, gateway, delivery_id, number).encode(), signature.encode())


def standing_address(public_url: str, secret: str, gateway: str) -> str:
    """Where a gateway reports that has one address for all messages and names them by its own id."""
    return f"{public_url}/webhooks/sms/{gateway}?signature={link_token(secret, 'sms_reports', gateway)}"


def is_standing(secret: str, gateway: str, signature: str) -> bool:
    """Whether a report came by the standing address."""
    return hmac.compare_digest(link_token(secret, "sms_reports", gateway).encode(), signature.encode())


def _signature(secret: str, gateway: str, delivery_id: str, number: int) -> str:
    return link_token(secret, "sms_report", f"{gateway}:{delivery_id}:{number}")


def take(delivery_id: str, number: int, receipt: Receipt, *, now: datetime) -> bool:
    """Take a report in. True where the delivery needs its next step now. Raises NotFound for one that we do not know."""
    state, code = _STATES[receipt.state], str(receipt.code or "")
    told = deliveries.reported(delivery_id, number, state, code=code, vendor_code=receipt.vendor_code, now=now)
    if told is not None:
        observed.reported(told, number, state, code=code, now=now)
    if state == AttemptState.DELIVERED and number > 1:
        held = deliveries.get(delivery_id)
        recipients.learn(held, held["attempts"][str(number)]["channel"], now=now)
    if receipt.state == "seen":
        deliveries.opened(delivery_id, now=now)
        return False
    if state not in {AttemptState.TEMPORARY, AttemptState.PERMANENT}:
        return False
    log.info("carrier_gave_up", delivery=delivery_id, reason=code, retire=receipt.retire)
    if receipt.retire:
        held = deliveries.get(delivery_id)
        tried = held["attempts"][str(number)]
        recipients.retire(held["recipient"], tried["channel"], code, tried_at=tried["at"])
    return True


def take_by_id(gateway: str, vendor_id: str, receipt: Receipt, *, now: datetime) -> tuple[str, bool]:
    """The same of a message that the carrier names by its own id: the delivery's id, and whether it needs its next step.

    Raises NotFound for an id that is not known, or not yet: a report may overtake the answer to its message.
    """
    found = deliveries.by_vendor_id(gateway, vendor_id)
    if found is None:
        raise NotFound("no such message", code="delivery_not_found")
    delivery_id, number, whole = found
    if receipt.state == "delivered" and not whole:
        return delivery_id, False  # a part of it; the last one says
    return delivery_id, take(delivery_id, number, receipt, now=now)


def keeper(clock: Clock) -> Callable[[str, str, Receipt], bool]:
    """Takes in what gateways say over a connection of ours. False where the message is not known, or not yet.

    Nothing is started here: a delivery that needs its next step is due at once, and the sweeper finds it.
    """

    def keep(gateway: str, vendor_id: str, receipt: Receipt) -> bool:
        try:
            take_by_id(gateway, vendor_id, receipt, now=clock())
        except NotFound:
            return False
        return True

    return keep
