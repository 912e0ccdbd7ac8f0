"""Every filter operator that the product may use means what MongoDB says it means.

Runs against whatever MONGODB_URL names, else against the embedded server. One table: a filter and whom it finds.
"""

import datetime as dt
import re
from typing import Any

import pytest
from pymongo.database import Database

NOON = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)

PEOPLE: list[dict[str, Any]] = [
    {"_id": "a", "n": 1, "tags": ["x", "y"], "name": "Amna", "at": NOON, "slots": {"police": {"status": "open"}}},
    {"_id": "b", "n": 2.0, "tags": [], "name": "Bilal", "at": NOON + dt.timedelta(minutes=1), "ok": True},
    {"_id": "c", "n": 3, "tags": ["y"], "name": "amir", "marks": [1, 20], "slots": {"police": {"status": "taken"}}},
    {"_id": "d", "n": None, "units": [{"id": "u1", "state": "sent"}, {"id": "u2", "state": "late"}]},
    {"_id": "e", "units": [{"id": "u1", "state": "late"}, {"id": "u3"}], "marks": [7], "kind": "3"},
]

CASES: list[tuple[dict[str, Any], str]] = [
    ({}, "abcde"),
    ({"n": 1}, "a"),
    ({"n": 2}, "b"),  # numbers are equal by value, whatever their type
    ({"n": {"$eq": 3}}, "c"),
    ({"n": {"$ne": 1}}, "bcde"),
    ({"n": {"$gt": 1}}, "bc"),
    ({"n": {"$gte": 2, "$lt": 3}}, "b"),
    ({"n": {"$lte": 2}}, "ab"),  # never null or missing
    ({"n": {"$gt": 1.5}}, "bc"),
    ({"kind": {"$gt": 1}}, ""),  # only values of the same type compare
    ({"n": None}, "de"),
    ({"n": {"$in": [1, 3]}}, "ac"),
    ({"n": {"$in": [None, 3]}}, "cde"),
    ({"n": {"$in": []}}, ""),
    ({"n": {"$nin": [1, 2]}}, "cde"),
    ({"n": {"$exists": True}}, "abcd"),
    ({"n": {"$exists": False}}, "e"),
    ({"n": {"$not": {"$gt": 1}}}, "ade"),
    ({"ok": True}, "b"),
    ({"at": NOON}, "a"),
    ({"at": {"$lte": NOON}}, "a"),
    ({"at": {"$gt": NOON}}, "b"),
    ({"name": {"$regex": "^am"}}, "c"),
    ({"name": {"$regex": "^am", "$options": "i"}}, "ac"),
    ({"name": re.compile("IL", re.IGNORECASE)}, "b"),
    ({"name": {"$in": [re.compile("^B"), "amir"]}}, "bc"),
    ({"tags": "y"}, "ac"),
    ({"tags": ["x", "y"]}, "a"),
    ({"tags": []}, "b"),
    ({"tags": {"$all": ["x", "y"]}}, "a"),
    ({"tags": {"$size": 1}}, "c"),
    ({"tags": {"$in": ["x", "z"]}}, "a"),
    ({"tags": {"$in": ["z", "x"]}}, "a"),
    ({"tags": {"$nin": ["x", "z"]}}, "bcde"),
    ({"tags": {"$ne": "y"}}, "bde"),
    ({"tags": {"$not": {"$size": 0}}}, "acde"),
    ({"tags.0": "x"}, "a"),
    ({"tags.0": {"$exists": True}}, "ac"),
    # Two bounds on an array: by $elemMatch alone. Without it they may be met by different elements in MongoDB, and
    # the embedded server disagrees: not portable.
    ({"marks": {"$elemMatch": {"$gt": 5, "$lt": 10}}}, "e"),
    ({"slots.police.status": "open"}, "a"),
    ({"slots.police.status": {"$exists": True}}, "ac"),
    ({"slots.police": {"status": "taken"}}, "c"),
    ({"slots.police.status": {"$nin": ["open"]}}, "bcde"),
    ({"units.id": "u1"}, "de"),
    ({"units.id": {"$in": ["u9", "u3"]}}, "e"),
    ({"units.id": {"$ne": "u3"}}, "abcd"),
    ({"units.id": {"$nin": ["u3", "u9"]}}, "abcd"),
    ({"units.state": {"$exists": True}}, "de"),
    ({"units": {"$exists": True}, "units.id": {"$ne": "u2"}}, "e"),
    ({"units.id": "u1", "units.state": "late"}, "de"),
    ({"units": {"$elemMatch": {"id": "u1", "state": "late"}}}, "e"),
    ({"units": {"$elemMatch": {"id": {"$in": ["u3"]}, "state": {"$exists": False}}}}, "e"),
    ({"$or": [{"n": 1}, {"units.id": "u3"}]}, "ae"),
    ({"$or": [{"n": 1}, {"name": "amir"}], "tags": "x"}, "a"),
    ({"$and": [{"n": {"$gt": 0}}, {"n": {"$lt": 2}}]}, "a"),
    ({"$and": [{"tags": "x"}, {"tags": "y"}]}, "a"),
    ({"$and": [{"$or": [{"n": 1}, {"n": 3}]}, {"$or": [{"tags": "x"}, {"ok": True}]}]}, "a"),
    ({"name": {"$not": {"$regex": "^am"}}}, "abde"),
    ({"_id": {"$in": ["a", "e", "nobody"]}}, "ae"),
    ({"_id": {"$gt": "b", "$lte": "d"}}, "cd"),
    ({"_id": "a", "n": 2}, ""),
    ({"_id": "a", "$or": [{"n": 2}, {"ok": {"$exists": False}}]}, "a"),
    ({"_id": {"$ne": "a"}, "tags": "y"}, "c"),
]

