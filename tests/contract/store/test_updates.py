"""Every update operator that the product may use does what MongoDB says it does."""

import datetime as dt
from typing import Any

import pytest
from pymongo import ReturnDocument, UpdateOne
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError, WriteError

NOON = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)

# before, update, after; all without _id
CASES: list[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    ({"a": 1}, {"$set": {"a": 2, "b.c": 3}}, {"a": 2, "b": {"c": 3}}),
    ({"a": {"b": {"c": 1, "d": 2}}}, {"$set": {"a.b.c": NOON}}, {"a": {"b": {"c": NOON, "d": 2}}}),
    ({"a": [1, 2, 3]}, {"$set": {"a.1": 9}}, {"a": [1, 9, 3]}),
    ({"a": 1, "b": {"c": 1, "d": 2}}, {"$unset": {"a": "", "b.c": ""}}, {"b": {"d": 2}}),
    ({"a": 1}, {"$unset": {"nothing": ""}}, {"a": 1}),
    ({"a": 1}, {"$inc": {"a": 2, "b": 1}}, {"a": 3, "b": 1}),
    ({"a": {"n": 1.5}}, {"$inc": {"a.n": -1}}, {"a": {"n": 0.5}}),
    ({"a": 5, "b": 5}, {"$min": {"a": 3, "b": 9, "c": 1}}, {"a": 3, "b": 5, "c": 1}),
    ({"a": 5, "b": 5}, {"$max": {"a": 3, "b": 9}}, {"a": 5, "b": 9}),
    ({"at": NOON}, {"$max": {"at": NOON + dt.timedelta(1)}}, {"at": NOON + dt.timedelta(1)}),
    ({"a": [1]}, {"$push": {"a": 2, "b": 1}}, {"a": [1, 2], "b": [1]}),
    ({"a": [1]}, {"$push": {"a": {"$each": [2, 3]}}}, {"a": [1, 2, 3]}),
    ({"a": [1, 2, 3]}, {"$push": {"a": {"$each": [4, 5], "$slice": -3}}}, {"a": [3, 4, 5]}),
    ({"a": [1, 2]}, {"$push": {"a": {"$each": [0], "$position": 0}}}, {"a": [0, 1, 2]}),
    ({"a": [3, 1]}, {"$push": {"a": {"$each": [2], "$sort": 1}}}, {"a": [1, 2, 3]}),
    (
        {"a": [{"s": 3}, {"s": 1}]},
        {"$push": {"a": {"$each": [{"s": 2}], "$sort": {"s": -1}, "$slice": 2}}},
        {"a": [{"s": 3}, {"s": 2}]},
    ),
    ({"a": ["x"]}, {"$addToSet": {"a": "x"}}, {"a": ["x"]}),
    ({"a": ["x"]}, {"$addToSet": {"a": {"$each": ["x", "y", "y"]}}}, {"a": ["x", "y"]}),
    ({"a": [{"k": 1}]}, {"$addToSet": {"a": {"k": 1}}}, {"a": [{"k": 1}]}),
    ({"a": [1, 2, 1]}, {"$pull": {"a": 1}}, {"a": [2]}),
    ({"a": [1, 5, 9]}, {"$pull": {"a": {"$gte": 5}}}, {"a": [1]}),
    ({"a": ["x", "y", "z"]}, {"$pull": {"a": {"$in": ["x", "z"]}}}, {"a": ["y"]}),
    (
        {"a": [{"id": 1, "s": "x"}, {"id": 2, "s": "y"}]},
        {"$pull": {"a": {"id": {"$in": [1, 3]}, "s": "x"}}},
        {"a": [{"id": 2, "s": "y"}]},
    ),
    ({"a": [{"n": 1}, {"n": 2}]}, {"$set": {"a.$[].n": 0}}, {"a": [{"n": 0}, {"n": 0}]}),
    ({"a": [{"n": 1}, {"n": 2}]}, {"$inc": {"a.$[].n": 5}}, {"a": [{"n": 6}, {"n": 7}]}),
    (
        {"a": 1, "b": [1], "c": 1, "v": 1},
        {"$set": {"a": 2}, "$push": {"b": {"$each": [2], "$slice": -2}}, "$unset": {"c": ""}, "$inc": {"v": 1}},
        {"a": 2, "b": [1, 2], "v": 2},
    ),
    ({"a": 1, "b": 2}, {"c": 3}, {"c": 3}),  # a replacement
]


