"""HTTP: parse, call the domain, answer. No rule lives here."""
