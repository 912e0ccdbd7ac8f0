"""Clusters: reports of one happening, counted, believed and acted on together."""
