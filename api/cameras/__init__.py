"""Cameras, what they saw, and the gateways that say it."""
