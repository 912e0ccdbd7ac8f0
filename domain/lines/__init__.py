"""What is going on with one phone number that writes to us or calls us: its reply codes, the SOS that it raised."""
