"""`/open311/v2`: GeoReport v2, served. Discovery, services, definitions, requests and tokens, in XML and JSON.

An agency fetches with its api_key what was handed over to it (with the exact place, on the audit chain), and anybody
without one what the public may see. How a request stands comes back as FixMyStreet's extension has it (`POST
servicerequestupdates`, fixmystreet.org/customising/integration), since the standard itself has no word for it.
"""

import hashlib
from typing import Any

from flask import Blueprint, Response, request
from werkzeug.exceptions import HTTPException

from api.open311 import asked, pictures
from api.open311.shapes import FORMATS, answer, errors
from api.services import services
from domain.audit import chain
from domain.cities import agencies
from domain.errors import DomainError, LimitReached, NotAllowed, NotFound, Unavailable
from domain.handovers import open311, queries, service
from domain.handovers.errors import HandoverInvalid, HandoverNotFound
from domain.handovers.queries import Handover
from domain.handovers.states import HandoverStatus
from domain.ids import derived_id, new_id, random_token
from domain.reports import queries as reports
from domain.reports import service as reporting
from domain.reports.service import Seen
from domain.reports.states import Anonymity, ReportStatus
from runtime import logging
from runtime.mongo import STORE_DOWN, breaker

blp = Blueprint("open311", __name__, url_prefix="/open311/v2")
_log = logging.get(__name__)

SPECIFICATION = "http://wiki.open311.org/GeoReport_v2"
CHANGESET = "2026-11-23 00:00"


@blp.before_request
def counted() -> None:
    """Whoever reads without a key reads so much a minute and no more; whoever brings something needs a key."""
    if request.method in ("GET", "HEAD"):
        asked.check_rate()


@blp.get("/discovery.<any(xml, json):form>")
def discovery(form: str) -> Response:
    """Where the service is, and in which formats (wiki.open311.org/Service_Discovery)."""
    settings = services().settings
    here = f"{settings.public_url.rstrip('/')}/open311/v2"
    endpoint = {
        "specification": SPECIFICATION,
        "url": here,
        "changeset": CHANGESET,
        "type": "production",
        "formats": ["text/xml", "application/json"],
    }
    contact = "Ask the city's control room."
    body = {"changeset": CHANGESET, "contact": contact, "key_service": contact, "endpoints": [endpoint]}
    return answer("discovery", body, form)


@blp.get("/services.<any(xml, json):form>")
def services_of(form: str) -> Response:
    """What agencies of a city take."""
    city = asked.jurisdiction()
    return answer("services", open311.services(asked.codes_of(city), asked.language()), form)


@blp.get("/services/<code>.<any(xml, json):form>")
def definition(code: str, form: str) -> Response:
    """What else is asked about a kind of request."""
    city = asked.jurisdiction()
    return answer("service_definition", open311.definition(asked.service_code(city, code)), form)


@blp.get("/requests.<any(xml, json):form>")
def requests_of(form: str) -> Response:
    """Requests, the newest first: an agency's own with its api_key, else what everybody may see of all."""
    city, now = asked.jurisdiction(), services().clock()
    agency = _agency(city)
    if ids := asked.listed("service_request_id"):
        rows = [row for row in queries.some(ids) if row["city"] == city]
    else:
        since, until = asked.span(now)
        codes, statuses = asked.listed("service_code"), asked.statuses()
        rows = queries.of_city(city, agency=agency, since=since, until=until, codes=codes, statuses=statuses)
    return answer("service_requests", _shown(rows, city, agency), form)


@blp.get("/requests/<request_id>.<any(xml, json):form>")
def one_request(request_id: str, form: str) -> Response:
    """One request."""
    city = asked.jurisdiction()
    agency = _agency(city)
    doc = queries.get(request_id)
    shown = _shown([doc], city, agency) if doc["city"] == city else []
    if not shown:
        raise HandoverNotFound("service_request_id was not found")
    return answer("service_requests", shown, form)


def _agency(city: str) -> str:
    """The agency that asks, on the record since it sees exact places; empty for anybody else."""
    if not asked.argument("api_key"):
        return ""
    desk = asked.desk(city)
    chain.append(city, f"agency:{desk['agency']}", "handover.read", desk["_id"], now=services().clock())
    return str(desk["agency"])


def _shown(rows: list[Handover], city: str, agency: str) -> list[dict[str, Any]]:
    found = {doc["_id"]: doc for doc in reports.some([row["report"] for row in rows])}
    language, names, shown = asked.language(), {}, []
    for row in rows:
        doc, own = found.get(row["report"]), bool(agency) and row["agency"] == agency
        if doc is None or (doc["status"] != ReportStatus.PUBLISHED and not own):
            continue
        if row["agency"] not in names:
            names[row["agency"]] = _name(city, row["agency"], language)
        name, media_url = names[row["agency"]], pictures.link(row, doc) if own else None
        shown.append(open311.request(row, doc, agency_name=name, language=language, exact=own, media_url=media_url))
    return shown


def _name(city: str, agency: str, language: str) -> str:
    try:
        return agencies.get(city, agency).names.in_language(language)
    except NotFound:
        return agency


