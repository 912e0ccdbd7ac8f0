"""What a request looks like, for every route that takes a body: operation → name of the example → body.

Every example is valid by the schema of its route (tests/contract/test_openapi.py). Phone numbers are of a range that no
carrier assigns: a Pakistani mobile number never goes on with 300 000.
"""

from collections.abc import Mapping
from typing import Any, Final

_PHONE: Final = "+923000000001"
_LIBERTY: Final = {"lat": 31.5102, "lon": 74.3441}
_HERE: Final = {**_LIBERTY, "accuracy_m": 12, "captured_at": "2026-11-23T14:28:26.123Z"}
_NEAR: Final = {"lat": 31.5106, "lon": 74.3449, "accuracy_m": 8, "captured_at": "2026-11-23T14:28:31.123Z"}
_BLOCK: Final = {
    "type": "Polygon",
    "coordinates": [[[74.34, 31.507], [74.349, 31.507], [74.349, 31.514], [74.34, 31.514], [74.34, 31.507]]],
}
_WHY: Final = {"reason": "Asked for by the district office."}

BODIES: Final[Mapping[str, Mapping[str, Any]]] = {
    "auth_ask_code": {"a number": {"phone": _PHONE, "language": "ur"}},
    "auth_give_code": {
        "an old phone": {
            "challenge_id": "otp_0mc8x2k4q1",
            "code": "123456",
            "device": {"id": "c1f0a6de-phone", "platform": "android", "app_version": "1.0.0", "token": "fcm-token"},
        }
    },
    "auth_refresh": {"the newest token": {"refresh_token": "rft_0mc8x2k4q1.k3y"}},
    "auth_give_second_factor": {"six digits": {"code": "123456"}},
    "auth_enrol": {"the code handed over": {"enrolment_code": "ABCD-EFGH-JKLM"}},
    "people_change_me": {
        "a name": {"name": "Ayesha", "language": "ur"},
        "for the ambulance": {"blood_group": "O+", "medical_note": "Asthma."},
    },
    "people_set_pins": {
        "after signing in": {"safe_pin": "4821", "duress_pin": "4822"},
        "with the old PIN": {"safe_pin": "7730", "duress_pin": "7731", "old_pin": "4821"},
    },
    "people_put_device": {"after an update": {"platform": "android", "app_version": "1.1.0", "token": "fcm-token-2"}},
    "people_add_guardian": {"a sister": {"name": "Sana", "phone": "+923000000002", "language": "ur"}},
    "sos_raise_sos": {
        "one tap": {"position": _HERE, "device": "c1f0a6de-phone"},
        "with what is known": {
            "position": _HERE,
            "device": "c1f0a6de-phone",
            "category": "harassment",
            "services": {"police": True},
            "silent": True,
            "battery_pct": 17,
            "note": "Two men on a motorcycle.",
        },
        "no position": {"phone": _PHONE},
        "practice": {"position": _HERE, "device": "c1f0a6de-phone", "practice": True},
    },
    "sos_cancel": {"with the PIN": {"pin": "4821"}, "without one": {"reason": "Pressed by accident."}},
    "sos_add_positions": {"two": {"positions": [_NEAR, _HERE]}},
    "sos_add_message": {"a text": {"text": "I am behind the pharmacy."}},
    "alerts_write_alert": {
        "a flood, for a part of the city": {
            "city": "lahore",
            "texts": {
                "en": {
                    "event": "Flood",
                    "headline": "Water is rising along the canal",
                    "instruction": "Go to higher ground.",
                },
                "ur": {
                    "event": "سیلاب",
                    "headline": "نہر کے ساتھ پانی بڑھ رہا ہے",
                    "instruction": "اونچی جگہ پر چلے جائیں۔",
                },
            },
            "category": "Met",
            "urgency": "Immediate",
            "severity": "Severe",
            "certainty": "Observed",
            "response": "Evacuate",
            "area": {
                "geometry": {
                    "type": "Polygon",
                    "coordinates": [[[74.33, 31.5], [74.36, 31.5], [74.36, 31.53], [74.33, 31.53], [74.33, 31.5]]],
                },
                "name": {"en": "Gulberg", "ur": "گلبرگ"},
            },
            "issue": True,
        },
    },
    "alerts_change_alert": {
        "for longer": {"expires": "2026-11-24T06:00:00Z"},
        "the whole city": {"area": {"whole_city": True}},
    },
    "alerts_cancel_alert": {
        "with the reason": {"reason": {"en": "The water is going down.", "ur": "پانی اتر رہا ہے۔"}},
        "without one": {},
    },
    "drills_start_drill": {
        "as the city plans them": {"city": "lahore"},
        "an agency, by SMS": {
            "city": "lahore",
            "agency_id": "rescue_1122",
            "roles": ["responder"],
            "channels": ["sms"],
            "answer_within_min": 30,
        },
    },
    "journeys_start": {
        "home by eleven": {
            "destination": {"lat": 31.5204, "lon": 74.3587, "name": "Home"},
            "expected_arrival": "2026-11-23T18:00:00Z",
            "check_in_every_s": 900,
            "sharing": True,
            "note": "Blue rickshaw.",
            "position": _HERE,
        },
        "two check-ins, nobody looks on": {
            "destination": {"lat": 31.5204, "lon": 74.3587},
            "expected_arrival": "2026-11-23T18:00:00Z",
            "check_ins": ["2026-11-23T17:20:00Z", "2026-11-23T17:40:00Z"],
            "route": [[31.5102, 74.3441], [31.5150, 74.3500], [31.5204, 74.3587]],
            "silent": True,
        },
    },
    "journeys_add_positions": {"two": {"positions": [_NEAR, _HERE], "battery_pct": 31}},
    "journeys_check_in": {"all is well": {"battery_pct": 30}, "said earlier": {"at": "2026-11-23T14:28:26Z"}},
    "journeys_extend": {"half an hour": {"expected_arrival": "2026-11-23T18:30:00Z", "pin": "4821"}},
    "journeys_arrive": {"with the PIN": {"pin": "4821"}, "without one": {}},
    "journeys_cancel": {"with the PIN": {"pin": "4821"}},
    "place_audits_add": {
        "a dark lane": {
            "position": _HERE,
            "ratings": {
                "lighting": 0,
                "openness": 1,
                "visibility": 1,
                "people": 1,
                "security": 0,
                "walk_path": 2,
                "public_transport": 1,
                "gender_usage": 0,
                "feeling": 0,
            },
            "note": "The lamp at the corner is broken.",
        }
    },
    "fake_calls_ask": {
        "in half a minute": {"in_s": 30, "label": "Abbu"},
        "a real call": {"in_s": 60, "by": "voice"},
    },
    "watch_found": {
        "a block": {"name": "Block C", "area": _BLOCK, "rules": "Say what somebody does, not how they look."}
    },
    "watch_change": {"its rules": {"rules": "Say what somebody does, not how they look. Never chase anybody."}},
    "watch_members_join": {
        "with the link": {"rules_version": 1, "link": "k3y0fTheGr0p"},
        "asking": {"rules_version": 1},
    },
    "watch_members_invite": {
        "two": {"phones": [_PHONE, "+923000000002"]},
        "a spreadsheet's lines": {"csv": "name,phone\nDua,0300 0000001\nBilal,0300 0000002"},
    },
    "watch_members_appoint": {"a deputy": {"role": "deputy"}},
    "watch_members_at_the_door": {"from the letter box": {"code": "480219"}},
    "watch_name_liaison": {"an officer": {"person": "per_0mc8x2k4q1"}, "nobody": {"person": None}},
    "watch_succeed": {"yes": {"accept": True}, "no": {"accept": False}},
    "watch_sanctions_impose": {
        "a mute": {"person": "per_0mc8x2k4q1", "kind": "mute", "hours": 72, "reason": "Insults in every report."}
    },
    "watch_sanctions_impose_in_city": {
        "a mute": {
            "person": "per_0mc8x2k4q1",
            "kind": "mute",
            "hours": 168,
            "reason": "False alarms in three groups.",
            "city": "lahore",
        }
    },
    "watch_sanctions_lift": {"a reason": {"reason": "They said sorry."}},
    "watch_sanctions_appeal": {"a reason": {"reason": "It was my brother who wrote it."}},
    "reports_try_words": {"words": {"category": "suspicious", "note": "A tall man with a beard.", "looks": []}},
    "report_moderation_appeal": {"a reason": {"reason": "It says what was done, and nothing else."}},
    "reports_add": {
        "a blast": {"category": "explosion", "position": _HERE, "note": "A loud bang, and smoke behind the market."},
        "an open manhole": {"category": "open_manhole", "position": _HERE, "anonymous": "all"},
    },
    "reports_edit": {"more": {"note": "A loud bang, and smoke behind the market. Two people lie on the road."}},
    "report_moderation_speak": {"it is so": {"stand": "confirm", "position": _NEAR}},
    "report_moderation_flag": {"a name in it": {"why": "doxxing"}},
    "report_moderation_decide": {"after reading it": {"status": "published", "reason": "Nothing private in it."}},
    "comments_add": {"a comment": {"text": "Also at number 12. The office says: tomorrow."}},
    "comments_flag": {"a name in it": {"why": "doxxing"}},
    "comments_decide": {"after reading it": {"status": "removed", "reason": "It names a child."}},
    "comments_react": {"good to know": {"kind": "thanks"}, "taken back": {"kind": "none"}},
    "watch_alerts_issue": {
        "to a group": {
            "groups": ["grp_0mc8x2k4q1"],
            "texts": {"en": {"headline": "Snatchers on a red motorbike", "instruction": "Keep phones out of sight."}},
        },
        "to a circle": {
            "around": {**_LIBERTY, "radius_m": 400},
            "texts": {"en": {"headline": "Smell of gas"}, "ur": {"headline": "گیس کی بو"}},
            "urgent": True,
        },
    },
    "patrols_draw_beat": {
        "an area": {"group": "grp_0mc8x2k4q1", "name": "Market", "geometry": _BLOCK},
        "a route": {
            "group": "grp_0mc8x2k4q1",
            "name": "Way to school",
            "geometry": {"type": "LineString", "coordinates": [[74.342, 31.509], [74.345, 31.51], [74.347, 31.512]]},
        },
    },
    "patrols_change_beat": {"its name": {"name": "Market and school"}},
    "patrols_plan": {
        "two nights": {
            "beat": "bea_0mc8x2k4q1",
            "dates": ["2026-11-27", "2026-11-28"],
            "since": "22:00",
            "until": "00:30",
            "capacity": 2,
        }
    },
    "patrols_take": {"the first one offered": {}, "somebody's": {"person": "per_0mc8x2k4q1"}},
    "patrols_check_in": {"at the beat": {"position": _HERE}},
    "patrols_cancel": {"why": {"reason": "Fog."}, "no reason": {}},
    "gatherings_plan": {
        "a workshop": {
            "group": "grp_0mc8x2k4q1",
            "kind": "workshop",
            "title": "First aid",
            "place": {**_LIBERTY, "name": "School, hall 2"},
            "starts_at": "2026-12-05T06:00:00Z",
            "ends_at": "2026-12-05T08:00:00Z",
            "capacity": 40,
        }
    },
    "gatherings_revise": {"another hour": {"starts_at": "2026-12-05T07:00:00Z", "ends_at": "2026-12-05T09:00:00Z"}},
    "gatherings_cancel": {"why": {"reason": "The teacher is ill."}, "no reason": {}},
    "gatherings_say": {"coming": {"answer": "going"}},
    "campaigns_plan": {
        "a series": {
            "name": "Gates",
            "groups": ["grp_0mc8x2k4q1"],
            "messages": [
                {"at": "2026-12-01T06:00:00Z", "texts": {"en": {"headline": "Lock your gate at night"}}},
                {"at": "2026-12-08T06:00:00Z", "texts": {"en": {"headline": "Know your neighbour's number"}}},
            ],
        }
    },
    "escorts_ask": {
        "now": {"position": _HERE, "destination": {"lat": 31.5204, "lon": 74.3587, "name": "Hostel"}},
        "later": {
            "position": _HERE,
            "destination": {"lat": 31.5204, "lon": 74.3587},
            "at": "2026-11-23T18:30:00Z",
            "women_first": True,
            "note": "At the hospital's main gate.",
        },
    },
    "escorts_cancel": {"with the PIN": {"pin": "4821"}, "without one": {}},
    "operating_create": {
        "a caller": {"category": "medical", "phone": _PHONE, "position": _LIBERTY, "note": "A man has collapsed."},
        "a walk-in": {"category": "theft", "channel": "walk_in", "city": "lahore"},
    },
    "operating_assign": {"a unit": {"unit": "unt_0mc8x2k4q1", "service": "police"}},
    "operating_withdraw": {
        "another unit": {"assignment": "asg_0mc8x2k4q1", "reason": "A flat tyre.", "instead": "unt_0mc8x2k4q1"}
    },
    "operating_merge": {"into": {"into": "inc_0mc8x2k4q1"}},
    "operating_unmerge": {"why": {"reason": "Another street."}},
    "operating_resolve": {"how": {"resolution": "helped", "reason": "Brought home."}},
    "operating_reopen": {"why": {"reason": "She called again."}},
    "operating_steer": {
        "pause": {"action": "pause", "service": "police", "reason": "A unit is on the telephone."},
        "skip": {"action": "skip"},
    },
    "operating_bridge": {
        "the unit that said yes last": {},
        "one unit of several": {"assignment": "asg_0mc8x2k4q1"},
    },
    "operating_add_note": {"a note": {"text": "The caller is a neighbour."}},
    "operating_add_message": {"a text": {"text": "A car is on its way."}},
    "operating_hand_over": {"an agency": {"agency": "rescue_1122", "reason": "There is a fire."}},
    "responder_set_duty": {"on": {"status": "available"}, "off": {"status": "off_duty"}},
    "responder_add_positions": {"one": {"positions": [_HERE]}},
    "responder_decline": {"why": {"reason": "No fuel."}, "no reason": {}},
    "responder_clear": {"helped": {"resolution": "helped"}},
    "deliveries_received": {"from the push": {"receipt_token": "7f9c2ba4e88f"}},
    "deliveries_seen": {"from the push": {"receipt_token": "7f9c2ba4e88f"}},
    "helpline_ask": {
        "silently, from a phone without an account": {
            "mode": "silent",
            "language": "ur",
            "anonymous": True,
            "disguise": "weather",
            "codeword": "نیلا دوپٹہ",
            "message": "کیا کوئی ہے؟",
            "device": "c1f0a6de-phone",
        },
        "to be called back": {
            "mode": "call_back",
            "phone": _PHONE,
            "safe_to_call": [{"days": ["mon", "wed"], "from": "10:00", "until": "11:30"}],
        },
    },
    "helpline_change": {"other times": {"safe_to_call": [{"days": ["fri"], "from": "15:00", "until": "16:00"}]}},
    "helpline_set_contact": {"at once": {"stop": True}, "again": {"stop": False}},
    "helpline_add_message": {"a text": {"text": "He has gone to work."}, "one tap": {"quick": "safe"}},
    "helpline_receipts": {"both": {"received": 4, "seen": 3}},
    "helpline_close": {"how": {"outcome": "helped"}, "hers": {}},
    "helpline_safety_assess": {
        "two answered": {"answers": {"weapon": True, "choked": True}},
        "in danger now": {"danger_now": True},
    },
    "helpline_safety_to_sos": {"where she is": {"position": _HERE}, "as she told": {}},
    "helpline_supervising_ask_opening": {"why": {"reason": "A court order of today asks for it."}},
    "helpline_supervising_take_over": {"why": {"reason": "The counsellor was taken ill."}},
    "helpline_supervising_release": {"why": {"reason": "Her network is gone."}},
    "reviews_answer": {
        "yes": {"approve": True, "reason": "Seen the order."},
        "of a picture": {"answer": "cannot_tell"},
    },
    "watchlist_put_on": {
        "a stolen car": {
            "plate": "LEA-19 4052",
            "why": "stolen_vehicle",
            "legal_basis": "FIR 812/26 Gulberg",
            "description": "White Corolla.",
            "expires_at": "2026-12-20T00:00:00Z",
            "agency": "punjab_police",
            "city": "lahore",
        }
    },
    "watchlist_prolong": {"longer": {"expires_at": "2027-01-15T00:00:00Z", "reason": "Still not found."}},
    "watchlist_end": {"found": {"reason": "Found in Sheikhupura."}},
    "watchlist_search": {
        "near a hit and run": {
            "plate": "MNE 6762",
            "near": {"lat": 31.5102, "lon": 74.3441},
            "radius_m": 2000,
            "since": "2026-11-22T00:00:00Z",
            "until": "2026-11-23T00:00:00Z",
            "reason": "A witness of the hit and run named it.",
            "legal_basis": "FIR 90/26 Gulberg",
            "city": "lahore",
        }
    },
    "casework_open_case": {"in the talk": {"consent": "chat"}},
    "casework_join": {"hers too": {"request_id": "hlp_0mc8x2k4q2", "helpline_token": "0123456789ab0123456789ab"}},
    "casework_refer": {
        "a shelter": {"to": "dar_ul_aman_lahore", "consent": "chat", "note": "A woman with two children."}
    },
    "casework_follow_up": {"a call": {"due_at": "2026-12-01T09:00:00Z", "note": "Has the lawyer called?"}},
    "casework_stage": {"registered": {"track": "fir", "stage": "registered", "note": "123/26, Gulberg."}},
    "casework_hand_over": {"the next": {"to": "per_0mc8x2k4q1", "note": "The hearing is on Monday."}},
    "casework_close": {"how": {"outcome": "helped"}},
    "counselling_set_duty": {"on": {"state": "available"}, "a break": {"state": "break"}},
    "counselling_add_note": {"a note": {"text": "Two children, both at her sister's."}},
    "counselling_transfer": {"to the next shift": {"note": "Wants a lawyer; do not ask about the injuries again."}},
    "cameras_add_camera": {
        "of a gateway": {
            "name": "Liberty Market, gate 2",
            "position": _LIBERTY,
            "bearing_deg": 135,
            "fov_deg": 70,
            "range_m": 60,
            "source": {"kind": "gateway"},
            "gateway": True,
            "city": "lahore",
        }
    },
    "cameras_change_camera": {"turned": {"bearing_deg": 150}},
    "footage_ask": {
        "two minutes": {
            "reason": "FIR 212/26: the man in yellow",
            "since": "2026-11-23T14:27:00.000Z",
            "until": "2026-11-23T14:29:00.000Z",
            "radius_m": 150,
        },
        "around the tap": {"reason": "FIR 212/26: the man in yellow"},
    },
    "evidence_view": {"the redacted copy": {"copy": "redacted", "reason": "FIR 212/26: the man in yellow"}},
    "evidence_ask_opening": {"on an order": {"reason": "Sessions court Lahore, order 88 of 23 November"}},
    "evidence_exports_export": {"for the court": {"copy": "original", "reason": "Sessions court Lahore, order 88"}},
    "faces_draft": {
        "a missing boy": {
            "purpose": "missing_person",
            "legal_basis": "Missing person report 41/26, PS Gulberg",
            "hours": 24,
        }
    },
    "faces_end": {"found": {"reason": "He is at home again."}},
    "observations_post_observation": {
        "somebody lies": {
            "captured_at": "2026-11-23T14:28:20.000Z",
            "seconds": 10,
            "view": "seen",
            "people": 2,
            "findings": [{"kind": "lying", "confidence": 0.82, "t": 3.5, "seconds": 4}],
            "detector": "gateway 2.1",
        },
        "a car passes": {
            "captured_at": "2026-11-23T14:28:20.000Z",
            "view": "clear",
            "plates": [{"text": "MNE 6762", "score": 0.93, "t": 1.5, "bbox": [0.41, 0.62, 0.09, 0.04]}],
            "detector": "gateway 2.1",
        },
    },
    "cities_change_city": {"whole": {"config": {"id": "lahore"}, **_WHY}},
    "cities_add_agency": {
        "an ambulance service": {
            "id": "edhi_lahore",
            "names": {"en": "Edhi Foundation", "ur": "ایدھی فاؤنڈیشن"},
            "kind": "ambulance",
            "services": ["medical"],
            "phone": "115",
            **_WHY,
        }
    },
    "cities_change_agency": {"a number": {"phone": "1122", **_WHY}},
    "units_add_unit": {
        "a car": {"name": "Dolphin 12", "agency_id": "punjab_police", "services": ["police"], "city": "lahore"}
    },
    "units_change_unit": {"a skill": {"skills": ["women_desk"]}},
    "staff_add_staff": {
        "an operator": {"phone": "+923000000003", "name": "Bilal", "roles": [{"role": "operator"}], **_WHY}
    },
    "staff_change_staff": {"a language": {"languages": ["ur", "pa"], **_WHY}},
}

