"""10,000 generated bad bodies against the intake: only 200, 201 and 4xx come back, and every 201 is in the database.

The bodies come from a seed, so a failure is found again; they are made from good ones by cutting, swapping, nesting and
flipping bytes, which reaches deeper than noise would.
"""

import base64
import copy
import json
import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from flask import Flask

from domain.incidents import service as incidents

BODIES = 10_000
SEED = 20261123
GOOD: dict[str, Any] = {
    "position": {"lat": 31.5204, "lon": 74.3587, "accuracy_m": 12, "captured_at": "2026-11-23T08:59:58Z"},
    "device": "ph-1",
    "phone": "03001234567",
    "category": "medical",
    "services": {"police": True, "medical": False},
    "silent": False,
    "practice": False,
    "battery_pct": 41,
    "note": "help, مدد",
    "language": "ur",
}
ODD: list[Any] = [
    None, True, False, 0, -1, 1e308, float("nan"), float("inf"), 2**70, "", " ", "\x00", "\ud800", "é" * 300, "31.5,74.3",
    "-1", "1e9999", [], [[]], [None], {}, {"": 1}, {"$gt": ""}, {"lat": {"$ne": 1}}, "$where", "../../etc/passwd",
    "<script>", "2026-02-30T00:00:00Z", "9999-12-31T23:59:59-14:00", 10**400, "A" * 5000, ["police", 7], {"a.b": {"c": 1}},
]  # fmt: skip
TYPES = ["application/json", "text/plain", "application/x-www-form-urlencoded", "", "multipart/form-data", "é/x"]
HEADERS = ["Idempotency-Key", "Sent-At", "Authorization", "Content-Encoding", "If-None-Match", "X-Request-ID"]
HEADER_VALUES = ["", "1", "x" * 300, "Bearer a.b.c", "gzip", "2026-11-23T09:00:00Z", "*", "{}", "'; drop", "\u00e9"]


def bad_body(chance: random.Random) -> bytes:
    """A body that is wrong in one to three ways."""
    body: Any = json.loads(json.dumps(GOOD))
    for _ in range(chance.randint(1, 3)):
        where: Any = body if chance.random() < 0.6 else chance.choice([body["position"], body["services"]])
        if not isinstance(where, dict) or not where:
            where = body
        name = chance.choice(list(where) or ["position"])
        if chance.random() < 0.2:
            where.pop(name, None)
        else:
            where[name] = copy.deepcopy(chance.choice(ODD))
        body.setdefault("position", None)
        body.setdefault("services", None)
    text = json.dumps(body, ensure_ascii=chance.random() < 0.5).encode("utf-8", "surrogatepass")
    shape = chance.random()
    if shape < 0.15:
        return text[: chance.randrange(len(text))]
    if shape < 0.25:
        spoiled = bytearray(text)
        for _ in range(chance.randint(1, 8)):
            spoiled[chance.randrange(len(spoiled))] = chance.randrange(256)
        return bytes(spoiled)
    if shape < 0.30:
        return chance.choice([b"[" * 3000, b'{"a":' * 3000, chance.randbytes(64), base64.b64encode(text), b"", b"null"])
    if shape < 0.33:
        return json.dumps(chance.choice([[body], "text", 7])).encode("utf-8", "surrogatepass")
    return text


def test_ten_thousand_bad_bodies(app: Flask) -> None:
    seeds = [(SEED, part) for part in range(8)]

    def send(seed: tuple[int, int]) -> tuple[dict[int, int], list[str], list[Any]]:
        chance, api = random.Random(str(seed)), app.test_client()
        statuses: dict[int, int] = {}
        stored, odd = [], []
        for _ in range(BODIES // len(seeds)):
            body, kind = bad_body(chance), chance.choice(TYPES)
            headers = {chance.choice(HEADERS): chance.choice(HEADER_VALUES) for _ in range(chance.randint(0, 2))}
            answer = api.post("/v1/sos", data=body, content_type=kind, headers=headers)
            statuses[answer.status_code] = statuses.get(answer.status_code, 0) + 1
            if answer.status_code in (200, 201):
                stored.append(answer.get_json()["id"])
            elif answer.status_code != 422 or answer.mimetype != "application/problem+json":
                odd.append((answer.status_code, answer.mimetype, body[:200], headers))
        return statuses, stored, odd

    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(send, seeds))
    statuses: dict[int, int] = {}
    for found, _, _ in results:
        for status, count in found.items():
            statuses[status] = statuses.get(status, 0) + count
    odd = [each for _, _, found in results for each in found]
    assert not odd, f"answers that are neither an SOS nor a 422 problem: {odd[:5]}"
    assert sum(statuses.values()) == BODIES
    assert statuses.get(201, 0) > BODIES * 0.7  # most have a position, a phone or a device left
    stored = {each for _, found, _ in results for each in found}
    kept = {row["_id"] for row in incidents.incidents().find({}, {"_id": 1})}
    assert stored <= kept
    whole = incidents.incidents().count_documents({"timeline_seq": {"$gte": 1}, "city": {"$exists": True}})
    assert whole == len(kept)
