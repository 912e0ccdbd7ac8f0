"""The watchlist of plates and the hits on it, for the police and the control room."""
