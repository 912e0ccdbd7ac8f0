"""Number plates as text: what they may look like, what is mistaken for what, and what several readings together say."""
