"""What is committed: text of ours, no path of one machine, no address of a package registry, no binary."""

import re
import subprocess
from functools import lru_cache
from pathlib import Path

import pytest

from tests.invariants.sources import ROOT

# Label by label, so that this file does not hold what it forbids.
HOSTS = [
    ".".join(labels)
    for labels in (
        ("pypi", "org"),
        ("files", "pythonhosted", "org"),
        ("registry", "npmjs", "org"),
        ("repo", "maven", "apache", "org"),
        ("repo1", "maven", "org"),
        ("deb", "debian", "org"),
        ("security", "debian", "org"),
    )
]
REGISTRY = re.compile("|".join(re.escape(host) for host in HOSTS).encode())
MACHINE = re.compile(rb"(?<![\w.])/(work|home/[a-z]+|root|Users/[a-z]+)/[\w.-]+")
MOST_BYTES = 1_000_000
MAY_BE_LARGE = {"mobile-contract/openapi.json": 3_000_000}
"""The contract is one file, so that a phone's client is made from it; each route adds some kilobytes."""


@lru_cache(maxsize=1)
def committed() -> tuple[Path, ...]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    files = (ROOT / name for name in listed.stdout.decode().split("\0") if name)
    return tuple(file for file in files if file.is_file())


def names(files: list[Path]) -> list[str]:
    return [file.relative_to(ROOT).as_posix() for file in files]


def test_no_path_of_one_machine() -> None:
    wrong = [file for file in committed() if MACHINE.search(file.read_bytes())]
    assert not wrong, f"name files from the root of the project: {names(wrong)}"


def test_no_address_of_a_package_registry() -> None:
    wrong = [file for file in committed() if REGISTRY.search(file.read_bytes())]
    assert not wrong, f"name packages, not where one machine gets them: {names(wrong)}"


def test_no_binary_and_nothing_large() -> None:
    binary = [file for file in committed() if b"\0" in file.read_bytes()[:8192]]
    assert not binary, f"make it with a script instead of committing it: {names(binary)}"
    most = {ROOT / name: size for name, size in MAY_BE_LARGE.items()}
    large = [file for file in committed() if file.stat().st_size > most.get(file, MOST_BYTES)]
    assert not large, f"over a megabyte: {names(large)}"


def test_the_requirements_are_hashed_and_the_small_list_is_part_of_the_large_one() -> None:
    pinned = {}
    for name in ("requirements.txt", "requirements-vision.txt"):
        text = (ROOT / name).read_text()
        blocks = re.findall(r"^([A-Za-z0-9._-]+==\S+)((?: \\\n    --hash=sha256:[0-9a-f]{64})+)", text, re.MULTILINE)
        pinned[name] = {pin for pin, _ in blocks}
        assert len(pinned[name]) == len(re.findall(r"^[A-Za-z0-9]", text, re.MULTILINE)), f"{name}: a pin without hash"
    extra = pinned["requirements.txt"] - pinned["requirements-vision.txt"]
    assert not extra, f"run `make lock`: {sorted(extra)} is not what the vision worker has"
