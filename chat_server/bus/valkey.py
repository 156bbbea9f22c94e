"""The bus by PUBLISH and SUBSCRIBE of Valkey or Redis: one connection that listens, one that speaks."""

from __future__ import annotations

import contextlib
from typing import Any, Final

from valkey.asyncio import Valkey
from valkey.asyncio.retry import Retry
from valkey.backoff import NoBackoff

from chat_server.bus.relay import CONNECTING, Line, Relay, Take

CHANNEL: Final = "renraku"


class ValkeyBus(Relay):
    """`ports.Bus` on a server beside the database. `address`: valkey://host:port/0, valkeys:// with TLS."""

    def __init__(self, address: str) -> None:
        super().__init__("valkey")
        self._address = address

    async def dial(self) -> Line:
        # The library's own retrying is off: a line that broke has lost something, and must say so.
        server = Valkey.from_url(
            self._address,
            retry=Retry(NoBackoff(), 0),
            socket_connect_timeout=CONNECTING,
            socket_keepalive=True,
        )
        line = _ValkeyLine(server)
        try:
            await line.subscribe()
        except BaseException:
            await line.close()
            raise
        return line


class _ValkeyLine:
    def __init__(self, server: Any) -> None:
        self._server = server
        self._listening = server.pubsub(ignore_subscribe_messages=False)

    async def subscribe(self) -> None:
        await self._listening.subscribe(CHANNEL)
        confirmed = await self._listening.parse_response()
        if confirmed is None or confirmed[0] != b"subscribe":
            raise ConnectionError("the server did not let us listen")

    async def send(self, payload: bytes) -> None:
        await self._server.publish(CHANNEL, payload)

    async def listen(self, take: Take) -> None:
        while True:
            message = await self._listening.parse_response()
            if message is not None and message[0] == b"message":
                take(message[2])

    async def close(self) -> None:
        with contextlib.suppress(Exception):
            await self._listening.aclose()
        with contextlib.suppress(Exception):
            await self._server.aclose()
