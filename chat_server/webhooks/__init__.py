"""Telling other systems over the network: the one place from which the server goes out."""
