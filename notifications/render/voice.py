"""TwiML of a call: the alarm that is spoken, and the keys that answer it.

Spoken by Google's voices as Twilio names them (www.twilio.com/docs/voice/twiml/say/text-speech). There is none for
Pakistan; `ur-IN` speaks the same language.
"""

from typing import Any

from twilio.twiml.voice_response import Gather, VoiceResponse

from notifications.render.catalogue import best_language

VOICES = {"en": ("en-GB", "Google.en-GB-Standard-A"), "ur": ("ur-IN", "Google.ur-IN-Standard-A")}
"""Language → (locale, voice)."""

_KEY_WAIT_S = 8
_TIMES = 3  # how often the alarm is spoken before the call gives up


def say(text: str, language: str) -> str:
    """TwiML that says one thing and hangs up."""
    response = VoiceResponse()
    _speak(response, text, language)
    return str(response)


def ask(text: str, language: str, action_url: str, *, digits: int = 1) -> str:
    """TwiML that says `text` up to three times and posts the key pressed (`Digits`) to `action_url`.

    Without a key the call ends after the third time; `action_url` is then not asked, the call's status callback tells.
    """
    response = VoiceResponse()
    for _ in range(_TIMES):
        gather = Gather(input="dtmf", num_digits=digits, timeout=_KEY_WAIT_S, action=action_url, method="POST")
        _speak(gather, text, language)
        response.append(gather)
    return str(response)


def _speak(into: Any, text: str, language: str) -> None:
    locale, voice = VOICES[best_language(language)]
    into.say(text, language=locale, voice=voice)
