"""Who follows a report of somebody else: they hear what comes of it."""
