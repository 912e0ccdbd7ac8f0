"""Tracks: where somebody was, as their phone told it."""
