"""`/v1/sos/{id}/media`: uploads to an SOS (`api/evidence/uploads.py`).

Opened like the SOS itself: header Sos-Token, or its citizen's bearer token.
"""

from flask import Blueprint

from api.evidence.uploads import Of, serve
from api.incidents.access import own_sos
from api.services import services
from domain.evidence import service as evidence
from domain.evidence.service import NewUpload, Upload

blp = Blueprint("media", __name__, url_prefix="/v1/sos/<sos_id>/media")


def _most_bytes() -> int:
    return services().settings.upload_max_bytes


def _begin(new: NewUpload) -> Upload:
    return evidence.create(new, max_bytes=_most_bytes(), now=services().clock())


def _finish(upload: Upload) -> Upload:
    return evidence.finish(upload, services().evidence, now=services().clock())


serve(blp, Of(own=own_sos, sender=lambda doc: "citizen", most_bytes=_most_bytes, begin=_begin, finish=_finish))
