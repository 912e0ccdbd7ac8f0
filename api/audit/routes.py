"""Reading and verifying the audit chain. Reading it stands on it too."""

from typing import Any

from api.admin.scope import audited, city_of
from api.audit import schemas
from api.blueprint import Blueprint, Call
from api.paging import Listed
from domain.audit import chain, queries

blp = Blueprint("audit", __name__, url_prefix="/v1/audit", description="Who did and saw what, for auditors.")


@blp.endpoint(
    "GET ", permission="audit.read", query=schemas.AuditQuery, answer=schemas.EntryAnswer, paged=True, caution=False
)
def list_entries(call: Call) -> Any:
    """A city's entries, newest first."""
    city = city_of(call, "audit.read", call.query["city"])
    audited(call, city, "audit.read", call.query.get("subject") or city)
    after = call.after(str)
    rows, last = queries.listed(
        city, subject=call.query.get("subject"), after=after[0] if after else None, limit=call.limit
    )
    return Listed(rows, [last] if last else None)


@blp.endpoint("GET /verify", permission="audit.read", query=schemas.DayQuery, answer=schemas.VerdictAnswer)
def verify(call: Call) -> Any:
    """Walk a city's day from its start and sign where it ends; a day that does not hold is not signed."""
    city = city_of(call, "audit.read", call.query["city"])
    verdict = chain.verify(city, call.query["day"])
    head = chain.signed_head(call.services.settings.signing_key, city, call.query["day"])
    signed = {"signature": head["signature"]} if head else {}
    return {**vars(verdict), "holds": verdict.broken_at is None, **signed}
