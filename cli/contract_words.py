"""`amaan error-codes`, `amaan states` and `amaan messages`: what the contract's words mean and what phones are sent, written
from the code that uses them.
"""

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


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False, exists=True))
def messages(folder: Path) -> None:
    """Write each SMS with its segments, and an example of each push, into FOLDER (`sms/`, `push/examples/`)."""
    from notifications.render import listing

    (folder / "sms").mkdir(exist_ok=True)
    (folder / "sms" / "texts.md").write_text(listing.sms_texts(), encoding="utf-8")
    examples = folder / "push" / "examples"
    examples.mkdir(parents=True, exist_ok=True)
    made = listing.push_examples()
    for old in examples.glob("*.json"):
        if old.stem not in made:
            old.unlink()
    for kind, text in made.items():
        (examples / f"{kind}.json").write_text(text, encoding="utf-8")
