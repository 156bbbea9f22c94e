"""Opening the database in a locked data folder: check, migrate. Whatever is wrong is said before anything is served."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Final

from chat_server.storage.folder import CannotOpen, DataFolder, check_digests
from chat_server.storage.migrations import migrations

DATABASE: Final = "renraku.db"

_WRITER_PRAGMAS: Final = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA busy_timeout = 2000",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA cache_size = -65536",
    "PRAGMA wal_autocheckpoint = 0",  # see checkpoints.py
)


def open_writer(folder: DataFolder) -> sqlite3.Connection:
    """The one writing connection, on a checked and migrated database. Raises `CannotOpen`."""
    database = folder.path / DATABASE
    fresh = not database.exists()
    if fresh:
        # SQLite creates files with the process's umask; nobody but the server reads talk.
        os.close(os.open(database, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600))
    connection = sqlite3.connect(
        database, isolation_level=None, check_same_thread=False, cached_statements=512, timeout=2.0
    )
    try:
        for pragma in _WRITER_PRAGMAS:
            connection.execute(pragma)
        if not fresh:
            check_pages(connection, database)
        _migrate(connection, database)
    except sqlite3.DatabaseError as error:
        connection.close()
        raise explain(error, database) from error
    except CannotOpen:
        connection.close()
        raise
    return connection


def check_pages(connection: sqlite3.Connection, path: Path) -> None:
    """A torn page is found now, not by the person who needs the message on it. Raises `CannotOpen`."""
    problems = [row[0] for row in connection.execute("PRAGMA quick_check(5)")]
    if problems != ["ok"]:
        raise CannotOpen(
            f"The database {path} is damaged ({problems[0]}). Nothing was changed. Restore the last backup, "
            f"or keep the file and ask for help."
        )


def explain(error: sqlite3.DatabaseError, path: Path) -> CannotOpen:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
        return CannotOpen(f"The database {path} is damaged ({error}). Nothing was changed. Restore the last backup.")
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return CannotOpen(f"Another program holds the database {path}. Close it and start again.")
    if code == sqlite3.SQLITE_FULL:
        return CannotOpen(f"The disk of {path} is full. Make room and start again.")
    return CannotOpen(f"The database {path} cannot be opened ({error}). Check the folder's owner and its disk.")


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute(
        "CREATE TABLE IF NOT EXISTS migrations (number BIGINT PRIMARY KEY, name TEXT NOT NULL, digest TEXT NOT NULL)"
    )
    applied = check_migrations(connection, path)
    for migration in migrations("sqlite"):
        if migration.number in applied:
            continue
        connection.execute("BEGIN IMMEDIATE")
        try:
            for statement in migration.statements():
                connection.execute(statement)
            connection.execute(
                "INSERT INTO migrations (number, name, digest) VALUES (?, ?, ?)",
                (migration.number, migration.name, migration.digest),
            )
            connection.execute("COMMIT")
        except sqlite3.Error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def check_migrations(connection: sqlite3.Connection, path: Path) -> set[int]:
    """The numbers of those that made the database, all of them ours. Raises `CannotOpen`."""
    applied = {row[0]: row[1] for row in connection.execute("SELECT number, digest FROM migrations")}
    check_digests(applied, "sqlite", path)
    return set(applied)


def wal_reset_bug(version: tuple[int, ...]) -> bool:
    """Whether this SQLite can lose commits when two connections checkpoint at once (sqlite.org/wal.html)."""
    return version < (3, 51, 3) and version not in ((3, 44, 6), (3, 50, 7))
