"""Searching an incident's footage for one face, under a warrant or for somebody missing; off in every city by default."""
