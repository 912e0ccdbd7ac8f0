"""Journeys: timed check-ins on the way."""
