"""`amaan deliveries ID`: who was told, attempt by attempt, what the carrier said of it, and what we take that to mean.

The id is a delivery's, or of what it is about: an incident, a drill, an alert, a notice.
"""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from api.deliveries.views import delivery_view
from api.schemas import rfc3339
from cli.store import audited, connected, told
from domain.deliveries import queries, service
from domain.errors import NotFound

_PAGE = 200


@click.command()
@click.argument("found_id", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="One delivery a line, for machines.")
@click.option("--limit", default=1000, show_default=True, type=click.IntRange(1), help="At most so many, the newest.")
@told
def deliveries(found_id: str, as_json: bool, limit: int) -> None:
    """Every attempt to tell somebody about ID, with the carriers' own ids and codes, our reading of them, and the times."""
    connected()
    shown, table = 0, _table()
    for found in _found(found_id, limit):
        if not shown:
            audited(found["city"], "deliveries.read", found_id, "")
        shown += 1
        view = delivery_view(found)
        if as_json:
            click.echo(json.dumps(view, default=_plain, ensure_ascii=False))
        else:
            _add(table, view)
    if not shown:
        raise click.ClickException(f"nothing was told about {found_id}")
    if not as_json:
        console = Console(width=None if Console().is_terminal else 200)
        console.print(table)


def _found(found_id: str, limit: int) -> Iterator[service.Delivery]:
    if found_id.startswith("dlv_"):
        try:
            yield service.get(found_id)
        except NotFound:
            return
        return
    after, left = None, limit
    while rows := queries.page_of(found_id, after=after, limit=min(_PAGE, left)):
        yield from rows
        after, left = (rows[-1]["created_at"], rows[-1]["_id"]), left - len(rows)
        if not left or len(rows) < _PAGE:
            return


def _table() -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("delivery", "to", "status", "try", "channel", "carrier", "state", "at (UTC)", "answer", "receipt"):
        table.add_column(name, overflow="fold")
    table.add_column("vendor id", overflow="fold", ratio=1)  # whole, for the carrier's own support
    table.add_column("code: reading", overflow="fold", ratio=1)
    return table


def _add(table: Table, view: dict[str, Any]) -> None:
    """A row an attempt; what belongs to the whole delivery stands with its first one."""
    reason = view["reason"] or (view["held"] or {}).get("reason") or ""
    whole = (
        f"{view['id']}\n{view['purpose']}",
        view["recipient"].get("id") or view["recipient"]["kind"],
        f"{view['status']}\n{reason}".rstrip(),
    )
    if not view["attempts"]:
        table.add_row(*whole, *[""] * 8, view["reading"] or "")
    for number, each in enumerate(view["attempts"]):
        codes = " ".join(code for code in (each["vendor_code"], each["code"]) if code)
        table.add_row(
            *(whole if number == 0 else ("", "", "")),
            str(each["number"]),
            each["channel"],
            each["carrier"] or "",
            each["state"],
            f"{each['at']:%H:%M:%S.%f}"[:-3],
            "" if each["answer_ms"] is None else f"{each['answer_ms']} ms",
            _clock(each["reported_at"] or (view["received_at"] if each["channel"] == "fcm" else None)),
            (each.get("vendor_id") or "").rpartition("/")[2],
            f"{codes}: {each['reading']}" if each["reading"] else codes,
        )


def _clock(at: datetime | None) -> str:
    return f"{at:%H:%M:%S}" if at else ""


def _plain(value: Any) -> Any:
    return rfc3339(value) if isinstance(value, datetime) else str(value)
