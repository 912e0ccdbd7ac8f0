"""The product's own files, parsed once, for the rules that are checked on all of them."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("api", "domain", "notifications", "workers", "runtime", "cli", "sandbox", "cities", "bench")
NOT_OURS = {"node_modules", "target", "__pycache__"}


@dataclass(frozen=True)
class Source:
    """One Python file: its path from the root of the project, and its syntax tree."""

    path: str

    @cached_property
    def text(self) -> str:
        return (ROOT / self.path).read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, self.path)

    @property
    def module(self) -> str:
        """The dotted name."""
        return self.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    def imports(self) -> Iterator[tuple[int, str]]:
        """(line, dotted module) of everything that is imported, inside functions too."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from ((node.lineno, name.name) for name in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield from ((node.lineno, f"{node.module}.{name.name}") for name in node.names)

    def calls(self) -> Iterator[ast.Call]:
        """Every call."""
        return (node for node in ast.walk(self.tree) if isinstance(node, ast.Call))


@lru_cache(maxsize=1)
def product() -> tuple[Source, ...]:
    """Every Python file of the product, tests left out."""
    return (Source("app.py"), *_below(PACKAGES))


@lru_cache(maxsize=1)
def everything() -> tuple[Source, ...]:
    """Every Python file of the project."""
    return (Source("app.py"), *_below((*PACKAGES, "tests")))


def _below(folders: tuple[str, ...]) -> Iterator[Source]:
    for folder in folders:
        for file in sorted((ROOT / folder).rglob("*.py")):
            path = file.relative_to(ROOT)
            if not NOT_OURS & set(path.parts):
                yield Source(path.as_posix())


def dotted(node: ast.AST) -> str:
    """`a.b.c` of an attribute or a name; empty for anything else."""
    if isinstance(node, ast.Attribute):
        before = dotted(node.value)
        return f"{before}.{node.attr}" if before else ""
    return node.id if isinstance(node, ast.Name) else ""
