"""Alerts of watch groups over HTTP."""
