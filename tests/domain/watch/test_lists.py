"""Lists of people as somebody made them in a spreadsheet: what can be read is read, the rest is named by its line."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.watch import lists
from domain.watch.lists import Problem

ONE, TWO = "+923001234567", "+923217654321"


@pytest.mark.parametrize(
    ("text", "phones", "bad"),
    [
        ("0300 1234567\n0321-7654321\n", (ONE, TWO), ()),
        ("name,phone\nDua,03001234567\nBilal,03217654321", (ONE, TWO), ()),
        ("\ufeffPhone;Name\r\n0300 1234567;Dua\r\n", (ONE,), ()),
        ("نام\tفون\nدعا\t۰۳۰۰۱۲۳۴۵۶۷", (ONE,), ()),
        ("Dua,0300\u200b1234567", (ONE,), ()),
        ('"Khan, Dua",03001234567', (ONE,), ()),
        ("name,phone\nDua\n", (), ((2, Problem.NO_PHONE),)),
        ("name,phone\nDua,12\nBilal,03001234567\nAgain,+92 300 1234567", (ONE,),
         ((2, Problem.BAD_PHONE), (4, Problem.TWICE))),
        ('name,phone\n"never closed,03001234567\nDua,03001234567', (ONE,), ((2, Problem.NO_PHONE),)),
        ("\n\n\n", (), ()),
        ("x" * 5000, (), ((1, Problem.NO_PHONE),)),
    ],
)  # fmt: skip
def test_a_list_in_csv(text: str, phones: tuple[str, ...], bad: tuple[tuple[int, Problem], ...]) -> None:
    read = lists.from_csv(text)
    assert (read.phones, read.bad) == (phones, bad)


def test_a_list_is_bounded() -> None:
    read = lists.from_rows([f"0300{number:07d}" for number in range(1_000_000, 1_000_250)])
    assert len(read.phones) == lists.MOST_ROWS
    assert {problem for _, problem in read.bad} == {Problem.TOO_MANY}
    assert read.bad[0][0] == lists.MOST_ROWS + 1


@settings(max_examples=60, deadline=None)
@given(st.one_of(st.text(max_size=400), st.lists(st.text(max_size=30), max_size=8).map("\n".join)))
def test_no_text_breaks_it_and_every_number_is_one(text: str) -> None:
    read = lists.from_csv(text)
    assert all(phone.startswith("+") and phone[1:].isdigit() for phone in read.phones)
    assert all(line >= 1 for line, _ in read.bad)


def _nested(inner: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["phone", "x"]), inner)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.recursive(st.none() | st.integers() | st.text(max_size=20), _nested), max_size=8))
def test_no_row_breaks_it(rows: list[object]) -> None:
    read = lists.from_rows(rows)
    assert len(read.phones) + len(read.bad) == len(rows)
