"""Attachment bytes in S3: `ports.BlobStore` on a bucket that any number of nodes share.

    <prefix>/<org_id>/<first two of sha256>/<sha256>
    <prefix>/doomed/<org_id>/<sha256>                 what the sweeper is about to remove
    <prefix>/unfinished/<upload>/…                    uploads that come in parts
    <prefix>/clock                                    written to read the bucket's clock

A put is whole or not there. Blobs are always put anew, also where they exist: that makes them young for the sweeper, by
the bucket's clock, whatever the clocks of the nodes say.

A bucket knows no lock, so keeping and removing the same bytes exclude each other by the order of their steps. The remover
writes its mark, then looks at the age, then removes, then takes the mark away. The keeper puts the bytes, then looks for a
mark, then for the bytes. Saw it no mark, then either its bytes came before the mark, and the remover found them young; or
the mark was gone again, and so is the removal: the last look tells whether it hit the new bytes, which are put once more.
That needs a bucket that shows what was written (Amazon's since 2020, MinIO, Ceph).
"""

from __future__ import annotations

import asyncio
import hashlib
import math
import os
import re
import secrets
import time
import weakref
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from chat_server.blobs.bucket import PART, Bucket
from chat_server.blobs.incoming import FileIncoming
from chat_server.blobs.leftovers import remove, untouched
from chat_server.blobs.s3_unfinished import S3Part
from chat_server.blobs.unfinished import UPLOAD, Hashes
from chat_server.domain import limits
from chat_server.domain.errors import FILE_STORE_BUSY, Problem
from chat_server.fuse import Fuse
from chat_server.ports import BLOB_YOUNG, Blob, Incoming

_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_KEY: Final = re.compile(r"(\d+)/([0-9a-f]{2})/(\2[0-9a-f]{62})")
_YOUNG: Final = BLOB_YOUNG / limits.SECOND
_READ: Final = 1 << 20
_THREADS: Final = 4
_STREAMS: Final = 4
"""multipart puts at once: each holds some pieces in memory"""
_TRIES: Final = 20
_PAUSE: Final = 0.25
_REMOVAL: Final = 60.0
"""seconds that a removal may take from its mark on; a mark ten times as old was left by a process that is gone"""

T = TypeVar("T")


