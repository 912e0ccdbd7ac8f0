"""Things that tests need, made the way the product makes them."""
