"""What each state in the contract means, written from the sentences that stand beside the members in the code."""

import ast
import inspect
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final

from domain.alerts.states import AlertStatus, CapCategory, MsgType, Response
from domain.cameras.states import HealthState, LookState, SourceKind, View
from domain.campaigns.states import CampaignStatus
from domain.cities.config import AgencyKind, Certainty, ChannelName, Service, Severity, Urgency
from domain.cities.places import PlaceKind
from domain.comments.states import CommentStatus, Reaction
from domain.deliveries.states import AttemptState, DeliveryStatus, Held, Suppressed
from domain.dispatch.states import UnitStatus
from domain.drills.states import DrillStatus, ReachedBy, Unreached
from domain.escorts.states import EscortStatus
from domain.evidence.states import Act, Copy, EvidenceState, Found, Kind, RequestState, UploadStatus, Why
from domain.faces.states import Purpose, SearchState
from domain.gatherings.states import Coming, GatheringKind, GatheringStatus
from domain.helpline.states import (
    Channel,
    Consent,
    CounsellorState,
    Danger,
    Disguise,
    Ground,
    HelplineStatus,
    Mode,
    Outcome,
    ReferralKind,
    Side,
    Stage,
    Track,
    Wanted,
)
from domain.incidents.states import AssignmentStatus, IncidentStatus, Resolution, SlotStatus
from domain.journeys.states import Concern, FakeCallBy, JourneyStatus
from domain.notices.states import NoticeKind, NoticeStatus
from domain.patrols.states import BeatKind, PatrolStatus, PlaceStatus
from domain.people.states import Duty, Gender, GuardianStatus
from domain.permissions import Role
from domain.reports.states import Anonymity, Flag, Nudge, Part, ReportStatus, Stand
from domain.reviews.states import ReviewKind, ReviewStatus, Said
from domain.watch.lists import Problem
from domain.watch.states import GroupRole, GroupStatus, Level, Moderation, Sanction, Standing
from domain.watch_alerts.states import WatchAlertStatus
from domain.watchlists.states import Closed, EntryStatus, HitStatus, ListReason

HEADING: Final = """# States

Written by `make openapi`; do not edit. What each word in the contract means, and when it applies. A phone that meets a
word that it does not know shows the thing without it: later servers have more words.
"""
SHOWN: Final[Mapping[str, Sequence[type[StrEnum]]]] = {
    "SOS and incidents": (IncidentStatus, Resolution, SlotStatus, AssignmentStatus),
    "Journeys": (JourneyStatus, Concern, FakeCallBy, EscortStatus, PlaceKind),
    "Categories": (Service, Severity, Urgency, Certainty),
    "Units and agencies": (UnitStatus, AgencyKind),
    "People": (Duty, GuardianStatus, Gender, Role),
    "Deliveries": (DeliveryStatus, AttemptState, Held, Suppressed, ChannelName),
    "Alerts": (AlertStatus, MsgType, CapCategory, Response),
    "Notices": (NoticeStatus, NoticeKind),
    "Drills": (DrillStatus, ReachedBy, Unreached),
    "Helpline": (HelplineStatus, Mode, Channel, Wanted, Danger, Disguise, Outcome, Side, CounsellorState, Ground),
    "Casework": (ReferralKind, Consent, Track, Stage),
    "Reviews": (ReviewKind, ReviewStatus, Said),
    "Watchlist": (ListReason, EntryStatus, HitStatus, Closed),
    "Neighbourhood watch": (
        GroupStatus,
        Standing,
        GroupRole,
        Moderation,
        ReportStatus,
        Anonymity,
        Stand,
        Flag,
        Nudge,
        Part,
        Level,
        Sanction,
        Problem,
    ),
    "What groups plan and say": (
        WatchAlertStatus,
        BeatKind,
        PatrolStatus,
        PlaceStatus,
        GatheringKind,
        GatheringStatus,
        Coming,
        CampaignStatus,
        CommentStatus,
        Reaction,
    ),
    "Uploads": (UploadStatus,),
    "Evidence": (Kind, EvidenceState, Copy, Act, RequestState, Found, Why),
    "Searches for a face": (Purpose, SearchState),
    "Cameras": (View, LookState, SourceKind, HealthState),
}
"""Every StrEnum whose values stand in the contract. What a PIN turned out to be is not here: no phone is told."""


def sentences(of: type[StrEnum]) -> Mapping[str, str]:
    """Value → the sentence below its member."""
    (node,) = ast.parse(inspect.getsource(of).strip()).body
    assert isinstance(node, ast.ClassDef)
    found: dict[str, str] = {}
    for line, after in zip(node.body, [*node.body[1:], None], strict=True):
        if not (isinstance(line, ast.Assign) and isinstance(line.targets[0], ast.Name)):
            continue
        text = after.value if isinstance(after, ast.Expr) else None
        said = text.value if isinstance(text, ast.Constant) else ""
        found[of[line.targets[0].id].value] = " ".join(str(said).split())
    return found


def tables() -> str:
    """The tables as they are committed."""
    parts = [HEADING]
    for title, enums in SHOWN.items():
        parts.append(f"\n## {title}\n")
        for each in enums:
            rows = "\n".join(
                f"| `{value}` | {text} |" if value else f"| (empty) | {text} |"
                for value, text in sentences(each).items()
            )
            words = " ".join((each.__doc__ or "").split())
            parts.append(f"\n### {each.__name__}\n\n{words}\n\n| value | when |\n| --- | --- |\n{rows}\n")
    return "".join(parts)
