"""What a watch group tells its members: a warning of its own, and how far it got."""
