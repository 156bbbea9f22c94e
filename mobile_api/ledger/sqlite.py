"""The ledger in a file of its own, `push.db` in the data folder, so that it stands in no ack's way.

One thread owns the writing connection and drives each step in a transaction of its own; another one looks things up. It is as
safe as the database beside it: WAL, synced at every commit. A failing disk blows the fuse, here as there.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
import threading
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, TypeVar

import structlog

from chat_server.fuse import Fuse
from mobile_api.ledger.acts import Acts
from mobile_api.ledger.schema import FORM, NAMES, TABLES
from mobile_api.ledger.session import Row, Session, Value

T = TypeVar("T")
Step = Callable[[Session], Awaitable[T]]
FILE: Final = "push.db"
_WORDS: Final = {"{ID}": "INTEGER PRIMARY KEY", "{BYTES}": "BLOB"}
_WRITER: Final = ("journal_mode = WAL", "synchronous = FULL", "busy_timeout = 2000", "cache_size = -16384")
# One connection writes and checkpoints: see docs/security.md on SQLite's WAL-reset bug.
_READER: Final = ("query_only = ON", "wal_autocheckpoint = 0", "busy_timeout = 2000", "cache_size = -4096")
log = structlog.get_logger("renraku.push")


class SqliteLedger(Acts):
    """Implements `ledger.port.Ledger`."""

    def __init__(self, path: Path, fuse: Fuse) -> None:
        self._path = path
        self._fuse = fuse
        self._writing = ThreadPoolExecutor(1, "push")
        self._reading = ThreadPoolExecutor(1, "push-looking")
        self._connections: dict[int, sqlite3.Connection] = {}
        self._own = threading.local()

    @classmethod
    async def open(cls, folder: Path, fuse: Fuse) -> SqliteLedger:
        """What cannot be read is put aside under another name: a server must not stay down for want of its pushes."""
        ledger = cls(folder / FILE, fuse)
        try:
            await ledger._write(_prepare)
        except OSError as error:
            await ledger.close()
            if not _broken(error.__cause__):
                raise
            aside = await asyncio.to_thread(_put_aside, folder)
            log.error("the ledger of pushes cannot be read; a new one is begun", why=str(error), kept_as=aside)
            ledger = cls(folder / FILE, fuse)
            await ledger._write(_prepare)
        return ledger

    async def close(self) -> None:
        for threads in (self._writing, self._reading):
            await asyncio.to_thread(threads.shutdown)
        for connection in self._connections.values():
            connection.close()

    async def _write(self, step: Step[T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._writing, self._drive, step, _WRITER)

    async def _read(self, step: Step[T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._reading, self._drive, step, _READER)

    # Everything below blocks.

    def _drive(self, step: Step[T], pragmas: Sequence[str]) -> T:
        self._fuse.check()
        try:
            db = self._connection(pragmas)
            db.execute("BEGIN IMMEDIATE" if pragmas is _WRITER else "BEGIN")
            try:
                found = _run(step(_Session(db)))
                db.execute("COMMIT")
                return found
            except BaseException:
                # after a full disk SQLite has rolled back by itself
                with contextlib.suppress(sqlite3.Error):
                    db.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            if (getattr(error, "sqlite_errorcode", 0) & 0xFF) == sqlite3.SQLITE_IOERR:
                raise self._fuse.blow(error) from error
            raise OSError(f"{FILE}: {error}") from error

    def _connection(self, pragmas: Sequence[str]) -> sqlite3.Connection:
        db: sqlite3.Connection | None = getattr(self._own, "connection", None)
        if db is None:
            # with the process's umask SQLite would let others read it
            os.close(os.open(self._path, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600))
            db = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, cached_statements=64)
            try:
                for pragma in pragmas:
                    db.execute(f"PRAGMA {pragma}")
            except sqlite3.Error:
                db.close()
                raise
            self._own.connection = self._connections[threading.get_ident()] = db
        return db


class _Session:
    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    async def all(self, sql: str, *values: Value) -> Sequence[Row]:
        return self._db.execute(sql, values).fetchall()

    async def run(self, sql: str, *values: Value) -> int:
        return self._db.execute(sql, values).rowcount

    async def many(self, sql: str, rows: Sequence[Sequence[Value]]) -> None:
        self._db.executemany(sql, rows)


def _run(step: Awaitable[T]) -> T:
    """A step awaits nothing but its session, which never waits: one push runs it to its end, without an event loop."""
    coroutine: Any = step.__await__()
    try:
        coroutine.send(None)
    except StopIteration as done:
        found: T = done.value
        return found
    raise RuntimeError("a step of the ledger awaited something else")


async def _prepare(session: Session) -> None:
    """Raises OSError where the file is of another form: then it is put aside, too."""
    if not await session.all("SELECT 1 FROM sqlite_master WHERE name = 'state'"):
        await make(session)
    rows = await session.all("SELECT value FROM state WHERE name = 'form'")
    if [row[0] for row in rows] != [str(FORM)]:
        raise sqlite3.DatabaseError("of another form")
    await session.all("SELECT count(*) FROM parcels WHERE state < 10")


async def make(session: Session) -> None:
    """Anew, with nothing in it."""
    for name in NAMES:
        await session.run(f"DROP TABLE IF EXISTS {name}")
    for statement in TABLES:
        for word, meaning in _WORDS.items():
            statement = statement.replace(word, meaning)
        await session.run(statement)
    await session.run("INSERT INTO state (name, value) VALUES ('form', ?)", str(FORM))


def _broken(cause: BaseException | None) -> bool:
    """Not a full disk, nor a database that somebody holds: those pass."""
    return isinstance(cause, sqlite3.DatabaseError) and not isinstance(cause, sqlite3.OperationalError)


def _put_aside(folder: Path) -> str:
    """Under the first name that is free, with what belongs to it."""
    number = next(n for n in range(1, 1_000_000) if not (folder / f"push-broken-{n}.db").exists())
    for path in folder.glob(f"{FILE}*"):
        path.rename(folder / f"push-broken-{number}.db{path.name.removeprefix(FILE)}")
    return f"push-broken-{number}.db"
