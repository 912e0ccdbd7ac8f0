"""Plates that the police look for, what cameras read of them, and what is kept of all others: a keyed hash that ends."""
