"""Bodies and answers of watch groups."""

from marshmallow import fields, validate

from api.paging import PageQuery
from api.schemas import Answer, Choice, Number, Phone, Schema, Text, Time, Whole
from domain.watch.states import GroupRole, GroupStatus, Moderation, Standing


class GroupFields(Schema):
    """What a coordinator says of a group; what is left out stays."""

    name = Text(80, min_chars=2)
    area = fields.Dict(
        metadata={"description": "GeoJSON Polygon or MultiPolygon, WGS 84, at most 150 corners and 25 km²."}
    )
    rules = Text(1200, min_chars=1, multiline=True)
    moderation = Choice(Moderation)


class NewGroup(Schema):
    """A group that a neighbour founds."""

    name = Text(80, min_chars=2, required=True)
    area = fields.Dict(
        required=True,
        metadata={"description": "GeoJSON Polygon or MultiPolygon, WGS 84, at most 150 corners and 25 km²."},
    )
    rules = Text(1200, min_chars=1, multiline=True, required=True)
    moderation = Choice(Moderation, load_default=Moderation.POST)


class GroupAnswer(Answer):
    """A group. `standing` and `role` are the caller's own."""

    id = fields.String(required=True)
    city = fields.String(required=True)
    name = fields.String(required=True)
    status = Choice(GroupStatus, required=True)
    version = fields.Integer(required=True)
    area = fields.Dict()
    rules = fields.String()
    rules_version = fields.Integer(required=True)
    moderation = Choice(Moderation, required=True)
    members = fields.Integer()
    standing = Choice(Standing)
    role = Choice(GroupRole)
    created_at = Time(required=True)


class GroupsQuery(PageQuery):
    """One's own groups; or, with a point, the groups around it."""

    lat = Number(-90, 90)
    lon = Number(-180, 180)


class GroupLink(Schema):
    """The link by which neighbours join at once; told once."""

    token = fields.String(required=True)


class GroupJoin(Schema):
    """Accepting the rules. With the group's link one joins at once."""

    rules_version = Whole(1, 1_000_000, required=True, metadata={"description": "Of the rules that were read."})
    link = Text(40, load_default="")


class GroupInvitations(Schema):
    """Numbers that are asked to join, from a list."""

    phones = fields.List(Phone(), required=True, validate=validate.Length(min=1, max=200))


class GroupInvited(Schema):
    """How many were asked; of whom nothing is told, since a number says who is with Amaan."""

    invited = fields.Integer(required=True)


class GroupMember(Answer):
    """Somebody of the group, for its coordinator."""

    person = fields.String(required=True)
    name = fields.String(required=True)
    standing = Choice(Standing, required=True)
    role = Choice(GroupRole, required=True)
    since = Time()


class GroupMembersQuery(PageQuery):
    """Who belongs, who asked, who was invited."""

    standing = Choice(Standing, load_default=Standing.MEMBER)


class GroupRoleBody(Schema):
    """What a member is to be."""

    role = Choice(GroupRole, required=True)


class GroupRemoveQuery(Schema):
    """Why somebody is taken out; not needed for leaving."""

    reason = Text(300, load_default="")
