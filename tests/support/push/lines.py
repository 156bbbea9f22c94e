"""A provider of pushes over a plain socket, one line there and one back: for tests of what happens on our side of it.

The server stays in the test's process, so it still knows what it was sent when ours was killed.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

from mobile_api.providers.port import Answer, Outcome, Parcel, Platform

Wire = dict[str, Any]
CUT: Final[Wire] = {"cut": True}
"""The line goes dead after the server has the parcel."""


async def accept(parcel: Wire) -> Wire:
    return {"outcome": "accepted", "reason": "200", "receipt": f"r-{parcel['id'][-4:]}"}


@dataclass
class LineServer:
    """`answer(parcel)` says what is answered; `received`: every parcel in the order of its coming, with what was answered."""

    answer: Callable[[Wire], Awaitable[Wire]] = accept
    received: list[Wire] = field(default_factory=list)
    keeps: bool = True
    answered: int = 0
    port: int = 0
    came: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                parcel: Wire = json.loads(line)
                if self.keeps:
                    self.received.append(parcel)
                async with self.came:
                    self.came.notify_all()
                answer = await self.answer(parcel)
                parcel["answered"] = answer
                self.answered += 1
                async with self.came:
                    self.came.notify_all()
                if answer == CUT:
                    break
                writer.write(json.dumps(answer).encode() + b"\n")
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def until_seen(self, number: int, seconds: float = 20) -> None:
        """Wait until so many parcels came, answered or not."""
        async with asyncio.timeout(seconds), self.came:
            await self.came.wait_for(lambda: len(self.received) >= number)

    async def until(self, number: int, seconds: float = 20) -> list[Wire]:
        """Wait until so many parcels were answered."""
        async with asyncio.timeout(seconds), self.came:
            await self.came.wait_for(lambda: self.answered >= number)
        return self.received


@contextlib.asynccontextmanager
async def line_server(
    answer: Callable[[Wire], Awaitable[Wire]] = accept, *, keeps: bool = True
) -> AsyncIterator[LineServer]:
    """`keeps`: what was received, to be looked at."""
    made = LineServer(answer, keeps=keeps)
    server = await asyncio.start_server(made._serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        await server.wait_closed()


class LineProvider:
    """Implements `providers.port.Provider`. A connection carries one parcel at a time; idle ones are used again."""

    def __init__(self, platform: Platform, port: int) -> None:
        self._platform = platform
        self._port = port
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    @property
    def platform(self) -> Platform:
        return self._platform

    async def send(self, parcel: Parcel) -> Answer:
        try:
            reader, writer = self._idle.pop() if self._idle else await asyncio.open_connection("127.0.0.1", self._port)
        except OSError as error:
            return Answer(Outcome.LATER, f"not reached: {error}")
        try:
            writer.write(json.dumps(wire(parcel)).encode() + b"\n")
            await writer.drain()
            line = await reader.readline()
        except OSError as error:
            writer.close()
            return Answer(Outcome.UNKNOWN, f"cut: {error}")
        except BaseException:
            writer.close()
            raise
        if not line:
            writer.close()
            return Answer(Outcome.UNKNOWN, "cut in the middle")
        self._idle.append((reader, writer))
        said = json.loads(line)
        return Answer(
            Outcome(said["outcome"]), said["reason"], said.get("receipt", ""), said.get("retry_after"),
            said.get("gone_at"),
        )  # fmt: skip

    async def close(self) -> None:
        for _, writer in self._idle:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()
        self._idle.clear()


def wire(parcel: Parcel) -> Wire:
    return {
        "id": parcel.id, "token": parcel.token, "sealed": parcel.sealed.hex(), "text": parcel.text, "badge": parcel.badge,
        "collapse": parcel.collapse, "urgent": parcel.urgent, "clears": parcel.clears, "expires": parcel.expires,
        "topic": parcel.topic,
    }  # fmt: skip
