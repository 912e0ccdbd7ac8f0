"""Open311 GeoReport v2: how agencies fetch what neighbours handed over to them, and say what became of it."""
