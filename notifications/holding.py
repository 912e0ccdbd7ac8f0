"""What keeps a delivery back that no life depends on: the night, a number that has had enough, something newer."""

from datetime import datetime

from domain.cities import hours
from domain.cities import queries as cities
from domain.deliveries import service as store
from domain.deliveries.service import Delivery
from domain.deliveries.states import DeliveryStatus, Held, Suppressed
from domain.limits import service as limits
from notifications import purposes
from notifications.post import Post
from notifications.recipients import Reached


def kept_back(delivery: Delivery, channel: str, reached: Reached, post: Post) -> bool:
    """Whether it may not go out now: the city sleeps, the number has had enough, or something newer tells it."""
    now = post.clock()
    if delivery.get("held") and purposes.manner(delivery["purpose"]).bundles and store.told_later(delivery):
        store.end(delivery, DeliveryStatus.SUPPRESSED, Suppressed.BUNDLED)
        return True
    if purposes.sleeps(delivery, channel):
        ends = hours.quiet_until(cities.current(delivery["city"]), now)
        if ends is not None:
            store.hold_back(delivery, Held.QUIET_HOURS, until=ends, now=now)
            return True
    counted = any(attempt["channel"] == channel for attempt in delivery["attempts"].values())
    if not counted and purposes.throttled(delivery, channel):
        limit, window = purposes.LIMITS[channel]
        ends = limits.admit(
            post.settings.signing_key,
            f"told_{channel}",
            reached.addresses[channel].value,
            limit=limit,
            window_s=int(window.total_seconds()),
            now=now,
        )
        if ends is not None:
            store.hold_back(delivery, Held.THROTTLED, until=ends, now=now)
            return True
    return False


def asleep(delivery: Delivery, now: datetime) -> bool:
    """Whether a push of it is shown without a sound, as the city sleeps."""
    return purposes.sleeps(delivery, "sms") and hours.is_quiet(cities.current(delivery["city"]), now)
