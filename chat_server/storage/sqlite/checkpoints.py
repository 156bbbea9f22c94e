"""When the write-ahead log goes back into the database: between two commits, on the thread that writes.

Left to itself, SQLite does it inside a COMMIT: what was committed could then be read for as long before anybody was
told of it, and its acks waited. It also passes over a failed fsync of it in silence, and tries again.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

PAGES: Final = 1000
"""A log of more pages goes back as soon as nobody waits for the writer; the file keeps this size for the next ones."""
PAGES_MOST: Final = 4000
"""And of more than these, whoever waits: steady load must not make a log that a start reads for minutes."""
FRAME: Final = 4096 + 24
"""Bytes of a page in the log (sqlite.org/walformat.html)."""


class Checkpoints:
    """Of the one connection that writes, whose `wal_autocheckpoint` is off. The first commit after a whole checkpoint
    begins the log anew and cuts the file to its limit, so what is above it tells how much is in the log."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._log = Path(connection.execute("PRAGMA database_list").fetchone()[2] + "-wal")
        connection.execute(f"PRAGMA journal_size_limit = {PAGES * FRAME}")
        self._tried_at = 0
        """Bytes of the log at the last checkpoint, while the log has not begun anew: a reader still needs it, or the
        disk is full."""

    def due(self, *, idle: bool) -> bool:
        """Whether `run` is to be called; `idle` if nobody waits for the writer."""
        try:
            size = self._log.stat().st_size
        except FileNotFoundError:
            return False
        if size < self._tried_at:
            self._tried_at = 0
        return size - self._tried_at > (PAGES if idle else PAGES_MOST) * FRAME

    def run(self) -> None:
        """Put back what no reader still needs in the log; waits for nobody. Raises `sqlite3.Error`: after a failed
        write or fsync nothing may be written any more, see `Writer`."""
        self._tried_at = self._log.stat().st_size
        self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
