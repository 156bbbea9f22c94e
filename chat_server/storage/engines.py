"""Which engine: PostgreSQL where the setting `database` names one, else SQLite in the data folder."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path

from chat_server.fuse import Fuse
from chat_server.ports import AnyStorage, Clock, Leadership
from chat_server.storage.folder import looked_at
from chat_server.storage.postgresql import opening as postgresql
from chat_server.storage.postgresql.leading import PostgresLeadership
from chat_server.storage.postgresql.storage import PostgresStorage
from chat_server.storage.sqlite import inspection as sqlite
from chat_server.storage.sqlite.opening import DATABASE, wal_reset_bug
from chat_server.storage.sqlite.storage import SqliteStorage


async def open_storage(database: str, folder: Path, clock: Clock, fuse: Fuse) -> AnyStorage:
    """Lock the data folder; check, migrate and open the database. Raises `storage.folder.CannotOpen`."""
    if database:
        return await PostgresStorage.open(database, folder, clock, fuse)
    return await SqliteStorage.open(folder, clock, fuse)


class Alone:
    """`ports.Leadership` where one process owns the folder."""

    leads = True

    async def hold(self, work: Callable[[], Awaitable[None]]) -> None:
        await work()


def leadership(database: str) -> Leadership:
    """Among the processes that serve the same database."""
    return PostgresLeadership(database) if database else Alone()


def inspect(database: str, folder: Path, *, serving: bool) -> bool:
    """Whether there is a database already. `serving`: a server of ours is known to have the folder, and may.

    Raises `CannotOpen` as opening would; changes nothing.
    """
    if not database:
        return sqlite.inspect(folder, serving=serving)
    with looked_at(folder, serving=serving):
        return asyncio.run(postgresql.inspect(database))


def present(database: str, folder: Path) -> bool:
    """Whether there is one, whatever its state. Raises `CannotOpen` if that cannot be found out."""
    return asyncio.run(postgresql.present(database)) if database else (folder / DATABASE).exists()


def facts(storage: AnyStorage) -> dict[str, str]:
    """What the log says of the engine at the start."""
    if isinstance(storage, PostgresStorage):
        return {"engine": storage.engine, "version": storage.version}
    found = {"engine": storage.engine, "version": sqlite3.sqlite_version}
    if wal_reset_bug(sqlite3.sqlite_version_info):
        # Harmless here: one connection writes and checkpoints, the others are read-only.
        found["note"] = "this SQLite has the WAL-reset bug; all checkpoints run on the one writer"
    return found
