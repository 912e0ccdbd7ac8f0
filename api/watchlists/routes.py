"""The watchlist, hits and the search for a plate. Every reading and change is on the audit chain, without the plate."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from flask import Response

from api.admin.scope import audited, city_of
from api.blueprint import Blueprint, Call
from api.paging import Listed
from api.watchlists import schemas
from domain import permissions, retention
from domain.audit import chain
from domain.cities import queries as cities
from domain.cities.config import Kept, Service
from domain.errors import Invalid, NotAllowed
from domain.permissions import Target
from domain.plates import rules as plates
from domain.watchlists import queries, service
from domain.watchlists.errors import CropNotFound, EntryNotFound, HitNotFound, NoPlate
from domain.watchlists.hashing import DayKeys
from runtime import watermark
from runtime.media import Media
from runtime.vault import vault

blp = Blueprint("watchlist", __name__, url_prefix="/v1", description="Plates that are looked for, and hits on them.")

READ, EDIT, SEARCH = "watchlist.read", "watchlist.edit", "plate.search"
MOST_FOUND: Final = 50
LONGEST_SEARCH: Final = timedelta(days=31)


def _agencies(call: Call, action: str, city: str) -> list[str]:
    """The agencies whose entries are all that the caller reaches here; none for who reaches this whole city's, which
    whoever reaches another city's does not.
    """
    reached = permissions.reaches(call.who, action, Target(city=city))
    return [] if reached else sorted(permissions.agencies(call.who, action))


def _police(call: Call, action: str, city: str) -> None:
    """Who drove where is for the police of this city alone: raises NotAllowed for a supervisor of any other agency."""
    forces = cities.current(city).agencies
    mine = (forces[each] for each in permissions.agencies(call.who, action) if each in forces)
    if not any(Service.POLICE in each.services for each in mine):
        raise NotAllowed("only the police of this city ask where a vehicle was")


def _entry(call: Call, action: str, entry_id: str) -> queries.Entry:
    found = queries.entry(entry_id)
    target = Target(city=found["city"], agency_ids=frozenset({found["agency"]}))
    if not permissions.reaches(call.who, action, target):
        raise EntryNotFound("no such entry")
    return found


@blp.endpoint(
    "GET /watchlist",
    permission=READ,
    query=schemas.WatchlistQuery,
    answer=schemas.WatchlistEntry,
    paged=True,
    caution=False,
)
def list_entries(call: Call) -> Any:
    """The plates that are looked for in a city, or for one's own agency. Each reading is in the audit log."""
    city = city_of(call, READ, call.query.get("city"))
    after = call.after(str)
    audited(call, city, "watchlist.listed", city)
    rows, last = queries.listed(
        city, agencies=_agencies(call, READ, city), after=after[0] if after else None, limit=call.limit
    )
    return Listed(rows, [last] if last else None)


@blp.endpoint(
    "POST /watchlist",
    permission=EDIT,
    body=schemas.NewWatchlistEntry,
    answer=schemas.WatchlistEntry,
    status=201,
    creates=True,
    also={409: "The key was used for another entry."},
)
def put_on(call: Call) -> Any:
    """Look for a plate. On the audit chain with its legal basis, before it is done."""
    body = call.body
    city = city_of(call, EDIT, body.get("city"))
    mine = sorted(permissions.agencies(call.who, EDIT))
    agency = body.get("agency") or (mine[0] if len(mine) == 1 else "")
    call.require_reach(EDIT, Target(city=city, agency_ids=frozenset({agency})))
    entry_id = call.new_id("wle")
    audited(call, city, "watchlist.put_on", entry_id, {"reason": f"{body['why']}: {body['legal_basis']}"})
    entry, created = service.put_on(
        entry_id,
        body,
        cities.current(city),
        owner=call.who.person_id,
        agency=agency,
        fingerprint=call.fingerprint,
        now=call.now,
    )
    return entry, 201 if created else 200


@blp.endpoint("GET /watchlist/<entry_id>", permission=READ, answer=schemas.WatchlistEntry, etag=True, caution=False)
def read_entry(call: Call, entry_id: str) -> Any:
    """One entry. Each reading is in the audit log."""
    found = _entry(call, READ, entry_id)
    audited(call, found["city"], "watchlist.read", entry_id)
    return found, 200, found["version"]


@blp.endpoint(
    "PATCH /watchlist/<entry_id>",
    permission=EDIT,
    body=schemas.WatchlistChange,
    answer=schemas.WatchlistEntry,
    also={409: "It is off the list, or somebody else changed it.", 412: "If-Match is not the version that stands."},
)
def prolong(call: Call, entry_id: str) -> Any:
    """Say until when it is needed now, and why."""
    found = _entry(call, EDIT, entry_id)
    call.require_match(found["version"])
    audited(call, found["city"], "watchlist.prolonged", entry_id, call.body)
    return service.prolong(entry_id, call.body["expires_at"], now=call.now)


