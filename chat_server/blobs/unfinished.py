"""Uploads that come in parts, as files that several processes may share.

    <root>/unfinished/<upload>         the bytes so far; whoever writes holds the lock of this file
    <root>/unfinished/<upload>.safe    how many of them are safe

After a loss of power a file may be longer than what was fsynced, with zeros in it: so what is safe stands beside it,
written after the bytes themselves, and whoever takes the upload up cuts the rest off. A kept upload is a second name of
the blob's file, so nothing is written to a file that has two.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import threading
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from chat_server.blobs.durable import fsync_folder, translated, write_all
from chat_server.blobs.locks import locked
from chat_server.domain.errors import SENDS_IN_PROGRESS, Problem
from chat_server.fuse import Fuse
from chat_server.ports import Blob

if TYPE_CHECKING:
    from hashlib import _Hash

T = TypeVar("T")
Run = Callable[[Callable[[], Any]], Awaitable[Any]]
"""runs a blocking function off the event loop"""

UPLOAD: Final = re.compile(r"[a-z0-9]{16,64}")
SAFE: Final = ".safe"
BATCH_BYTES: Final = 1 << 20
"""that are hashed and written at once; two of them are in memory for each upload under way"""
DRAIN_BYTES: Final = 32 << 20
"""after which the disk is asked for what was written, while more comes in: else the last answer, and everybody's commits,
wait behind gigabytes of it"""
_READ: Final = 1 << 20
_HASHES: Final = 1000


def _seen(task: asyncio.Task[None]) -> None:
    """A batch whose turn was cancelled: what became of it is nobody's business any more."""
    if not task.cancelled():
        task.exception()


