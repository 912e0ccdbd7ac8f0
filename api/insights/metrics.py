"""`/metrics` for Prometheus. All of it is read from the document store, so whichever process answers says the same, and
a restart resets nothing.
"""

from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Response
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector
from redis.exceptions import RedisError

from api.insights import carrier_metrics
from api.services import services
from api.timing import timings
from domain import outbox
from domain.cities import queries as cities
from domain.insights import requests, rules
from domain.insights import service as insights

blp = Blueprint("metrics", __name__)


class _Figures(Collector):
    """Reads the figures when asked."""

    def collect(self) -> Iterator[Metric]:
        histogram = HistogramMetricFamily(
            "amaan_response_seconds", "From the SOS to answer, dispatch, arrival.", labels=["city", "measure"]
        )
        unanswered = CounterMetricFamily(
            "amaan_unanswered", "How often a whole ladder found nobody and began again.", labels=["city"]
        )
        for row in insights.counted():
            unanswered.add_metric([row["_id"]], row.get("unanswered") or 0)
            for measure, found in sorted((row.get("measures") or {}).items()):
                histogram.add_metric([row["_id"], measure], _cumulated(found), found["sum"])
        yield histogram
        yield unanswered
        yield _steps()
        yield _requests()
        going_on = GaugeMetricFamily("amaan_incidents", "Incidents that go on.", labels=["city", "status"])
        for city in cities.known():
            for status, count in insights.going_on(city).items():
                going_on.add_metric([city, status], count)
        yield going_on
        overdue = GaugeMetricFamily("amaan_outbox_overdue", "Documents whose events are due.", labels=["outbox"])
        for name in outbox.names():
            overdue.add_metric([name], len(outbox.overdue(name, now=services().clock(), limit=1000)))
        yield overdue
        yield from _queues()
        yield from carrier_metrics.families()


def _steps() -> Metric:
    family = CounterMetricFamily(
        "amaan_ladder_steps",
        "How often nobody had answered and a ladder climbed on, by whom it then asked.",
        labels=["city", "service", "who"],
    )
    for row in insights.counted():
        for service, found in sorted((row.get("steps") or {}).items()):
            for who, count in sorted(found.items()):
                family.add_metric([row["_id"], service, who], count)
    return family


def _requests() -> Metric:
    """Of all processes, as of some seconds ago; of this one as of now."""
    timings().flush()
    family = HistogramMetricFamily(
        "amaan_http_request_seconds", "How long requests took.", labels=["method", "route", "status"]
    )
    for row in requests.ever():
        total, buckets = 0.0, []
        for edge in requests.EDGES_MS:
            total += (row.get("le") or {}).get(str(edge), 0)
            buckets.append((str(edge / 1000), total))
        whose = [row["method"], row["route"], row["status"]]
        family.add_metric(whose, [*buckets, ("+Inf", float(row["n"]))], row["sum"])
    return family


def _cumulated(found: dict[str, Any]) -> list[tuple[str, float]]:
    total, buckets = 0.0, []
    for edge in rules.BUCKETS:
        total += found["le"].get(str(edge), 0)
        buckets.append((str(float(edge)), total))
    return [*buckets, ("+Inf", float(found["n"]))]


def _queues() -> Iterator[Metric]:
    depth = getattr(services().enqueue, "depth", None)
    if depth is None:
        return
    family = GaugeMetricFamily("amaan_queue_jobs", "Jobs that wait.", labels=["queue"])
    try:
        for queue, count in depth().items():
            family.add_metric([queue], count)
    except (RedisError, OSError):
        return  # away: its absence says so
    yield family


@blp.get("/metrics")
def metrics() -> Response:
    """Figures without persons; keep it behind the proxy all the same."""
    registry = CollectorRegistry()
    registry.register(_Figures())
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
