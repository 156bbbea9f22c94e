"""Uploads that come in parts, in a bucket: any node can go on with them.

    <prefix>/unfinished/<upload>/lock                  see `s3_lease`: it also says how many bytes are safe
    <prefix>/unfinished/<upload>/<first>.<epoch>       8 MiB from the byte `first` on; the last one is shorter

A piece is put anew as it grows, under the epoch of its writer. Of the same piece the latest epoch counts: what a holder
that was taken over still puts, touches nothing.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import suppress
from typing import Final

from chat_server.blobs.bucket import PART, Bucket, Object
from chat_server.blobs.s3_lease import Lease, whole
from chat_server.blobs.unfinished import Hashes
from chat_server.domain.errors import FILE_STORE_BUSY, SENDS_IN_PROGRESS, Problem
from chat_server.ports import Blob

_READ: Final = 1 << 20
_PIECE: Final = re.compile(r"unfinished/[a-z0-9]+/(\d{20})\.(\d{10})")

Place = Callable[[int, str, int, Callable[[], AsyncGenerator[bytes, None]]], Awaitable[None]]


class S3Part:
    """Implements `ports.Part`. One task writes. The last piece is in memory."""

    def __init__(self, bucket: Bucket, upload_id: str, hashes: Hashes, place: Place, kept: dict[str, bytes]) -> None:
        self._bucket = bucket
        self._id = upload_id
        self._hashes = hashes
        self._place = place
        self._lease = Lease(bucket, f"unfinished/{upload_id}/lock", kept)
        self._keys: dict[int, str] = {}
        """of the pieces that are whole, by their first bytes"""
        self._first = 0
        self._tail = bytearray()
        self._least = 0
        self._hashed = 0
        self._hash = hashlib.sha256()
        self._kept = False
        self._putting = asyncio.Lock()

    @property
    def size(self) -> int:
        return self._first + len(self._tail)

    async def open(self) -> None:
        """Raises `Problem` 8006 while somebody else holds it, 8007."""
        await self._lease.take()
        self._least = self._lease.safe
        self._hashed, self._hash = self._hashes.take(self._id, self._least)
        found = await self._pieces()
        while self._first < self._least:
            piece = found.get(self._first)
            if piece is None or piece.size < min(PART, self._least - self._first):
                raise Problem(FILE_STORE_BUSY, retry_after=5)  # what was safe is not there: not a state to go on from
            if self._least - self._first < PART:
                self._tail += await self._bucket.range(piece.key, 0, self._least - self._first)
                return
            self._keys[self._first] = piece.key
            self._first += PART

    async def write(self, chunk: bytes) -> None:
        self._there()
        if self._kept:
            raise ValueError("this upload is a blob already")
        if self._hashed == self.size:
            self._hash.update(chunk)
            self._hashed += len(chunk)
        rest = memoryview(chunk)
        try:
            while rest:
                taken = PART - len(self._tail)
                self._tail += rest[:taken]
                rest = rest[taken:]
                if len(self._tail) == PART:
                    await self._put_tail()
                    self._keys[self._first] = self._key()
                    self._first += PART
                    self._tail = bytearray()
        except BaseException:
            self._hashed, self._hash = 0, hashlib.sha256()  # it knows bytes that are not here
            raise

    async def flush(self) -> None:
        self._there()
        if self.size == self._lease.safe:
            return
        if self._tail:
            await self._put_tail()
        await self._lease.save(self.size)

    async def cut(self, size: int) -> None:
        self._there()
        if not self._least <= size <= self.size:
            raise ValueError("an upload is cut to what came in this turn")
        if size < self._lease.safe:
            await self._lease.save(size)
        if self._hashed > size:
            self._hashed, self._hash = 0, hashlib.sha256()
        if size < self._first:
            first = size // PART * PART
            key = self._keys[first]
            tail = await self._bucket.range(key, 0, size - first) if size > first else b""
            self._keys = {each: key for each, key in self._keys.items() if each < first}
            self._first, self._tail = first, bytearray(tail)
        else:
            del self._tail[size - self._first :]

    async def keep(self, org_id: int) -> Blob:
        await self.flush()
        async for piece in self._read(self._hashed):
            await asyncio.to_thread(self._hash.update, piece)
            self._hashed += len(piece)
        sha256, size = self._hash.hexdigest(), self.size
        await self._place(org_id, sha256, size, lambda: self._read(0))
        self._kept = True
        return Blob(sha256, size)

    async def discard(self) -> None:
        if self._lease.held:
            await self._remove()

    async def close(self) -> None:
        """What is not safe counts for nothing. Gives up the lock."""
        if self._lease.held and not self._lease.safe:
            with suppress(Problem):
                await self._remove()
        if self._lease.held and self._hashed <= self._lease.safe:
            self._hashes.put(self._id, self._hashed, self._hash)
        await self._lease.give_up()

    def _there(self) -> None:
        if not self._lease.held:
            if self._lease.ended:
                raise ValueError("this upload was kept, discarded or let go")
            raise Problem(SENDS_IN_PROGRESS)

    async def _remove(self) -> None:
        async for found in self._bucket.listed(f"unfinished/{self._id}"):
            for each in found:
                if _PIECE.fullmatch(each.key):
                    await self._bucket.delete(each.key)
        await self._lease.give_up(remove=True)

    def _key(self) -> str:
        return f"unfinished/{self._id}/{self._first:020d}.{self._lease.epoch:010d}"

    async def _put_tail(self) -> None:
        """One after the other, also where a waiter is cancelled: no earlier put of a piece comes after a longer one."""
        await whole(self._put(self._key(), bytes(self._tail)))

    async def _put(self, key: str, data: bytes) -> None:
        async with self._putting:
            await self._bucket.put(key, data)

    async def _pieces(self) -> dict[int, Object]:
        """By their first bytes, of each the one of the latest epoch."""
        latest: dict[int, tuple[int, Object]] = {}
        async for found in self._bucket.listed(f"unfinished/{self._id}"):
            for each in found:
                if match := _PIECE.fullmatch(each.key):
                    first, epoch = int(match[1]), int(match[2])
                    if first not in latest or latest[first][0] < epoch:
                        latest[first] = epoch, each
        return {first: piece for first, (_, piece) in latest.items()}

    async def _read(self, begin: int) -> AsyncGenerator[bytes, None]:
        while begin < self._first:
            first = begin // PART * PART
            piece = await self._bucket.range(self._keys[first], begin - first, min(_READ, first + PART - begin))
            begin += len(piece)
            yield piece
        if begin < self.size:
            yield bytes(self._tail[begin - self._first :])
