"""How a watch group stands, and how somebody stands to it. Pure."""

from enum import StrEnum


class GroupStatus(StrEnum):
    """Where a group is in its life."""

    ACTIVE = "active"
    """Neighbours may join, report and be told."""
    CLOSED = "closed"
    """Its coordinator or the city ended it: nobody joins, and its memberships are gone."""


class Standing(StrEnum):
    """How far somebody is towards being a member."""

    INVITED = "invited"
    """The coordinator asked them; they have not accepted the group's rules yet."""
    REQUESTED = "requested"
    """They asked to join, accepted the rules, and wait for the coordinator."""
    MEMBER = "member"
    """They belong to the group."""
    REMOVED = "removed"
    """The coordinator took them out, with a reason; kept so that their phones learn of it."""


class GroupRole(StrEnum):
    """What a member is to the group."""

    MEMBER = "member"
    """Reads, reports and is told."""
    DEPUTY = "deputy"
    """Stands in for the coordinator in everything but closing the group and choosing deputies."""
    COORDINATOR = "coordinator"
    """Leads the group; there is one."""


class Moderation(StrEnum):
    """When a group's reports are shown to others."""

    PRE = "pre"
    """Once the coordinator or a deputy has read them."""
    POST = "post"
    """At once, where no rule holds them; they may be taken out later."""
