"""One text to hundreds of people: what `deliveries.py` does for one person, done for many with few reads and writes."""
