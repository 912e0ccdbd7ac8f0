"""The rules on all files; `served.py` looks on while the reads are tried."""

from tests.invariants.served import every_query_has_an_index

__all__ = ["every_query_has_an_index"]
