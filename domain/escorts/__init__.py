"""Escorts: somebody walks with a person at night."""
