"""Who may open a helpline request: the phone that made it, by its own token; she herself, signed in anywhere; the
counsellor who has it. Nobody else learns that it exists.
"""

import hmac
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from flask import request

from api import auth
from api.call import Call
from api.services import services
from domain import permissions
from domain.errors import Invalid
from domain.helpline import filing
from domain.helpline import service as helpline
from domain.helpline.errors import RequestNotFound
from domain.helpline.states import HelplineStatus, Side
from domain.ids import new_id
from domain.permissions import Principal, Target
from domain.vault.service import Vault
from runtime.vault import vault

HEADER: Final = "Helpline-Token"
PUBLIC: Final = "Opened by the request's own token (header Helpline-Token), or by her bearer token."
PUBLIC_BOTH: Final = (
    "Opened by the request's own token (header Helpline-Token), by her bearer token, or her counsellor's."
)
SECURITY: Final[list[dict[str, list[str]]]] = [{"bearer": []}, {"helpline": []}]


@dataclass(frozen=True)
class Party:
    """The request, and as which of the two the caller has it."""

    doc: dict[str, Any]
    side: Side
    by: str
    """The counsellor's id, else `citizen`."""


def the_vault() -> Vault:
    """The vault of this application's settings."""
    return vault(services().settings)


def hers(request_id: str) -> dict[str, Any]:
    """Her own request. Raises Unauthenticated without a good token of either kind, RequestNotFound for another's."""
    return _party(request_id, counsellor=False).doc


def party(request_id: str) -> Party:
    """The request as one of the two who talk in it: she, or the counsellor who has it now and not who had it."""
    return _party(request_id, counsellor=True)


def closing(request_id: str) -> Party:
    """The request as whoever may close it: the two who talk, and who closed it already and did not hear the answer."""
    return _party(request_id, counsellor=True, closed=True)


def reader(request_id: str, *, now: datetime) -> Party:
    """The request as whoever may read in it: the two, a supervisor with her consent, or by an approved opening."""
    if not _by_token(request_id):
        who = auth.principal()
        doc = helpline.get(request_id)
        if answers(who, doc) and doc.get("person_ref") != the_vault().index("person", who.person_id):
            filing.may_open(doc, who.person_id, now=now)
            return Party(doc, Side.COUNSELLOR, who.person_id)
    return party(request_id)


def once(call: Call) -> str:
    """What makes a repeat the same message, note or entry: its key. Without one each is its own: a hash of the body would
    leave what she said to be guessed in an id, and take her second "yes" for the first.
    """
    return call.key or new_id("key", call.now)


def _by_token(request_id: str) -> bool:
    given = request.headers.get(HEADER, "")
    expected = helpline.token(services().settings.signing_key, request_id)
    return bool(given) and hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode())


def _party(request_id: str, *, counsellor: bool, closed: bool = False) -> Party:
    if _by_token(request_id):
        return Party(helpline.get(request_id), Side.CITIZEN, "citizen")
    who = auth.principal()
    doc = helpline.get(request_id)
    if doc.get("person_ref") and doc["person_ref"] == the_vault().index("person", who.person_id):
        return Party(doc, Side.CITIZEN, "citizen")
    has = doc["status"] == HelplineStatus.CLAIMED or (closed and doc["status"] == HelplineStatus.CLOSED)
    if counsellor and has and doc.get("counsellor") == who.person_id and answers(who, doc):
        return Party(doc, Side.COUNSELLOR, who.person_id)
    raise RequestNotFound("no such request")


def answers(who: Principal, doc: dict[str, Any]) -> bool:
    """Whether the person answers helpline requests of this city, in a session with a second factor."""
    return permissions.reaches(who, "helpline.answer", Target(city=doc["city"]))


def desk(who: Principal, request_id: str, action: str = "helpline.answer") -> dict[str, Any]:
    """A request of the counsellor's own city; raises RequestNotFound for any other."""
    doc = helpline.get(request_id)
    if not permissions.reaches(who, action, Target(city=doc["city"])):
        raise RequestNotFound("no such request")
    return doc


def home(call: Call, action: str) -> str:
    """The city whose line it is: as asked, else the caller's only one."""
    given = call.query.get("city") or call.body.get("city")
    mine = permissions.cities(call.who, action)
    if given:
        call.require_reach(action, Target(city=given))
        return str(given)
    named = mine - {"*"}
    if len(named) != 1:
        raise Invalid("say which city", code="city_needed", errors={"city": ["Which one?"]})
    return next(iter(named))
