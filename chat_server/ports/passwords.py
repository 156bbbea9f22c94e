"""Passwords."""

from __future__ import annotations

from typing import Protocol


class Passwords(Protocol):
    """Slow hashes, computed off the event loop on a bounded number of threads."""

    async def hash(self, password: str) -> str:
        """A hash with a salt of its own and today's parameters. Raises `Problem` 8001 if too many wait already."""
        ...

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """Whether `password` is the one that was hashed. None (nobody, or no password): MUST take as long as for a
        hash of today's parameters, then answer False. Raises `Problem` 8001 if too many wait already."""
        ...

    def outdated(self, password_hash: str) -> bool:
        """Whether the hash was made with other parameters than today's."""
        ...
