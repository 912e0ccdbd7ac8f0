"""A question to humans: asked with a reason, answered by n others before a deadline, or not at all."""
