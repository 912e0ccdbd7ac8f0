"""Who did and saw what, and why: a hash chain per city and day. Ids only, never text about a case or a person."""
