"""`/cap`: alerts as CAP 1.2 and Atom, for other systems. Anybody may read what was told to the public."""

from functools import lru_cache
from typing import Any, Final

from flask import Blueprint, Response, request

from api.services import services
from domain.alerts import area, cap, queries, service
from domain.alerts.errors import AlertNotFound
from domain.cities import queries as cities
from domain.cities.errors import UnknownCity

blp = Blueprint("cap", __name__, url_prefix="/cap")

MAX_AGE_S: Final = 15


@blp.get("/feed.atom")
def feed() -> Response:
    """What was issued in the last days in a city (`?city=`), or in all of them."""
    found = services()
    wanted = request.args.get("city", "")
    if wanted and wanted not in cities.known():
        raise UnknownCity("no such city")
    now = found.clock()
    listed = [alert for city in ([wanted] if wanted else cities.known()) for alert in queries.published(city, now=now)]
    listed.sort(key=lambda alert: alert["issued_at"], reverse=True)
    config = cities.current(wanted or cities.known()[0])
    address = f"{found.settings.public_url}/cap/feed.atom" + (f"?city={wanted}" if wanted else "")
    midnight = now.astimezone(config.zone).replace(hour=0, minute=0, second=0, microsecond=0)
    title = f"Amaan, {config.names.en}: public alerts" if wanted else "Amaan: public alerts"
    body = cap.feed_xml(listed, feed_url=address, title=title, zone=config.zone, empty_at=midnight)
    return _answer(body, "application/atom+xml")


@blp.get("/<alert_id>.xml")
def document(alert_id: str) -> Response:
    """One alert as a CAP document. Raises AlertNotFound for what was never issued."""
    alert = queries.get(alert_id)
    if alert.get("issued_at") is None:
        raise AlertNotFound("no such alert")
    config = cities.current(alert["city"])
    references = service.references_of(alert, queries.some(alert.get("references") or []))
    address = f"{services().settings.public_url}/cap/{alert_id}.xml"
    body = cap.alert_xml(
        alert,
        references,
        zone=config.zone,
        sender_name=f"Amaan, {config.names.en}",
        web=address,
        whole_city=_outline(alert["city"]),
    )
    return _answer(body, "application/cap+xml")


@lru_cache(maxsize=64)
def _outline(city: str) -> dict[str, Any]:
    return area.outline(cities.boundary(city))


def _answer(body: bytes, kind: str) -> Response:
    answer = Response(body, mimetype=kind)
    answer.add_etag(weak=True)
    answer.headers["Cache-Control"] = f"public, max-age={MAX_AGE_S}"
    answer.make_conditional(request)
    return answer
