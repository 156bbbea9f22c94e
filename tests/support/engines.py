"""Which engine the tests run on: SQLite, unless a module or `--engine postgresql` says otherwise.

BOTH_ENGINES = True      # in a module that uses the fixture `engine`, or the protocol suite's `server`
"""

from __future__ import annotations

import contextlib
import functools
import os
import sqlite3
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg

from chat_server.fuse import Fuse
from chat_server.ports import AnyStorage, Clock
from chat_server.storage import engines
from chat_server.storage.folder import lock_folder
from chat_server.storage.postgresql.writer import LOCK
from chat_server.storage.sqlite.opening import DATABASE, open_writer
from tests.support import postgresql

SQLITE, POSTGRESQL = "sqlite", "postgresql"
BOTH = (SQLITE, POSTGRESQL)


class _Chosen:
    """`engine`: of whatever is opened next. `databases`: a folder that is opened again gets its database again."""

    engine = SQLITE
    databases: dict[Path, str]


_Chosen.databases = {}


def choose(engine: str) -> None:
    _Chosen.engine = engine


def database_of(folder: Path) -> str:
    """The setting `database` of a server whose data folder this is."""
    if folder not in _Chosen.databases:
        if _Chosen.engine == SQLITE:
            return ""
        _Chosen.databases[folder] = postgresql.shared().fresh()
    return _Chosen.databases[folder]


def belongs(folder: Path, address: str) -> None:
    """From now on the data folder's database is that one, whatever engine is chosen."""
    _Chosen.databases[folder] = address


@functools.cache
def _made() -> bytes:
    """A database with our tables and nothing else, as a start makes it."""
    with tempfile.TemporaryDirectory() as place:
        folder = lock_folder(Path(place))
        try:
            open_writer(folder).close()
        finally:
            folder.release()
        return (folder.path / DATABASE).read_bytes()


def furnish(folder: Path) -> None:
    """Our tables in a data folder that has none yet, as PostgreSQL's `fresh` has them: each migration waits for the disk,
    and nearly every test would wait for all of them. Whoever tests the making itself opens an empty folder without this."""
    if not database_of(folder) and not (folder / DATABASE).exists():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with open(folder / DATABASE, "xb", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            file.write(_made())


async def open_storage(folder: Path, clock: Clock, fuse: Fuse | None = None) -> AnyStorage:
    """The folder's storage on the chosen engine."""
    furnish(folder)
    return await engines.open_storage(database_of(folder), folder, clock, fuse or Fuse())


@contextlib.asynccontextmanager
async def held(folder: Path) -> AsyncIterator[None]:
    """Somebody else holds the folder's database, so that nobody writes."""
    if not (address := database_of(folder)):
        with contextlib.closing(sqlite3.connect(folder / DATABASE, isolation_level=None)) as holder:
            holder.execute("BEGIN IMMEDIATE")
            yield
        return
    connection = await asyncpg.connect(address)
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", LOCK)
        yield
    finally:
        await connection.close()


def everything_kept(folder: Path) -> bytes:
    """All that lies in the folder's database."""
    if address := database_of(folder):
        return postgresql.dump(address)
    return b"".join(file.read_bytes() for file in folder.glob(f"{DATABASE}*"))
