"""Whether a data folder would be opened, found out by looking: nothing is created, nothing is changed.

What is wrong is said by `opening`, in its own words.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from chat_server.storage.folder import looked_at
from chat_server.storage.sqlite.opening import DATABASE, check_migrations, check_pages, explain


def inspect(path: Path, *, serving: bool) -> bool:
    """Whether there is a database already. `serving`: a server of ours is known to have the folder, and may.

    Raises `CannotOpen` as opening the folder would.
    """
    with looked_at(path, serving=serving):
        database = path / DATABASE
        if not database.exists():
            return False
        with _reading(database) as connection:
            try:
                check_pages(connection, database)
                if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'migrations'").fetchone():
                    check_migrations(connection, database)
            except sqlite3.DatabaseError as error:
                raise explain(error, database) from error
        return True


@contextlib.contextmanager
def _reading(database: Path) -> Iterator[sqlite3.Connection]:
    """A connection that sees what a crash left in the write-ahead log, and leaves no file behind.

    Without a log the file alone is the database (`immutable`: SQLite makes no files beside it); with one, the index
    that SQLite makes to read it goes again, unless it was there.
    """
    log, index = database.with_name(database.name + "-wal"), database.with_name(database.name + "-shm")
    logged, indexed = log.exists(), index.exists()
    mode = "mode=ro" if logged else "mode=ro&immutable=1"
    try:
        os.close(os.open(database, os.O_RDWR | os.O_CLOEXEC))
        connection = sqlite3.connect(f"file:{quote(str(database))}?{mode}", uri=True)
    except OSError as error:
        raise explain(sqlite3.DatabaseError(error.strerror), database) from error
    try:
        yield connection
    finally:
        connection.close()
        if logged and not indexed:
            index.unlink(missing_ok=True)
