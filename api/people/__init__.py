"""Signing in, one's own profile, guardians."""
