"""Drills over HTTP: plan, start, follow and read them, and the page on which somebody confirms."""
