"""The uploads of an SOS and of a neighbour's report (tus 1.0, api/evidence, api/reports/media.py) in the document: their
routes are plain, so they are written by hand.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from api.errors import MEDIA_TYPE
from api.evidence.tus import ALGORITHMS, CONTENT_TYPE, VERSION
from api.incidents.access import PUBLIC, SECURITY
from domain import permissions

_TEXT: Final = {"type": "string"}
_BYTES: Final = {"type": "integer", "minimum": 0, "maximum": 10**18 - 1}
_ID: Final = {"type": "string", "minLength": 1}


def _header(name: str, schema: dict[str, Any], text: str, *, required: bool = False) -> dict[str, Any]:
    return {"in": "header", "name": name, "required": required, "description": text, "schema": schema}


_VERSION_HEADER: Final = _header("Tus-Resumable", {"type": "string", "enum": [VERSION]}, "Of tus.", required=True)
_CHECKSUM: Final = _header(
    "Upload-Checksum",
    {"type": "string", "pattern": rf"^({'|'.join(ALGORITHMS)}) [A-Za-z0-9+/]+={{0,2}}$"},
    f"One of {', '.join(ALGORITHMS)}, a blank, and the hash of this request's bytes in base64.",
)
_OFFSET_OUT: Final = {"Upload-Offset": {"description": "Bytes that are kept.", "schema": _BYTES}}
_EXPIRES_OUT: Final = {"Upload-Expires": {"description": "When an unfinished one is dropped.", "schema": _TEXT}}
_SIZE_OUT: Final = {"Upload-Length": {"description": "Bytes in all.", "required": True, "schema": _BYTES}}
_WHERE_OUT: Final = {"Location": {"description": "Of the upload.", "required": True, "schema": _TEXT}}


@dataclass(frozen=True)
class _Of:
    """What uploads belong to, and who may send them."""

    path: str
    name: str
    word: str
    who: Mapping[str, Any]
    unknown: str


_SOS: Final = _Of(
    "/v1/sos/{sos_id}/media",
    "sos_id",
    "SOS",
    {"security": SECURITY, "x-public": PUBLIC},
    "Neither the SOS's token nor its citizen's.",
)
_REPORT: Final = _Of(
    "/v1/watch/reports/{report_id}/uploads",
    "report_id",
    "report",
    {
        "security": [{"bearer": []}],
        "x-permission": {
            "action": "watch.report",
            "roles": ", ".join(f"{role} ({scope})" for role, scope in permissions.roles_for("watch.report")),
        },
    },
    "A bearer token is needed.",
)


def _problems(of: _Of, **more: str) -> dict[str, Any]:
    texts = {
        "400": "A header of tus is missing or cannot be read.",
        "401": of.unknown,
        "404": f"No such {of.word} or upload, or none that you may see.",
        "410": "The upload has expired.",
        "412": "Tus-Resumable is not 1.0.0.",
        "503": "The document store is away; come again after Retry-After.",
        **{name.removeprefix("s"): text for name, text in more.items()},
    }
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    found: dict[str, Any] = {status: {"description": text, "content": content} for status, text in texts.items()}
    if "Upload-Offset" in texts.get("409", ""):
        found["409"]["headers"] = _OFFSET_OUT
    return found


def _operation(
    of: _Of, summary: str, responses: dict[str, Any], *parameters: dict[str, Any], body: bool = False
) -> dict[str, Any]:
    found: dict[str, Any] = {
        "summary": summary,
        "tags": ["uploads"],
        **of.who,
        "parameters": [_VERSION_HEADER, *parameters],
        "responses": responses,
    }
    if body:
        binary = {"schema": {"type": "string", "format": "binary"}}
        found["requestBody"] = {"required": True, "content": {CONTENT_TYPE: binary}}
    return found


def _path(name: str) -> dict[str, Any]:
    return {"in": "path", "name": name, "required": True, "schema": _ID}


def _paths(of: _Of) -> dict[str, Any]:
    return {
        of.path: {
            "parameters": [_path(of.name)],
            "post": _operation(
                of,
                "Begin an upload: a picture, a recording. Its bytes go to the Location.",
                {
                    "201": {"description": "Begun.", "headers": {**_WHERE_OUT, **_OFFSET_OUT, **_EXPIRES_OUT}},
                    **_problems(
                        of,
                        s409=f"The {of.word} is over, or the key was used for another file.",
                        s413="Larger than is taken.",
                        s415=f"A body that is not {CONTENT_TYPE}.",
                        s422="Something about the file is not right.",
                    ),
                },
                _header("Upload-Length", _BYTES, "Bytes in all.", required=True),
                _header("Upload-Metadata", _TEXT, "Keys with values in base64: `filename`, `filetype`, `sha256`."),
                _header("Idempotency-Key", _TEXT, "A UUID made by the phone: the same key is the same upload."),
            ),
        },
        f"{of.path}/{{upload_id}}": {
            "parameters": [_path(of.name), _path("upload_id")],
            "head": _operation(
                of,
                "How far an upload is.",
                {
                    "200": {"description": "As it stands.", "headers": {**_SIZE_OUT, **_OFFSET_OUT, **_EXPIRES_OUT}},
                    **_problems(of),
                },
            ),
            "patch": _operation(
                of,
                "Add bytes where the upload stands.",
                {
                    "204": {"description": "Kept.", "headers": {**_OFFSET_OUT, **_EXPIRES_OUT}},
                    **_problems(
                        of,
                        s409="The upload stands elsewhere: Upload-Offset says where.",
                        s413="More bytes than were announced.",
                        s415=f"The body is not {CONTENT_TYPE}.",
                        s460="The bytes are not those of the checksum; none was kept.",
                    ),
                },
                _header("Upload-Offset", _BYTES, "Where these bytes begin.", required=True),
                _CHECKSUM,
                body=True,
            ),
            "delete": _operation(
                of,
                "Give an upload up.",
                {
                    "204": {"description": "Gone."},
                    **_problems(of, s409="It is finished: what has become evidence stays evidence."),
                },
            ),
        },
    }


PATHS: Final[dict[str, Any]] = {**_paths(_SOS), **_paths(_REPORT)}
