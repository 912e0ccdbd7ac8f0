"""The TwiML of a call, read the way Twilio reads it."""

from xml.etree import ElementTree

import pytest

from notifications.render.voice import ask, say


def test_an_alarm_is_said_three_times_and_waits_for_a_key() -> None:
    response = ElementTree.fromstring(ask("Press 1", "en", "https://city.example/v?a=1&b=2"))
    assert [child.tag for child in response] == ["Gather"] * 3
    gather = response[0]
    assert gather.attrib["action"] == "https://city.example/v?a=1&b=2"
    assert (gather.attrib["numDigits"], gather.attrib["input"], gather.attrib["method"]) == ("1", "dtmf", "POST")
    assert gather[0].text == "Press 1"


@pytest.mark.parametrize(("language", "locale"), [("en-PK", "en-GB"), ("ur-PK", "ur-IN"), ("pa", "en-GB")])
def test_each_language_has_a_voice(language: str, locale: str) -> None:
    response = ElementTree.fromstring(say("امان", language))
    assert response[0].attrib["language"] == locale
    assert response[0].attrib["voice"].startswith(f"Google.{locale}")
    assert response[0].text == "امان"


def test_text_is_never_markup() -> None:
    response = ElementTree.fromstring(say('<Dial>+92300</Dial> & "so"', "en"))
    assert [child.tag for child in response] == ["Say"]
    assert response[0].text == '<Dial>+92300</Dial> & "so"'
