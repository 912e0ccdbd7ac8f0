"""The calls of mongoengine and of the driver's administration that the product makes, on either server."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import mongoengine
import pytest
from pymongo import MongoClient
from pymongo.database import Database

NOON = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
ALIAS = "contract"


class Call(mongoengine.Document):  # type: ignore[misc]
    """A document as the product declares them."""

    id = mongoengine.StringField(primary_key=True)
    city = mongoengine.StringField(required=True)
    status = mongoengine.StringField(default="open")
    due = mongoengine.DateTimeField()
    version = mongoengine.IntField(default=0)
    pending = mongoengine.ListField(mongoengine.DictField())
    slots = mongoengine.DictField()
    meta = {  # noqa: RUF012 - mongoengine reads it
        "collection": "calls", "db_alias": ALIAS, "auto_create_index": False, "strict": False,
        "indexes": [
            {"fields": ["city", "status"]}, {"fields": ["due"], "sparse": True}, {"fields": ["slots.police.unit"]},
        ],
    }  # fmt: skip


@pytest.fixture
def calls(store: Database[dict[str, Any]], mongodb_url: str) -> Iterator[type[Call]]:
    """The class, connected to the test's own database."""
    mongoengine.connect(store.name, host=mongodb_url, alias=ALIAS, tz_aware=True, uuidRepresentation="standard")
    Call._collection = None
    yield Call
    mongoengine.disconnect(ALIAS)
    Call._collection = None


def test_saved_found_and_modified(calls: Any) -> None:
    calls.ensure_indexes()
    calls(id="c1", city="lahore", due=NOON, slots={"police": {"status": "open"}}).save(force_insert=True)

    modified = calls.objects(id="c1", status="open").modify(
        set__status="taken", inc__version=1, push__pending={"id": "e1"}, unset__due=True, new=True
    )
    refused = calls.objects(id="c1", status="open").modify(set__status="taken")
    done = calls.objects(id="c1", version=1).update_one(
        set__slots__police__unit="u1", pull__pending={"id": "e1"}, full_result=True
    )

    assert (modified.status, modified.version, modified.due) == ("taken", 1, None)
    assert refused is None
    assert (done.matched_count, done.modified_count) == (1, 1)
    assert calls.objects(slots__police__unit="u1").as_pymongo().first()["pending"] == []
    assert calls.objects(id="c1").only("city").first().city == "lahore"


def test_queries(calls: Any) -> None:
    calls.ensure_indexes()
    calls.objects.insert([calls(id=f"c{i}", city="lahore", due=NOON + dt.timedelta(minutes=i)) for i in range(250)])

    assert calls.objects(due__lte=NOON + dt.timedelta(minutes=9)).count() == 10
    assert [call.id for call in calls.objects(city="lahore").order_by("-due").limit(2)] == ["c249", "c248"]
    assert sum(1 for _ in calls.objects(city="lahore").order_by("due").batch_size(40)) == 250
    assert calls.objects(mongoengine.Q(id="c1") | mongoengine.Q(id="c3")).count() == 2
    with pytest.raises(mongoengine.errors.NotUniqueError):
        calls(id="c1", city="lahore").save(force_insert=True)
    assert calls.objects(city="lahore").delete() == 250


def test_administration(mongo_client: MongoClient[dict[str, Any]], store: Database[dict[str, Any]]) -> None:
    """What `amaan doctor` and the breaker ask."""
    store.things.insert_one({"_id": 1})

    assert mongo_client.admin.command("ping")["ok"] == 1
    assert mongo_client.server_info()["versionArray"][0] >= 5
    assert store.name in mongo_client.list_database_names()
    assert store.list_collection_names() == ["things"]
    assert store.command("collStats", "things")["count"] == 1
    assert store.things.estimated_document_count() == 1
    store.create_collection("made")
    assert sorted(store.list_collection_names()) == ["made", "things"]
    store.drop_collection("made")
    assert store.list_collection_names() == ["things"]
