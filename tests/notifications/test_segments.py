"""Counting an SMS, against the standard's table and against vectors that others made."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.render.segments import BASIC, EXTENSION, count, encoding_of, split

SPECS = Path(__file__).parents[3] / "shared" / "specs" / "gsm"
needs_specs = pytest.mark.skipif(not SPECS.is_dir(), reason="../shared/specs/gsm is not there")


@pytest.mark.parametrize(
    ("text", "encoding", "units", "segments"),
    [
        ("", "gsm7", 0, 1),
        ("a" * 160, "gsm7", 160, 1),
        ("a" * 161, "gsm7", 161, 2),
        ("a" * 306, "gsm7", 306, 2),
        ("a" * 307, "gsm7", 307, 3),
        ("€" * 80, "gsm7", 160, 1),
        ("€" * 81, "gsm7", 162, 2),
        ("€" * 152, "gsm7", 304, 2),  # an escape and its letter stay together: 76 of them in 153 septets
        ("€" * 153, "gsm7", 306, 3),
        ("a" * 152 + "€" + "a" * 152, "gsm7", 306, 3),
        ("a" * 151 + "€" + "a" * 153, "gsm7", 306, 2),
        ("ا" * 70, "ucs2", 70, 1),
        ("ا" * 71, "ucs2", 71, 2),
        ("ا" * 134, "ucs2", 134, 2),
        ("ا" * 135, "ucs2", 135, 3),
        ("😀" * 35, "ucs2", 70, 1),
        ("😀" * 66, "ucs2", 132, 2),  # a surrogate pair stays together: 33 of them in 67 units
        ("😀" * 67, "ucs2", 134, 3),
        ("Hello `there`", "ucs2", 13, 1),  # a backtick is not in the alphabet
        ("Line one\nLine two", "gsm7", 17, 1),
        ("\x1b", "ucs2", 1, 1),  # the escape is no character of its own
        ("ç", "ucs2", 1, 1),
        ("Ç", "gsm7", 1, 1),
    ],
)
def test_what_a_text_costs(text: str, encoding: str, units: int, segments: int) -> None:
    counted = count(text)
    assert (counted.encoding, counted.units, counted.segments) == (encoding, units, segments)


@given(st.text(alphabet=st.sampled_from("aB1 €^{}[]~\\|@ÄΩاب😀\n"), max_size=400))
def test_segments_are_the_text_and_none_is_too_long(text: str) -> None:
    parts = split(text)
    assert "".join(parts) == text
    encoding = encoding_of(text)
    room = {"gsm7": (160, 153), "ucs2": (70, 67)}[encoding][len(parts) > 1]
    sizes = [
        sum(2 if letter in EXTENSION else 1 for letter in part)
        if encoding == "gsm7"
        else len(part.encode("utf-16-be")) // 2
        for part in parts
    ]
    assert all(size <= room for size in sizes)
    assert all(size >= room - 1 for size in sizes[:-1])


def test_the_default_alphabet_has_128_places() -> None:
    assert len(BASIC) == len(set(BASIC)) == 128


@needs_specs
def test_the_alphabet_is_the_standards() -> None:
    basic, extension = {}, {}
    for line in (SPECS / "GSM0338.TXT").read_text(encoding="utf-8", errors="replace").splitlines():
        if line.startswith("0x"):
            code, letter = line.split("\t")[:2]
            value = int(code, 16)
            if value > 0xFF:
                extension[chr(int(letter, 16))] = value & 0xFF
            else:
                basic[value] = chr(int(letter, 16))
    # The table maps the bare escape to a space and 0x09 to the small cedilla; TS 23.038 itself draws the capital there,
    # which is what carriers' encoders take.
    assert {code: letter for code, letter in basic.items() if code not in (0x1B, 0x09)} == {
        code: letter for code, letter in enumerate(BASIC) if code not in (0x1B, 0x09)
    }
    assert extension == EXTENSION


def _vectors(kind: str) -> list[dict[str, Any]]:
    if not SPECS.is_dir():
        return []
    lines = (SPECS / "sms_pdu_vectors.jsonl").read_text(encoding="utf-8").splitlines()
    return [vector for line in lines if line and (vector := json.loads(line))["kind"] == kind]


@needs_specs
def test_segment_limits_are_those_of_the_vectors() -> None:
    letters = {"gsm7": "a", "ucs2": "ب", "gsm7-ext(2 septets each)": "€"}
    vectors = _vectors("segments")
    assert vectors
    wrong = [
        each for each in vectors if count(letters[each["alphabet"]] * int(each["chars"])).segments != each["segments"]
    ]
    assert wrong == []


@needs_specs
def test_real_messages_are_spelled_with_our_alphabet() -> None:
    """Unpacks the septets of messages that real phones received, with our table."""
    checked = 0
    for vector in _vectors("deliver"):
        data = bytes.fromhex(vector["pdu"])
        at = 1 + data[0]  # the service centre
        first = data[at]
        digits = data[at + 1]
        at += 3 + (digits + 1) // 2
        coding, length = data[at + 1], data[at + 9]
        body = data[at + 10 :]
        if first & 0x40 or coding & 0x0C:  # joined, or not in the 7-bit alphabet
            continue
        bits = int.from_bytes(body, "little")
        septets = [(bits >> 7 * place) & 0x7F for place in range(length)]
        back = {code: letter for letter, code in EXTENSION.items()}
        text, escaped = "", False
        for septet in septets:
            text += back[septet] if escaped else "" if septet == 0x1B else BASIC[septet]
            escaped = septet == 0x1B
        assert text == vector["text"]
        checked += 1
    assert checked
