"""The rest of a large body, from the socket into batches of a megabyte: past the parser, and copied once.

Through the parser every byte of an upload is copied five times in pieces of 64 KB, on the one thread that has everybody's
messages to carry. Nothing in such a body is for the parser: its length is known, and whatever comes is the body.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from chat_server.http.protocol import LimitedHttpProtocol

DIRECT_BODY: Final = "renraku.direct_body"
"""The extension of an ASGI scope: call it, without arguments, for the rest of the body as a `DirectBody`; None where there
is none (no announced length, or all of it came)."""

BATCH_BYTES: Final = 1 << 20
READY: Final = 2
"""Batches that wait for whoever reads; then the socket waits too."""
LINGER_SECONDS: Final = 0.05
"""How long the beginning of a batch waits for the rest of it: what a slow line brings is not held back."""
_SMALL: Final = BATCH_BYTES // 4
"""What is shorter is copied: it would hold a whole batch's memory."""


class DirectBody(asyncio.BufferedProtocol):
    """The connection's protocol while a body comes in. Then `http` gets it back, after exactly the body's last byte.

    `begun`: what had come already. `left`: bytes to come, at least 1.
    """

    def __init__(self, http: LimitedHttpProtocol, begun: bytes, left: int) -> None:
        self._http = http
        self._left = left
        self._ready: deque[bytes | bytearray | memoryview] = deque([begun] if begun else [])
        self._filling = bytearray()
        self._filled = 0
        self._moved = asyncio.Event()
        self._lingering: asyncio.TimerHandle | None = None
        self._lost = self._dropping = False

    # For whoever reads the body.

    async def receive(self) -> dict[str, Any]:
        """As ASGI's `receive`; a body of up to `BATCH_BYTES`."""
        while not self._ready and self._left and not self._lost:
            self._moved.clear()
            await self._moved.wait()
        if not self._ready:
            return {"type": "http.disconnect"}
        body = self._ready.popleft()
        if not self._lost:
            self._http.flow.resume_reading()
        return {"type": "http.request", "body": body, "more_body": bool(self._ready or self._left)}

    def drop(self) -> None:
        """The answer was sent: what still comes is for nobody."""
        self._ready.clear()
        self._stop_lingering()
        self._dropping = True

    # For the transport.

    def get_buffer(self, sizehint: int) -> memoryview:
        if not self._filling:
            self._filling, self._filled = bytearray(min(BATCH_BYTES, self._left)), 0
        return memoryview(self._filling)[self._filled : self._filled + self._left]

    def buffer_updated(self, nbytes: int) -> None:
        self._filled += nbytes
        self._left -= nbytes
        if self._dropping:
            self._filled = 0  # the same megabyte, over and over
        elif self._filled == len(self._filling) or not self._left:
            self._hand_over()
        elif self._lingering is None:
            self._lingering = self._http.loop.call_later(LINGER_SECONDS, self._hand_over)
        if not self._left:
            self._http.take_back()

    def eof_received(self) -> None:
        self._hand_over()
        self._http.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self._hand_over()
        self._lost = True
        self._moved.set()
        self._http.connection_lost(exc)

    def pause_writing(self) -> None:
        self._http.pause_writing()

    def resume_writing(self) -> None:
        self._http.resume_writing()

    def _hand_over(self) -> None:
        self._stop_lingering()
        if not self._filled or self._dropping:
            return
        filling, filled = self._filling, self._filled
        self._filling, self._filled = bytearray(), 0
        whole = filled == len(filling)
        batch = filling if whole else memoryview(filling)[:filled]
        self._ready.append(bytes(batch) if filled < _SMALL and not whole else batch)
        self._moved.set()
        if len(self._ready) >= READY and self._left:
            self._http.flow.pause_reading()

    def _stop_lingering(self) -> None:
        if self._lingering is not None:
            self._lingering.cancel()
            self._lingering = None
