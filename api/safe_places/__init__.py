"""Safe places near by."""
