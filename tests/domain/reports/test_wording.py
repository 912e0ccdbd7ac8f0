"""What a human reads before neighbours do, however it is disguised; what is left alone; and that no text breaks it."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.reports import wording
from domain.reports.plain import folded, words
from domain.reports.states import Nudge


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("Those kafirs must go", ["hate"]),
        ("k\u200ba\u200bf\u200bi\u200br", ["hate"]),
        ("kаfіr", ["hate"]),  # Cyrillic а and і
        ("ΚΑFΙR", ["hate"]),  # Greek capitals
        ("k4f1r", ["hate"]),
        ("k@f!r", ["hate"]),
        ("K A F I R", ["hate"]),
        ("k.a.f.i.r", ["hate"]),
        ("kaaaafiiiir", ["hate"]),
        ("𝓴𝓪𝓯𝓲𝓻", ["hate"]),
        ("ｋａｆｉｒ", ["hate"]),
        ("ka\u0301fir", ["hate"]),
        ("\u202erifak\u202c kafir", ["hate"]),
        ("یہ کافر ہیں", ["hate"]),
        ("یہ كافر ہیں", ["hate"]),  # Arabic kaf
        ("یہ کـــافر ہیں", ["hate"]),  # tatweel
        ("یہ ک\u200cا\u200cفِر ہیں", ["hate"]),
        ("In ko goli maar do", ["incitement"]),
        ("K1ll th3m all", ["incitement"]),
        ("انہیں مارو", ["incitement"]),
        ("He lives at number 12", ["doxxing"]),
        ("uska ghar ka pata: gali 4", ["doxxing"]),
        ("اس کا نام سب جانتے ہیں", ["doxxing"]),
        ("A little girl of the school", ["minors"]),
        ("saat saal ki bachi", ["minors"]),
        ("نابالغ لڑکا", ["minors"]),
        ("LEB 1234", ["plate_number"]),
        ("L\u200bEB-12 34", ["plate_number"]),
        ("LЕВ ۱۲۳۴", ["plate_number"]),  # Cyrillic Е and В, Urdu digits
        ("leb 1234", ["plate_number"]),
        ("0300 1234567", ["phone_number"]),
        ("+92 300 123 4567", ["phone_number"]),
        ("۰۳۰۰۱۲۳۴۵۶۷", ["phone_number"]),
        ("35202-1234567-1", ["identity_number"]),
        ("write to me@example.org", ["email_address"]),
    ],
)
def test_a_disguise_hides_nothing(text: str, codes: list[str]) -> None:
    assert set(codes) <= set(wording.held_for(text))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Smoke from a roof near the mosque.",
        "Two men on a motorcycle snatched a bag and drove off to the canal.",
        "Gas ki boo aa rahi hai, gali 4 mein",
        "بجلی کی تار لٹک رہی ہے",
        "پڑوسیوں نے شور کی شکایت کی ہے",
        "A street light is out since 3 days, pole 17",
        "Water stands 40 cm deep on the road at 18:30",
        "The killer whale film was loud",
        "Somebody fell, 1122 was called",
        "Traffic is bad at 1730",
        "Hanging wires over the pavement",
    ],
)
def test_what_says_what_happens_is_left_alone(text: str) -> None:
    assert wording.held_for(text) == []


def test_of_a_report_about_a_child_every_word_is_read_first() -> None:
    assert wording.held_for("Lost at the park", minors=True) == ["minors"]
    assert wording.held_for("", minors=True) == []


LOOK = {"part": "clothes", "text": "a red shirt"}


@pytest.mark.parametrize(
    ("note", "looks", "needed", "expected"),
    [
        ("", [], 3, []),
        ("He broke the window of a shop.", [], 3, []),
        ("", [LOOK], 3, [Nudge.BEHAVIOUR_FIRST, Nudge.MORE_DESCRIPTORS]),
        ("He broke the window of a shop.", [LOOK], 3, [Nudge.MORE_DESCRIPTORS]),
        ("He broke the window of a shop.", [LOOK], 0, [Nudge.LOOKS_NOT_SHOWN]),
        ("A tall man with a beard", [], 3, [Nudge.BEHAVIOUR_FIRST, Nudge.LOOKS_APART]),
        ("ایک پٹھان کھڑا ہے اور گاڑیاں دیکھ رہا ہے", [], 3, [Nudge.ORIGIN_IS_NO_DESCRIPTION]),
        ("He broke the window.", [{"part": "mark", "text": "Afghan"}], 1,
         [Nudge.MORE_DESCRIPTORS, Nudge.ORIGIN_IS_NO_DESCRIPTION]),
    ],
)  # fmt: skip
def test_behaviour_before_looks(note: str, looks: list[dict[str, str]], needed: int, expected: list[Nudge]) -> None:
    assert wording.nudges(note, looks, needed=needed) == expected


def test_looks_are_shown_once_there_are_enough_and_something_was_done() -> None:
    three = [{"part": part, "text": "dark blue"} for part in ("clothes", "shoes", "carries")]
    done = "He climbed over the wall of the school."
    assert wording.shows_looks(done, three, needed=3)
    assert not wording.shows_looks("", three, needed=3)
    assert not wording.shows_looks(done, three, needed=4)
    assert not wording.shows_looks(done, three, needed=0)
    same = [{"part": "clothes", "text": "dark blue"}] * 3
    assert not wording.shows_looks(done, same, needed=3)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=300), st.sampled_from(["kafir", "کافر", "goli maar do"]))
def test_any_text_is_read_and_what_stands_in_it_is_found(noise: str, word: str) -> None:
    assert set(wording.held_for(noise)) <= {
        *wording.HOLDS,
        "phone_number",
        "identity_number",
        "plate_number",
        "email_address",
    }
    assert words(noise).startswith(" ")
    assert not [letter for letter in folded(noise) if unicodedata.category(letter) in ("Cf", "Mn", "Cc")]
    hidden = "\u200b".join(word)
    assert {"hate", "incitement"} & set(wording.held_for(f"x\n\n{hidden}\n\ny"))
