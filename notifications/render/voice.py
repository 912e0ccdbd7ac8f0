"""TwiML of a call: the alarm that is spoken, and the keys that answer it.

Spoken by Google's voices as Twilio names them (www.twilio.com/docs/voice/twiml/say/text-speech). There is none for
Pakistan; `ur-IN` speaks the same language.
"""

from collections.abc import Sequence
from typing import Any

from twilio.twiml.voice_response import Gather, VoiceResponse

from notifications.render.catalogue import best_language

VOICES = {"en": ("en-GB", "Google.en-GB-Standard-A"), "ur": ("ur-IN", "Google.ur-IN-Standard-A")}
"""Language → (locale, voice)."""

_KEY_WAIT_S = 8
_HOLD_S = 3
_TIMES = 3  # how often the alarm is spoken before the call gives up


def say(text: str, language: str) -> str:
    """TwiML that says one thing and hangs up."""
    response = VoiceResponse()
    _speak(response, text, language)
    return str(response)


def ask(
    text: str, language: str, action_url: str, *, digits: int = 1, first: str = "", also: Sequence[tuple[str, str]] = ()
) -> str:
    """TwiML that says `text` up to three times and posts the key pressed (`Digits`) to `action_url`.

    `first` is said once before it; `also` are (text, language) said after it each time, for a caller whose language
    nobody knows. Without a key the call ends after the third time; `action_url` is then not asked, the call's status
    callback tells.
    """
    response = VoiceResponse()
    if first:
        _speak(response, first, language)
    for _ in range(_TIMES):
        gather = Gather(input="dtmf", num_digits=digits, timeout=_KEY_WAIT_S, action=action_url, method="POST")
        for each, its_language in [(text, language), *also]:
            _speak(gather, each, its_language)
        response.append(gather)
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
    locale, voice = VOICES[best_language(language)]
    into.say(text, language=locale, voice=voice)
