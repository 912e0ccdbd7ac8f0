"""Bodies and answers of the admin routes."""

from marshmallow import fields, validate

from api.paging import PageQuery
from api.schemas import Answer, Choice, Id, Language, Phone, Schema, Text, Time
from domain.cities.config import AgencyKind, Service
from domain.dispatch.states import UnitStatus
from domain.people.staff import GIVEN
from domain.people.states import Gender
from domain.permissions import Role

REASON = {"description": "Why; it stands with the change."}


class Names(Schema):
    """The same name in English and Urdu."""

    en = Text(200, min_chars=1, required=True)
    ur = Text(200, min_chars=1, required=True)


class CityQuery(Schema):
    """Which city; one's own where left out."""

    city = Id()


class CityPageQuery(PageQuery):
    """Which city; one's own where left out."""

    city = Id()


class CityAnswer(Answer):
    """A city in short."""

    id = fields.String(required=True)
    names = fields.Nested(Names)
    version = fields.Integer(metadata={"description": "0: the preset, not loaded into the store."})
    zone = fields.String()
    languages = fields.List(fields.String())


class CitiesAnswer(Answer):
    """The cities that the caller has a role in."""

    items = fields.List(fields.Nested(CityAnswer), required=True)


class CityConfigAnswer(Answer):
    """A city's complete configuration and its version."""

    id = fields.String(required=True)
    version = fields.Integer(required=True)
    config = fields.Dict(required=True)


class CityChange(Schema):
    """A complete configuration, and why. If-Match gives the version that it changes."""

    config = fields.Dict(required=True)
    reason = Text(300, min_chars=3, required=True, metadata=REASON)


class AgencyAnswer(Answer):
    """Who sends units, or is called in."""

    id = fields.String(required=True)
    city = fields.String()
    names = fields.Nested(Names)
    kind = fields.String()
    services = fields.List(fields.String())
    phone = fields.String()


class AgenciesAnswer(Answer):
    """All agencies of a city."""

    items = fields.List(fields.Nested(AgencyAnswer), required=True)


class AgencyChange(Schema):
    """What of an agency to change, and why."""

    city = Id()
    names = fields.Nested(Names)
    kind = Choice(AgencyKind)
    services = fields.List(Choice(Service), validate=validate.Length(max=len(Service)))
    phone = Text(20, min_chars=2)
    reason = Text(300, min_chars=3, required=True, metadata=REASON)


class NewAgency(AgencyChange):
    """An agency that the city did not have."""

    id = Id(required=True)
    names = fields.Nested(Names, required=True)
    kind = Choice(AgencyKind, required=True)
    services = fields.List(Choice(Service), required=True, validate=validate.Length(max=len(Service)))
    phone = Text(20, min_chars=2, required=True)


class UnitChange(Schema):
    """What of a unit to change."""

    name = Text(80, min_chars=1)
    agency_id = Id()
    services = fields.List(Choice(Service), validate=validate.Length(min=1, max=len(Service)))
    skills = fields.List(Text(40, min_chars=1), validate=validate.Length(max=20))
    phone = Phone()


class NewUnit(UnitChange):
    """A car or a team."""

    city = Id()
    name = Text(80, min_chars=1, required=True)
    agency_id = Id(required=True)
    services = fields.List(Choice(Service), required=True, validate=validate.Length(min=1, max=len(Service)))


class UnitAnswer(Answer):
    """A unit as it is kept; where it is now is the incidents' matter."""

    id = fields.String(required=True, attribute="_id")
    city = fields.String()
    agency_id = fields.String(attribute="agency")
    name = fields.String()
    services = fields.List(fields.String())
    skills = fields.List(fields.String())
    phone = fields.String()
    status = Choice(UnitStatus)
    responders = fields.List(fields.String())
    version = fields.Integer()
    created_at = Time()
    updated_at = Time()


class UnitsQuery(CityPageQuery):
    """Which units."""

    agency_id = Id()


class RoleGiven(Schema):
    """A role in the city at hand; responders and supervisors have an agency, group roles a group."""

    role = fields.String(required=True, validate=validate.OneOf(sorted(str(role) for role in GIVEN)))
    agency_id = Id()
    group_id = Id()


class StaffChange(Schema):
    """The roles that somebody holds in the city (all of them), and facts about them."""

    city = Id()
    roles = fields.List(fields.Nested(RoleGiven), validate=validate.Length(max=10))
    name = Text(80)
    language = Language()
    languages = fields.List(Language(), validate=validate.Length(max=10))
    gender = Choice(Gender)
    skills = fields.List(Text(40, min_chars=1), validate=validate.Length(max=20))
    reason = Text(300, load_default="", metadata=REASON)


class NewStaff(StaffChange):
    """Somebody with a phone who gets a role."""

    phone = Phone(required=True)
    roles = fields.List(fields.Nested(RoleGiven), required=True, validate=validate.Length(min=1, max=10))


class RoleHeldAnswer(Answer):
    """A role and where it holds."""

    role = fields.String(required=True)
    city = fields.String()
    agency_id = fields.String()
    group_id = fields.String()


class StaffAnswer(Answer):
    """A member of staff or a responder, as an admin sees them."""

    id = fields.String(required=True)
    name = fields.String()
    phone = fields.String()
    language = fields.String()
    languages = fields.List(fields.String())
    gender = fields.String()
    skills = fields.List(fields.String())
    roles = fields.List(fields.Nested(RoleHeldAnswer))
    agency_id = fields.String()
    unit_id = fields.String()
    duty = fields.String()
    second_factor = fields.Boolean(metadata={"description": "Whether it is set up."})


class NewStaffAnswer(StaffAnswer):
    """Beside the person, the code that lets them set up their second factor: told once."""

    enrolment_code = fields.String()


class EnrolmentAnswer(Answer):
    """A new enrolment code; hand it over in person. It is good for seven days."""

    enrolment_code = fields.String(required=True)


class StaffQuery(CityPageQuery):
    """Which staff."""

    role = fields.String(validate=validate.OneOf([str(role) for role in Role]))


class SessionsQuery(CityPageQuery):
    """Whose sessions; everybody's of the city where left out."""

    person_id = Id()


class StaffSessionAnswer(Answer):
    """A signed-in phone or console of a member of staff."""

    id = fields.String(required=True, metadata={"description": "Opaque; what DELETE takes."})
    person_id = fields.String(required=True)
    device_id = fields.String()
    label = fields.String()
    created_at = Time()
    seen_at = Time()
    expires_at = Time()
    second_factor_at = Time()
