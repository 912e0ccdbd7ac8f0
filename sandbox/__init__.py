"""What a laptop needs in place of a city: local carriers, demo people, drawn footage, the embedded document server.

Nothing but `cli` and the tests imports this package; a city with real carriers never starts any of it.
"""
