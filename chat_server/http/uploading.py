"""One request at a time for an upload in this process; the newest wins.

A phone that lost its line comes back at once, while the request before it still waits for bytes that will never come.
So whoever asks about an upload ends the receiving of the one before, and goes on from what is safe.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from chat_server.domain.errors import SENDS_IN_PROGRESS, UPLOAD_BUSY, Problem
from chat_server.ports import BlobStore, Part

WAIT_SECONDS: Final = 10
"""For the one before to put what it has on the disk, or to finish."""
_RETRY_SECONDS: Final = 2


class Turn:
    """A request that holds its upload."""

    def __init__(self) -> None:
        self.over = asyncio.Event()
        self._receiving: asyncio.Timeout | None = None

    @asynccontextmanager
    async def receiving(self) -> AsyncIterator[None]:
        """While bytes come in, another request may take over. Raises `Problem` 5013 then."""
        try:
            async with asyncio.timeout(None) as self._receiving:
                yield
        except TimeoutError:
            raise Problem(UPLOAD_BUSY, retry_after=_RETRY_SECONDS) from None
        finally:
            self._receiving = None

    @property
    def waits(self) -> bool:
        return self._receiving is not None

    def give_up(self) -> None:
        if self._receiving is not None:
            self._receiving.reschedule(asyncio.get_running_loop().time())


class Uploading:
    """Turns by upload (public id)."""

    def __init__(self) -> None:
        self._turns: dict[str, Turn] = {}

    def receiving(self, upload: str) -> bool:
        """Whether a request of this upload waits for bytes now."""
        return upload in self._turns and self._turns[upload].waits

    @asynccontextmanager
    async def turn(self, upload: str, blobs: BlobStore) -> AsyncIterator[tuple[Turn, Part]]:
        """Hold the upload and its bytes. Raises `Problem` 5013 while the one before, or another node, does not let go."""
        loop = asyncio.get_running_loop()
        end = loop.time() + WAIT_SECONDS
        while (before := self._turns.get(upload)) is not None:
            before.give_up()
            try:
                async with asyncio.timeout_at(end):
                    await before.over.wait()
            except TimeoutError:
                raise Problem(UPLOAD_BUSY, retry_after=_RETRY_SECONDS) from None
        turn = self._turns[upload] = Turn()
        try:
            async with AsyncExitStack() as stack:
                try:
                    part = await stack.enter_async_context(blobs.unfinished(upload))
                except Problem as problem:
                    if problem.fault is not SENDS_IN_PROGRESS:
                        raise
                    raise Problem(UPLOAD_BUSY, retry_after=_RETRY_SECONDS) from None
                yield turn, part
        finally:
            del self._turns[upload]
            turn.over.set()
