"""Bytes on their way into the store: a temporary file, hashed while it is written."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from chat_server.blobs.durable import translated, write_all
from chat_server.fuse import Fuse

BATCH_BYTES: Final = 256 * 1024
"""chunks from the network are small, and a change of threads for each would cost more than the writing"""

Run = Callable[[Callable[[], None]], Awaitable[None]]
"""runs a blocking function off the event loop"""


class FileIncoming:
    """Implements `ports.Incoming`. Chunks gather in memory: `path` holds all of them only after `flush`.

    One task writes. The lock is for its cancellation: a thread may be in the middle of a batch when `discard` comes.
    """

    def __init__(self, path: Path, run: Run, fuse: Fuse) -> None:
        self.path = path
        self.size = 0
        self._run = run
        self._fuse = fuse
        self._batch = bytearray()
        self._hash = hashlib.sha256()
        self._descriptor: int | None = None
        self._closed = False
        self._lock = threading.Lock()

    async def write(self, chunk: bytes) -> None:
        """Append. Raises `Problem` 8002, 9002; the temporary file is then gone."""
        self.add(chunk)
        if len(self._batch) >= BATCH_BYTES:
            await self.flush()

    async def flush(self) -> None:
        """Put everything so far into the file at `path`. Raises as `write`."""
        await self._run(self._flush)

    async def discard(self) -> None:
        """Remove the temporary file. Safe to call twice and after `keep`."""
        if not self._closed:
            await self._run(self._discard)

    def add(self, chunk: bytes) -> None:
        """Append in memory alone. Raises ValueError after the end."""
        if self._closed:
            raise ValueError("these bytes were kept or discarded")
        self._batch += chunk
        self.size += len(chunk)

    def settle(self, move: Callable[[str], None]) -> str:
        """Write, fsync and close the file, then `move(sha256)` it; answers the SHA-256. Blocks. Raises as `write`."""
        with self._or_gone():
            descriptor = self._write_batch()
            os.utime(descriptor)  # its age counts from now, not from the last byte that came in
            os.fsync(descriptor)
            self._close()
            sha256 = self._hash.hexdigest()
            move(sha256)
            return sha256

    def seal(self) -> str:
        """Write and close the file; answers the SHA-256. The file is then its caller's. Blocks. Raises as `write`."""
        with self._or_gone():
            self._write_batch()
            self._close()
            return self._hash.hexdigest()

    def _flush(self) -> None:
        with self._or_gone():
            self._write_batch()

    def _discard(self) -> None:
        with self._lock:
            self._remove()

    @contextmanager
    def _or_gone(self) -> Iterator[None]:
        with self._lock:
            try:
                if self._closed:
                    raise ValueError("these bytes were kept or discarded")
                with translated(self._fuse):
                    yield
            except BaseException:
                self._remove()
                raise

    def _write_batch(self) -> int:
        if self._descriptor is None:
            self._descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        batch, self._batch = self._batch, bytearray()
        self._hash.update(batch)
        write_all(self._descriptor, batch)
        return self._descriptor

    def _close(self) -> None:
        self._closed = True
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            os.close(descriptor)

    def _remove(self) -> None:
        self._close()
        self.path.unlink(missing_ok=True)
