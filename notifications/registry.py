"""Which channels this machine has, from its settings.

A kind of address without a channel is simply not there: policy then takes the next one. To add an SMS gateway or
another vendor, write its channel (see `channel.py`) and put its builder before Twilio's; the first that is configured
serves. A vendor's library is read where its channel is built: processes that send nothing never load it.
"""

import sys
from collections.abc import Callable, Mapping, Sequence

from notifications.channel import Channel
from notifications.gateways import Gateways
from notifications.messages import AddressKind
from runtime.settings import Settings

Builder = Callable[[Settings], Channel | None]


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


def build_channels(settings: Settings) -> Mapping[str, Channel]:
    """One channel per kind of address that is configured; build once per process and after a fork, share by threads."""
    channels: dict[str, Channel] = {}
    for kind, builders in BUILDERS.items():
        built = [channel for builder in builders if (channel := builder(settings)) is not None]
        if built:
            channels[kind.value] = Gateways(built)
    return channels
