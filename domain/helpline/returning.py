"""The word by which a caller who stays anonymous is found again. Nothing of it is kept but a keyed hash.

It finds her earlier requests for the counsellor who has her now, and nothing for whoever guesses: the answer to the
phone is the same with a wrong word.
"""

import secrets
import unicodedata
from datetime import datetime
from typing import Any, Final

from domain.helpline.rules import Request, Step
from domain.helpline.service import change, requests
from domain.vault.service import Vault

FOUND_AT_MOST: Final = 20
_TEXT: Final = """
آسمان بادل بارش باغ برف بہار پتھر پربت پنکھ پھول تارا تتلی جگنو جنگل جھیل چاند
چراغ چمن چڑیا خوشبو دریا دھنک دھوپ راستہ روشنی زیتون ساحل ستارہ سحر شبنم شہد صبح
صحرا طوطا عقاب غزال فاختہ قلم کبوتر کنول کوئل گلاب گندم لالہ لہر مشعل مور موتی
مہتاب نرگس نسیم نیلم وادی ہرن ہوا یاسمین انار بلبل چنار سنگ آنگن دروازہ جھولا مٹکا
"""
WORDS: Final = tuple(_TEXT.split())
"""Sixty-four words; four of them are 24 bits, behind a limit of guesses."""


def new_word() -> str:
    """Four words, easy to keep in mind and to say."""
    return " ".join(secrets.choice(WORDS) for _ in range(4))


def _plain(word: str) -> str:
    """The word as it is compared: one form of each letter (NFKC), case and blanks left out."""
    return "".join(unicodedata.normalize("NFKC", word).casefold().split())


def remember(request_id: str, word: str, vault: Vault, *, now: datetime) -> dict[str, Any]:
    """Let this word find the request; an earlier one no longer does."""
    ref = vault.index("word", _plain(word))

    def rule(doc: Request) -> Step | None:
        if doc.get("word_ref") == ref:
            return None
        return Step(sets={"word_ref": ref}, log={"kind": "word", "by": "citizen"})

    return change(request_id, rule, now=now)


def found(word: str, vault: Vault, *, city: str) -> list[str]:
    """Ids of the requests that this word finds in a city, newest first."""
    rows = requests().find({"word_ref": vault.index("word", _plain(word))}, {"city": 1, "erased_at": 1, "asked_at": 1})
    mine = [row for row in rows.limit(FOUND_AT_MOST) if row["city"] == city and not row.get("erased_at")]
    return [row["_id"] for row in sorted(mine, key=lambda row: row["asked_at"], reverse=True)]
