"""`amaan error-codes` and `amaan states`: what the contract's words mean, written from the code that uses them."""

from pathlib import Path

import click

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command("error-codes")
@click.argument("file", type=_FILE)
def error_codes(file: Path) -> None:
    """Write every stable code of a problem, its status and when it comes, to FILE."""
    from api.contract import codes

    file.write_text(codes.table(), encoding="utf-8")


@click.command()
@click.argument("file", type=_FILE)
def states(file: Path) -> None:
    """Write what each state of the contract means to FILE."""
    from api.contract import states as words

    file.write_text(words.tables(), encoding="utf-8")
