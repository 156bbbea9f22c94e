"""`ports.Storage` on SQLite: one writer thread, a few readers, one locked folder."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final, TypeVar

from chat_server.fuse import Fuse
from chat_server.ports import Clock, Reader, Tx
from chat_server.storage.folder import DataFolder, lock_folder
from chat_server.storage.jobs import answered
from chat_server.storage.sqlite.opening import DATABASE, open_writer
from chat_server.storage.sqlite.readers import Readers
from chat_server.storage.sqlite.writer import Writer

T = TypeVar("T")
READERS: Final = 3


class SqliteStorage:
    """Open with `open`; `on_notes` receives what committed transactions emitted, on the event loop, in commit order."""

    engine = "sqlite"

    def __init__(self, folder: DataFolder, connection: sqlite3.Connection, clock: Clock, fuse: Fuse) -> None:
        self._folder = folder
        self._connection = connection
        self._clock = clock
        self._fuse = fuse
        self._readers = Readers(clock, fuse)
        self._writer: Writer | None = None
        self.on_notes: Callable[[list[object]], None] = lambda notes: None

    @classmethod
    async def open(cls, path: Path, clock: Clock, fuse: Fuse | None = None) -> SqliteStorage:
        """Lock, check and migrate the folder, then start the threads. Raises `storage.folder.CannotOpen`."""
        fuse = fuse or Fuse()
        folder = lock_folder(path)
        try:
            connection = open_writer(folder)
        except BaseException:
            folder.release()
            raise
        storage = cls(folder, connection, clock, fuse)
        await storage._readers.open(folder.path / DATABASE, READERS)
        storage._writer = Writer(
            connection,
            asyncio.get_running_loop(),
            clock,
            lambda notes: storage.on_notes(notes),
            fuse,
        )
        storage._writer.start()
        return storage

    def submit(
        self,
        org_id: int,
        use_case: Callable[[Tx], Awaitable[Any]],
        on_done: Callable[[Any, BaseException | None], None],
    ) -> None:
        """`write` without a future, for the way of one message."""
        assert self._writer is not None
        self._writer.submit(org_id, use_case, on_done)

    async def write(self, use_case: Callable[[Tx], Awaitable[T]], *, org_id: int = 0) -> T:
        result: T = await answered(lambda done: self.submit(org_id, use_case, done))
        return result

    async def read(self, use_case: Callable[[Reader], Awaitable[T]]) -> T:
        return await self._readers.read(use_case)

    async def close(self) -> None:
        """Finish what is queued, then close readers before the writer, whose close checkpoints alone: on a disk that
        failed it must not."""
        if self._writer is not None:
            self._writer.stop()
            await asyncio.to_thread(self._writer.join)
        await self._readers.close()
        if not self._fuse.blown:
            self._connection.close()
        self._folder.release()
