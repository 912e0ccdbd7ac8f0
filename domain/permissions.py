"""Who may do what: one table of (role, scope, action). It is enforced by `api/blueprint.py` and documents the routes.

A person holds roles, each with the place where it holds: a city, an agency, a watch group. An action is granted to a
role at a scope, which says what of all things of that kind the role reaches. A route asks for an action; the service
asks `reaches` with the thing at hand. What a person may not see is NotFound, so nobody learns that it exists.

Roles in STAFF count only in a session that was opened with a second factor.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from domain.errors import NotAllowed, NotFound


class Role(StrEnum):
    """What a person is to the city. Everybody who signed in is a citizen; the others are given."""

    CITIZEN = "citizen"
    """Anybody with a phone."""
    RESPONDER = "responder"
    """A person on a unit, who goes where help is needed."""
    SUPERVISOR = "supervisor"
    """Answers for an agency's units and responders."""
    COUNSELLOR = "counsellor"
    """Answers helpline requests."""
    HELPLINE_SUPERVISOR = "helpline_supervisor"
    """Answers for the counsellors and the line of those who wait."""
    OPERATOR = "operator"
    """The control room's dispatcher."""
    COORDINATOR = "coordinator"
    """Leads a watch group."""
    DEPUTY = "deputy"
    """Stands in for a watch group's coordinator."""
    LIAISON = "liaison"
    """The police officer who is the contact of a watch group."""
    CAMERA_OWNER = "camera_owner"
    """Lent a camera to the city."""
    ANALYST = "analyst"
    """Reads figures, never persons."""
    AUDITOR = "auditor"
    """Reads who looked at what, and why."""
    ADMIN = "admin"
    """Keeps cities, agencies, units and staff; sees no case by this role."""


class Scope(StrEnum):
    """What of all things of a kind a grant reaches."""

    SELF = "self"
    """What is the person's own, or is assigned to the person."""
    GROUP = "group"
    """What belongs to the role's watch group."""
    AGENCY = "agency"
    """What belongs to the role's agency."""
    CITY = "city"
    """What belongs to the role's city; `*` as the city is all of them."""


STAFF: Final = frozenset(
    {
        Role.SUPERVISOR,
        Role.COUNSELLOR,
        Role.HELPLINE_SUPERVISOR,
        Role.OPERATOR,
        Role.LIAISON,
        Role.ANALYST,
        Role.AUDITOR,
        Role.ADMIN,
    }
)

ACTIONS: Final[Mapping[str, str]] = {
    "me.read": "See one's own profile, sessions, guardians and export.",
    "me.edit": "Change one's own profile, PINs, devices and guardians, and erase oneself.",
    "sos.read": "Follow one's own SOS.",
    "sos.edit": "Send positions, media and messages to one's own SOS, and cancel it.",
    "journey.edit": "Start, check in on and end one's own journeys.",
    "helpline.ask": "Ask the helpline and talk to a counsellor.",
    "helpline.answer": "Claim, answer, transfer and close helpline requests.",
    "helpline.supervise": "See the line of those who wait and who is on shift; release a claimed request.",
    "helpline.exists": "See that helpline requests exist, how many wait and how quickly they are answered; not what they say.",
    "watch.join": "Found watch groups, ask to join one, join and leave.",
    "watch.read": "See one's watch groups, their reports and alerts.",
    "watch.report": "Report to a watch group, confirm and comment.",
    "watch.coordinate": "Change a group, invite and admit members, plan patrols and gatherings.",
    "watch.alert": "Warn the members of watch groups, and see how many know of it.",
    "watch.moderate": "Publish, hold and remove reports with a reason, and make incidents of them.",
    "watch.exact": "See the exact place of a report and who sent it; each sight of one is logged.",
    "duty.edit": "Go on and off duty and send one's unit's positions.",
    "assignment.read": "See the assignments of one's unit.",
    "assignment.answer": "Accept, decline and carry out one's unit's assignments.",
    "incident.read": "See incidents with timeline, assignments, correlations and deliveries.",
    "incident.create": "Open an incident for a caller or a walk-in.",
    "incident.edit": "Assign, merge, resolve, reopen, note, hand over, and steer the ladder.",
    "camera.read": "See cameras and their health.",
    "camera.edit": "Register and change cameras.",
    "observation.read": "See what cameras saw, with blurred pictures; each sight of one is logged.",
    "watchlist.read": "See the watchlist, hits on it and their crops; each reading is logged.",
    "watchlist.edit": "Put plates on the watchlist with a legal basis, and take them off.",
    "plate.search": "Ask whether a plate was seen near a place, with a reason; each time is logged.",
    "footage.request": "Ask for footage of an incident, with a reason.",
    "evidence.read": "See evidence of an incident; each view is logged.",
    "evidence.approve": "Say yes or no where somebody else asks to see the sealed original of footage.",
    "face.search": "Ask to search one incident's footage for a face, and see what was found, where the city allows it at all.",
    "face.approve": "Say yes or no where somebody else asks to search for a face; two must say yes.",
    "custody.read": "Read and verify the chain of custody of evidence; no pictures.",
    "review.answer": "Answer questions put to a human.",
    "alert.read": "See the public alerts in force.",
    "alert.issue": "Issue and withdraw public alerts.",
    "drill.read": "See drills, and who could not be reached.",
    "drill.run": "Begin and stop drills.",
    "delivery.read": "See who was told what, each attempt at it, and how it fared; never a number or a text.",
    "notice.read": "See notices: what is wrong with Amaan itself.",
    "notice.answer": "Say that one sees to a notice.",
    "place.audit": "Rate how safe a place feels, and see one's own ratings.",
    "insights.export": "Take figures and places on the grid out of Amaan; each time is logged.",
    "insights.read": "Read figures and places on the grid, never persons.",
    "audit.read": "Read and verify the audit chain.",
    "city.read": "See what a city is made of.",
    "city.edit": "Load and change a city's configuration.",
    "agency.read": "See agencies.",
    "agency.edit": "Create and change agencies.",
    "unit.read": "See units and where they belong.",
    "unit.edit": "Create, change and retire units.",
    "staff.read": "See who has which role.",
    "staff.edit": "Give and take roles; put responders on units.",
    "session.read": "See the sessions of staff.",
    "session.end": "End anybody's session: a stolen laptop.",
}

