"""Reports of neighbours over HTTP."""
