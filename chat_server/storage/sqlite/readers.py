"""Reading connections, served by aiosqlite. Read-only and never checkpointing: see `opening.wal_reset_bug`."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

import aiosqlite

from chat_server.domain.errors import DATABASE_BUSY, Problem
from chat_server.fuse import Fuse
from chat_server.ports import Clock, Reader, Row, Value

T = TypeVar("T")


class SqliteReader:
    """`ports.Reader` over one aiosqlite connection, inside one deferred transaction: one consistent view."""

    __slots__ = ("_connection", "now")

    def __init__(self, connection: aiosqlite.Connection, now: int) -> None:
        self._connection = connection
        self.now = now

    async def one(self, sql: str, *values: Value) -> Row | None:
        rows = await self._connection.execute_fetchall(sql, values)
        return next(iter(rows), None)

    async def all(self, sql: str, *values: Value) -> Sequence[Row]:
        return list(await self._connection.execute_fetchall(sql, values))


class Readers:
    """A few connections lent in turn; a connection is never shared between two views."""

    def __init__(self, clock: Clock, fuse: Fuse) -> None:
        self._clock = clock
        self._fuse = fuse
        self._free: asyncio.LifoQueue[aiosqlite.Connection] = asyncio.LifoQueue()
        self._all: list[aiosqlite.Connection] = []
        self._recovering: set[asyncio.Task[None]] = set()

    async def open(self, database: Path, count: int) -> None:
        for _ in range(count):
            connection = await aiosqlite.connect(
                f"file:{quote(str(database))}?mode=ro", uri=True, isolation_level=None, cached_statements=512
            )
            for pragma in ("query_only = ON", "wal_autocheckpoint = 0", "busy_timeout = 2000", "cache_size = -16384"):
                await connection.execute(f"PRAGMA {pragma}")
            self._all.append(connection)
            self._free.put_nowait(connection)

    async def read(self, use_case: Callable[[Reader], Awaitable[T]]) -> T:
        connection = await self._free.get()
        try:
            await connection.execute("BEGIN")
            result = await use_case(SqliteReader(connection, self._clock.now()))
            await connection.execute("COMMIT")
        except BaseException as error:
            # Also when cancelled while BEGIN runs: its thread carries it out all the same, and the next view on this
            # connection would find a transaction open.
            task = asyncio.get_running_loop().create_task(self._recover(connection))
            self._recovering.add(task)
            task.add_done_callback(self._recovering.discard)
            if isinstance(error, sqlite3.Error):
                raise self._translate(error) from error
            raise
        self._free.put_nowait(connection)
        return result

    async def _recover(self, connection: aiosqlite.Connection) -> None:
        """End what was begun, then lend the connection again. Its thread works in order: this comes after BEGIN."""
        try:
            await connection.rollback()
        finally:
            self._free.put_nowait(connection)

    async def close(self) -> None:
        """aiosqlite's threads are not daemons: an unclosed one keeps the process alive."""
        await asyncio.gather(*self._recovering, return_exceptions=True)
        for connection in self._all:
            await connection.close()

    def _translate(self, error: sqlite3.Error) -> Exception:
        """What cannot be read any more will be missed by the writer too: the start finds out how much of it is left."""
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return Problem(DATABASE_BUSY, retry_after=2)
        if code in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            return self._fuse.blow(error)
        return error