@blp.post("/requests.<any(xml, json):form>")
def create(form: str) -> Response:
    """An agency brings a request of its own: neighbours see it as a report. Who sent it is not kept. One whose words a human
    has to read first is answered with a token.
    """
    found, city = services(), asked.jurisdiction()
    now, desk = found.clock(), asked.desk(city)
    code = asked.service_code(city, asked.argument("service_code"))
    answers, place, note = asked.answers(code), asked.place(city), asked.description()
    key = request.headers.get("Idempotency-Key", "")[:64]
    author = asked.sender(city, desk["agency"])
    report_id = derived_id("rpt", author, key) if key else new_id("rpt", now)
    doc, _ = reporting.add(
        report_id, author, Seen(code, place, now, note, Anonymity.ALL), session="",
        fingerprint=hashlib.sha256(repr(sorted(request.form.items())).encode()).hexdigest(),
        secret=found.settings.signing_key, now=now,
    )  # fmt: skip
    waits = doc["status"] != ReportStatus.PUBLISHED
    own = {
        "agency": desk["agency"],
        "answers": dict(answers),
        "address": asked.argument("address_string")[:200],
        "token": random_token() if waits else "",
    }
    made, _ = service.hand_over(doc, by=f"agency:{desk['agency']}", now=now, own=own)
    found.enqueue("drain", "watch_reports", doc["_id"])
    found.enqueue("drain", "watch_handovers", made["_id"])
    named = {"token": made["token"]} if made.get("token") else {"service_request_id": made["_id"]}
    notice = "A human reads it before others do." if waits else None
    return answer("service_requests", [{**named, "service_notice": notice, "account_id": None}], form, 201)


@blp.get("/tokens/<token>.<any(xml, json):form>")
def by_token(token: str, form: str) -> Response:
    """The id of a request, once a human has read it."""
    city, doc = asked.jurisdiction(), queries.by_token(token)
    held = reports.some([doc["report"]])
    if doc["city"] != city or not held or held[0]["status"] != ReportStatus.PUBLISHED:
        raise HandoverNotFound("there is no service_request_id for this token yet")
    return answer("service_requests", [{"service_request_id": doc["_id"], "token": token}], form)


@blp.post("/servicerequestupdates.<any(xml, json):form>")
def update(form: str) -> Response:
    """The agency says how a request stands: the reporter, whoever follows it and the group read it."""
    found, city = services(), asked.jurisdiction()
    desk, said = asked.desk(city), asked.argument("status").lower()
    if said not in list(HandoverStatus):
        raise HandoverInvalid("status is open or closed")
    doc, update_id = service.update(
        asked.argument("service_request_id"), desk["agency"], HandoverStatus(said), asked.argument("description"),
        key=asked.argument("update_id")[:64], now=found.clock(),
    )  # fmt: skip
    found.enqueue("drain", "watch_handovers", doc["_id"])
    return answer("service_request_updates", [{"update_id": update_id}], form)


@blp.get("/media/<request_id>/<media_id>/<token>")
def picture(request_id: str, media_id: str, token: str) -> Response:
    """The picture of a request, by the link that the agency was given."""
    return pictures.read(request_id, media_id, token)


@blp.route("/", defaults={"rest": ""}, methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
@blp.route("/<path:rest>", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
def nothing(rest: str) -> Response:
    """Whatever else is asked."""
    return errors(404, "there is no such resource in GeoReport v2; see discovery.xml", _form())


def _form() -> str:
    suffix = request.path.rpartition(".")[2]
    return suffix if suffix in FORMATS else "xml"


@blp.errorhandler(DomainError)
def refused(error: DomainError) -> Response:
    """404 for what is not there, 403 for a key, 400 for the rest, as the standard has it."""
    status = 400
    for kind, code in ((NotFound, 404), (NotAllowed, 403), (LimitReached, 429), (Unavailable, 503)):
        if isinstance(error, kind):
            status = code
    said = error.detail
    if fields := error.data.get("errors"):
        said += ": " + "; ".join(f"{name}: {' '.join(texts)}" for name, texts in fields.items())
    made = errors(status, said, _form())
    if status in (429, 503):
        made.headers["Retry-After"] = str(max(1, round(float(error.data.get("retry_after") or 1))))
    return made


@blp.errorhandler(HTTPException)
def refused_by_http(error: HTTPException) -> Response:
    """What the server itself refuses: a body that is too large, a form that cannot be read."""
    return errors(error.code or 400, error.description or "", _form())


@blp.errorhandler(Exception)
def unexpected(error: Exception) -> Response:
    """What nobody foresaw: logged with its trace, answered without."""
    _log.exception("unexpected", kind=type(error).__name__)
    return errors(500, "something went wrong", _form())


def store_down(_error: Exception) -> Response:
    """The document store went away: come again."""
    breaker.trip()
    made = errors(503, "the store is away", _form())
    made.headers["Retry-After"] = "2"
    return made


for _kind in STORE_DOWN:
    blp.register_error_handler(_kind, store_down)
