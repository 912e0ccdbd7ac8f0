"""What an admin keeps: cities, agencies, units, staff and their sessions. Every change is on the audit chain."""
