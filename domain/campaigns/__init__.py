"""A series of messages to watch groups, and how far they reach."""
