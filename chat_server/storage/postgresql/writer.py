"""The one session that writes, and the task that owns it.

As on SQLite, whatever queued while the last commit was flushed is the next batch, each use case in a savepoint. A batch
begins by taking a lock that all nodes share: **one writer at a time in the whole cluster**, so that use cases have the
isolation that SQLite's single writer gives them, seqs are in commit order, and deadlocks cannot be
(docs/decisions/0012). The lock ends with the transaction; a node that freezes with it loses its session, see `address`.

A session that is lost in the middle of COMMIT leaves the outcome unknown: nobody is answered, and nothing is tried
again here. Whoever asks again is safe: the transaction that may still be under way holds the lock, so the next one sees
what became of it, and `sends` and `idempotency` hold the first answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
import types
from collections.abc import Awaitable, Callable, Coroutine, Generator, Sequence
from typing import Any, Final

import asyncpg
import structlog

from chat_server.domain.addresses import without_secrets
from chat_server.domain.errors import DATABASE_BUSY, STORAGE_BROKEN, Problem
from chat_server.fuse import Fuse
from chat_server.ports import Clock, Row, Tx, Value
from chat_server.storage.jobs import BATCH, BATCH_SECONDS, Job, OnDone, OnNotes, Turns, deliver, fail_all
from chat_server.storage.postgresql.address import WRITER, dial
from chat_server.storage.postgresql.dialect import changed, sound, statement
from chat_server.storage.postgresql.faults import AGAIN, lost, translate
from chat_server.storage.postgresql.readers import hang_up

LOCK: Final = int.from_bytes(b"renraku", "big")
"""Key of the writers' advisory lock; such locks belong to one database of the server."""
REDIAL_SECONDS: Final = 0.5
"""After a failed dial: until then whoever comes is turned away at once."""

_DURABLE: Final = (
    "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
)
"""An ack promises that the commit is on disk; stricter settings (of standbys) stay as they are."""
_BEGIN: Final = f"BEGIN; SELECT pg_advisory_xact_lock({LOCK}); SAVEPOINT job"
_NEXT: Final = "RELEASE SAVEPOINT job; SAVEPOINT job"
_BACK: Final = "ROLLBACK TO SAVEPOINT job"

log = structlog.get_logger("renraku.storage")


class PostgresTx:
    """`ports.Tx` over the writing session."""

    __slots__ = ("_connection", "_notes", "asking", "now", "wrote")

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._notes: list[object] = []
        self.now = 0
        self.wrote = False
        """since the savepoint"""
        self.asking = False
        """whether the use case awaits this transaction at the moment"""

    async def one(self, sql: str, *values: Value) -> Row | None:
        text, writes = statement(sql)
        self.asking, self.wrote = True, self.wrote or writes
        row: Row | None = await self._connection.fetchrow(text, *sound(values))
        self.asking = False
        return row

    async def all(self, sql: str, *values: Value) -> Sequence[Row]:
        text, writes = statement(sql)
        self.asking, self.wrote = True, self.wrote or writes
        rows: Sequence[Row] = await self._connection.fetch(text, *sound(values))
        self.asking = False
        return rows

    async def run(self, sql: str, *values: Value) -> int:
        self.asking = self.wrote = True
        tag: str = await self._connection.execute(statement(sql).text, *sound(values))
        self.asking = False
        return changed(tag)

    def emit(self, note: object) -> None:
        self._notes.append(note)

    def take_notes(self) -> list[object]:
        notes, self._notes = self._notes, []
        return notes


