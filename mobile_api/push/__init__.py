"""Deciding who is woken, carrying the parcels to the providers, and being able to say what became of each."""
