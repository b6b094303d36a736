"""Brains: text in, clauses out. `receptionist` is the one that needs nothing but the owner's own words."""
