"""`amaan openapi`: the contract written from the code, byte for byte the same each time."""

from pathlib import Path

import click


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def openapi(file: Path) -> None:
    """Write the OpenAPI document to FILE. Needs no server."""
    from api.contract import document
    from app import create_app

    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(document.text(create_app(document.settings_for_writing())), encoding="utf-8")
