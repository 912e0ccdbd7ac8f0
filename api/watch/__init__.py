"""Watch groups over HTTP."""
