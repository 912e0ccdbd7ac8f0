"""Following reports, and handing them over to agencies."""
