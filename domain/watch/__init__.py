"""Neighbourhood watch groups: an area, a coordinator, and neighbours who look after it together."""
