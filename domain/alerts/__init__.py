"""Alerts: what the public must be told of a danger, published as CAP 1.2 and sent to whoever follows the area."""
