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


HOME_PREFIX = "+92"


def is_foreign(phone: str | None) -> bool:
    """Whether an E.164 number is of another country: somebody who may know nobody here, and no Urdu."""
    return bool(phone) and str(phone).startswith("+") and not str(phone).startswith(HOME_PREFIX)


def language_of(phone: str | None) -> str | None:
    """The language to begin with for a number of which nothing else is known: English for a foreign one, else None."""
    return "en" if is_foreign(phone) else None


def masked(phone: str) -> str:
    """What may be shown to others: the last three digits, `…567`."""
    return f"…{phone[-3:]}" if len(phone) > 6 else "…"
