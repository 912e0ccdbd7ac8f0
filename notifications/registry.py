"""Which channels this machine has, from its settings.

A kind of address without a channel is simply not there: policy then takes the next one. A further SMS gateway that
speaks HTTP or SMPP is a line in a table (`gateway_table.py`); for another vendor write its channel (see `channel.py`) and
put its builder beside Twilio's. A vendor's library is read where its channel is built: processes that send nothing never
load it.
"""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from domain.clock import Clock, utc_now
from notifications.channel import Channel, Receipt
from notifications.gateway_table import Table, read
from notifications.gateways import Gateways, Trait
from notifications.messages import AddressKind
from notifications.observed import Observed
from runtime.settings import Settings

Builder = Callable[[Settings], Channel | None]
Report = Callable[[str, str, Receipt], bool]
"""Keeps what a gateway says of a message by its own id: (gateway, id, receipt). False where the id is not known yet."""


def _fcm(settings: Settings) -> Channel | None:
    if not settings.fcm_project or not settings.fcm_credentials:
        return None
    from notifications.channels.fcm import FcmChannel

    return FcmChannel(settings.fcm_project, settings.fcm_credentials, settings.fcm_base_url)


def _twilio_sms(settings: Settings) -> Channel | None:
    if not settings.twilio_account_sid or not settings.twilio_from:
        return None
    from notifications.channels.twilio_sms import TwilioSmsChannel

    return TwilioSmsChannel(
        settings.twilio_account_sid,
        settings.twilio_auth_token.get_secret_value(),
        settings.twilio_from,
        settings.twilio_base_url,
    )


def _twilio_voice(settings: Settings) -> Channel | None:
    if not settings.twilio_account_sid or not settings.twilio_from.startswith("+"):
        return None  # a name, a short code or a messaging service cannot call
    from notifications.channels.twilio_voice import TwilioVoiceChannel

    return TwilioVoiceChannel(
        settings.twilio_account_sid,
        settings.twilio_auth_token.get_secret_value(),
        settings.twilio_from,
        settings.twilio_base_url,
    )


def _console(settings: Settings) -> Channel | None:
    from notifications.channels.console import ConsoleChannel

    return ConsoleChannel(sys.stdout)


BUILDERS: Mapping[AddressKind, Sequence[Builder]] = {
    AddressKind.FCM: (_fcm,),
    AddressKind.SMS: (_twilio_sms,),
    AddressKind.VOICE: (_twilio_voice,),
    AddressKind.CONSOLE: (_console,),
}
"""The carriers that settings alone configure; further SMS gateways stand in a table (`gateway_table.py`)."""


def table(settings: Settings) -> Table:
    """The further SMS gateways of this machine, read again only when the file has changed: anybody on the internet may send
    us a report, and each is looked up here before we know whether it is a gateway's. Raises BadTable.
    """
    if not settings.sms_gateways:
        return Table()
    path = Path(settings.sms_gateways)
    return _table(path, path.stat().st_mtime_ns) if path.is_file() else read(path)


@lru_cache(maxsize=2)
def _table(path: Path, changed_at: int) -> Table:
    return read(path)


def _of_table(table: Table, report: Report | None) -> Iterator[Channel]:
    if table.http:
        from notifications.channels.http_sms import HttpSmsChannel

        yield from (HttpSmsChannel(gateway) for gateway in table.http)
    if table.smpp:
        from notifications.channels.smpp_sms import SmppSmsChannel

        for gateway in table.smpp:
            channel = SmppSmsChannel(gateway, report)
            if report is not None:
                channel.open()
            yield channel


def _traits(settings: Settings, table: Table) -> Mapping[str, Trait]:
    found = {"twilio_sms": Trait(two_way=settings.twilio_two_way)}
    for http in table.http:
        by_id = http.reports is not None and bool(http.reports.id)
        found[http.name] = Trait(http.two_way, "by_id" if by_id else "signed")
    found |= {smpp.name: Trait(smpp.two_way, "by_id") for smpp in table.smpp}
    return found


def build_channels(
    settings: Settings, *, clock: Clock = utc_now, report: Report | None = None
) -> Mapping[str, Channel]:
    """One channel per kind of address that is configured; build once per process and after a fork, share by threads.

    `report` keeps what gateways say over a connection of ours (SMPP); with it they are connected to at once.
    """
    channels: dict[str, Channel] = {}
    further = table(settings)
    for kind, builders in BUILDERS.items():
        built = [channel for builder in builders if (channel := builder(settings)) is not None]
        sms = kind == AddressKind.SMS
        built += _of_table(further, report) if sms else ()
        if built:
            # "+" is how a table says "every other number".
            prefixes = {"" if prefix == "+" else prefix: names for prefix, names in further.routes.items() if sms}
            watched = [Observed(each, clock=clock) for each in built]
            channels[kind.value] = Gateways(watched, prefixes, _traits(settings, further))
    return channels
