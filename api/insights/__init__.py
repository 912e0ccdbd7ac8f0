"""Figures over HTTP: reports for people, metrics for machines."""
