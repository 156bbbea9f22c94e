"""Watching the storage from outside: how large the writer's batches are, which statements a send runs."""

from __future__ import annotations

import asyncio
import pickle
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chat_server.fuse import Fuse
from chat_server.ports import Clock, Reader, Row, Value
from chat_server.storage.jobs import Job
from chat_server.storage.postgresql.dialect import statement
from chat_server.storage.postgresql.writer import PostgresTx
from chat_server.storage.postgresql.writer import Writer as PostgresWriter
from chat_server.storage.sqlite.storage import READERS, SqliteStorage
from chat_server.storage.sqlite.writer import SqliteTx, Writer

Statement = tuple[str, tuple[Any, ...]]
Send = list[Statement]


@dataclass
class Batches:
    """Of the whole run."""

    commits: int = 0
    jobs: int = 0

    @property
    def mean(self) -> float:
        return self.jobs / max(1, self.commits)


def count_batches() -> Batches:
    """From now on, in this process."""
    counted = Batches()
    commit_batch = Writer._commit_batch

    def counting(self: Writer) -> list[Job]:
        done = commit_batch(self)
        counted.commits += 1
        counted.jobs += len(done)
        return done

    Writer._commit_batch = counting  # type: ignore[method-assign]
    return counted


def record_sends() -> list[Send]:
    """Every write use case that stores a send, as the statements that it ran with their values, in commit order.

    On a copy of the database that the server started from, the same statements give the same rows.
    """
    sends: list[Send] = []
    current: Send = []
    run_job = Writer._run_job

    class RecordingTx(SqliteTx):
        __slots__ = ()

        def __init__(self, connection: sqlite3.Connection) -> None:
            super().__init__(connection)
            execute = connection.execute

            def recording(sql: str, values: tuple[Any, ...]) -> sqlite3.Cursor:
                current.append((sql, values))
                return execute(sql, values)

            self._execute = recording  # type: ignore[assignment]

    def running(self: Writer, job: Job) -> None:
        if not isinstance(self._tx, RecordingTx):
            now = self._tx.now
            self._tx = RecordingTx(self._connection)
            self._tx.now = now
        current.clear()
        run_job(self, job)
        if job.error is None and any(sql.startswith("INSERT INTO sends") for sql, _ in current):
            sends.append(list(current))

    Writer._run_job = running  # type: ignore[method-assign]
    return sends


def count_postgres_batches() -> Batches:
    """The same where the database is a PostgreSQL."""
    counted = Batches()
    commit_batch = PostgresWriter._commit_batch

    async def counting(self: PostgresWriter) -> list[Job]:
        done = await commit_batch(self)
        counted.commits += 1
        counted.jobs += len(done)
        return done

    PostgresWriter._commit_batch = counting  # type: ignore[method-assign]
    return counted


def record_postgres_sends() -> list[Send]:
    """The same where the database is a PostgreSQL; how a statement is asked stands before it: `fetchrow`, `fetch` or
    `execute`, and a blank."""
    sends: list[Send] = []
    current: Send = []
    run_job = PostgresWriter._run_job

    class RecordingTx(PostgresTx):
        __slots__ = ()

        async def one(self, sql: str, *values: Value) -> Row | None:
            current.append((f"fetchrow {statement(sql).text}", values))
            return await super().one(sql, *values)

        async def all(self, sql: str, *values: Value) -> Sequence[Row]:
            current.append((f"fetch {statement(sql).text}", values))
            return await super().all(sql, *values)

        async def run(self, sql: str, *values: Value) -> int:
            current.append((f"execute {statement(sql).text}", values))
            return await super().run(sql, *values)

    async def running(self: PostgresWriter, job: Job) -> Exception | None:
        if not isinstance(self._tx, RecordingTx):
            before = self._tx
            self._tx = RecordingTx(self._connection)
            self._tx.now, self._tx.wrote = before.now, before.wrote
        current.clear()
        sunk = await run_job(self, job)
        if sunk is None and job.error is None and any("INSERT INTO sends" in sql for sql, _ in current):
            sends.append(list(current))
        return sunk

    PostgresWriter._run_job = running  # type: ignore[method-assign]
    return sends


def warm_caches() -> None:
    """Readers of this process begin with the whole database in their caches, as those of a server that runs for a
    while do: the pages that a thousand clients touch are not memory of their connections."""
    open_storage = SqliteStorage.open

    async def opening(path: Path, clock: Clock, fuse: Fuse | None = None) -> SqliteStorage:
        opened = await open_storage(path, clock, fuse)
        # At once, and several times as many as there are readers, so that each has its turn.
        await asyncio.gather(*(opened.read(_read_everything) for _ in range(4 * READERS)))
        return opened

    SqliteStorage.open = opening  # type: ignore[method-assign]


async def _read_everything(reader: Reader) -> None:
    await reader.all("PRAGMA integrity_check")


def write_sends(sends: list[Send], path: Path) -> None:
    path.write_bytes(pickle.dumps(sends))


def read_sends(path: Path) -> list[Send]:
    """Written by a process of this benchmark a moment ago: pickle is safe here."""
    sends: list[Send] = pickle.loads(path.read_bytes())  # noqa: S301
    return sends
