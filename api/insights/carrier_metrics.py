"""What carriers did, as Prometheus families. All of it is read from the store: whichever process answers says the same."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from domain.insights import carriers
from domain.insights.carriers import MS_EDGES, S_EDGES
from domain.notices import queries as notices


def families() -> Iterator[Metric]:
    """Messages by outcome and reason, latencies, receipts, segments, cost; and notices that are open."""
    found = carriers.ever()
    labels = ["carrier", "city"]
    messages = CounterMetricFamily("amaan_carrier_messages", "What carriers were asked.", labels=[*labels, "outcome"])
    reasons = CounterMetricFamily("amaan_carrier_failures", "Why not, in our words.", labels=[*labels, "code"])
    receipts = CounterMetricFamily("amaan_carrier_receipts", "What came back later.", labels=[*labels, "state"])
    segments = CounterMetricFamily("amaan_carrier_segments", "SMS segments; a call and a push are one.", labels=labels)
    cost = CounterMetricFamily("amaan_carrier_cost", "By the cities' own prices.", labels=[*labels, "currency"])
    took = HistogramMetricFamily("amaan_carrier_seconds", "Until a carrier answered us.", labels=labels)
    came = HistogramMetricFamily("amaan_carrier_receipt_seconds", "From asking to the receipt.", labels=labels)
    for each in found:
        whose = [each.whose.carrier, each.whose.city]
        for outcome in carriers.OUTCOMES:
            messages.add_metric([*whose, outcome], each.n[outcome])
        for state in ("delivered", "received", "failed_later"):
            receipts.add_metric([*whose, state], each.n[state])
        for code, count in sorted(each.codes.items()):
            reasons.add_metric([*whose, code], count)
        for currency, amount in sorted(each.cost.items()):
            cost.add_metric([*whose, currency], amount)
        segments.add_metric(whose, each.sums["segments"])
        took.add_metric(whose, _buckets(each.ms, MS_EDGES, 1000), each.sums["ms"] / 1000)
        came.add_metric(whose, _buckets(each.receipt_s, S_EDGES, 1), each.sums["receipt_s"])
    yield from (messages, reasons, receipts, segments, cost, took, came)
    standing = GaugeMetricFamily("amaan_notices", "Notices that stand.", labels=["city", "kind", "status"])
    found_notices: dict[tuple[str, str, str], int] = defaultdict(int)
    for notice in notices.standing():
        found_notices[(notice["city"], notice["kind"], notice["status"])] += 1
    for labelled, number in sorted(found_notices.items()):
        standing.add_metric(list(labelled), number)
    yield standing


def _buckets(counts: Mapping[str, float], edges: Sequence[float], scale: float) -> list[tuple[str, float]]:
    """Cumulated, with the edges in seconds; the last bucket is all that was counted."""
    total, found = 0.0, []
    for edge in edges:
        total += counts.get(carriers.edge_name(edge), 0)
        found.append((str(edge / scale), total))
    return [*found, ("+Inf", sum(counts.values()))]
