"""Figures: how quickly the city answers, sends and arrives. Never persons."""
