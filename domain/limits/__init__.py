"""How often something may be done. Kept in the document store, so that an emptied Redis lifts no limit.

Never before an SOS: there a limit only flags what is already stored.
"""
