"""Sync: what a phone that was woken has to know, in one small answer."""
