"""Two people call for help in one happening; the control room puts their calls together. Both hear how the help stands."""

from domain.dispatch import queries as dispatch_queries
from domain.dispatch import service as dispatch
from domain.incidents import operating
from domain.incidents import service as incidents
from domain.incidents.states import AssignmentStatus, Resolution
from tests.factories.people import Signed, signed_in
from tests.fakes.small_city import SmallCity


def called(city: SmallCity, **body: object) -> tuple[Signed, str]:
    """Somebody without the app on this phone, who is told by SMS: (who, the SOS)."""
    person = signed_in(city.now(), language="en")
    sos = str(city.sos(**body)["id"])
    city.settle()
    incidents.incidents().update_one({"_id": sos}, {"$set": {"citizen.person": person.person_id}})
    return person, sos


def somebody_goes(city: SmallCity, sos: str) -> str:
    """A unit takes it: the assignment."""
    responder = city.responder()
    city.skip(60)
    unit = dispatch_queries.unit_of(responder.person_id) or {}
    doc = incidents.get(sos)
    assignment = str(next(each for each, found in doc["assignments"].items() if found["unit"] == unit["_id"]))
    dispatch.accept(sos, assignment, city.context.desk("lahore"), by=responder.person_id, via="app", now=city.now())
    city.enqueue("drain", "incidents", sos)
    city.settle()
    return assignment


def heard(city: SmallCity, sos: str) -> list[str]:
    """What her phone was told of her own SOS, in order."""
    rows = city.store.deliveries.find({"subject": sos, "purpose": "incident_updated"}).sort("created_at", 1)
    return [row["refs"]["status"] for row in rows]


def test_whose_call_was_merged_hears_how_the_other_one_stands(small_city: SmallCity) -> None:
    _, first = called(small_city)
    second_person, second = called(small_city)
    operating.merge(second, incidents.get(first), by="per_op", now=small_city.now())
    assignment = somebody_goes(small_city, first)
    assert heard(small_city, second) == heard(small_city, first) == ["acknowledged"]
    assert "has taken your call" in small_city.texts(second_person.phone)[-1]
    dispatch.progress(first, assignment, AssignmentStatus.ON_SCENE, by="per_1", now=small_city.now())
    small_city.enqueue("drain", "incidents", first)
    small_city.settle()
    operating.unmerge(second, by="per_op", reason="another house", now=small_city.now())
    operating.resolve(first, Resolution.HELPED, by="per_op", reason="", now=small_city.now())
    small_city.enqueue("drain", "incidents", first)
    small_city.settle()
    assert heard(small_city, first) == ["acknowledged", "on_scene", "closed"]
    assert heard(small_city, second) == ["acknowledged", "on_scene"], "it goes on by itself from then on"


def test_help_that_is_on_its_way_already_is_told_when_the_calls_are_put_together(small_city: SmallCity) -> None:
    _, first = called(small_city)
    somebody_goes(small_city, first)
    _, second = called(small_city, silent=True)
    operating.merge(second, incidents.get(first), by="per_op", now=small_city.now())
    small_city.enqueue("drain", "incidents", second)
    small_city.settle()
    assert heard(small_city, second) == ["acknowledged"]
    (row,) = small_city.store.deliveries.find({"subject": second, "purpose": "incident_updated"})
    assert row["plan"] == ["fcm"], "her SOS was silent, whatever the other one is"


def test_a_phone_that_cancelled_hears_no_more_of_either(small_city: SmallCity) -> None:
    _, first = called(small_city)
    _, second = called(small_city)
    operating.merge(second, incidents.get(first), by="per_op", now=small_city.now())
    small_city.store.incidents.update_one({"_id": second}, {"$set": {"citizen.cancel": {"view": {}}}})
    somebody_goes(small_city, first)
    assert heard(small_city, second) == []
