"""Meetings and workshops of watch groups: where, when, who comes, and a calendar of them."""
