"""Incidents: something that needs somebody to come. An SOS is an incident as its citizen sees it."""
