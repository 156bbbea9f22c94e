"""Who of all nodes does what is done once: the holder of a session lock, which ends with its session.

A process that dies loses its session at once, a machine that goes silent within some ten seconds (`address`: keepalives),
a process that is frozen too, because its session is ended when nothing was asked in it for a while. Whoever held the
lock stops its work before it lets go, and when it cannot reach the database any more: sooner than the server gives the
lock to the next one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

import structlog

from chat_server.storage.postgresql.address import CONNECT_SECONDS, READER, dial
from chat_server.storage.postgresql.readers import hang_up
from chat_server.storage.postgresql.writer import LOCK

LEADER: Final = LOCK + 1
"""Key of the lock."""
ASK: Final = 1.0
"""Seconds between two signs of life of the holder, and between two tries of the others."""
ANSWER: Final = 3.0
"""Seconds that an answer may take."""
IDLE: Final = 10
"""Seconds after which the server ends a session that nothing was asked in. Above `ASK` + `ANSWER`."""

log = structlog.get_logger("renraku.leading")


class PostgresLeadership:
    """`ports.Leadership` by an advisory lock."""

    def __init__(self, address: str) -> None:
        self.leads = False
        self._address = address

    async def hold(self, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await self._once(work)
            except Exception as error:
                log.warning("no node may lead while the database is away", error=str(error) or repr(error))
            await asyncio.sleep(ASK)

    async def _once(self, work: Callable[[], Awaitable[None]]) -> None:
        async with asyncio.timeout(2 * CONNECT_SECONDS):
            connection = await dial(self._address, {**READER, "idle_session_timeout": f"{IDLE}s"})
        try:
            while not await _asked(connection, f"SELECT pg_try_advisory_lock({LEADER})"):  # noqa: ASYNC110 (the holder tells nobody)
                await asyncio.sleep(ASK)
            await self._lead(connection, work)
        finally:
            await hang_up(connection)

    async def _lead(self, connection: Any, work: Callable[[], Awaitable[None]]) -> None:
        ended = asyncio.Event()
        connection.add_termination_listener(lambda connection: ended.set())
        self.leads = True
        log.info("this node runs the workers")
        working = asyncio.ensure_future(work())
        holding = asyncio.create_task(_signs_of_life(connection))
        lost = asyncio.create_task(ended.wait())
        try:
            await asyncio.wait({working, holding, lost}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.leads = False
            for task in (working, holding, lost):
                task.cancel()
            results = await asyncio.gather(working, holding, lost, return_exceptions=True)
            log.info("this node has stopped the workers")
        for result in results:
            if isinstance(result, Exception):
                raise result


async def _signs_of_life(connection: Any) -> None:
    while True:
        await asyncio.sleep(ASK)
        await _asked(connection, "SELECT 1")


async def _asked(connection: Any, sql: str) -> Any:
    async with asyncio.timeout(ANSWER):
        return await connection.fetchval(sql)
