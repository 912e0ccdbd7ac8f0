"""Alerts over HTTP: `/v1/alerts` for staff and citizens, `/cap` for everybody else's systems."""