@pytest.mark.parametrize(("before", "update", "after"), CASES, ids=[str(update)[:70] for _, update, _ in CASES])
def test_an_update_changes_what_it_says(
    store: Database[dict[str, Any]], before: dict[str, Any], update: dict[str, Any], after: dict[str, Any]
) -> None:
    store.things.insert_one({"_id": 1, **before})
    store.things.insert_one({"_id": 2, **before})

    if next(iter(update)).startswith("$"):
        done = store.things.update_one({"_id": 1}, update)
    else:
        done = store.things.replace_one({"_id": 1}, update)

    assert store.things.find_one({"_id": 1}) == {"_id": 1, **after}
    assert store.things.find_one({"_id": 2}) == {"_id": 2, **before}
    assert (done.matched_count, done.modified_count) == (1, int(before != after))


def test_the_matched_element_is_updated(store: Database[dict[str, Any]]) -> None:
    units = [{"id": "u1", "state": "asked"}, {"id": "u2", "state": "asked"}]
    store.things.insert_one({"_id": 1, "units": units})

    store.things.update_one({"_id": 1, "units.id": "u2"}, {"$set": {"units.$.state": "came"}})
    store.things.update_one({"units": {"$elemMatch": {"id": "u1", "state": "asked"}}}, {"$set": {"units.$.n": 1}})

    found = store.things.find_one({"_id": 1})
    assert found == {"_id": 1, "units": [{"id": "u1", "state": "asked", "n": 1}, {"id": "u2", "state": "came"}]}


def test_array_filters(store: Database[dict[str, Any]]) -> None:
    store.things.insert_one({"_id": 1, "units": [{"id": "u1", "n": 1}, {"id": "u2", "n": 5}, {"id": "u3", "n": 7}]})

    store.things.update_one({"_id": 1}, {"$set": {"units.$[far].asked": True}}, array_filters=[{"far.n": {"$gte": 5}}])

    found = store.things.find_one({"_id": 1}) or {}
    assert [unit.get("asked") for unit in found["units"]] == [None, True, True]


def test_update_many_and_delete(store: Database[dict[str, Any]]) -> None:
    store.things.create_index([("kind", 1)])
    store.things.insert_many([{"_id": i, "kind": "even" if i % 2 == 0 else "odd"} for i in range(10)])

    done = store.things.update_many({"kind": "even"}, {"$set": {"kind": "none", "seen": 1}})
    assert (done.matched_count, done.modified_count) == (5, 5)
    assert store.things.count_documents({"kind": "none"}) == 5
    assert store.things.count_documents({"kind": "even"}) == 0
    assert store.things.delete_one({"kind": "odd"}).deleted_count == 1
    assert store.things.delete_many({"kind": "odd"}).deleted_count == 4
    assert sorted(thing["_id"] for thing in store.things.find()) == [0, 2, 4, 6, 8]


def test_a_field_may_be_named_query(store: Database[dict[str, Any]]) -> None:
    store.things.insert_many([{"_id": 1, "query": "a"}, {"_id": 2, "query": "b"}])

    assert store.things.delete_many({"query": "a"}).deleted_count == 1
    assert [thing["_id"] for thing in store.things.find()] == [2]


