"""What a phone fetches when it wakes up: how this city works, and what changed for this person."""
