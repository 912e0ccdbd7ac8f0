"""People: who somebody is, how they sign in, what they may do, who stands by them."""
