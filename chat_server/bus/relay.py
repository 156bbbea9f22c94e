"""What the buses between processes share: a queue, a line that is made again when it breaks, a sign of life.

A bus hears itself too, so each process knows that its own line works both ways: whoever has not heard its own sign of
life for some seconds hangs up and dials again, however healthy the sockets look.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import Callable
from typing import Final, Protocol

import structlog

from chat_server.bus.payload import Outgoing, split

BEAT: Final = 1.0
"""Seconds between two signs of life."""
SILENCE: Final = 4.0
"""Seconds without one's own sign of life after which the line is given up."""
CONNECTING: Final = 5.0
"""Seconds that dialling may take."""
FIRST_PAUSE: Final = 0.1
LONGEST_PAUSE: Final = 5.0
"""Seconds before the next try: from the one to the other, doubling."""

log = structlog.get_logger("renraku.bus")

Take = Callable[[bytes], None]


class Line(Protocol):
    """One connection (or the two) to whatever carries the payloads."""

    async def send(self, payload: bytes) -> None:
        """Hand one payload over. Raises anything if the line is broken."""
        ...

    async def listen(self, take: Take) -> None:
        """Give every payload to `take`, also one's own. Returns or raises when the line is broken."""
        ...

    async def close(self) -> None:
        """Never raises, never waits for the other side."""
        ...


class Relay:
    """`ports.Bus` over lines of one kind."""

    def __init__(self, kind: str) -> None:
        self.heard: Callable[[bytes], None] = lambda item: None
        self.joined: Callable[[], None] = lambda: None
        self.state = "cut"
        self._kind = kind
        self._mark = secrets.token_hex(8).encode()
        self._outgoing = Outgoing(self._mark)
        self._something = asyncio.Event()
        self._alive = 0.0
        self._running: asyncio.Task[None] | None = None

    async def dial(self) -> Line:
        """A new line, already listening on the server's side: what is said from here on is heard."""
        raise NotImplementedError

    async def start(self) -> None:
        self._running = asyncio.create_task(self._run())

    def publish(self, item: bytes) -> None:
        if self.state != "connected":
            return  # whoever joins compares heads: what is said now would only come late
        self._outgoing.add(item)
        self._something.set()

    async def close(self) -> None:
        if self._running is not None:
            self._running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._running

    async def _run(self) -> None:
        pause = FIRST_PAUSE
        while True:
            began = time.monotonic()
            try:
                async with asyncio.timeout(CONNECTING):
                    line = await self.dial()
                try:
                    await self._while_it_holds(line)
                finally:
                    self.state = "cut"
                    self._outgoing.clear()
                    await line.close()
            except Exception as error:
                level = log.warning if pause == FIRST_PAUSE else log.debug
                level("the bus is cut; nodes compare heads instead", bus=self._kind, error=str(error) or repr(error))
            if time.monotonic() - began > SILENCE:
                pause = FIRST_PAUSE
            await asyncio.sleep(pause * (0.5 + secrets.randbelow(1000) / 1000))
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _while_it_holds(self, line: Line) -> None:
        """Raises `ConnectionError` or what the line raised."""
        self._alive = time.monotonic()
        self.state = "connected"
        log.info("the bus is connected", bus=self._kind)
        working = [
            asyncio.create_task(line.listen(self._take)),
            asyncio.create_task(self._send(line)),
            asyncio.create_task(self._watch()),
        ]
        try:
            self.joined()
            done, _ = await asyncio.wait(working, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
            raise ConnectionError("the line was closed")
        finally:
            self.state = "cut"
            for task in working:
                task.cancel()
            await asyncio.gather(*working, return_exceptions=True)

    async def _send(self, line: Line) -> None:
        while True:
            self._something.clear()
            async with asyncio.timeout(SILENCE):
                await line.send(self._outgoing.take())
            if not self._outgoing:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(BEAT):
                        await self._something.wait()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(BEAT)
            if time.monotonic() - self._alive > SILENCE:
                raise ConnectionError("not a sign of life came back")

    def _take(self, payload: bytes) -> None:
        mark, items = split(payload)
        if mark == self._mark:
            self._alive = time.monotonic()
            return
        for item in items:
            try:
                self.heard(item)
            except Exception:
                log.exception("what came by the bus could not be taken in")
