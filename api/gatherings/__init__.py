"""Gatherings over HTTP, and their calendar."""
