"""Whether a data folder would be opened, found out by looking: nothing is created, nothing is changed.

What is wrong is said by `opening`, in its own words.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from chat_server.storage.sqlite.opening import (
    DATABASE,
    LOCK,
    InUse,
    check_migrations,
    check_pages,
    explain,
    not_writable,
    refuse_half_restored,
    take_lock,
)


def inspect(path: Path, *, serving: bool) -> bool:
    """Whether there is a database already. `serving`: a server of ours is known to have the folder, and may.

    Raises `CannotOpen` as opening the folder would.
    """
    _writable(path)
    refuse_half_restored(path)
    with _locked(path, serving=serving):
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


def _writable(path: Path) -> None:
    nearest = next(folder for folder in (path, *path.absolute().parents) if folder.exists())
    if not nearest.is_dir():
        raise not_writable(path, OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)))
    if os.statvfs(nearest).f_flag & os.ST_RDONLY:
        raise not_writable(path, OSError(errno.EROFS, os.strerror(errno.EROFS)))
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise not_writable(path, OSError(errno.EACCES, os.strerror(errno.EACCES)))


@contextlib.contextmanager
def _locked(path: Path, *, serving: bool) -> Iterator[None]:
    """While we look nobody begins to write, but for the server that does already."""
    try:
        handle = os.open(path / LOCK, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        yield  # nobody has ever opened the folder, or it was brought here without its lock
        return
    except OSError as error:
        raise not_writable(path, error) from error
    try:
        take_lock(path, handle)
    except InUse:
        if not serving:
            raise
        yield
        return
    try:
        yield
    finally:
        os.close(handle)


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
