"""Attachment bytes as files: `ports.BlobStore` on one local file system.

    <root>/<org_id>/<first two of sha256>/<sha256>
    <root>/incoming/<random>                          bytes on their way in
    <root>/unfinished/<upload>                        uploads that come in parts

Every name but those in `incoming` appears by the rename of a file that was fsynced before: it holds all of its bytes or
it is not there, also after a loss of power. The folder is fsynced before `keep` answers, and so is the parent of every
folder that was not seen before.

Several processes may share the folder, also over NFS: names and ages are looked at under a lock that holds between them,
and ages count by the clock of the file server, which gives both times that are compared.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import time
import weakref
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from chat_server.blobs.durable import fsync_folder, translated
from chat_server.blobs.incoming import FileIncoming
from chat_server.blobs.leftovers import clock_of, remove, shelves, untouched
from chat_server.blobs.locks import NamingLock
from chat_server.blobs.opened import OpenedFile
from chat_server.blobs.unfinished import SAFE, UPLOAD, FilePart, Hashes, Home
from chat_server.domain import limits
from chat_server.fuse import Fuse
from chat_server.ports import BLOB_YOUNG, Blob, Incoming

_SHA256: Final = re.compile(r"[0-9a-f]{64}")

_THREADS: Final = 4
_YOUNG: Final = BLOB_YOUNG / limits.SECOND

T = TypeVar("T")


class FileBlobs:
    """Implements `ports.BlobStore`. `close` it at the end."""

    def __init__(self, root: Path, fuse: Fuse | None = None, *, shared: bool = False) -> None:
        """Makes the folder where it is missing (blocks). `shared`: other processes may use it at the same time.
        Raises OSError where that cannot be."""
        self._root = root
        self._fuse = fuse or Fuse()
        self._shared = shared
        self._incoming = root / "incoming"
        self._unfinished = root / "unfinished"
        for folder in (root, self._incoming, self._unfinished):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # threads of its own: an fsync on a slow disk must not hold up passwords, nor they an upload
        self._threads = ThreadPoolExecutor(_THREADS, "blobs")
        self._drains = ThreadPoolExecutor(1, "drains")
        self._durable: set[Path] = set()
        self._arriving: weakref.WeakSet[FileIncoming] = weakref.WeakSet()
        self._kept: dict[Path, float] = {}
        """What this process kept in the last hour, by a clock that nobody sets and that stands still in a machine asleep."""
        self._names = NamingLock(root / "names.lock" if shared else None)
        self._parts = Home(self._unfinished, self._off_loop, self._drain, self._fuse, self._link, Hashes())

    def receive(self) -> FileIncoming:
        """A new temporary file; it appears on disk with its first batch."""
        incoming = FileIncoming(self._incoming / secrets.token_hex(16), self._off_loop, self._fuse)
        self._arriving.add(incoming)
        return incoming

    async def keep(self, org_id: int, incoming: Incoming) -> Blob:
        """Make it permanent. Keeping the same bytes twice is one blob, with a fresh modification time.

        Raises: `Problem` 8002, 9002; the temporary file is then gone.
        """
        if not isinstance(incoming, FileIncoming):
            raise TypeError("bytes that this store did not receive")
        return await self._off_loop(lambda: self._settle(org_id, incoming))

    async def keep_bytes(self, org_id: int, data: bytes) -> Blob:
        """The same for bytes in memory."""
        incoming = self.receive()
        incoming.add(data)
        return await self.keep(org_id, incoming)

    def path(self, org_id: int, sha256: str) -> Path:
        """Where the bytes lie, existing or not. Raises ValueError on what is no SHA-256, so that no path is made of it."""
        if _SHA256.fullmatch(sha256) is None:
            raise ValueError("not a SHA-256 in lower-case hexadecimal")
        return self._root / f"{org_id:d}" / sha256[:2] / sha256

    @asynccontextmanager
    async def open(self, org_id: int, sha256: str) -> AsyncIterator[OpenedFile]:
        """For sending. Raises FileNotFoundError, ValueError as `path`."""
        # not on the store's own threads: readers do not wait for an fsync
        file = await asyncio.to_thread(self.path(org_id, sha256).open, "rb")
        try:
            yield OpenedFile(file)
        finally:
            await asyncio.to_thread(file.close)

    @asynccontextmanager
    async def local(self, org_id: int, sha256: str) -> AsyncIterator[Path]:
        """The file itself. Raises FileNotFoundError, ValueError as `path`."""
        path = self.path(org_id, sha256)
        await asyncio.to_thread(path.stat)
        yield path

    async def delete(self, org_id: int, sha256: str) -> None:
        """Remove for good; missing is fine. Raises `Problem` 9002."""
        path = self.path(org_id, sha256)
        await self._off_loop(lambda: _delete(path, self._fuse))

    async def sweep(self, older_than_ms: int) -> int:
        """Remove what interrupted uploads left in `incoming`, untouched for that long; answers how many files."""
        if self._shared:  # what is half done here may be another process's
            older_than_ms = max(older_than_ms, BLOB_YOUNG)
        before = await self._now() - older_than_ms / limits.SECOND
        leftovers = await self._off_loop(lambda: untouched(self._incoming, before))
        # asked after the listing: whatever is listed and still being received is known here by now
        arriving = {incoming.path for incoming in self._arriving}
        left = [path for path in leftovers if path not in arriving]
        await self._off_loop(lambda: remove(left))
        return len(left)

    async def old(self) -> AsyncIterator[tuple[int, list[str]]]:
        """A folder at a time: (organization, SHA-256s) of blobs that were last kept over an hour ago."""
        for folder in await self._off_loop(lambda: shelves(self._root)):
            before = await self._now() - _YOUNG
            found = await self._off_loop(partial(untouched, folder, before))
            if names := [path.name for path in found if _SHA256.fullmatch(path.name)]:
                yield int(folder.parent.name), names

    async def remove_old(self, org_id: int, sha256s: Sequence[str]) -> int:
        """Remove those of them that are still old; answers how many. Raises `Problem` 9002."""
        paths = [self.path(org_id, sha256) for sha256 in sha256s]
        return await self._off_loop(lambda: sum(map(self._remove_old, paths)))

    def _remove_old(self, path: Path) -> bool:
        with translated(self._fuse), self._names.removing(), suppress(FileNotFoundError):
            if time.monotonic() - self._kept.get(path, -_YOUNG) < _YOUNG:
                return False
            if path.stat().st_mtime > self._clock() - _YOUNG:
                return False
            path.unlink()
            return True
        return False

    @asynccontextmanager
    async def unfinished(self, upload_id: str) -> AsyncIterator[FilePart]:
        """Hold an upload that comes in parts. Raises `Problem` 8002, 8006, 9002; ValueError."""
        if UPLOAD.fullmatch(upload_id) is None:
            raise ValueError("not the id of an upload")
        part = FilePart(self._parts, upload_id)
        try:
            await self._off_loop(part.open)
            yield part
        finally:
            await asyncio.shield(self._off_loop(part.close))

    async def unfinished_old(self) -> list[str]:
        """Those to which nothing was added for an hour."""
        before = await self._now() - _YOUNG
        found = await self._off_loop(lambda: untouched(self._unfinished, before))
        return sorted({path.name.removesuffix(SAFE) for path in found if path.name.endswith(SAFE)})

    async def close(self) -> None:
        """Wait for what is being written."""
        await asyncio.to_thread(self._threads.shutdown)
        await asyncio.to_thread(self._drains.shutdown)

    async def _off_loop(self, function: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, function)

    async def _drain(self, function: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._drains, function)

    def _settle(self, org_id: int, incoming: FileIncoming) -> Blob:
        return Blob(incoming.settle(lambda sha256: self._rename(org_id, incoming.path, sha256)), incoming.size)

    def _rename(self, org_id: int, path: Path, sha256: str) -> None:
        final = self.path(org_id, sha256)
        for folder in (self._root, final.parent.parent, final.parent):
            self._ensure(folder)
        # also where the blob exists already: the bytes under the name are then those just fsynced, whatever
        # happened to the older ones, and the sweeper of orphans sees a young file
        with self._names.naming():
            path.rename(final)
            self._remember(final)
        fsync_folder(final.parent)

    def _link(self, org_id: int, path: Path, sha256: str) -> None:
        """The same, and `path` stays."""
        second = self._incoming / secrets.token_hex(16)
        second.hardlink_to(path)
        try:
            self._rename(org_id, second, sha256)
        finally:
            second.unlink(missing_ok=True)  # a rename to a name of the same file does nothing

    async def _now(self) -> float:
        return await self._off_loop(self._clock)

    def _clock(self) -> float:
        return clock_of(self._incoming) if self._shared else time.time()

    def _remember(self, path: Path) -> None:
        now = time.monotonic()
        self._kept.pop(path, None)
        self._kept[path] = now
        while now - self._kept[oldest := next(iter(self._kept))] > _YOUNG:
            del self._kept[oldest]

    def _ensure(self, folder: Path) -> None:
        """The folder exists and its name is durable. One found existing may come from a process that was killed before
        its fsync, so each is fsynced once by this process too."""
        made = False
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700)
            made = True
        if made or folder not in self._durable:
            fsync_folder(folder.parent)
            self._durable.add(folder)


def _delete(path: Path, fuse: Fuse) -> None:
    with translated(fuse):
        try:
            path.unlink()
        except FileNotFoundError:
            return
        # what retention removed must not come back after a loss of power
        fsync_folder(path.parent)
