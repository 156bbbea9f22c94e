"""Reading: a few sessions lent in turn, each view one REPEATABLE READ transaction that cannot write."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, TypeVar

import asyncpg

from chat_server.ports import Clock, Reader, Row, Value
from chat_server.storage.postgresql.address import READER, dial
from chat_server.storage.postgresql.dialect import sound, statement
from chat_server.storage.postgresql.faults import lost, translate

T = TypeVar("T")
READERS: Final = 4
_BEGIN: Final = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"


class PostgresReader:
    """`ports.Reader` inside one transaction of one session."""

    __slots__ = ("_connection", "now")

    def __init__(self, connection: Any, now: int) -> None:
        self._connection = connection
        self.now = now

    async def one(self, sql: str, *values: Value) -> Row | None:
        row: Row | None = await self._connection.fetchrow(statement(sql).text, *sound(values))
        return row

    async def all(self, sql: str, *values: Value) -> Sequence[Row]:
        rows: Sequence[Row] = await self._connection.fetch(statement(sql).text, *sound(values))
        return rows


class Readers:
    """Sessions are opened when they are first needed, and again when one was lost."""

    def __init__(self, address: str, clock: Clock) -> None:
        self._address = address
        self._clock = clock
        self._places = asyncio.Semaphore(READERS)
        self._free: list[Any] = []
        self._recovering: set[asyncio.Task[None]] = set()

    async def read(self, use_case: Callable[[Reader], Awaitable[T]]) -> T:
        await self._places.acquire()
        connection = None
        try:
            connection = await self._begun()
            result = await use_case(PostgresReader(connection, self._clock.now()))
            await connection.execute("COMMIT")
        except BaseException as error:
            self._give_back(connection, error)
            found = translate(error)
            if found is error or isinstance(error, asyncpg.ReadOnlySQLTransactionError):
                raise  # a view that writes is a mistake of ours, not a standby
            raise found from error
        self._free.append(connection)
        self._places.release()
        return result

    async def _begun(self) -> Any:
        """A session with an open view. One that lies there may have died unnoticed with its server: nothing was asked
        of it yet, so a new one takes its place."""
        while self._free:
            connection = self._free.pop()
            if await _begin(connection, may_be_dead=True):
                return connection
        connection = await dial(self._address, READER)
        await _begin(connection, may_be_dead=False)
        return connection

    def _give_back(self, connection: Any, error: BaseException) -> None:
        if connection is None:
            self._places.release()
            return
        task = asyncio.get_running_loop().create_task(self._recover(connection, error))
        self._recovering.add(task)
        task.add_done_callback(self._recovering.discard)

    async def _recover(self, connection: Any, error: BaseException) -> None:
        """End the view, also after a cancellation, before the session is lent again."""
        try:
            if lost(connection, error):
                connection.terminate()
            else:
                await connection.execute("ROLLBACK")
                self._free.append(connection)
        except Exception:
            connection.terminate()
        finally:
            self._places.release()

    async def close(self) -> None:
        await asyncio.gather(*self._recovering, return_exceptions=True)
        free, self._free = self._free, []
        for connection in free:
            await hang_up(connection)


async def _begin(connection: Any, *, may_be_dead: bool) -> bool:
    try:
        await connection.execute(_BEGIN)
    except BaseException as error:
        connection.terminate()
        if may_be_dead and isinstance(error, Exception) and lost(connection, error):
            return False
        raise
    return True


async def hang_up(connection: Any) -> None:
    """An orderly end, or any."""
    try:
        await connection.close(timeout=2)
    except Exception:
        connection.terminate()
