"""The one writing connection, and the thread that owns it.

Write use cases are coroutines that await nothing but their `Tx`. This thread drives them itself, without an event
loop: each in a savepoint, so that one failure does not sink its neighbours, and whatever queued while the last commit
was flushed is the next batch (group commit). Nothing is answered, and nothing is emitted, before that commit.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import sqlite3
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import structlog

from chat_server.domain.errors import DATABASE_BUSY, DISK_FULL, STORAGE_BROKEN, Problem
from chat_server.fuse import Fuse
from chat_server.ports import Clock, Row, Tx, Value
from chat_server.storage.jobs import BATCH, BATCH_SECONDS, Job, OnDone, OnNotes, Turns, deliver, fail_all
from chat_server.storage.sqlite.checkpoints import Checkpoints

log = structlog.get_logger("renraku.storage")


class SqliteTx:
    """`ports.Tx` over the writing connection. Its methods never suspend: the driver relies on it."""

    __slots__ = ("_execute", "_notes", "now")

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._execute = connection.execute
        self._notes: list[object] = []
        self.now = 0

    async def one(self, sql: str, *values: Value) -> Row | None:
        row: Row | None = self._execute(sql, values).fetchone()
        return row

    async def all(self, sql: str, *values: Value) -> Sequence[Row]:
        return self._execute(sql, values).fetchall()

    async def run(self, sql: str, *values: Value) -> int:
        return self._execute(sql, values).rowcount

    def emit(self, note: object) -> None:
        self._notes.append(note)

    def take_notes(self) -> list[object]:
        notes, self._notes = self._notes, []
        return notes


class _Stop:
    pass


class Writer(threading.Thread):
    """Owns `connection`. `submit` may be called from the event loop only; answers come back on it."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        loop: asyncio.AbstractEventLoop,
        clock: Clock,
        on_notes: OnNotes,
        fuse: Fuse,
    ) -> None:
        super().__init__(name="renraku-writer", daemon=True)
        self._connection = connection
        self._loop = loop
        self._clock = clock
        self._on_notes = on_notes
        self._fuse = fuse
        self._inbox: queue.SimpleQueue[Job | _Stop] = queue.SimpleQueue()
        self._turns = Turns()
        self._tx = SqliteTx(connection)
        self._checkpoints = Checkpoints(connection)
        self._stopping = False

    def submit(self, org_id: int, use_case: Callable[[Tx], Awaitable[Any]], on_done: OnDone) -> None:
        """Queue `use_case`; `on_done(result, error)` runs on the event loop after the commit."""
        if self._fuse.blown:
            self._loop.call_soon(on_done, None, Problem(STORAGE_BROKEN))
            return
        self._inbox.put(Job(org_id, use_case, on_done))

    def stop(self) -> None:
        """Finish what is queued, then end. Join the thread afterwards."""
        self._inbox.put(_Stop())

    def run(self) -> None:
        while True:
            self._take_in(block=not (self._turns or self._stopping))
            if not self._turns:
                if self._stopping:
                    return
                continue
            if self._fuse.blown:
                done = self._turns.drain(Problem(STORAGE_BROKEN))
            else:
                done = self._commit_batch()
            self._loop.call_soon_threadsafe(deliver, done, self._on_notes)
            self._checkpoint()

    # Taking turns

    def _take_in(self, *, block: bool) -> None:
        try:
            while True:
                job = self._inbox.get(block=block)
                block = False
                if isinstance(job, _Stop):
                    self._stopping = True
                else:
                    self._turns.add(job)
        except queue.Empty:
            return

    # One transaction

    def _commit_batch(self) -> list[Job]:
        execute = self._connection.execute
        try:
            execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            return self._turns.drain(self._verdict(error))
        batch: list[Job] = []
        deadline = time.monotonic() + BATCH_SECONDS
        while len(batch) < BATCH and time.monotonic() < deadline and (job := self._turns.next()) is not None:
            batch.append(job)
            self._run_job(job)
            if self._fuse.blown:
                # The engine cannot be trusted: whatever succeeded before is not committed by it either.
                self._give_up_transaction()
                return fail_all(batch, Problem(STORAGE_BROKEN))
            if not self._connection.in_transaction:
                # SQLite gave up the whole transaction (disk full, I/O error): nothing of the batch is left.
                return fail_all(batch, job.error or Problem(DATABASE_BUSY, retry_after=1))
        try:
            execute("COMMIT")
        except sqlite3.Error as error:
            verdict = self._verdict(error)
            self._give_up_transaction()
            return fail_all(batch, verdict)
        return batch

    def _run_job(self, job: Job) -> None:
        execute = self._connection.execute
        self._tx.now = self._clock.now()
        try:
            execute("SAVEPOINT job")
            job.result = drive(job.use_case(self._tx))
            execute("RELEASE job")
            job.notes = self._tx.take_notes()
        except BaseException as error:
            self._tx.take_notes()
            job.error = self._verdict(error)
            if self._connection.in_transaction:
                try:
                    execute("ROLLBACK TO job")
                    execute("RELEASE job")
                except sqlite3.Error as failed:
                    # Without its savepoint the job cannot be told from its neighbours: all of them go.
                    self._verdict(failed)
                    self._give_up_transaction()

    def _give_up_transaction(self) -> None:
        """An exception here would end the thread, and with it every answer."""
        with contextlib.suppress(sqlite3.Error):
            self._connection.rollback()

    def _verdict(self, error: BaseException) -> BaseException:
        """Translate an engine error. A failed write or fsync ends all writing and is never tried again: see `Fuse`."""
        if not isinstance(error, sqlite3.Error):
            return error
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code == sqlite3.SQLITE_FULL:
            return Problem(DISK_FULL)
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return Problem(DATABASE_BUSY, retry_after=2)
        if code in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_READONLY):
            return self._fuse.blow(error)
        return error

    def _checkpoint(self) -> None:
        """When everybody's answer is on its way."""
        idle = not self._turns and self._inbox.empty()
        if self._fuse.blown or not self._checkpoints.due(idle=idle):
            return
        try:
            self._checkpoints.run()
        except sqlite3.Error as error:
            log.warning("the log could not be put back into the database", error=str(error))
            self._verdict(error)


def drive(coroutine: Awaitable[Any]) -> Any:
    """Run a coroutine that never suspends. Raises `AssertionError` if it awaits anything but its `Tx`."""
    steps = coroutine.__await__()
    try:
        next(steps)
    except StopIteration as end:
        return end.value
    steps.close()
    raise AssertionError("a write use case awaited something other than its Tx")
