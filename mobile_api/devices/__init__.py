"""Devices: what they say of themselves, and what administrators decide."""
