"""A foreign number, no account, no Urdu: help comes by the same way, in English, and the tourist police hear of it."""

import re
from pathlib import Path
from typing import Any

import pytest
import requests

from api.pages import words
from domain.incidents import service as incidents
from domain.people.documents import ChallengeDoc
from domain.phones import is_foreign, language_of
from notifications.render import catalogue
from tests.factories.people import signed_in
from tests.fakes.small_city import PLACE, SOS, SmallCity

VISITOR = "+447911123456"


def test_an_sos_from_a_foreign_phone_is_taken_and_the_tourist_police_hear(small_city: SmallCity) -> None:
    city = small_city
    city.responder()
    chief = signed_in(
        city.now(), language="en",
        roles=[{"role": "supervisor", "city": "lahore", "agency_id": "tourist_police", "group_id": ""}],
    )  # fmt: skip
    raised = city.sos(phone=VISITOR)
    city.settle()
    doc = incidents.get(raised["id"])
    assert (doc["citizen"]["language"], "visitor" in doc["flags"]) == ("en", True)
    assert [each["agency"] for each in doc["handovers"]] == ["tourist_police"]
    assert doc["assignments"], "units come as for everybody"
    told = city.wait_for(lambda: city.texts(chief.phone))
    assert "Amaan" in told[0]
    local = incidents.get(city.sos(phone="+923001234567")["id"])
    city.settle()
    assert "visitor" not in local["flags"]
    assert not incidents.get(local["_id"]).get("handovers")


def test_an_sms_from_a_foreign_phone_is_answered_in_english(small_city: SmallCity) -> None:
    city = small_city
    text = f"SOS {PLACE[0]},{PLACE[1]} lost my bag and somebody follows me"
    answer = city.webhook(
        "sms", {"From": VISITOR, "To": SOS, "Body": text, "MessageSid": "SM" + "0" * 31 + "1", "NumSegments": "1"}
    )
    assert "Amaan has your SOS" in answer.text
    (doc,) = city.open_incidents()
    assert (doc["citizen"]["phone"], doc["citizen"]["language"]) == (VISITOR, "en")


@pytest.mark.parametrize(("number", "language"), [(VISITOR, "en"), ("+923005550001", "ur")])
def test_a_code_comes_in_a_language_that_the_number_suggests(small_city: SmallCity, number: str, language: str) -> None:
    requests.post(f"{small_city.url}/v1/auth/otp", json={"phone": number}, timeout=10).raise_for_status()
    assert [each.language for each in ChallengeDoc.objects(phone=number)] == [language]


def embassies(where: SmallCity, **query: Any) -> Any:
    return requests.get(f"{where.url}/v1/embassies", params=query, timeout=10)


def test_whom_their_own_country_has_here_is_data_and_says_what_is_unverified(small_city: SmallCity) -> None:
    found = embassies(small_city, city="lahore", country="US").json()["items"]
    assert {each["country"] for each in found} == {"US"}
    assert len(found) == 2, "the embassy, and the city's consulate"
    assert all(re.fullmatch(r"\+92\d+", each["number"]) for each in found)
    assert not any(each["verified"] for each in embassies(small_city, city="karachi").json()["items"])
    assert embassies(small_city, city="paris").status_code == 404
    assert embassies(small_city, country="usa").status_code == 422


@pytest.mark.parametrize(
    ("number", "foreign"), [(VISITOR, True), ("+923001234567", False), ("1122", False), (None, False), ("", False)]
)
def test_which_numbers_are_foreign(number: str | None, foreign: bool) -> None:
    assert is_foreign(number) is foreign
    assert language_of(number) == ("en" if foreign else None)


def test_a_page_speaks_a_language_that_is_one_file(tmp_path: Path) -> None:
    folder = Path(catalogue.__file__).parent / "locale"
    for language in ("en", "ur"):
        (tmp_path / f"{language}.po").write_bytes((folder / f"{language}.po").read_bytes())
    head = 'msgid ""\nmsgstr ""\n"Language: de\\n"\n"Content-Type: text/plain; charset=utf-8\\n"\n\n'
    texts = {"where": "Zuletzt gesehen", "ends_at": "Gilt bis {clock}.", "minutes": "vor {n} min", "call": "{"}
    entries = "\n\n".join(f'msgid "page.{name}"\nmsgstr "{text}"' for name, text in texts.items())
    (tmp_path / "de.po").write_text(head + entries + "\n", encoding="utf-8")
    said = words.worded(catalogue.Catalogue(tmp_path))["de"]
    assert (said["where"], said["minutes"]) == ("Zuletzt gesehen", "vor {n} min")
    assert said["ends_at"] == "This link works until {time}.", "a wrong field is left out, and nothing breaks"
    assert said["call"] == "Call for help"
    assert said["open_map"] == "Open in a map"
