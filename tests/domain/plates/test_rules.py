"""Plates as text: one form however they are written, what is mistaken for what, shapes as data, and the vote."""

import pytest

from domain.plates import rules
from domain.plates.countries import ANY, BRAZIL, COUNTRIES, PAKISTAN, Country, Format, country
from domain.plates.rules import Char


def read(text: str, score: float = 0.95) -> list[Char]:
    return [Char(sign, score) for sign in text]


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("LEA-19 4052", "LEA194052"), ("lea.4052", "LEA4052"), (" riz 3725 ", "RIZ3725"), ("لاہور LEA ۱۲۳", "LEA123"),
        ("ＬＥＡ－１２３", "LEA123"), ("LEA①23", "LEA123"), ("", ""), ("—", ""), ("Ä1", "A1"), ("𝟙𝟚", "12"),
    ],
)  # fmt: skip
def test_one_form_however_it_is_written(written: str, plain: str) -> None:
    assert rules.canonical(written) == plain


@pytest.mark.parametrize(
    ("one", "other", "folds", "blurs"),
    [
        ("LEA 1O0", "LEAI00", True, True), ("BFK 219", "8FK 2I9", False, True), ("MNE 6762", "MNE 67G2", False, True),
        ("SGZ 52", "56Z S2", False, True), ("LEA 123", "LEB 123", False, False), ("D0Q", "0OD", False, True),
    ],
)  # fmt: skip
def test_what_is_mistaken_for_what(one: str, other: str, folds: bool, blurs: bool) -> None:
    assert (rules.fold(one) == rules.fold(other)) is folds
    assert (rules.blur(one) == rules.blur(other)) is blurs


@pytest.mark.parametrize(
    ("text", "of", "plate", "area"),
    [
        ("LEA 07 1234", PAKISTAN, "LEA071234", "punjab"),
        ("AAA-001", PAKISTAN, "AAA001", "punjab"),
        ("RIZ 3725", PAKISTAN, "RIZ3725", "punjab"),  # with I: no letter is excluded
        ("OUI 123", PAKISTAN, "OUI123", "punjab"),
        ("AAA OO1", PAKISTAN, "AAA001", "punjab"),
        ("A 1234", PAKISTAN, "A1234", "sindh"),
        ("GS-1234", PAKISTAN, "GS1234", "sindh"),
        ("ABCD 1234", PAKISTAN, "ABCD1234", ""),
        ("SINDH BFK 456", PAKISTAN, "BFK456", "punjab"),
        ("LEA 123 PUNJAB", PAKISTAN, "LEA123", "punjab"),
        ("PUNJA8 LEA 123", PAKISTAN, "LEA123", "punjab"),  # the word is misread, too
        ("ABC 123 ICT-ISLAMABAD", PAKISTAN, "ABC123", "punjab"),
        ("GOVT OF PUNJAB GAA 123", PAKISTAN, "GAA123", "punjab"),
        ("PAKISTAN BCK 12 ISLAMABAD", PAKISTAN, "BCK12", "punjab"),
        ("ICT 123", PAKISTAN, "ICT123", "punjab"),  # no word beside a number, but its letters
        ("PKA 123", PAKISTAN, "PKA123", "punjab"),
        ("SINDH", PAKISTAN, "SINDH", None),
        ("39 CC 39", PAKISTAN, "39CC39", None),  # fits nothing: stays as it was read
        ("0DB2Q43", BRAZIL, "ODB2Q43", ""),
        ("AYO9O34", BRAZIL, "AYO9O34", ""),  # both of its shapes are possible: nothing is set right
        ("M5XSX", ANY, "M5XSX", None),
    ],
)
def test_a_reading_in_its_countrys_shape(text: str, of: Country, plate: str, area: str | None) -> None:
    found = rules.fit(text, of)
    assert found.text == plate
    assert (found.format.area if found.format else None) == area


def test_the_signs_of_a_word_beside_the_number_are_not_of_the_plate() -> None:
    chars = [Char(sign, 0.5 if sign.isdigit() else 0.9) for sign in "PUNJABLEA123"]
    assert rules.bare(chars, PAKISTAN) == tuple(chars[6:])
    assert rules.bare(chars, ANY) == tuple(chars)
    odd = [Char("·", 0.9), *chars]  # no sign of a plate: left to whoever compares
    assert rules.bare(odd, PAKISTAN) == tuple(odd)


@pytest.mark.parametrize(
    "shape", [each for of in COUNTRIES.values() for each in of.formats], ids=lambda each: each.code
)
def test_every_formats_example_has_its_shape_and_says_where_it_was_said(shape: Format) -> None:
    alone = Country("xx", (shape,))
    assert rules.fit(shape.example, alone).format is shape, shape.code
    assert shape.source


def test_a_country_that_is_not_in_the_table_refuses_nothing() -> None:
    assert country("zz") is ANY
    assert country("PK") is PAKISTAN


@pytest.mark.parametrize(
    ("reading", "listed", "score"),
    [
        (read("LEAI94O52"), "LEA-19 4052", 1.0),
        (read("LE4194052"), "LEA-19 4052", 0.983),
        ([*read("LE"), Char("B", 0.4), *read("194052")], "LEA-19 4052", 0.944),
        (read("LEB194052"), "LEA-19 4052", None),  # read surely: another car
        (read("LEA19405"), "LEA-19 4052", None),
        (read("LE41940S2"), "LEA-19 4052", 0.967),
        (read("XYZ111"), "LEA-19 4052", None),
        ([], "LEA-19 4052", None),
    ],
)
def test_how_near_a_reading_is_to_a_listed_plate(reading: list[Char], listed: str, score: float | None) -> None:
    found = rules.match(reading, listed)
    assert (found.score if found else None) == score
    if found:  # and an index finds it
        assert rules.keys(rules.written(reading)) & rules.keys(listed)


def test_the_vote_takes_what_most_believe_sign_by_sign() -> None:
    assert rules.written(rules.vote([read("LEA123", 0.9), read("LEB123", 0.5), read("LEA1234", 0.6)])) == "LEA123"
    voted = rules.vote([read("LEA123", 0.9), read("LEB123", 0.6)])
    assert voted[2].score < voted[0].score, "a sign that they do not agree on is less sure"
    assert rules.vote([]) == ()
    assert rules.vote([[], read("AB12")])[0].text == "A"
    # O and 0 are one sign while votes are counted: two halves of one belief do not lose to a third reading.
    assert rules.fold(rules.written(rules.vote([read("AO1", 0.5), read("A01", 0.5), read("AX1", 0.7)]))) == "A01"
