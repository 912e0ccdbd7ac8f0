"""The table of error codes, read out of the code itself: nobody has to remember to add one.

A code comes from a class of `DomainError`, from one place that raises with `code=`, from a `TusError`, or from the
table of what HTTP itself refuses. The code is parsed, not run, so that what only raises in a corner is there too.
"""

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from pathlib import Path
from typing import Final

from api.errors import HTTP_CODES, STATUS

ROOT: Final = Path(__file__).resolve().parents[2]
FOLDERS: Final = ("domain", "runtime", "api")
HEADING: Final = """# Error codes

Written by `make openapi`; do not edit. Every error under `/v1` is `application/problem+json` (RFC 9457) with one of
these in `code`. They are stable: a phone decides by the code, shows its own words, and treats a code that it does not
know by the status alone. `detail` is English for developers; `request_id` finds the request in our log.

| code | status | when |
| --- | --- | --- |
"""
_KINDS: Final[Mapping[str, int]] = {kind.__name__: int(status) for kind, status in STATUS.items()}


@dataclass(frozen=True)
class Said:
    """One use of a code: status, and a sentence on when it comes."""

    status: int
    when: str


@dataclass(frozen=True)
class _Class:
    bases: tuple[str, ...]
    code: str
    when: str


def found() -> Mapping[str, Sequence[Said]]:
    """Code → its uses, each status and sentence once."""
    uses: dict[str, list[Said]] = defaultdict(list)
    classes = _classes()
    for name, each in classes.items():
        status = _status(name, classes)
        if status and each.code:
            uses[each.code].append(Said(status, each.when))
    for tree in _trees():
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            for code, said in _raised(call, classes):
                uses[code].append(said)
    for status, code in HTTP_CODES.items():
        if not uses[code]:
            known = HTTPStatus(status)
            uses[code].append(Said(status, known.description or known.phrase))
    return {code: _once(said) for code, said in sorted(uses.items())}


def table() -> str:
    """The table as it is committed."""
    rows = []
    for code, uses in found().items():
        statuses = " / ".join(str(status) for status in sorted({each.status for each in uses}))
        rows.append(f"| `{code}` | {statuses} | {' '.join(_sentence(each.when) for each in uses)} |")
    return HEADING + "\n".join(rows) + "\n"


@lru_cache(maxsize=1)
def _trees() -> tuple[ast.Module, ...]:
    files = (file for folder in FOLDERS for file in sorted((ROOT / folder).rglob("*.py")))
    return tuple(ast.parse(file.read_text(encoding="utf-8")) for file in files if "node_modules" not in file.parts)


def _classes() -> dict[str, _Class]:
    """Every class with its bases, the code that it names, and the first paragraph of its docstring."""
    classes = {}
    for tree in _trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                bases = tuple(_name(base) for base in node.bases)
                first = (ast.get_docstring(node) or "").split("\n\n")[0]
                classes[node.name] = _Class(bases, _code_of(node), " ".join(first.split()))
    return classes


def _code_of(node: ast.ClassDef) -> str:
    for line in node.body:
        targets = (
            line.targets if isinstance(line, ast.Assign) else [line.target] if isinstance(line, ast.AnnAssign) else []
        )
        value = getattr(line, "value", None)
        if [_name(target) for target in targets] == ["code"] and isinstance(value, ast.Constant):
            return str(value.value)
    return ""


def _status(name: str, classes: Mapping[str, _Class]) -> int:
    """The status of a class by the kind that it descends from; 0 for what is no DomainError."""
    if name in _KINDS:
        return _KINDS[name]
    bases = classes[name].bases if name in classes else ()
    return next((status for base in bases if base != name and (status := _status(base, classes))), 0)


def _raised(call: ast.Call, classes: Mapping[str, _Class]) -> Iterator[tuple[str, Said]]:
    name = _name(call.func)
    if name == "TusError":
        status, code, text = (each.value if isinstance(each, ast.Constant) else "" for each in call.args[:3])
        if isinstance(status, int) and code:
            yield str(code), Said(status, _words(call.args[2]) or str(text))
        return
    status = _status(name, classes)
    given = next((each.value for each in call.keywords if each.arg == "code"), None)
    if status and isinstance(given, ast.Constant):
        yield str(given.value), Said(status, _words(call.args[0]) if call.args else "")


def _words(node: ast.expr) -> str:
    """A text as it stands in the code; what is filled in at run time as `…`."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
    return ""


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _once(said: Sequence[Said]) -> Sequence[Said]:
    seen = {(each.status, each.when.casefold()): each for each in reversed(said) if each.when}
    return list(reversed(seen.values())) or said[:1]


def _sentence(text: str) -> str:
    tidy = text.replace("|", "/").replace("`", "'").strip()
    return tidy[:1].upper() + tidy[1:] + ("" if tidy.endswith((".", "!", "?")) else ".")
