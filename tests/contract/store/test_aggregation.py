"""The aggregation stages that the product may use, and that none of them changes what is stored."""

import datetime as dt
from typing import Any

import pytest
from pymongo.database import Database

DAY = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)


@pytest.fixture
def calls(store: Database[dict[str, Any]]) -> Database[dict[str, Any]]:
    """Six calls: two cities, waits of 0 to 50 s, and tags."""
    store.calls.create_index([("city", 1), ("wait", 1)])
    store.calls.insert_many(
        {"_id": i, "city": "lahore" if i < 4 else "multan", "wait": i * 10, "tags": ["a", "b"][: i % 3],
         "at": DAY + dt.timedelta(hours=i * 12), "place": {"cell": f"c{i % 2}"}}
        for i in range(6)
    )  # fmt: skip
    return store


def test_match_group_sort(calls: Database[dict[str, Any]]) -> None:
    found = calls.calls.aggregate([
        {"$match": {"wait": {"$gte": 10}}},
        {"$group": {"_id": "$city", "n": {"$sum": 1}, "total": {"$sum": "$wait"}, "mean": {"$avg": "$wait"},
                    "most": {"$max": "$wait"}, "least": {"$min": "$wait"}, "ids": {"$push": "$_id"}}},
        {"$sort": {"_id": 1}},
    ])  # fmt: skip
    assert list(found) == [
        {"_id": "lahore", "n": 3, "total": 60, "mean": 20.0, "most": 30, "least": 10, "ids": [1, 2, 3]},
        {"_id": "multan", "n": 2, "total": 90, "mean": 45.0, "most": 50, "least": 40, "ids": [4, 5]},
    ]


def test_a_leading_match_and_a_later_one(calls: Database[dict[str, Any]]) -> None:
    pipeline: list[dict[str, Any]] = [{"$match": {"city": "lahore"}}, {"$match": {"wait": {"$gt": 10}}}]

    assert [call["_id"] for call in calls.calls.aggregate([*pipeline, {"$sort": {"_id": -1}}])] == [3, 2]
    assert list(calls.calls.aggregate([*pipeline, {"$count": "n"}])) == [{"n": 2}]
    assert [call["_id"] for call in calls.calls.aggregate([{"$sort": {"_id": 1}}, {"$skip": 1}, {"$limit": 2}])] == [
        1,
        2,
    ]


def test_project_and_add_fields(calls: Database[dict[str, Any]]) -> None:
    found = calls.calls.aggregate([
        {"$match": {"_id": 3}},
        {"$addFields": {"slow": {"$gt": ["$wait", 20]}}},
        {"$project": {"_id": 0, "slow": 1, "minutes": {"$divide": ["$wait", 60]}, "cell": "$place.cell"}},
    ])  # fmt: skip
    assert list(found) == [{"slow": True, "minutes": 0.5, "cell": "c1"}]


def test_unwind_and_replace_root(calls: Database[dict[str, Any]]) -> None:
    tags = calls.calls.aggregate(
        [{"$unwind": "$tags"}, {"$group": {"_id": "$tags", "n": {"$sum": 1}}}, {"$sort": {"_id": 1}}]
    )
    places = calls.calls.aggregate([{"$match": {"_id": 0}}, {"$replaceRoot": {"newRoot": "$place"}}])

    assert list(tags) == [{"_id": "a", "n": 4}, {"_id": "b", "n": 2}]
    assert list(places) == [{"cell": "c0"}]


def test_facet_and_bucket(calls: Database[dict[str, Any]]) -> None:
    found = next(iter(calls.calls.aggregate([
        {"$match": {"city": "lahore"}},
        {"$facet": {
            "waits": [{"$bucket": {"groupBy": "$wait", "boundaries": [0, 15, 100], "output": {"n": {"$sum": 1}}}}],
            "all": [{"$group": {"_id": None, "n": {"$sum": 1}}}],
        }},
    ])))  # fmt: skip
    assert found == {"waits": [{"_id": 0, "n": 2}, {"_id": 15, "n": 2}], "all": [{"_id": None, "n": 4}]}


def test_days(calls: Database[dict[str, Any]]) -> None:
    day = {"$dateToString": {"format": "%Y-%m-%d", "date": "$at", "timezone": "Asia/Karachi"}}
    found = calls.calls.aggregate([{"$group": {"_id": day, "n": {"$sum": 1}}}, {"$sort": {"_id": 1}}])

    assert list(found) == [{"_id": "2026-03-01", "n": 2}, {"_id": "2026-03-02", "n": 2}, {"_id": "2026-03-03", "n": 2}]


def test_merge_writes_what_was_computed(calls: Database[dict[str, Any]]) -> None:
    calls.totals.insert_one({"_id": "lahore", "n": 0, "kept": True})
    calls.calls.aggregate([
        {"$group": {"_id": "$city", "n": {"$sum": 1}}},
        {"$merge": {"into": "totals", "on": "_id", "whenMatched": "merge", "whenNotMatched": "insert"}},
    ])  # fmt: skip

    assert list(calls.totals.find().sort("_id", 1)) == [
        {"_id": "lahore", "n": 4, "kept": True}, {"_id": "multan", "n": 2},
    ]  # fmt: skip


def test_an_aggregation_changes_nothing(calls: Database[dict[str, Any]]) -> None:
    before = list(calls.calls.find().sort("_id", 1))

    list(calls.calls.aggregate([{"$addFields": {"place": {"cell": "elsewhere", "n": 1}, "tags": []}}]))
    list(calls.calls.aggregate([{"$match": {"_id": 1}}, {"$addFields": {"place": {"cell": "elsewhere"}}}]))
    list(calls.calls.aggregate([{"$unwind": "$tags"}, {"$project": {"place.cell": 0}}]))

    assert list(calls.calls.find().sort("_id", 1)) == before