class Hashes:
    """How far this process has hashed the uploads that it saw. What was safe at the end of a turn never changes, whoever
    goes on: so a hash of it stays true. Losing one costs a reading."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, tuple[int, _Hash]] = OrderedDict()

    def take(self, upload_id: str, size: int) -> tuple[int, _Hash]:
        """(bytes hashed, hash) of a beginning of the upload, which has `size` bytes now."""
        known = self._known.pop(upload_id, None)
        return known if known and known[0] <= size else (0, hashlib.sha256())

    def put(self, upload_id: str, hashed: int, state: _Hash) -> None:
        self._known[upload_id] = (hashed, state)
        while len(self._known) > _HASHES:
            self._known.popitem(last=False)


@dataclass(frozen=True, slots=True)
class Home:
    """What the parts of one store share. `settle(org_id, path, sha256)` gives the file its final, durable name too.
    `drain`: as `run`, for what waits for the disk and nobody waits for."""

    folder: Path
    run: Run
    drain: Run
    fuse: Fuse
    settle: Callable[[int, Path, str], None]
    hashes: Hashes


class FilePart:
    """Implements `ports.Part`. One task writes. The lock is for its cancellation: a thread may be in the middle of
    something when the turn ends."""

    def __init__(self, home: Home, upload_id: str) -> None:
        self._home = home
        self._id = upload_id
        self._path = home.folder / upload_id
        self._batch: list[bytes] = []
        self._batch_bytes = 0
        self._ahead: asyncio.Task[None] | None = None
        self._draining: asyncio.Task[None] | None = None
        self._drained = 0
        self._came = 0
        self._written = 0
        self._safe = 0
        self._least = 0
        self._kept = False
        self._descriptor = -1
        self._done = False
        self._lock = threading.Lock()
        self._drain_lock = threading.Lock()
        self._hashed = 0
        self._hash = hashlib.sha256()

    @property
    def size(self) -> int:
        return self._came

    async def write(self, chunk: bytes) -> None:
        """One batch is hashed and written while the next comes in."""
        self._there()
        if self._kept:
            raise ValueError("this upload is a blob already")
        self._batch.append(chunk)
        self._batch_bytes += len(chunk)
        self._came += len(chunk)
        if self._batch_bytes >= BATCH_BYTES:
            await self._settle()
            batch = self._take()
            self._ahead = asyncio.create_task(self._run(lambda: self._write(batch)))
            self._ahead.add_done_callback(_seen)
            await self._drain_behind()

    async def flush(self) -> None:
        await self._settle()
        try:
            await self._drain_ended()
            await self._run(self._flush)
        except BaseException:
            self._came = self._written
            raise

    async def cut(self, size: int) -> None:
        if not self._least <= size <= self.size:
            raise ValueError("an upload is cut to what came in this turn")
        await self._settle()
        await self._run(lambda: self._cut(size))
        self._came = size

    async def keep(self, org_id: int) -> Blob:
        await self._settle()
        await self._drain_ended()
        return await self._run(lambda: self._keep(org_id))

    async def discard(self) -> None:
        await self._home.run(self._discard)

    async def _settle(self) -> None:
        """Wait for the batch under way. Raises what became of it; what had come after it is then forgotten too, because
        nothing may stand behind a hole."""
        ahead, self._ahead = self._ahead, None
        if ahead is None:
            return
        try:
            await asyncio.shield(ahead)
        except BaseException:
            self._take()
            self._came = self._written
            raise

    async def _drain_behind(self) -> None:
        """Begin with what has been written, unless the disk is at it still."""
        if self._written - self._drained < DRAIN_BYTES or (self._draining and not self._draining.done()):
            return
        await self._drain_ended()
        self._drained = self._written
        self._draining = asyncio.create_task(self._drain())
        self._draining.add_done_callback(_seen)

    async def _drain(self) -> None:
        drained = self._drained

        def sync() -> None:
            with self._drain_lock, translated(self._home.fuse):
                if self._descriptor >= 0:
                    os.fdatasync(self._descriptor)
                    # a drawing set of 2 GB is not worth the memory that holds the database
                    os.posix_fadvise(self._descriptor, 0, drained, os.POSIX_FADV_DONTNEED)

        await self._home.drain(sync)

    async def _drain_ended(self) -> None:
        """Raises what became of it: a disk tells of a failure once, and the next fdatasync says that all is well."""
        draining, self._draining = self._draining, None
        if draining is not None:
            await asyncio.shield(draining)

    async def _run(self, function: Callable[[], T]) -> T:
        def alone() -> T:
            with self._lock:
                self._there()
                return function()

        answer: T = await self._home.run(alone)
        return answer

    # Everything below blocks.

    def open(self) -> None:
        """Raises `Problem` 8006 while somebody else holds it."""
        with self._lock, translated(self._home.fuse):
            descriptor = locked(self._path)
            if descriptor is None:
                raise Problem(SENDS_IN_PROGRESS)
            self._descriptor = descriptor
            found = os.fstat(descriptor)
            self._kept = found.st_nlink > 1
            self._came = self._written = self._safe = self._least = min(found.st_size, self._read_safe())
            if found.st_size != self._written:
                os.ftruncate(descriptor, self._written)
            os.lseek(descriptor, self._written, os.SEEK_SET)
        self._hashed, self._hash = self._home.hashes.take(self._id, self._written)

    def close(self) -> None:
        """What is not safe is cut off. Gives up the lock."""
        with self._lock, self._drain_lock:
            if self._descriptor < 0:
                return
            descriptor, self._descriptor = self._descriptor, -1
            try:
                if not self._done:
                    with suppress(OSError):  # else the next one does it
                        self._let_go(descriptor)
            finally:
                os.close(descriptor)

    def _let_go(self, descriptor: int) -> None:
        if not self._safe:
            self._unlink()
            return
        if self._written != self._safe:
            os.ftruncate(descriptor, self._safe)
        if self._hashed <= self._safe:
            self._home.hashes.put(self._id, self._hashed, self._hash)

    def _there(self) -> None:
        if self._done or self._descriptor < 0:
            raise ValueError("this upload was kept, discarded or let go")

    def _take(self) -> list[bytes]:
        batch, self._batch, self._batch_bytes = self._batch, [], 0
        return batch

    def _write(self, batch: list[bytes]) -> None:
        """Chunk by chunk as they came: putting them together first would cost as much as the hash."""
        written = self._written
        try:
            with translated(self._home.fuse):
                for chunk in batch:
                    write_all(self._descriptor, chunk)
                    if self._hashed == written:
                        self._hash.update(chunk)
                        self._hashed += len(chunk)
                    written += len(chunk)
        except BaseException:
            self._back_to(self._written)
            raise
        self._written = written

    def _write_rest(self) -> None:
        self._write(self._take())

    def _flush(self) -> None:
        self._write_rest()
        if self._written == self._safe:
            return
        with translated(self._home.fuse):
            os.fdatasync(self._descriptor)
            self._write_safe(self._written)
        self._safe = self._written

    def _cut(self, size: int) -> None:
        self._write_rest()
        with translated(self._home.fuse):
            if size < self._safe:
                self._write_safe(size)
                self._safe = size
            self._back_to(size)

    def _back_to(self, size: int) -> None:
        os.ftruncate(self._descriptor, size)
        os.lseek(self._descriptor, size, os.SEEK_SET)
        self._written = size
        if self._hashed > size:
            self._hashed, self._hash = 0, hashlib.sha256()

    def _keep(self, org_id: int) -> Blob:
        self._flush()
        with translated(self._home.fuse):
            while piece := os.pread(self._descriptor, _READ, self._hashed):
                self._hash.update(piece)
                self._hashed += len(piece)
            os.utime(self._descriptor)  # its age counts from now
            os.fsync(self._descriptor)
            sha256 = self._hash.hexdigest()
            self._home.settle(org_id, self._path, sha256)
        self._kept = True
        return Blob(sha256, self._written)

    def _discard(self) -> None:
        with self._lock, translated(self._home.fuse):
            if self._descriptor >= 0 and not self._done:
                self._unlink()
                self._done = True

    def _unlink(self) -> None:
        self._safe_path().unlink(missing_ok=True)
        self._path.unlink(missing_ok=True)

    def _safe_path(self) -> Path:
        return self._path.with_name(self._id + SAFE)

    def _read_safe(self) -> int:
        with suppress(FileNotFoundError, ValueError):
            return int(self._safe_path().read_bytes())
        return 0

    def _write_safe(self, size: int) -> None:
        """Always 20 digits in place: a single write within one sector."""
        descriptor = os.open(self._safe_path(), os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.pwrite(descriptor, b"%020d" % size, 0)
            os.fdatasync(descriptor)
        finally:
            os.close(descriptor)
        if not self._safe:
            fsync_folder(self._home.folder)  # both names