PARAMETERS: Final[Mapping[str, Any]] = {
    "Sent-At": "2026-11-23T14:28:27.000Z",
    "Idempotency-Key": "6f1c9a52-3f0e-4c6e-9d55-0f9f4f7f2a11",
    "If-None-Match": 'W/"7"',
    "limit": 10,
    "city": "lahore",
    "agency_id": "punjab_police",
    "sos_id": "inc_0mc8x2k4q1",
    "incident_id": "inc_0mc8x2k4q1",
    "request_id": "hlp_0mc8x2k4q1",
    "after_seq": 0,
    "review_id": "rev_0mc8x2k4q1",
    "entry_id": "wle_0mc8x2k4q1",
    "hit_id": "hit_0mc8x2k4q1",
    "message_id": "hms_0mc8x2k4q1",
    "case_id": "cas_0mc8x2k4q1",
    "follow_up_id": "cen_0mc8x2k4q1",
    "assignment_id": "asg_0mc8x2k4q1",
    "delivery_id": "dlv_0mc8x2k4q1",
    "alert_id": "alt_0mc8x2k4q1",
    "drill_id": "drl_0mc8x2k4q1",
    "notice_id": "ntc_0mc8x2k4q1",
    "camera_id": "cam_0mc8x2k4q1",
    "observation_id": "obs_0mc8x2k4q1",
    "evidence_id": "evd_0mc8x2k4q1",
    "view_id": "evw_0mc8x2k4q1",
    "search_id": "fse_0mc8x2k4q1",
    "lead_id": "fld_0mc8x2k4q1",
    "unit_id": "unt_0mc8x2k4q1",
    "journey_id": "jny_0mc8x2k4q1",
    "audit_id": "pla_0mc8x2k4q1",
    "hour": 21,
    "call_id": "cal_0mc8x2k4q1",
    "country": "GB",
    "escort_id": "esc_0mc8x2k4q1",
    "person_id": "per_0mc8x2k4q1",
    "report_id": "rpt_0mc8x2k4q1",
    "media_id": "med_0mc8x2k4q1",
    "sanction_id": "san_0mc8x2k4q1",
    "comment_id": "cmt_0mc8x2k4q1",
    "beat_id": "bea_0mc8x2k4q1",
    "patrol_id": "ptl_0mc8x2k4q1",
    "gathering_id": "gat_0mc8x2k4q1",
    "campaign_id": "cmp_0mc8x2k4q1",
    "group_id": "grp_0mc8x2k4q1",
    "guardian_id": "gua_0mc8x2k4q1",
    "session_id": "ses_0mc8x2k4q1",
    "upload_id": "upl_0mc8x2k4q1",
    "device_id": "c1f0a6de-phone",
    "lat": 31.5102,
    "lon": 74.3441,
    "radius_m": 2000,
    "category": "harassment",
    "since": "2026-11-23T00:00:00Z",
    "until": "2026-11-24T00:00:00Z",
    "after": "2026-11-23T14:28:00Z",
    "number": 0,
    "Tus-Resumable": "1.0.0",
    "Upload-Length": 48213,
    "Upload-Offset": 0,
    "Upload-Metadata": "filename cGhvdG8uanBn,filetype aW1hZ2UvanBlZw==",
}
"""Name of a parameter → what it looks like, wherever it stands."""
