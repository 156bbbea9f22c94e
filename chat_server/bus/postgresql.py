"""The bus by LISTEN and NOTIFY, on a connection of its own. Not through a pooler in transaction mode: LISTEN belongs to
a session.

NOTIFY never stands in a write transaction: it takes a lock that all notifying commits of the server share, and a
message must not wait for a hint.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

import asyncpg

from chat_server.bus.relay import Line, Relay, Take

CHANNEL: Final = "renraku"


class NotifyBus(Relay):
    """`ports.Bus` on the database itself. `options`: what `asyncpg.connect` takes."""

    def __init__(self, **options: Any) -> None:
        super().__init__("postgresql")
        self._options = options

    async def dial(self) -> Line:
        connection = await asyncpg.connect(**self._options)
        line = _NotifyLine(connection)
        try:
            await connection.add_listener(CHANNEL, line.notified)
        except BaseException:
            connection.terminate()
            raise
        return line


class _NotifyLine:
    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._take: Take | None = None
        self._early: list[bytes] = []
        self._ended = asyncio.Event()
        connection.add_termination_listener(lambda connection: self._ended.set())

    def notified(self, connection: Any, pid: int, channel: str, payload: str) -> None:
        if self._take is None:
            self._early.append(payload.encode())
        else:
            self._take(payload.encode())

    async def send(self, payload: bytes) -> None:
        await self._connection.execute("SELECT pg_notify($1, $2)", CHANNEL, payload.decode())

    async def listen(self, take: Take) -> None:
        self._take = take
        early, self._early = self._early, []
        for payload in early:
            take(payload)
        await self._ended.wait()

    async def close(self) -> None:
        self._connection.terminate()
