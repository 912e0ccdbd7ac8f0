"""Patrols of watch groups: beats, who walks them when, and whether they came."""