def test_find_and_modify(store: Database[dict[str, Any]]) -> None:
    store.jobs.insert_many([{"_id": i, "due": 10 - i, "state": "new", "text": "x"} for i in range(3)])

    before = store.jobs.find_one_and_update({"state": "new"}, {"$set": {"state": "taken"}}, sort=[("due", 1)])
    after = store.jobs.find_one_and_update(
        {"state": "new"}, {"$set": {"state": "taken"}, "$inc": {"version": 1}}, sort=[("due", 1)],
        projection={"state": 1, "version": 1}, return_document=ReturnDocument.AFTER,
    )  # fmt: skip
    nobody = store.jobs.find_one_and_update({"_id": 2, "state": "new"}, {"$set": {"n": 1}}, projection={"state": 1})
    gone = store.jobs.find_one_and_delete({"state": "new"})

    assert before == {"_id": 2, "due": 8, "state": "new", "text": "x"}
    assert after == {"_id": 1, "state": "taken", "version": 1}
    assert nobody is None
    assert gone is not None
    assert gone["_id"] == 0
    assert store.jobs.count_documents({}) == 2


def test_upsert(store: Database[dict[str, Any]]) -> None:
    made = store.things.update_one(
        {"_id": "k", "city": "lahore"}, {"$inc": {"n": 1}, "$setOnInsert": {"first": True}}, upsert=True
    )
    again = store.things.update_one(
        {"_id": "k", "city": "lahore"}, {"$inc": {"n": 1}, "$setOnInsert": {"first": False}}, upsert=True
    )
    returned = store.things.find_one_and_update(
        {"key": "x"}, {"$set": {"a": 1}}, upsert=True, return_document=ReturnDocument.AFTER
    )

    assert made.upserted_id == "k"
    assert again.upserted_id is None
    assert store.things.find_one({"_id": "k"}) == {"_id": "k", "city": "lahore", "n": 2, "first": True}
    assert returned is not None
    assert (returned["key"], returned["a"]) == ("x", 1)


def test_an_upsert_beside_a_taken_id_is_a_duplicate(store: Database[dict[str, Any]]) -> None:
    """The claim of a lease: the filter misses because another holds it, so the upsert meets the id."""
    store.leases.insert_one({"_id": "lease", "until": NOON + dt.timedelta(1)})

    with pytest.raises(DuplicateKeyError):
        store.leases.update_one({"_id": "lease", "until": {"$lt": NOON}}, {"$set": {"until": NOON}}, upsert=True)

    assert store.leases.find_one({"_id": "lease"}) == {"_id": "lease", "until": NOON + dt.timedelta(1)}


def test_bulk_write(store: Database[dict[str, Any]]) -> None:
    store.things.insert_many([{"_id": i, "n": 0} for i in range(3)])

    done = store.things.bulk_write([UpdateOne({"_id": i}, {"$inc": {"n": i}}) for i in range(3)], ordered=False)

    assert done.matched_count == 3
    assert [thing["n"] for thing in store.things.find().sort("_id", 1)] == [0, 1, 2]


def test_a_failed_update_changes_nothing(store: Database[dict[str, Any]]) -> None:
    store.things.create_index([("token", 1)], unique=True, sparse=True)
    store.things.insert_many([{"_id": 1, "token": "a"}, {"_id": 2, "token": "b", "n": 1}])

    with pytest.raises(DuplicateKeyError):
        store.things.update_one({"_id": 2}, {"$set": {"token": "a", "n": 2}})
    with pytest.raises(WriteError):
        store.things.update_one({"_id": 2}, {"$push": {"n": 1}})

    assert store.things.find_one({"token": "b"}) == {"_id": 2, "token": "b", "n": 1}
    assert store.things.find_one({"token": "a"}) == {"_id": 1, "token": "a"}


def test_a_document_does_not_grow_past_its_limit(store: Database[dict[str, Any]]) -> None:
    """16 MB: refused, and what was there stays."""
    part = b"x" * (6 << 20)
    store.things.insert_one({"_id": 1, "parts": [part]})
    store.things.update_one({"_id": 1}, {"$push": {"parts": part}})
    with pytest.raises(WriteError):
        store.things.update_one({"_id": 1}, {"$push": {"parts": part}})

    assert (store.things.find_one({"_id": 1}) or {})["parts"] == [part, part]
