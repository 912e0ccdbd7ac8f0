"""From one answer to the next request: OpenAPI links, so that a reader (and a fuzzer) can follow an SOS by itself.

(operation, status) → [(next operation, {parameter: where in the answer})].
"""

from collections.abc import Mapping, Sequence
from typing import Final

Steps = Sequence[tuple[str, Mapping[str, str]]]


def _each(parameter: str, where: str, *operations: str) -> Steps:
    return [(operation, {parameter: where}) for operation in operations]


_OF_AN_SOS: Final = [
    (operation, {"sos_id": "$response.body#/id"})
    for operation in (
        "sos_follow",
        "sos_add_positions",
        "sos_add_message",
        "sos_list_messages",
        "sos_renew_share",
        "sos_events",
        "sos_cancel",
        "media_create",
    )
]
_OF_AN_INCIDENT: Final = (
    "incidents_read_incident",
    "incidents_read_timeline",
    "incidents_read_track",
    "told_of_incident",
    "operating_add_note",
    "operating_add_message",
    "operating_steer",
    "operating_bridge",
    "operating_hand_over",
    "operating_resolve",
    "operating_reopen",
)
_OF_AN_ASSIGNMENT: Final = (
    "responder_accept",
    "responder_en_route",
    "responder_on_scene",
    "responder_mayday",
    "responder_clear",
    "responder_decline",
)
_OF_A_JOURNEY: Final = (
    "journeys_read",
    "journeys_add_positions",
    "journeys_check_in",
    "journeys_extend",
    "journeys_share",
    "journeys_end_sharing",
    "journeys_arrive",
    "journeys_cancel",
)
_OF_A_CAMERA: Final = (
    "cameras_get_camera",
    "cameras_change_camera",
    "cameras_renew_key",
    "cameras_revoke_key",
    "observations_list_observations",
    "cameras_retire_camera",
)
_OF_A_UNIT: Final = ("units_get_unit", "units_change_unit", "units_retire_unit")
_OF_STAFF: Final = ("staff_get_staff", "staff_change_staff", "staff_new_enrolment", "staff_dismiss")

_OF_A_GROUP: Final = (
    "watch_read",
    "watch_change",
    "watch_members_list_members",
    "watch_renew_link",
    "watch_members_invite",
)
_OF_A_REPORT: Final = (
    "reports_read",
    "reports_edit",
    "report_pictures_put_photo",
    "report_moderation_decide",
    "reports_withdraw",
)
_OF_A_BEAT: Final = ("patrols_read_beat", "patrols_change_beat", "patrols_retire_beat")
_OF_A_GATHERING: Final = (
    "gatherings_read",
    "gatherings_revise",
    "gatherings_say",
    "gatherings_as_event",
    "gatherings_cancel",
)
_OF_A_CAMPAIGN: Final = ("campaigns_read", "campaigns_stop")
_OF_A_WARNING: Final = ("watch_alerts_read", "watch_alerts_acknowledge", "watch_alerts_withdraw")
_OF_A_PATROL: Final = (
    "patrols_read_patrol",
    "patrols_sign_up",
    "patrols_offer",
    "patrols_take_offer_back",
    "patrols_take",
    "patrols_check_in",
    "patrols_cancel",
)
_OF_A_DRILL: Final = ("drills_read_drill", "drills_unreached", "drills_stop_drill")

LINKS: Final[Mapping[tuple[str, str], Steps]] = {
    ("people_add_guardian", "201"): _each("guardian_id", "$response.body#/id", "people_remove_guardian"),
    ("people_list_sessions", "200"): _each("session_id", "$response.body#/items/0/id", "people_end_session"),
    ("sos_raise_sos", "201"): [*_OF_AN_SOS, *_each("incident_id", "$response.body#/id", *_OF_AN_INCIDENT)],
    ("sos_raise_sos", "200"): _each("sos_id", "$response.body#/id", "sos_follow"),
    ("journeys_start", "201"): _each("journey_id", "$response.body#/id", *_OF_A_JOURNEY),
    ("place_audits_add", "201"): _each("audit_id", "$response.body#/id", "place_audits_put_photo"),
    ("watch_found", "201"): _each("group_id", "$response.body#/id", *_OF_A_GROUP),
    ("reports_add", "201"): _each("report_id", "$response.body#/id", *_OF_A_REPORT),
    ("comments_add", "201"): _each(
        "comment_id", "$response.body#/id", "comments_flag", "comments_decide", "comments_delete"
    ),
    ("watch_alerts_issue", "201"): _each("alert_id", "$response.body#/id", *_OF_A_WARNING),
    ("patrols_draw_beat", "201"): _each("beat_id", "$response.body#/id", *_OF_A_BEAT),
    ("patrols_plan", "201"): _each("patrol_id", "$response.body#/items/0/id", *_OF_A_PATROL),
    ("gatherings_plan", "201"): _each("gathering_id", "$response.body#/id", *_OF_A_GATHERING),
    ("campaigns_plan", "201"): _each("campaign_id", "$response.body#/id", *_OF_A_CAMPAIGN),
    ("fake_calls_ask", "201"): _each("call_id", "$response.body#/id", "fake_calls_read", "fake_calls_take_back"),
    ("escorts_ask", "201"): _each("escort_id", "$response.body#/id", "escorts_read", "escorts_cancel"),
    ("operating_create", "201"): _each("incident_id", "$response.body#/id", *_OF_AN_INCIDENT),
    ("incidents_list_incidents", "200"): [
        *_each("incident_id", "$response.body#/items/0/id", *_OF_AN_INCIDENT),
        *_each("cursor", "$response.body#/next", "incidents_list_incidents"),
    ],
    ("responder_list_assignments", "200"): _each("assignment_id", "$response.body#/items/0/id", *_OF_AN_ASSIGNMENT),
    ("cameras_add_camera", "201"): _each("camera_id", "$response.body#/id", *_OF_A_CAMERA),
    ("observations_post_observation", "201"): _each(
        "observation_id", "$response.body#/id", "observations_read_observation"
    ),
    ("units_add_unit", "201"): _each("unit_id", "$response.body#/id", *_OF_A_UNIT),
    ("units_list_units", "200"): _each("cursor", "$response.body#/next", "units_list_units"),
    ("staff_add_staff", "201"): _each("person_id", "$response.body#/id", *_OF_STAFF),
    ("staff_list_sessions", "200"): _each("session_id", "$response.body#/items/0/id", "staff_end_session"),
    ("told_of_incident", "200"): _each("delivery_id", "$response.body#/items/0/id", "told_read_delivery"),
    ("drills_start_drill", "201"): _each("drill_id", "$response.body#/id", *_OF_A_DRILL),
    ("drills_list_drills", "200"): _each("drill_id", "$response.body#/items/0/id", *_OF_A_DRILL),
    ("notices_list_notices", "200"): _each(
        "notice_id", "$response.body#/items/0/id", "notices_read_notice", "notices_acknowledge"
    ),
    ("sync_changes", "200"): _each("cursor", "$response.body#/cursor", "sync_changes"),
}
