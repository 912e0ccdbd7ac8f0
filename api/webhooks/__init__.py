"""What the carrier tells us: how a message fares, what people write to the city's numbers, what they press on a call."""
