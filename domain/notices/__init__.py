"""Notices: alarms to staff about Amaan itself, one a cause, from when it shows until it is gone."""
