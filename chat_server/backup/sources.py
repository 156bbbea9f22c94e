"""Where a backup reads from."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, Protocol

from chat_server.backup.database import OnBytes
from chat_server.backup.polite import Pace
from chat_server.backup.streams import reading


class Progress(Protocol):
    """What somebody at a terminal is told."""

    def begin(self, ja: str, en: str, size: int = 0) -> None:
        """The next piece of work, of `size` bytes if that is known."""
        ...

    def bytes(self, count: int) -> None:
        """So many more are done."""
        ...


class DatabaseSource(Protocol):
    """A database of either engine."""

    @property
    def engine(self) -> str:
        """sqlite or postgresql"""
        ...

    def copy(self, target: Path, pace: Pace, on_bytes: OnBytes) -> None:
        """One consistent view of all of it as a SQLite file. Raises `BackupProblem`, OSError."""
        ...


class BlobSource(Protocol):
    """Where the bytes lie."""

    def open(self, org_id: int, sha256: str) -> AbstractContextManager[IO[bytes]]:
        """Raises FileNotFoundError, OSError."""
        ...


class BlobFolder:
    """`blobs/<org_id>/<first two of sha256>/<sha256>`."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def open(self, org_id: int, sha256: str) -> AbstractContextManager[IO[bytes]]:
        return reading(self._root / f"{org_id:d}" / sha256[:2] / sha256)
