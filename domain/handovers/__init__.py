"""Handovers: a report that needs nobody at once goes to the agency that sees to it, and what it does comes back."""
