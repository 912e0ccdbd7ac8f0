"""Telling people: what, through which channel, and whether it arrived."""
