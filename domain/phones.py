"""Phone numbers as E.164. National forms are read as Pakistani ones: `0300 1234567` is `+923001234567`."""

import phonenumbers

from domain.errors import Invalid

HOME_REGION = "PK"
MAX_CHARS = 40


class PhoneInvalid(Invalid):
    """No phone has such a number."""

    code = "phone_invalid"


def parse_phone(text: str, *, region: str = HOME_REGION) -> str:
    """The number in E.164, such as `+923001234567`. Raises PhoneInvalid for what no phone has."""
    try:
        number = phonenumbers.parse(text[: MAX_CHARS + 1], region)
    except phonenumbers.NumberParseException as error:
        raise PhoneInvalid("not a phone number") from error
    if len(text) > MAX_CHARS or not phonenumbers.is_valid_number(number):
        raise PhoneInvalid("not a phone number")
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def masked(phone: str) -> str:
    """What may be shown to others: the last three digits, `…567`."""
    return f"…{phone[-3:]}" if len(phone) > 6 else "…"
