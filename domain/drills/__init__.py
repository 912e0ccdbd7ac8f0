"""Drills: a test of whether everybody who may be needed can be reached, person by person and channel by channel."""
