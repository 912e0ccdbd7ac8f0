"""`amaan vault`: master keys of the helpline's vault. Keep them where the database's backups are not."""

import base64
import secrets

import click

from cli.store import connected, told
from domain.clock import utc_now
from runtime.vault import vault as vault_of


@click.group()
def vault() -> None:
    """The vault's master keys: make one, wrap what older ones wrapped."""


@vault.command("key")
@click.argument("name")
def key(name: str) -> None:
    """Print a new master key for AMAAN_VAULT_KEYS. Put it first; leave the older ones behind it until `rotate` is done."""
    if not name.isalnum():
        raise click.BadParameter("letters and digits", param_hint="NAME")
    click.echo(f"{name}:{base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()}")


@vault.command("rotate")
@told
def rotate() -> None:
    """Wrap every key of an older master key anew under the first one; then the older ones may go from the settings."""
    keys, done = vault_of(connected()), 0
    while count := keys.rotate(now=utc_now()):
        done += count
    click.echo(f"{done} keys were wrapped anew; older master keys wrap nothing now")