class Writer:
    """`submit` may be called on the event loop only; answers come back on it."""

    def __init__(self, address: str, clock: Clock, on_notes: OnNotes, fuse: Fuse) -> None:
        self._address = address
        self._clock = clock
        self._on_notes = on_notes
        self._fuse = fuse
        self._turns = Turns()
        self._something = asyncio.Event()
        self._stopping = False
        self._connection: Any = None
        self._tx = PostgresTx(None)
        self._dial_at = 0.0
        self._away = False

    async def start(self) -> None:
        """Raises what dialling raises."""
        await self._dial()
        self._task = asyncio.create_task(self._run())

    def submit(self, org_id: int, use_case: Callable[[Tx], Awaitable[Any]], on_done: OnDone) -> None:
        """Queue `use_case`; `on_done(result, error)` runs after the commit."""
        self._turns.add(Job(org_id, use_case, on_done))
        self._something.set()

    async def close(self) -> None:
        """Finish what is queued, then end."""
        self._stopping = True
        self._something.set()
        await self._task
        if self._connection is not None:
            await hang_up(self._connection)

    async def _run(self) -> None:
        while True:
            await self._something.wait()
            if not self._turns:
                if self._stopping:
                    return
                self._something.clear()
                continue
            if self._fuse.blown:
                done = self._turns.drain(Problem(STORAGE_BROKEN))
            else:
                done = await self._answered_batch()
            deliver(done, self._on_notes)

    async def _answered_batch(self) -> list[Job]:
        """An exception here would end the task, and with it every answer."""
        try:
            if self._connection is None or self._connection.is_closed():
                await self._dial()
        except Exception as error:
            return self._turns.drain(_refusal(error))
        return await self._commit_batch()

    # The session

    async def _dial(self) -> None:
        self._hang_up()
        if time.monotonic() < self._dial_at:
            raise Problem(DATABASE_BUSY, retry_after=AGAIN)
        try:
            self._connection = await dial(self._address, WRITER)
        except Exception as error:
            self._dial_at = time.monotonic() + REDIAL_SECONDS
            if not self._away:
                self._away = True
                log.warning("the database cannot be reached", database=without_secrets(self._address), error=str(error))
            raise
        await self._connection.execute(_DURABLE)
        if self._away:
            self._away = False
            log.info("the database is back", database=without_secrets(self._address))
        self._tx = PostgresTx(self._connection)

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    # One transaction

    async def _commit_batch(self) -> list[Job]:
        execute = self._connection.execute
        try:
            await execute(_BEGIN)
        except Exception as error:
            await self._give_up_transaction(error)
            return self._turns.drain(_refusal(error))
        batch: list[Job] = []
        deadline = time.monotonic() + BATCH_SECONDS
        self._tx.wrote = False
        while len(batch) < BATCH and time.monotonic() < deadline and (job := self._turns.next()) is not None:
            batch.append(job)
            if (sunk := await self._run_job(job)) is not None:
                await self._give_up_transaction(sunk)
                return fail_all(batch, _refusal(sunk))
        try:
            tag = await execute("COMMIT")
            if tag != "COMMIT":
                raise Problem(DATABASE_BUSY, retry_after=AGAIN)
        except Exception as error:
            await self._give_up_transaction(error)
            return fail_all(batch, _refusal(error))
        return batch

    async def _run_job(self, job: Job) -> Exception | None:
        """Answers what sank the whole transaction, if anything did."""
        tx = self._tx
        tx.now = self._clock.now()
        try:
            if tx.wrote:
                await self._connection.execute(_NEXT)
                tx.wrote = False
            job.result = await _alone(job.use_case(tx), tx)
            job.notes = tx.take_notes()
        except Exception as error:
            tx.take_notes()
            job.error = translate(error)
            if lost(self._connection, error):
                return error
            if tx.wrote or isinstance(error, asyncpg.PostgresError):
                try:
                    await self._connection.execute(_BACK)
                except Exception as failed:
                    # Without its savepoint the job cannot be told from its neighbours: all of them go.
                    return failed
                tx.wrote = False
        return None

    async def _give_up_transaction(self, cause: BaseException) -> None:
        if not lost(self._connection, cause):
            with contextlib.suppress(Exception):
                await self._connection.execute("ROLLBACK")
                return
        log.warning("the session with the database was lost", error=str(cause) or type(cause).__name__)
        self._hang_up()


def _refusal(error: BaseException) -> BaseException:
    """For those that are not to blame."""
    found = translate(error)
    return found if isinstance(found, Problem) else Problem(DATABASE_BUSY, retry_after=AGAIN)


@types.coroutine
def _steps(coroutine: Coroutine[Any, Any, Any], tx: PostgresTx) -> Generator[Any, Any, Any]:
    """`await coroutine`, seen from between its steps."""
    tx.asking = False
    step, value = coroutine.send, None
    while True:
        try:
            awaited = step(value)
        except StopIteration as end:
            return end.value
        if not tx.asking:
            coroutine.close()
            raise AssertionError("a write use case awaited something other than its Tx")
        try:
            value, step = (yield awaited), coroutine.send
        except BaseException as error:
            value, step = error, coroutine.throw


async def _alone(use_case: Awaitable[Any], tx: PostgresTx) -> Any:
    """Its result. Raises `AssertionError` if it awaits anything but its `Tx`: nobody waits for a network with the lock
    that all nodes share, and on SQLite it would not run at all."""
    return await _steps(use_case, tx)  # type: ignore[arg-type]  # use cases are coroutines
