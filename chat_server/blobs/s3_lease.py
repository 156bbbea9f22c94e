"""Who writes to an unfinished upload in a bucket, and how much of it is safe: one small object, replaced by conditions.

    <prefix>/unfinished/<upload>/lock          "<epoch> <nonce> <held or free> <bytes that are safe>"

A holder renews it; whoever finds it untouched for a minute, by the bucket's clock, takes it over with the next epoch. A
holder that was taken over cannot replace it any more: so what it says is safe, is safe, whoever says it.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, Final

from chat_server.blobs.bucket import Bucket
from chat_server.domain.errors import SENDS_IN_PROGRESS, Problem

LEASE: Final = 60.0
"""seconds"""
_HELD: Final = "held"
_FREE: Final = "free"


class Lease:
    """Safe to cancel anywhere: a request that is under way is waited for by the next."""

    def __init__(self, bucket: Bucket, key: str, kept: dict[str, bytes]) -> None:
        """`kept`: this process's own locks that could not be given up, by key, because the bucket was away."""
        self._kept = kept
        self._text = b""
        self.epoch = 0
        self.safe = 0
        self.held = False
        self.ended = False
        self._bucket = bucket
        self._key = key
        self._tag: str | None = None
        self._turn = asyncio.Lock()
        self._renewing: asyncio.Task[None] | None = None

    async def take(self) -> None:
        """Raises `Problem` 8006 while somebody else holds it, 8007."""
        await whole(self._take())

    async def save(self, safe: int) -> None:
        """`safe` bytes are safe from now on. Raises `Problem` 8006 where somebody else took over, 8007."""
        await whole(self._replace(_HELD, safe))

    async def give_up(self, *, remove: bool = False) -> None:
        """Never raises `Problem`: what cannot be told now ends by itself. `remove`: the lock too, after the upload."""
        self.ended = True
        if self._renewing is not None:
            self._renewing.cancel()
            await asyncio.wait([self._renewing])
        async with self._turn:
            pass  # what was cancelled on its way may still be taking it
        if self.held:
            before = self._text
            try:
                await whole(self._remove() if remove else self._replace(_FREE, self.safe))
            except Problem:
                self._kept[self._key] = before
            self.held = False

    async def _take(self) -> None:
        async with self._turn:
            found = await self._bucket.get(self._key)
            if found is not None:
                text, seen = found
                epoch, _, state, safe = text.decode("ascii").split()
                mine = self._kept.pop(self._key, None) == text
                if state == _HELD and not mine and await self._bucket.now() - seen.modified < LEASE:
                    raise Problem(SENDS_IN_PROGRESS)
                self.epoch, self.safe, self._tag = int(epoch), int(safe), seen.tag
            self.epoch += 1
            await self._write(_HELD, new=found is None)
            self.held = True
        if not self.ended:
            self._renewing = asyncio.create_task(self._renew())

    async def _replace(self, state: str, safe: int) -> None:
        async with self._turn:
            if not self.held:
                raise Problem(SENDS_IN_PROGRESS)
            before, self.safe = self.safe, safe
            try:
                await self._write(state, new=False)
            except BaseException:
                self.safe = before
                raise

    async def _remove(self) -> None:
        async with self._turn:
            await self._bucket.delete(self._key)

    async def _write(self, state: str, *, new: bool) -> None:
        text = f"{self.epoch} {secrets.token_hex(8)} {state} {self.safe}".encode("ascii")
        try:
            if new:
                self._tag = await self._bucket.put_new(self._key, text)
            else:
                self._tag = await self._bucket.replace(self._key, text, self._tag)
        except FileExistsError:
            # a request whose answer was lost and that was tried again meets its own first try
            found = await self._bucket.get(self._key)
            if found is None or found[0] != text:
                self.held = False
                raise Problem(SENDS_IN_PROGRESS) from None
            self._tag = found[1].tag
        self._text = text

    async def _renew(self) -> None:
        while self.held:
            await asyncio.sleep(LEASE / 3)
            with suppress(Problem):
                await whole(self._replace(_HELD, self.safe))


async def whole(step: Coroutine[Any, Any, None]) -> None:
    """A step that was begun is done, also where its waiter is cancelled."""
    await asyncio.shield(asyncio.create_task(step))
