"""One delivery: one thing that one person must be told, through whichever channel arrives, and the proof that it did."""
