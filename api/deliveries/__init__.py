"""Receipts: the app's word that a push reached the phone, and that a person saw it."""
