"""What happens after the answer: reactions to events, sweeps, and the thin jobs of each concept."""
