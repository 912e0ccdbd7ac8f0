"""Notices over HTTP: what is wrong with Amaan itself, and who sees to it."""