class S3Blobs:
    """Implements `ports.BlobStore`. `folder`: this process's own, for bytes on their way in and for decoders."""

    def __init__(self, bucket: Bucket, folder: Path, fuse: Fuse | None = None, *, owner: bool = False) -> None:
        """Makes the folder where it is missing; `owner`: empties it (blocks). Raises OSError where that cannot be."""
        self._bucket = bucket
        self._folder = folder
        self._fuse = fuse or Fuse()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if owner:
            remove(untouched(folder, math.inf))
        self._threads = ThreadPoolExecutor(_THREADS, "blobs")
        self._arriving: weakref.WeakSet[FileIncoming] = weakref.WeakSet()
        self._streams = asyncio.Semaphore(_STREAMS)
        self._hashes = Hashes()
        self._locks: dict[str, bytes] = {}

    def receive(self) -> FileIncoming:
        """A new file in the folder; it appears there with its first batch."""
        incoming = FileIncoming(self._temporary(), self._off_loop, self._fuse)
        self._arriving.add(incoming)
        return incoming

    async def keep(self, org_id: int, incoming: Incoming) -> Blob:
        """Put it into the bucket. Raises `Problem` 8002, 8007, 9002; the local file is then gone."""
        if not isinstance(incoming, FileIncoming):
            raise TypeError("bytes that this store did not receive")
        sha256 = await self._off_loop(incoming.seal)
        try:
            await self.place(org_id, sha256, incoming.size, lambda: self._read_file(incoming.path))
        finally:
            await asyncio.shield(self._off_loop(lambda: remove([incoming.path])))
        return Blob(sha256, incoming.size)

    async def keep_bytes(self, org_id: int, data: bytes) -> Blob:
        """The same for bytes in memory."""
        sha256 = await self._off_loop(lambda: hashlib.sha256(data).hexdigest())
        await self.place(org_id, sha256, len(data), lambda: _one(data))
        return Blob(sha256, len(data))

    async def place(self, org_id: int, sha256: str, size: int, read: Callable[[], AsyncGenerator[bytes, None]]) -> None:
        """The bytes that `read` gives, under their name: they are there afterwards, whatever a sweeper does."""
        key = _key(org_id, sha256)
        for _ in range(_TRIES):
            async with aclosing(read()) as pieces:
                if size <= PART:
                    await self._bucket.put(key, b"".join([piece async for piece in pieces]))
                else:
                    async with self._streams:
                        await self._bucket.put_pieces(key, _checked(pieces, sha256))
            if await self._bucket.head(_mark(org_id, sha256)) is None and await self._bucket.head(key) is not None:
                return
            await asyncio.sleep(_PAUSE)
        raise Problem(FILE_STORE_BUSY, retry_after=int(_REMOVAL))

    @asynccontextmanager
    async def open(self, org_id: int, sha256: str) -> AsyncIterator[OpenedObject]:
        """For sending. Raises FileNotFoundError, ValueError, `Problem` 8007."""
        key = _key(org_id, sha256)
        found = await self._bucket.head(key)
        if found is None:
            raise FileNotFoundError(key)
        yield OpenedObject(self._bucket, key, found.size)

    @asynccontextmanager
    async def local(self, org_id: int, sha256: str) -> AsyncIterator[Path]:
        """A copy, compared with its hash. Raises as `open`, and OSError where the bucket's bytes are not those kept."""
        copy = self.receive()
        try:
            async with self.open(org_id, sha256) as opened, aclosing(opened.pieces(0, opened.size)) as pieces:
                async for piece in pieces:
                    await copy.write(piece)
            if await self._off_loop(copy.seal) != sha256:
                raise OSError(f"the bucket's bytes are not those of their name: {_key(org_id, sha256)}")
            yield copy.path
        finally:
            await asyncio.shield(self._off_loop(lambda: remove([copy.path])))
            await copy.discard()

    @asynccontextmanager
    async def unfinished(self, upload_id: str) -> AsyncIterator[S3Part]:
        """Hold an upload that comes in parts. Raises `Problem` 8006, 8007; ValueError."""
        if UPLOAD.fullmatch(upload_id) is None:
            raise ValueError("not the id of an upload")
        part = S3Part(self._bucket, upload_id, self._hashes, self.place, self._locks)
        try:
            await part.open()
            yield part
        finally:
            await asyncio.shield(part.close())

    async def unfinished_old(self) -> list[str]:
        """Those to which nothing was added for an hour."""
        before = await self._bucket.now() - _YOUNG
        touched: dict[str, float] = {}
        async for found in self._bucket.listed("unfinished"):
            for each in found:
                upload_id = each.key.split("/")[1]
                touched[upload_id] = max(each.modified, touched.get(upload_id, 0))
        return sorted(upload_id for upload_id, last in touched.items() if last <= before)

    async def delete(self, org_id: int, sha256: str) -> None:
        """Remove for good; missing is fine. Raises `Problem` 8007."""
        await self._bucket.delete(_key(org_id, sha256))

    async def sweep(self, older_than_ms: int) -> int:
        """Remove this process's own leftovers, and marks that a killed sweeper left; answers how many files."""
        before = time.time() - older_than_ms / limits.SECOND
        leftovers = await self._off_loop(lambda: untouched(self._folder, before))
        arriving = {incoming.path for incoming in self._arriving}
        left = [path for path in leftovers if path not in arriving]
        await self._off_loop(lambda: remove(left))
        if older_than_ms:  # at the start of a node the bucket need not answer
            await self._take_stale_marks_away()
        return len(left)

    async def _take_stale_marks_away(self) -> None:
        before = await self._bucket.now() - 10 * _REMOVAL
        async for found in self._bucket.listed("doomed"):
            for each in found:
                if each.modified <= before:
                    await self._bucket.delete(each.key)

    async def old(self) -> AsyncIterator[tuple[int, list[str]]]:
        """In pieces: (organization, SHA-256s) of blobs that were last kept over an hour ago."""
        before = await self._bucket.now() - _YOUNG
        for folder in await self._bucket.folders():
            if folder.isdecimal():
                async for found in self._bucket.listed(folder):
                    matches = [_KEY.fullmatch(each.key) for each in found if each.modified <= before]
                    if names := [match[3] for match in matches if match]:
                        yield int(folder), names

    async def remove_old(self, org_id: int, sha256s: Sequence[str]) -> int:
        """Remove those of them that are still old; answers how many. Raises `Problem` 8007."""
        return sum([await self._remove_old(org_id, sha256) for sha256 in sha256s])

    async def _remove_old(self, org_id: int, sha256: str) -> bool:
        key, mark = _key(org_id, sha256), _mark(org_id, sha256)
        began = time.monotonic()
        try:
            await self._bucket.put_new(mark, secrets.token_bytes(8))
        except FileExistsError:
            return False  # another sweeper is at it, or was killed at it
        # From here on: where a request is not answered it may still be carried out, so the mark stays.
        marked, found = await self._bucket.head(mark), await self._bucket.head(key)
        removable = marked is not None and found is not None and found.modified <= marked.modified - _YOUNG
        if removable and time.monotonic() - began > _REMOVAL:
            return False
        if removable:
            await self._bucket.delete(key)
        await self._bucket.delete(mark)
        return removable

    async def close(self) -> None:
        """Wait for what is being written."""
        await asyncio.to_thread(self._threads.shutdown)
        await self._bucket.close()

    def _temporary(self) -> Path:
        return self._folder / secrets.token_hex(16)

    async def _read_file(self, path: Path) -> AsyncGenerator[bytes, None]:
        descriptor = await self._off_loop(lambda: os.open(path, os.O_RDONLY | os.O_CLOEXEC))
        try:
            while piece := await self._off_loop(lambda: os.read(descriptor, _READ)):
                yield piece
        finally:
            await asyncio.shield(self._off_loop(lambda: os.close(descriptor)))

    def _off_loop(self, function: Callable[[], T]) -> Awaitable[T]:
        return asyncio.get_running_loop().run_in_executor(self._threads, function)


