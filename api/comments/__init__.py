"""Comments and reactions over HTTP."""
