"""Patrols over HTTP."""