INDEXES: list[list[tuple[str, int]]] = [
    [("n", 1)], [("tags", 1), ("n", -1)], [("marks", 1)], [("name", -1)], [("at", 1)], [("ok", 1), ("n", 1)],
    [("slots.police.status", 1)], [("units.id", 1), ("units.state", 1)], [("kind", 1)],
]  # fmt: skip


@pytest.mark.parametrize("indexed", [False, True], ids=["scan", "indexed"])
@pytest.mark.parametrize(("wanted", "found"), CASES, ids=[str(wanted)[:60] for wanted, _ in CASES])
def test_a_filter_finds_whom_it_describes(
    store: Database[dict[str, Any]], wanted: dict[str, Any], found: str, indexed: bool
) -> None:
    if indexed:
        for keys in INDEXES:
            store.people.create_index(keys)
    store.people.insert_many(PEOPLE)

    assert "".join(sorted(person["_id"] for person in store.people.find(wanted))) == found
    assert store.people.count_documents(wanted) == len(found)


SORTS: list[tuple[list[tuple[str, int]], str]] = [
    ([("n", 1), ("_id", 1)], "deabc"),  # null and missing are equal and come first
    ([("n", -1), ("_id", 1)], "cbade"),
    ([("name", 1), ("_id", -1)], "edabc"),
    ([("at", -1), ("_id", 1)], "bacde"),
    ([("_id", -1)], "edcba"),
]


@pytest.mark.parametrize("indexed", [False, True], ids=["scan", "indexed"])
@pytest.mark.parametrize(("order", "found"), SORTS, ids=[str(order) for order, _ in SORTS])
def test_order_skip_and_limit(
    store: Database[dict[str, Any]], order: list[tuple[str, int]], found: str, indexed: bool
) -> None:
    if indexed:
        store.people.create_index([("n", 1)])
        store.people.create_index([("name", 1)])
        store.people.create_index([("at", 1)])
    store.people.insert_many(PEOPLE)

    assert "".join(person["_id"] for person in store.people.find().sort(order)) == found
    assert "".join(person["_id"] for person in store.people.find().sort(order).skip(1).limit(2)) == found[1:3]


def test_projection(store: Database[dict[str, Any]]) -> None:
    store.people.insert_many(PEOPLE)

    assert store.people.find_one({"_id": "a"}, {"n": 1, "slots.police.status": 1}) == {
        "_id": "a", "n": 1, "slots": {"police": {"status": "open"}},
    }  # fmt: skip
    assert store.people.find_one({"_id": "d"}, {"_id": 0, "units.id": 1}) == {"units": [{"id": "u1"}, {"id": "u2"}]}
    assert store.people.find_one({"_id": "c"}, {"slots": 0, "marks": 0, "name": 0}) == {
        "_id": "c", "n": 3, "tags": ["y"],
    }  # fmt: skip
    assert store.people.find_one({"_id": "a"}, {"tags": {"$slice": -1}, "_id": 1}) is not None


def test_a_large_answer_comes_in_parts(store: Database[dict[str, Any]]) -> None:
    store.many.insert_many([{"_id": i, "text": "x" * 1000} for i in range(1500)])

    assert [found["_id"] for found in store.many.find().sort("_id", 1)] == list(range(1500))
    assert len(list(store.many.find(batch_size=7))) == 1500


def test_values_come_back_as_they_went_in(store: Database[dict[str, Any]]) -> None:
    kept = {
        "_id": "x", "int": 1, "long": 1 << 40, "double": 1.5, "text": "امان", "empty": "", "null": None, "yes": True,
        "date": NOON, "list": [1, "a", [2, {"b": None}]], "nested": {"c": {"d": []}}, "bytes": b"\x00\xff",
    }  # fmt: skip
    store.kept.insert_one(dict(kept))

    assert store.kept.find_one({"_id": "x"}) == kept
    assert list(store.kept.find_one({"_id": "x"}) or {}) == list(kept)


def test_distinct(store: Database[dict[str, Any]]) -> None:
    store.people.insert_many(PEOPLE)

    assert sorted(store.people.distinct("tags")) == ["x", "y"]
    assert sorted(store.people.distinct("units.state", {"units.id": "u1"})) == ["late", "sent"]


def test_answers_that_nobody_reads_to_the_end(store: Database[dict[str, Any]]) -> None:
    """Many open answers at once, all of them good; closing one ends it."""
    store.many.insert_many([{"_id": i} for i in range(400)])
    cursors = [store.many.find().sort("_id", 1) for _ in range(50)]
    for cursor in cursors:
        assert next(cursor)["_id"] == 0
    cursors[0].close()
    for cursor in cursors[1:]:
        assert [found["_id"] for found in cursor] == list(range(1, 400))
