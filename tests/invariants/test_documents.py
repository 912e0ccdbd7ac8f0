"""The README and the documents say what is so: commands, files, functions, settings and links are looked up."""

import ast
import re
from pathlib import Path

import pytest

from cli import COMMANDS
from cli.settings import with_table
from runtime.settings import Settings
from tests.invariants.sources import ROOT

DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
IDS = [document.relative_to(ROOT).as_posix() for document in DOCUMENTS]
FILE = re.compile(r"`([a-z.][\w./-]*/[\w.-]+\.(?:py|toml|json|md|svg|java|txt|xml|yml))(?:: ?([\w.]+))?(?:\(\))?`")
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[\w-]*)?\)|src=\"([^\"]+)\"")

pytestmark = pytest.mark.parametrize("document", DOCUMENTS, ids=IDS)


def test_every_make_target_is_in_the_makefile(document: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:`|^\s*)make ([a-z-]+)", document.read_text(), re.MULTILINE))
    assert named <= targets, f"the Makefile has no {sorted(named - targets)}"


def test_every_command_is_there(document: Path) -> None:
    named = set(re.findall(r"(?:`|^\s*)amaan ([a-z]+)", document.read_text(), re.MULTILINE))
    assert named <= set(COMMANDS), f"`amaan` has no {sorted(named - set(COMMANDS))}"


def test_every_file_and_function_is_there(document: Path) -> None:
    gone = []
    for path, name in FILE.findall(document.read_text()):
        file = ROOT / path.removeprefix("./")
        if path.startswith(("../", "var/", ".venv/", "bench/results.")):  # elsewhere, or made by a command
            continue
        if not file.exists() or (name and file.suffix == ".py" and not _defines(file, name)):
            gone.append(f"{path}{': ' + name if name else ''}")
    assert not gone, f"{document.name} names what is not there: {gone}"


def _defines(file: Path, name: str) -> bool:
    """Whether a dotted name (`raise_sos`, `Channel.send`) or a table is defined at the top of a file."""
    here: list[ast.stmt] = ast.parse(file.read_text()).body
    for part in name.split("."):
        found = next((node for node in here if part in _names(node)), None)
        if found is None:
            return False
        here = getattr(found, "body", [])
    return True


def _names(node: ast.stmt) -> set[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {node.name}
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return {target.id for target in targets if isinstance(target, ast.Name)}


def test_every_link_leads_somewhere(document: Path) -> None:
    broken = [
        target
        for found in LINK.findall(document.read_text())
        if not re.match(r"[a-z]+:", target := found[0] or found[1]) and not (document.parent / target).exists()
    ]
    assert not broken, f"{document.name} links to {broken}"


def test_the_table_of_settings_is_the_code(document: Path) -> None:
    if document.name != "README.md":
        pytest.skip("only the README has it")
    text = document.read_text()
    assert with_table(text) == text, "the settings have changed: run `make readme`"
    silent = [name for name, field in Settings.model_fields.items() if not field.description]
    assert not silent, f"say under each of these in runtime/settings.py what it is: {silent}"
