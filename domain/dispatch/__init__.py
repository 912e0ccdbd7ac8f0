"""Sending somebody: units, who is asked, who has it, and the ladder that climbs until somebody does."""
