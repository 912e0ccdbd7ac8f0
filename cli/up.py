"""`amaan up`: the whole city on this machine, until Ctrl-C."""

import signal
from pathlib import Path
from types import FrameType

import click
from rich.console import Console

from cli.stack import CannotStart, Stack

DEFAULT_VAR = Path("var")


@click.command()
@click.option(
    "--var", type=click.Path(path_type=Path, file_okay=False), default=DEFAULT_VAR, help="Where its data lies."
)
@click.option("--pilot", is_flag=True, help="Use the embedded document server although real carriers are configured.")
def up(var: Path, pilot: bool) -> None:
    """Start everything and keep it running: servers, API, workers, local carriers. Ctrl-C stops it."""
    console = Console()
    stack = Stack(var, pilot=pilot)

    def end(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, end)
    try:
        stack.start(lambda line: console.print(f"[dim]{line} …[/dim]"))
    except CannotStart as error:
        raise click.ClickException(str(error)) from None
    _announce(console, stack)
    try:
        stack.wait()
    except KeyboardInterrupt:
        console.print("stopping …")
    finally:
        stack.stop()


def _announce(console: Console, stack: Stack) -> None:
    console.print(f"API            {stack.address('api')}/v1")
    console.print(f"documentation  {stack.address('api')}/docs")
    console.print(f"event streams  {stack.address('streams')}/v1")
    if not stack.real_carriers:
        console.print(f"phones         {stack.address('carriers')}/phones")
    console.print(f"data and logs  {stack.var}")
    console.print("Ctrl-C stops everything.")


@click.command()
@click.option(
    "--var", type=click.Path(path_type=Path, file_okay=False), default=DEFAULT_VAR, help="Where its data lies."
)
def down(var: Path) -> None:
    """Stop what `amaan up` left running on a folder, if anything."""
    stack = Stack(var)
    if stack.is_running():
        stack.stop()
