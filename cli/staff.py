"""`amaan staff`: who works for the city. The first admin of an installation is made here."""

import click

from cli.store import audited, connected, show, told
from domain.cities import queries as cities
from domain.clock import utc_now
from domain.dispatch import registry
from domain.errors import Invalid
from domain.people import queries, sessions
from domain.people import staff as people
from domain.people.states import Gender
from domain.permissions import Held, Role
from domain.phones import masked, parse_phone

GENDERS = [str(each) for each in Gender if each]
ROLES = sorted(str(role) for role in people.GIVEN)
REASON = click.option("--reason", default="", help="Why; it stands on the audit chain.")


def _held(city: str, roles: tuple[str, ...], agency: str) -> list[Held]:
    if city != "*" and agency and agency not in cities.current(city).agencies:
        raise Invalid(f"{city} has no agency {agency}")
    found = [Held(Role(role), city, agency if Role(role) in people.NEEDS_AGENCY else "") for role in roles]
    if any(held.role in people.NEEDS_AGENCY and not held.agency_id for held in found):
        raise Invalid("responders and supervisors need --agency")
    return found


@click.group()
def staff() -> None:
    """Staff and responders: list, add, dismiss, renew a second factor, end sessions."""


@staff.command("list")
@click.argument("city")
@click.option("--role", type=click.Choice(ROLES))
@told
def list_staff(city: str, role: str | None) -> None:
    """Who holds a role in a city."""
    connected()
    rows, after = [], None
    while True:
        page, after = people.listed(city, role=role, after=after, limit=200)
        rows += [
            (
                person.id,
                person.name,
                masked(person.phone or ""),
                " ".join(held.role for held in person.roles if held.city == city),
                person.agency_id or "",
                "yes" if person.second_factor and person.second_factor.confirmed_at else "no",
            )
            for person in page
        ]
        if after is None:
            break
    show(["id", "name", "phone", "roles", "agency", "second factor"], rows)


@staff.command("add")
@click.argument("city")
@click.argument("phone")
@click.option("--role", "roles", multiple=True, required=True, type=click.Choice(ROLES))
@click.option("--agency", default="", help="For responders and supervisors.")
@click.option("--name", default="")
@click.option("--language", default="ur", show_default=True, type=click.Choice(["ur", "en"]))
@click.option(
    "--speaks", "languages", multiple=True, type=click.Choice(["ur", "en"]), help="Who asks is offered these."
)
@click.option("--gender", type=click.Choice(GENDERS), help="The helpline offers women first.")
@click.option("--skill", "skills", multiple=True)
@REASON
@told
def add_staff(
    city: str,
    phone: str,
    roles: tuple[str, ...],
    agency: str,
    name: str,
    language: str,
    languages: tuple[str, ...],
    gender: str | None,
    skills: tuple[str, ...],
    reason: str,
) -> None:
    """Give somebody roles in a city (`*` for all of them). Prints the code for the second factor, once."""
    connected()
    held = _held(city, roles, agency)
    facts = {
        "name": name,
        "language": language,
        "languages": list(languages),
        "gender": gender or "",
        "skills": list(skills),
    }
    now = utc_now()
    person_id = people.admit(parse_phone(phone), language=language, now=now)
    audited(city, "staff.added", person_id, reason)
    _, code = people.add(person_id, held, facts, now=now)
    click.echo(person_id)
    if code:
        click.echo(f"enrolment code (seven days, hand it over in person): {code}")


@staff.command("dismiss")
@click.argument("city")
@click.argument("person_id")
@REASON
@told
def dismiss(city: str, person_id: str, reason: str) -> None:
    """Take every role in the city away, and their place on a unit, and end the sessions."""
    connected()
    people.of_city(person_id, city)
    audited(city, "staff.dismissed", person_id, reason)
    now = utc_now()
    people.dismiss(person_id, city=city, now=now)
    registry.take_off_without_role(person_id, now=now)


@staff.command("enrol")
@click.argument("city")
@click.argument("person_id")
@REASON
@told
def enrol(city: str, person_id: str, reason: str) -> None:
    """Take the second factor away and print a code for a new one: a lost authenticator."""
    connected()
    people.of_city(person_id, city)
    audited(city, "staff.enrolment_renewed", person_id, reason)
    click.echo(people.enrol(person_id, now=utc_now()))


@staff.command("sessions")
@click.argument("person_id")
@click.option("--end", is_flag=True, help="End them all: a stolen laptop.")
@REASON
@told
def list_sessions(person_id: str, end: bool, reason: str) -> None:
    """Where somebody is signed in."""
    connected()
    now = utc_now()
    person = queries.get(person_id)
    if end:
        audited(person.city or "-", "session.ended", person_id, reason)
        click.echo(f"{sessions.end_all(person_id, now=now)} ended")
        return
    rows = [
        (row["id"], row.get("label"), row["seen_at"], row["expires_at"]) for row in sessions.listed(person_id, now=now)
    ]
    show(["id", "label", "last seen", "until"], rows)