_CITIZEN: Final = frozenset(
    {
        "me.read",
        "me.edit",
        "sos.read",
        "sos.edit",
        "journey.edit",
        "place.audit",
        "helpline.ask",
        "watch.join",
        "watch.read",
        "watch.report",
        "alert.read",
    }
)
_COORDINATOR: Final = frozenset(
    {"watch.read", "watch.report", "watch.coordinate", "watch.alert", "watch.moderate", "review.answer"}
)
_ADMIN: Final = frozenset(
    {
        "city.read",
        "city.edit",
        "agency.read",
        "agency.edit",
        "unit.read",
        "unit.edit",
        "staff.read",
        "staff.edit",
        "session.read",
        "session.end",
        "camera.read",
        "camera.edit",
        "drill.read",
        "drill.run",
        "notice.read",
        "notice.answer",
    }
)

TABLE: Final[Mapping[Role, Mapping[Scope, frozenset[str]]]] = {
    Role.CITIZEN: {Scope.SELF: _CITIZEN},
    Role.RESPONDER: {
        Scope.SELF: frozenset({"duty.edit", "assignment.read", "assignment.answer", "incident.read", "footage.request"})
    },
    Role.SUPERVISOR: {
        Scope.AGENCY: frozenset(
            {
                "incident.read",
                "incident.edit",
                "unit.read",
                "unit.edit",
                "staff.read",
                "agency.read",
                "assignment.read",
                "delivery.read",
                "drill.read",
                "drill.run",
                "watchlist.read",
                "watchlist.edit",
                "plate.search",
            }
        ),
        Scope.CITY: frozenset({"city.read"}),
    },
    Role.COUNSELLOR: {Scope.CITY: frozenset({"helpline.answer", "helpline.exists", "incident.create"})},
    Role.HELPLINE_SUPERVISOR: {
        Scope.CITY: frozenset(
            {"helpline.answer", "helpline.supervise", "helpline.exists", "incident.create", "review.answer"}
        )
    },
    Role.OPERATOR: {
        Scope.CITY: frozenset(
            {
                "incident.read",
                "incident.create",
                "incident.edit",
                "assignment.read",
                "unit.read",
                "agency.read",
                "city.read",
                "camera.read",
                "observation.read",
                "watchlist.read",
                "footage.request",
                "evidence.read",
                "evidence.approve",
                "face.search",
                "face.approve",
                "custody.read",
                "helpline.exists",
                "review.answer",
                "alert.issue",
                "watch.read",
                "watch.alert",
                "watch.moderate",
                "watch.exact",
                "insights.read",
                "delivery.read",
                "drill.read",
                "drill.run",
                "notice.read",
                "notice.answer",
            }
        )
    },
    Role.COORDINATOR: {Scope.GROUP: _COORDINATOR},
    Role.DEPUTY: {Scope.GROUP: _COORDINATOR},
    Role.LIAISON: {Scope.GROUP: frozenset({"watch.read", "watch.report", "watch.exact", "review.answer"})},
    Role.CAMERA_OWNER: {Scope.SELF: frozenset({"camera.read", "camera.edit"})},
    Role.ANALYST: {Scope.CITY: frozenset({"insights.read", "insights.export", "city.read"})},
    Role.AUDITOR: {
        Scope.CITY: frozenset(
            {"audit.read", "custody.read", "review.answer", "face.approve", "insights.read", "city.read"}
        )
    },
    Role.ADMIN: {Scope.CITY: _ADMIN},
}


