"""Bodies and answers of watch groups."""

from marshmallow import fields, validate

from api.paging import PageQuery
from api.schemas import Answer, Choice, Flag, Id, Number, Schema, Text, Time, Whole, code_field
from domain.watch.lists import MOST_CHARS, Problem
from domain.watch.states import GroupRole, GroupStatus, Level, Moderation, Sanction, Standing


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
    level = Choice(Level, metadata={"description": "How well the group knows the caller."})
    accept_rules = fields.Boolean(metadata={"description": "They were written anew: accept them by joining again."})
    lead_asked = fields.Boolean(metadata={"description": "The coordinator is silent, and the caller is asked to lead."})
    liaison_name = fields.String(metadata={"description": "The police officer who is the group's contact."})
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
    """Whom to ask to join: one of both. The first 200 numbers are taken."""

    phones = fields.List(
        fields.Raw(allow_none=True),
        validate=validate.Length(min=1, max=1000),
        metadata={"description": "Numbers, or objects with `phone`; a row that is neither is named in the answer."},
    )
    csv = Text(
        MOST_CHARS,
        min_chars=1,
        multiline=True,
        metadata={"description": "Lines as a spreadsheet writes them, with a heading that names `phone` or without."},
    )


class BadRow(Schema):
    """A row that nobody was asked by."""

    line = fields.Integer(required=True, metadata={"description": "From 1; of CSV with its heading."})
    problem = Choice(Problem, required=True)


class GroupInvited(Schema):
    """How many were asked; of whom nothing is told, since a number says who is with Amaan."""

    invited = fields.Integer(required=True)
    bad = fields.List(fields.Nested(BadRow), required=True, metadata={"description": "The first 50."})
    bad_rows = fields.Integer(required=True)


class GroupDoorCode(Schema):
    """The six digits of a letter."""

    code = code_field("[0-9]{6}", "Six digits.", required=True)


class GroupLiaison(Schema):
    """The police officer who is the group's contact; null for nobody."""

    person = Id(required=True, allow_none=True)


class GroupSuccession(Schema):
    """Whether one leads the group from now on."""

    accept = Flag(required=True)


class GroupMember(Answer):
    """Somebody of the group, for its coordinator."""

    person = fields.String(required=True)
    name = fields.String(required=True)
    standing = Choice(Standing, required=True)
    role = Choice(GroupRole, required=True)
    level = Choice(Level)
    by_sms = fields.Boolean(metadata={"description": "Has no app, and is written to by SMS."})
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


class NewSanction(Schema):
    """What is imposed on a member, for how long, and why: they read it."""

    person = Id(required=True)
    kind = Choice(Sanction, required=True)
    hours = Whole(1, 8_760, required=True)
    reason = Text(300, min_chars=5, required=True)


class NewCitySanction(NewSanction):
    """The same in a whole city: a mute."""

    city = Id(required=True)


class SanctionReason(Schema):
    """Why it should end."""

    reason = Text(500, min_chars=5, required=True)


class SanctionLifted(Schema):
    """That it was ended before its time."""

    at = Time(required=True)
    reason = fields.String(required=True)


class SanctionAppeal(Answer):
    """An appeal, and what was answered."""

    reason = fields.String(required=True)
    at = Time(required=True)
    upheld = fields.Boolean(metadata={"description": "Whether it stands."})
    answer = fields.String()
    answered_at = Time()


class SanctionAnswer(Answer):
    """A sanction. Who imposed it is not told to whom it is imposed on."""

    id = fields.String(required=True)
    city = fields.String(required=True)
    group = fields.String(metadata={"description": "Left out where it holds in the whole city."})
    person = fields.String(required=True)
    kind = Choice(Sanction, required=True)
    by = fields.String()
    reason = fields.String(required=True)
    at = Time(required=True)
    until = Time(required=True)
    in_force = fields.Boolean(required=True)
    lifted = fields.Nested(SanctionLifted)
    appeal = fields.Nested(SanctionAppeal)


class OwnSanction(SanctionAnswer):
    """What was imposed on oneself."""
