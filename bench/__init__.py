"""Benches: speed by ratio, in one run, against the bare framework and the raw store. Never a test."""
