"""Journeys: somebody on the way is missed when they do not answer or arrive."""
