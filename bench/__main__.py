"""`python -m bench`: every bench in one run, then the table and the picture of the growth."""

import importlib

from bench import growth

BENCHES = (
    "bench.intake",
    "bench.latency",
    "bench.dispatch",
    "bench.correlation",
    "bench.fanout",
    "bench.helpline",
    "bench.likeness",
    "bench.watch",
)


def main() -> None:
    """Run them one after another, so that none disturbs another."""
    for name in BENCHES:
        print(f"\n== {name}", flush=True)
        importlib.import_module(name).main()
    growth.draw()


if __name__ == "__main__":
    main()
