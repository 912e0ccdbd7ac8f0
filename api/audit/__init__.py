"""The audit chain, for auditors."""
