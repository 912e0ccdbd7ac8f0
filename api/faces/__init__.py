"""Searching an incident's footage for one face."""
