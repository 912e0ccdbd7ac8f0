"""How a text is cut and written for SMPP 3.4, and what an SMSC's numbers and receipts mean. Pure.

Sources: SMPP 3.4 (issue 1.2) §5.1.3 command_status, §5.2.25 validity_period, Appendix B for the text of a receipt;
3GPP TS 23.038 and 23.040 for alphabets and the header of a joined message.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from notifications.channel import ChannelError, FailureCode, Permanent, Receipt, Temporary, VendorTable, Verdict
from notifications.render.segments import BASIC, EXTENSION, encoding_of, split

GSM7, UCS2 = 0x00, 0x08
"""data_coding."""
UDHI = 0x40
"""esm_class: the text begins with a header."""

STATUS: VendorTable = {
    # command_status of submit_sm_resp. What is wrong with our account is temporary: the address is innocent.
    "0x01": Verdict("permanent", FailureCode.REJECTED),  # ESME_RINVMSGLEN
    "0x04": Verdict("temporary", FailureCode.NOT_CONNECTED),  # ESME_RINVBNDSTS: not bound any more
    "0x05": Verdict("temporary", FailureCode.MISCONFIGURED),  # ESME_RALYBND
    "0x08": Verdict("temporary", FailureCode.CARRIER_DOWN),  # ESME_RSYSERR
    "0x0a": Verdict("temporary", FailureCode.MISCONFIGURED),  # ESME_RINVSRCADR: our sender
    "0x0b": Verdict("permanent", FailureCode.INVALID_ADDRESS, retire=True),  # ESME_RINVDSTADR
    "0x0d": Verdict("temporary", FailureCode.MISCONFIGURED),  # ESME_RBINDFAIL
    "0x0e": Verdict("temporary", FailureCode.MISCONFIGURED),  # ESME_RINVPASWD
    "0x0f": Verdict("temporary", FailureCode.MISCONFIGURED),  # ESME_RINVSYSID
    "0x14": Verdict("temporary", FailureCode.RATE_LIMITED),  # ESME_RMSGQFUL
    "0x45": Verdict("temporary", FailureCode.CARRIER_DOWN),  # ESME_RSUBMITFAIL
    "0x48": Verdict("temporary", FailureCode.MISCONFIGURED),  # ESME_RINVSRCTON
    "0x49": Verdict("temporary", FailureCode.MISCONFIGURED),  # ESME_RINVSRCNPI
    "0x50": Verdict("permanent", FailureCode.INVALID_ADDRESS, retire=True),  # ESME_RINVDSTTON
    "0x58": Verdict("temporary", FailureCode.RATE_LIMITED),  # ESME_RTHROTTLED
    "0x64": Verdict("temporary", FailureCode.CARRIER_DOWN),  # ESME_RX_T_APPN
    "0x66": Verdict("permanent", FailureCode.REJECTED),  # ESME_RX_R_APPN
    "0xfe": Verdict("temporary", FailureCode.UNREACHABLE),  # ESME_RDELIVERYFAILURE
    "0xff": Verdict("temporary", FailureCode.CARRIER_DOWN),  # ESME_RUNKNOWNERR
}

STATES: Mapping[str, Receipt] = {
    # message_state of a receipt, by the word in its text.
    "ENROUTE": Receipt("sent"),
    "ACCEPTD": Receipt("sent"),
    "DELIVRD": Receipt("delivered"),
    "EXPIRED": Receipt("failed_permanent", FailureCode.EXPIRED, "EXPIRED"),
    "DELETED": Receipt("failed_permanent", FailureCode.BLOCKED, "DELETED"),
    "REJECTD": Receipt("failed_permanent", FailureCode.BLOCKED, "REJECTD"),
    "UNDELIV": Receipt("failed_temporary", FailureCode.UNREACHABLE, "UNDELIV"),
    "UNKNOWN": Receipt("failed_temporary", FailureCode.UNREACHABLE, "UNKNOWN"),
}
WORDS: Mapping[int, str] = {
    1: "ENROUTE", 2: "DELIVRD", 3: "EXPIRED", 4: "DELETED", 5: "UNDELIV", 6: "ACCEPTD", 7: "UNKNOWN", 8: "REJECTD",
}  # fmt: skip
"""message_state as a number (§5.2.28)."""


@dataclass(frozen=True)
class Part:
    """The short_message of one submit_sm."""

    octets: bytes
    data_coding: int
    esm_class: int


def parts(text: str, key: str, *, gsm7: bool = True) -> list[Part]:
    """The text as one or several submit_sm; joined ones carry a header with a reference made from `key`."""
    coding = GSM7 if gsm7 and encoding_of(text) == "gsm7" else UCS2
    pieces = split(text) if coding == GSM7 or encoding_of(text) == "ucs2" else _split_as_ucs2(text)
    encode = _gsm7 if coding == GSM7 else _ucs2
    if len(pieces) == 1:
        return [Part(encode(text), coding, 0)]
    reference = hashlib.sha256(key.encode()).digest()[0]
    return [
        Part(bytes((5, 0, 3, reference, len(pieces), number)) + encode(piece), coding, UDHI)
        for number, piece in enumerate(pieces, start=1)
    ]


def _split_as_ucs2(text: str) -> list[str]:
    """A text of the GSM alphabet, which has no surrogate pairs, for an SMSC that does not speak it."""
    return [text] if len(text) <= 70 else [text[at : at + 67] for at in range(0, len(text), 67)]


def _gsm7(text: str) -> bytes:
    """One octet a septet: SMSCs pack them. ` stands nowhere in the alphabet, so `index` is exact."""
    octets = bytearray()
    for letter in text:
        octets += bytes((0x1B, EXTENSION[letter])) if letter in EXTENSION else bytes((BASIC.index(letter),))
    return bytes(octets)


def _ucs2(text: str) -> bytes:
    return text.encode("utf-16-be")


def validity(ttl_s: int) -> str:
    """validity_period, relative: YYMMDDhhmmss000R. Beyond 30 days it is 30 days."""
    seconds = min(max(1, ttl_s), 30 * 86_400 - 1)
    days, rest = divmod(seconds, 86_400)
    return f"0000{days:02d}{rest // 3600:02d}{rest % 3600 // 60:02d}{rest % 60:02d}000R"


def address(number: str) -> tuple[int, int, str]:
    """(type of number, numbering plan, digits or name) of a sender or a recipient."""
    if number.startswith("+"):
        return 1, 1, number[1:]
    return (3, 0, number) if number.isdecimal() else (5, 0, number[:11])


_FIELD = re.compile(r"(id|stat|err):\s*(\S*)", re.IGNORECASE)


@dataclass(frozen=True)
class Told:
    """What a receipt says, and of which message."""

    vendor_id: str
    receipt: Receipt


def receipt(octets: bytes, vendor_id: str, state: int | None) -> Told | None:
    """A deliver_sm that is a receipt: its optional parameters, where it has them, else its text. None if unreadable."""
    said = {name.lower(): value for name, value in _FIELD.findall(octets.decode("latin-1"))}
    word = WORDS.get(state or 0) or said.get("stat", "").upper()[:7]
    found = STATES.get(word)
    name = vendor_id or said.get("id", "")
    if found is None or not name:
        return None
    error = said.get("err", "")
    code = f"{word}/{error}" if found.code and re.fullmatch(r"[0-9A-Fa-f]{1,6}", error) and error.strip("0") else word
    return Told(name, Receipt(found.state, found.code, code if found.code else "", found.retire))


def status(command_status: int) -> tuple[Verdict, str]:
    """What a command_status means, and how we write it. Vendors' own (from 0x400) say that something is wrong there."""
    code = f"0x{command_status:02x}"
    if code in STATUS:
        return STATUS[code], code
    ours = 0 < command_status < 0x400
    return Verdict("permanent", FailureCode.REJECTED) if ours else Verdict("temporary", FailureCode.CARRIER_DOWN), code


def failure(said: Receipt) -> ChannelError:
    """The exception that says what a receipt of a failure says."""
    code = said.code or FailureCode.UNREACHABLE
    if said.state == "failed_permanent":
        return Permanent(code, vendor_code=said.vendor_code, retire=said.retire)
    return Temporary(code, vendor_code=said.vendor_code)


def spellings(vendor_id: str) -> tuple[str, ...]:
    """The ways in which SMSCs write one id: some answer in hexadecimal and report in decimal, or the other way round."""
    found = [vendor_id]
    if re.fullmatch(r"[0-9]{1,20}", vendor_id):
        found += [f"{int(vendor_id):x}", f"{int(vendor_id):X}", f"{int(vendor_id):010d}"]
    if re.fullmatch(r"[0-9A-Fa-f]{1,16}", vendor_id):
        found.append(str(int(vendor_id, 16)))
    return tuple(dict.fromkeys(found))
