"""`amaan settings`: the table of settings, made from `runtime/settings.py`, and the place in README.md that shows it."""

from pathlib import Path

import click
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from runtime.settings import Settings, variable_of

BEGIN = "<!-- settings: written by `make readme` -->"
END = "<!-- /settings -->"


def _default(name: str, field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, Path) and value.is_absolute():
        value = value.name  # of the checkout, wherever that is
    return f"`{value}`" if value != "" else ""


def table() -> str:
    """The settings as a Markdown table: variable, what it is, default."""
    rows = [
        f"| `{variable_of(name)}` | {' '.join((field.description or '').split())} | {_default(name, field)} |"
        for name, field in Settings.model_fields.items()
    ]
    return "\n".join(["| variable | what it is | default |", "| --- | --- | --- |", *rows])


def with_table(text: str) -> str:
    """A README with the table as it must be between its two marks; raises ValueError without them."""
    before, _, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise ValueError(f"the marks {BEGIN} and {END} are missing")
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


@click.command()
@click.option("--write", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Put it into this file.")
def settings(write: Path | None) -> None:
    """Show every setting as a table."""
    if write is None:
        click.echo(table())
    else:
        write.write_text(with_table(write.read_text()))