@blp.endpoint(
    "POST /watchlist/<entry_id>/end",
    permission=EDIT,
    body=schemas.WatchlistEnd,
    answer=schemas.WatchlistEntry,
    also={409: "Somebody else changed it."},
)
def end(call: Call, entry_id: str) -> Any:
    """Take a plate off the list. Again is no change."""
    found = _entry(call, EDIT, entry_id)
    audited(call, found["city"], "watchlist.ended", entry_id, call.body)
    return service.end(entry_id, by=call.who.person_id, reason=call.body["reason"], now=call.now)


def _hit(call: Call, hit_id: str) -> queries.Hit:
    found = queries.hit(hit_id)
    target = Target(city=found["city"], agency_ids=frozenset({_owner_of(found)}))
    if not permissions.reaches(call.who, READ, target):
        raise HitNotFound("no such hit")
    return found


def _owner_of(hit: Mapping[str, Any]) -> str:
    """The agency that looks for it; empty when its entry is no longer kept."""
    try:
        return str(queries.entry(hit["entry"])["agency"])
    except EntryNotFound:
        return ""


def _shown(hit: queries.Hit) -> dict[str, Any]:
    try:
        listed = queries.entry(hit["entry"])["plate"]
    except EntryNotFound:
        listed = ""
    return {
        **hit,
        "read": "".join(each["text"] for each in hit["raw"]),
        "characters": hit["raw"],
        "listed": listed,
        "crop": f"/v1/hits/{hit['_id']}/crop" if hit.get("crop") else None,
    }


@blp.endpoint("GET /hits", permission=READ, query=schemas.HitsQuery, answer=schemas.Hit, paged=True, caution=False)
def list_hits(call: Call) -> Any:
    """A city's newest hits of one status, those for one's own agency. Each reading is in the audit log."""
    city = city_of(call, READ, call.query.get("city"))
    audited(call, city, "hits.listed", city)
    rows = queries.hits_of(city, call.query["status"], agencies=_agencies(call, READ, city), limit=call.limit)
    return Listed([_shown(row) for row in rows])


@blp.endpoint("GET /hits/<hit_id>", permission=READ, answer=schemas.Hit, caution=False)
def read_hit(call: Call, hit_id: str) -> Any:
    """One hit with what was read and what is listed. Each reading is in the audit log."""
    found = _hit(call, hit_id)
    audited(call, found["city"], "hit.read", hit_id)
    return _shown(found)


@blp.endpoint(
    "GET /hits/<hit_id>/crop",
    permission=READ,
    responses={"200": {"description": "A JPEG of the plate.", "content": {"image/jpeg": {}}}},
)
def read_crop(call: Call, hit_id: str) -> Any:
    """The picture of the plate, with the viewer's mark in it. Each sight of it is in the audit log, before it is shown."""
    found = _hit(call, hit_id)
    if not found.get("crop"):
        raise CropNotFound("no picture of it")
    audited(call, found["city"], "crop.read", hit_id)
    try:
        jpeg = Media(call.services.settings.media_url).get(found["crop"])
        shown = watermark.still(jpeg, call.who.person_id, call.now, hit_id)
    except (OSError, ValueError):
        raise CropNotFound("the picture is no longer kept, or damaged") from None
    answer = Response(shown, mimetype="image/jpeg")
    answer.headers["Cache-Control"] = "private, no-store"
    answer.headers["Content-Disposition"] = "inline"
    return answer


@blp.endpoint(
    "POST /plates/search", permission=SEARCH, body=schemas.PlateSearch, answer=schemas.Sightings, caution=False
)
def search(call: Call) -> Any:
    """Was a plate seen near a place? For the police of the city. Only keyed hashes are kept, for the city's days; on the
    audit chain with its reason, before it is answered.
    """
    body = call.body
    city = city_of(call, SEARCH, body.get("city"))
    _police(call, SEARCH, city)
    if not plates.is_plate(plates.canonical(body["plate"])):
        raise NoPlate("not a plate", errors={"plate": ["3 to 12 letters and digits."]})
    if not timedelta(0) <= body["until"] - body["since"] <= LONGEST_SEARCH:
        raise Invalid("no such span", errors={"until": ["After `since`, and within 31 days of it."]})
    chain.append(
        city,
        call.who.person_id,
        "plate.searched",
        body.get("incident") or city,
        now=call.now,
        reason=f"{body['legal_basis']}: {body['reason']}"[:300],
        session=call.who.session_id,
    )
    kept_since = retention.before(cities.current(city), Kept.PLATES, call.now)
    since, until = max(body["since"], kept_since), min(body["until"], call.now)
    wanted = DayKeys(vault(call.services.settings), city).span(body["plate"], since, until)
    found = queries.seen(
        city,
        [each.alike for each in wanted],
        [each.exact for each in wanted],
        place=(body["near"]["lat"], body["near"]["lon"]),
        radius_m=body["radius_m"],
        since=since,
        until=until,
        limit=MOST_FOUND,
    )
    return {"items": found, "kept_since": kept_since}
