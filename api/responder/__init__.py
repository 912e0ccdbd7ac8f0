"""What a responder's phone does: duty, positions, assignments."""
