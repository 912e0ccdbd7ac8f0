"""What the commands that keep data share: settings, a connection, and their line on the audit chain."""

import subprocess
import sys
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import wraps
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from domain.audit import chain
from domain.clock import utc_now
from domain.errors import DomainError
from runtime import mongo
from runtime.settings import Settings, environment, load

ACTOR = "system:cli"


def connected(var: Path = Path("var")) -> Settings:
    """Settings and an open connection; those of the city that `amaan up` runs here where the environment has none."""
    if "AMAAN_SECRET" not in environment() and (var / "stack.json").exists():
        from cli.stack import Stack

        command = [sys.executable, "-m", "cli", *sys.argv[1:]]
        raise SystemExit(subprocess.run(command, env=Stack(var).env, check=False).returncode)
    settings = load()
    mongo.connect(settings)
    return settings


def audited(city: str, action: str, subject: str, reason: str, now: datetime | None = None) -> None:
    """Put what is about to be done on the city's chain."""
    chain.append(city, ACTOR, action, subject, now=now or utc_now(), reason=reason)


def told(command: Callable[..., None]) -> Callable[..., None]:
    """What the domain refuses, as one line instead of a trace."""

    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> None:
        try:
            command(*args, **kwargs)
        except DomainError as error:
            fields = "; ".join(f"{name}: {', '.join(texts)}" for name, texts in error.data.get("errors", {}).items())
            raise click.ClickException(
                f"{error.detail or error.error_code}{f' ({fields})' if fields else ''}"
            ) from None
        except mongo.STORE_DOWN:
            raise click.ClickException("the document server does not answer (MONGODB_URL)") from None

    return run


def show(columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> None:
    """A table on the terminal; plain lines with tabs where the output is piped."""
    console = Console()
    if not console.is_terminal:
        for row in rows:
            click.echo("\t".join(str(cell) for cell in row))
        return
    table = Table(*columns, box=None, header_style="bold", pad_edge=False)
    for row in rows:
        table.add_row(*(str(cell) for cell in row))
    console.print(table)
