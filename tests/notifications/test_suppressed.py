"""Why something was not sent on purpose is one of the words that say when, wherever it is decided."""

import ast
import inspect
import textwrap
from collections.abc import Iterator

import pytest

from domain.deliveries.states import Suppressed
from domain.incidents.states import ASKED, AssignmentStatus
from notifications.content import CONTENT

WORDS = {str(word) for word in Suppressed}


def words_of(node: ast.expr | None) -> Iterator[str]:
    """The texts that a returned expression may be."""
    if isinstance(node, ast.IfExp):
        yield from words_of(node.body)
        yield from words_of(node.orelse)
    elif isinstance(node, ast.JoinedStr):
        prefix = node.values[0]
        assert isinstance(prefix, ast.Constant), "begin with a text"
        assert isinstance(prefix.value, str), "begin with a text"
        yield from (f"{prefix.value}{status}" for status in AssignmentStatus if status not in ASKED)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "str":
        yield from words_of(node.args[0])
    elif isinstance(node, ast.Attribute):
        yield str(Suppressed[node.attr])
    else:
        raise AssertionError(f"return a word of Suppressed, not {ast.dump(node) if node else None}")


@pytest.mark.parametrize("purpose", sorted(CONTENT))
def test_every_reason_is_a_word_that_says_when(purpose: str) -> None:
    (function,) = ast.parse(textwrap.dedent(inspect.getsource(CONTENT[purpose].overtaken))).body
    returned = [word for node in ast.walk(function) if isinstance(node, ast.Return) for word in words_of(node.value)]
    unknown = sorted({*returned} - WORDS - {""})
    assert not unknown, f"{unknown}: give it a member of domain/deliveries/states.py: Suppressed, with its sentence"
