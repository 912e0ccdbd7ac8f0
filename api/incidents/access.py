"""Who may open an SOS: the phone that raised it, by the SOS's own token, or its citizen, signed in anywhere."""

import hmac
from typing import Any, Final

from flask import request

from api import auth
from api.services import services
from domain.incidents import service as incidents
from domain.incidents.errors import IncidentNotFound

HEADER: Final = "Sos-Token"
PUBLIC: Final = "Opened by the SOS's own token (header Sos-Token), or by its citizen's bearer token."
SECURITY: Final[list[dict[str, list[str]]]] = [{"bearer": []}, {"sos": []}]


def own_sos(incident_id: str) -> dict[str, Any]:
    """The SOS's document. Raises Unauthenticated without a good token of either kind (whether there is such an SOS is not
    told), IncidentNotFound for what is not the caller's.
    """
    given = request.headers.get(HEADER, "")
    expected = incidents.sos_token(services().settings.signing_key, incident_id)
    if given and hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode()):
        return _unless_erased(incidents.get(incident_id))
    person = auth.principal().person_id
    doc = incidents.get(incident_id)
    citizen = doc.get("citizen") or {}
    if citizen.get("person") != person or citizen.get("hidden"):
        raise IncidentNotFound("no such SOS")
    return doc


def _unless_erased(doc: dict[str, Any]) -> dict[str, Any]:
    """Who asked to be forgotten has no SOS any more, on no phone."""
    if (doc.get("citizen") or {}).get("erased"):
        raise IncidentNotFound("no such SOS")
    return doc
