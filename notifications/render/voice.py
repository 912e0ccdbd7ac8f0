"""TwiML of a call: the alarm that is spoken, the keys that answer it, the room in which two are put through.

Spoken by Google's voices as Twilio names them (www.twilio.com/docs/voice/twiml/say/text-speech), each language's in its
own file of `locale/`.
"""

from collections.abc import Sequence
from typing import Any

from twilio.twiml.voice_response import Dial, Gather, VoiceResponse

from notifications.render.catalogue import voice

_KEY_WAIT_S = 8
_HOLD_S = 3
_TIMES = 3  # how often the alarm is spoken before the call gives up
_MOST_IN_A_ROOM = 10


def say(text: str, language: str) -> str:
    """TwiML that says one thing and hangs up."""
    response = VoiceResponse()
    _speak(response, text, language)
    return str(response)


def ask(
    text: str,
    language: str,
    action_url: str,
    *,
    digits: int = 1,
    first: str = "",
    last: str = "",
    also: Sequence[tuple[str, str]] = (),
) -> str:
    """TwiML that says `text` up to three times and posts the key pressed (`Digits`) to `action_url`.

    `first` is said once before it; `also` are (text, language) said after it each time, for a caller whose language
    nobody knows. Without a key the call says `last` and ends after the third time; `action_url` is then not asked, the
    call's status callback tells.
    """
    response = VoiceResponse()
    if first:
        _speak(response, first, language)
    for _ in range(_TIMES):
        gather = Gather(input="dtmf", num_digits=digits, timeout=_KEY_WAIT_S, action=action_url, method="POST")
        for each, its_language in [(text, language), *also]:
            _speak(gather, each, its_language)
        response.append(gather)
    if last:
        _speak(response, last, language)
    return str(response)


def join(
    text: str, language: str, room: str, *, wait_url: str, over_url: str = "", ends: bool = False, hears: bool = False
) -> str:
    """TwiML that says `text` and enters the conference `room`: until somebody else is there, what `wait_url` says is
    heard, over and over. The star key leaves it; then `over_url`, where it is given, is asked what follows. With `ends`
    there is no such key, and it is over for all when this call leaves it. With `hears` this call is not heard by the
    others, and begins no conference of its own.
    """
    response = VoiceResponse()
    _speak(response, text, language)
    dial = Dial(hangup_on_star=not ends, action=over_url or None, method="POST" if over_url else None)
    dial.conference(
        room,
        beep=False,
        muted=hears,
        start_conference_on_enter=not hears,
        end_conference_on_exit=ends,
        max_participants=_MOST_IN_A_ROOM,
        wait_url=wait_url,
        wait_method="POST",
    )
    response.append(dial)
    return str(response)


def wait(text: str, language: str) -> str:
    """TwiML that says how it stands and is then quiet for a moment: for a `wait_url`, which is asked again."""
    response = VoiceResponse()
    _speak(response, text, language)
    response.pause(length=_HOLD_S)
    return str(response)


def hold(text: str, language: str, again_url: str) -> str:
    """TwiML that says one thing, waits a little and asks `again_url` what comes next."""
    response = VoiceResponse()
    _speak(response, text, language)
    response.pause(length=_HOLD_S)
    response.redirect(again_url, method="POST")
    return str(response)


def hang_up() -> str:
    """TwiML that ends a call without a word."""
    response = VoiceResponse()
    response.hangup()
    return str(response)


def _speak(into: Any, text: str, language: str) -> None:
    locale, name = voice(language)
    into.say(text, language=locale, voice=name)
