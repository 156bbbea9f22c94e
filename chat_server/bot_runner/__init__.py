"""Bots in processes of their own: whatever one does to itself costs nobody else anything."""