class SecondFactorNeeded(NotAllowed):
    """Staff roles count only in a session where the second factor was given."""

    code = "second_factor_needed"


@dataclass(frozen=True)
class Held:
    """A role that a person holds, and where. Empty strings where the role needs no such place."""

    role: Role
    city: str = ""
    agency_id: str = ""
    group_id: str = ""


@dataclass(frozen=True)
class Principal:
    """Who asks, as read from the store for this request."""

    person_id: str
    session_id: str
    city: str
    """The person's home city; empty when not known."""
    roles: tuple[Held, ...] = ()
    second_factor: bool = False
    unit_id: str = ""
    agency_id: str = ""
    language: str = "ur"

    @property
    def active(self) -> tuple[Held, ...]:
        """The roles that count in this session: everybody's, and staff's after a second factor."""
        return (
            Held(Role.CITIZEN, self.city),
            *(held for held in self.roles if self.second_factor or held.role not in STAFF),
        )


@dataclass(frozen=True)
class Target:
    """What an action is done to. Leave out what does not apply."""

    city: str = ""
    agency_ids: frozenset[str] = frozenset()
    group_id: str = ""
    person_ids: frozenset[str] = frozenset()
    """Whose it is, or to whom it is assigned."""
    unit_ids: frozenset[str] = frozenset()
    hidden_from: frozenset[str] = frozenset()
    """Persons who never see it this way, whatever roles they have: the citizen of an incident, in the control room's."""


def scopes(principal: Principal, action: str) -> frozenset[Scope]:
    """At which scopes the principal has this action; empty for not at all."""
    return frozenset(
        scope for held in principal.active for scope, actions in TABLE[held.role].items() if action in actions
    )


def require(principal: Principal, action: str) -> None:
    """Raise NotAllowed when no role of the principal has the action at any scope."""
    if scopes(principal, action):
        return
    if any(action in actions for held in principal.roles for actions in TABLE[held.role].values()):
        raise SecondFactorNeeded("sign in with your second factor first")
    raise NotAllowed(f"needs permission {action}", action=action)


def reaches(principal: Principal, action: str, target: Target) -> bool:
    """Whether some active role has the action at a scope that covers the target."""
    return bool(reached_at(principal, action, target))


def reached_at(principal: Principal, action: str, target: Target) -> frozenset[Scope]:
    """The scopes at which the principal reaches the target: with several roles, the union of what each one reaches. What
    is shown of it goes by the widest of these, not by the roles that reach something else.
    """
    if principal.person_id in target.hidden_from:
        return frozenset()
    return frozenset(
        scope
        for held in principal.active
        for scope, actions in TABLE[held.role].items()
        if action in actions and _covers(principal, held, scope, target)
    )


def require_reach(principal: Principal, action: str, target: Target) -> None:
    """Raise NotFound when the target is out of reach: its existence is not told."""
    if not reaches(principal, action, target):
        raise NotFound()


def cities(principal: Principal, action: str) -> frozenset[str]:
    """The cities over which the principal has the action at city scope; `*` among them is all."""
    return frozenset(
        held.city for held in principal.active if action in TABLE[held.role].get(Scope.CITY, frozenset()) and held.city
    )


def agencies(principal: Principal, action: str) -> frozenset[str]:
    """The agencies over which the principal has the action at agency scope."""
    return frozenset(
        held.agency_id
        for held in principal.active
        if action in TABLE[held.role].get(Scope.AGENCY, frozenset()) and held.agency_id
    )


def _covers(principal: Principal, held: Held, scope: Scope, target: Target) -> bool:
    if scope is Scope.SELF:
        return principal.person_id in target.person_ids or bool(
            principal.unit_id and principal.unit_id in target.unit_ids
        )
    if scope is Scope.GROUP:
        return bool(held.group_id) and held.group_id == target.group_id
    if scope is Scope.AGENCY:
        return bool(held.agency_id) and held.agency_id in target.agency_ids
    return held.city == "*" or (bool(held.city) and held.city == target.city)


def roles_for(action: str) -> list[tuple[Role, Scope]]:
    """Who has an action: what the routes' documentation says."""
    return [(role, scope) for role, grants in TABLE.items() for scope, actions in grants.items() if action in actions]


def unknown_actions(names: Iterable[str]) -> set[str]:
    """Names that are not actions: what an invariant test and the route decorator refuse."""
    return {name for name in names if name not in ACTIONS}
