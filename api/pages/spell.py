"""Times and distances as people say them. Pure."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from api.pages.words import WORDS


def ago(at: datetime, now: datetime, lang: str) -> str:
    """`just now`, `4 min ago`, `3 h ago`, `2 days ago`; a time ahead of ours is now."""
    say, gone = WORDS[lang], now - at
    if gone < timedelta(minutes=1):
        return say["now"]
    if gone < timedelta(hours=1):
        return say["minutes"].format(n=int(gone.total_seconds() // 60))
    if gone < timedelta(days=2):
        return say["hours"].format(n=int(gone.total_seconds() // 3600))
    return say["days"].format(n=gone.days)


def distance(metres: float, lang: str) -> str:
    """`850 m` to the next 50 below one kilometre (to the next 10 below 100), else `1.2 km`."""
    say = WORDS[lang]
    if metres < 95:
        return say["metres"].format(n=max(10, round(metres / 10) * 10))
    if metres < 975:
        return say["metres"].format(n=max(50, round(metres / 50) * 50))
    return say["kilometres"].format(n=f"{metres / 1000:.1f}" if metres < 20_000 else f"{metres / 1000:.0f}")


def clock(at: datetime, zone: ZoneInfo) -> str:
    """`15:42` by the city's clock."""
    return at.astimezone(zone).strftime("%H:%M")
