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
    SUSPENDED = "suspended"
    """A moderator keeps them out until a time, with a reason; then they are a member again."""
    CLOSED = "closed"
    """The group was closed: nothing but this is kept, for as long as their phones may have to learn of it."""


class GroupRole(StrEnum):
    """What a member is to the group."""

    MEMBER = "member"
    """Reads, reports and is told."""
    DEPUTY = "deputy"
    """Stands in for the coordinator in everything but closing the group and choosing deputies."""
    COORDINATOR = "coordinator"
    """Leads the group; there is one."""


class Level(StrEnum):
    """How well a group knows that a member is who they say; it is shown, and keeps nobody out."""

    PHONE = "phone"
    """By their number alone."""
    ADDRESS = "address"
    """They gave back a code that was put into the letter box of their house."""
    COORDINATOR = "coordinator"
    """The coordinator or a deputy knows them."""


class Sanction(StrEnum):
    """What a moderator may impose for a time, with a reason; there is an appeal, and another person hears it."""

    MUTE = "mute"
    """What they report waits until a human has read it, and they neither confirm nor comment."""
    SUSPENSION = "suspension"
    """The same, and of one group: they are not told and read nothing as its member."""


class Moderation(StrEnum):
    """When a group's reports are shown to others."""

    PRE = "pre"
    """Once the coordinator or a deputy has read them."""
    POST = "post"
    """At once, where no rule holds them; they may be taken out later."""
