"""Pages to print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from chat_server.domain.printed import Job


class NotePress(Protocol):
    """Makes documents of notes."""

    async def print(self, job: Job, pictures: Sequence[Path]) -> bytes:
        """A PDF. `pictures`: files that stay meanwhile, by their number in the job.

        Raises `Problem` 8008 (too many before one), 4038 (too long for it), 4039 (the machine lacks what it needs)."""
        ...

    async def pack(self, target: Path, texts: Mapping[str, bytes], files: Mapping[str, Path]) -> None:
        """A ZIP at `target` with all of these by their names, and the SHA-256 of each. Raises `Problem` 8008, 8002, 4040 (too
        large)."""
        ...
