"""What every file of ours keeps to. A failure names the place and says how to mend it."""

import ast

from runtime.logging import PRIVATE
from tests.invariants.sources import Source, dotted, everything, product

VAGUE = {"utils", "util", "helpers", "helper", "manager", "managers", "base", "misc", "common", "stuff"}


def test_every_file_says_why_it_exists() -> None:
    silent = [source.path for source in everything() if source.text.strip() and not ast.get_docstring(source.tree)]
    assert not silent, f"open these files with a docstring of why they exist: {silent}"


def test_a_files_name_says_what_is_in_it() -> None:
    vague = [source.path for source in everything() if VAGUE & set(source.module.split("."))]
    assert not vague, f"name these files after the one thing that they hold: {vague}"


def test_every_member_of_an_enum_says_when_it_applies() -> None:
    silent = [
        f"{source.path}:{member.lineno} {node.name}.{dotted(member.targets[0])}"
        for source in product()
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ClassDef) and "StrEnum" in {dotted(base).split(".")[-1] for base in node.bases}
        for member, after in zip(node.body, [*node.body[1:], None], strict=True)
        if isinstance(member, ast.Assign) and not _is_docstring(after)
    ]
    assert not silent, f"put a sentence in three quotes under each of these members: {silent}"


def _is_docstring(node: ast.stmt | None) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def test_public_functions_of_the_domain_say_what_they_do() -> None:
    silent = [
        f"{source.path}:{node.lineno} {node.name}"
        for source in product()
        if source.path.startswith(("domain/", "notifications/", "runtime/", "workers/"))
        for node in source.tree.body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_") and not ast.get_docstring(node)
    ]
    assert not silent, f"give these functions a docstring (shapes, units, errors, source of a formula): {silent}"


LOGGERS = {"debug", "info", "warning", "error", "exception", "critical", "bind"}


def _log_calls(source: Source) -> list[ast.Call]:
    return [
        call
        for call in source.calls()
        if isinstance(call.func, ast.Attribute)
        and call.func.attr in LOGGERS
        and dotted(call.func.value).split(".")[-1] in {"log", "logger", "_log", "_logger"}
    ]


def test_no_log_line_has_a_private_field() -> None:
    private = [
        f"{source.path}:{call.lineno} {keyword.arg}"
        for source in product()
        for call in _log_calls(source)
        for keyword in call.keywords
        if keyword.arg in PRIVATE
    ]
    assert not private, f"log ids, never a number, a place, a PIN, a token or a text: {private}"


def test_a_log_line_is_a_constant_name_with_fields() -> None:
    """A text that is put together may hold what nobody may log, and cannot be counted."""
    made = [
        f"{source.path}:{call.lineno}"
        for source in product()
        for call in _log_calls(source)
        if call.args and not isinstance(call.args[0], ast.Constant)
    ]
    assert not made, f"name the event with a constant and pass ids as fields: {made}"


CLOCK = {"datetime.now", "datetime.utcnow", "datetime.datetime.now", "time.time", "date.today", "datetime.date.today"}


def test_the_domain_is_given_the_time() -> None:
    asked = [
        f"{source.path}:{call.lineno} {dotted(call.func)}"
        for source in product()
        if source.path.startswith("domain/") and source.path != "domain/clock.py"
        for call in source.calls()
        if dotted(call.func) in CLOCK
    ]
    assert not asked, f"take `now` as an argument; only domain/clock.py asks the clock: {asked}"
