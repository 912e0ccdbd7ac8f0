"""Escorts: somebody walks along."""
