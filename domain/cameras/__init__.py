"""Cameras, what they saw near an incident, and whether they could see at all."""
