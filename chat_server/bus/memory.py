"""The bus of a single process: nobody else is there to be told. Several of one `Exchange` hear each other (tests)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from chat_server.bus.payload import Outgoing

log = structlog.get_logger("renraku.bus")


class Exchange:
    """Where the buses of one process meet."""

    def __init__(self) -> None:
        self.buses: list[MemoryBus] = []
        self.cut = False
        """Nothing passes."""


class MemoryBus:
    """`ports.Bus` within a process."""

    def __init__(self, exchange: Exchange | None = None) -> None:
        self.heard: Callable[[bytes], None] = lambda item: None
        self.joined: Callable[[], None] = lambda: None
        self._exchange = exchange or Exchange()
        self._outgoing = Outgoing(b"")
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def state(self) -> str:
        return "cut" if self._exchange.cut else "connected"

    async def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._exchange.buses.append(self)
        self.joined()

    def publish(self, item: bytes) -> None:
        self._outgoing.add(item)
        if self._loop is not None and not self._exchange.cut:
            for other in self._exchange.buses:
                if other is not self:
                    self._loop.call_soon(other._hear, item)
        self._outgoing.clear()

    def _hear(self, item: bytes) -> None:
        if self in self._exchange.buses:
            try:
                self.heard(item)
            except Exception:
                log.exception("what came by the bus could not be taken in")

    async def close(self) -> None:
        if self in self._exchange.buses:
            self._exchange.buses.remove(self)