@dataclass(frozen=True, slots=True)
class OpenedObject:
    """Implements `ports.Opened`: a request for each piece, so that a slow reader holds no connection. Who goes on reading
    bytes that were removed meets FileNotFoundError."""

    _bucket: Bucket
    _key: str
    size: int

    async def pieces(self, first: int, length: int) -> AsyncGenerator[bytes, None]:
        end = min(first + length, self.size)
        while first < end:
            piece = await self._bucket.range(self._key, first, min(_READ, end - first))
            if not piece:
                return
            first += len(piece)
            yield piece


async def _one(data: bytes) -> AsyncGenerator[bytes, None]:
    for at in range(0, len(data), _READ):
        yield data[at : at + _READ]


async def _checked(pieces: AsyncIterator[bytes], sha256: str) -> AsyncGenerator[bytes, None]:
    """Bytes that are not those of their name end in an error, before the last piece is put: then nothing is there."""
    found = hashlib.sha256()
    async for piece in pieces:
        await asyncio.to_thread(found.update, piece)
        yield piece
    if found.hexdigest() != sha256:
        raise OSError("the bytes changed on their way into the bucket")


def _key(org_id: int, sha256: str) -> str:
    if _SHA256.fullmatch(sha256) is None:
        raise ValueError("not a SHA-256 in lower-case hexadecimal")
    return f"{org_id:d}/{sha256[:2]}/{sha256}"


def _mark(org_id: int, sha256: str) -> str:
    return f"doomed/{org_id:d}/{sha256}"
