"""`ports.Storage` on PostgreSQL: one writing session, a few that read, and this process's own data folder."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

from chat_server.fuse import Fuse
from chat_server.ports import Clock, Reader, Tx
from chat_server.storage.folder import DataFolder, lock_folder
from chat_server.storage.jobs import answered
from chat_server.storage.postgresql.opening import explained, prepare
from chat_server.storage.postgresql.readers import Readers
from chat_server.storage.postgresql.writer import Writer

T = TypeVar("T")


class PostgresStorage:
    """Open with `open`; `on_notes` receives what committed transactions emitted, on the event loop, in commit order."""

    engine = "postgresql"

    def __init__(self, folder: DataFolder, address: str, clock: Clock, fuse: Fuse) -> None:
        self._folder = folder
        self._readers = Readers(address, clock)
        self._writer = Writer(address, clock, lambda notes: self.on_notes(notes), fuse)
        self.version = ""
        """of the server"""
        self.on_notes: Callable[[list[object]], None] = lambda notes: None

    @classmethod
    async def open(cls, address: str, path: Path, clock: Clock, fuse: Fuse | None = None) -> PostgresStorage:
        """Lock the folder, check and migrate the database, begin. Raises `storage.folder.CannotOpen`."""
        folder = lock_folder(path)
        try:
            version = await prepare(address)
            storage = cls(folder, address, clock, fuse or Fuse())
            storage.version = version
            with explained(address):
                await storage._writer.start()
        except BaseException:
            folder.release()
            raise
        return storage

    def submit(
        self,
        org_id: int,
        use_case: Callable[[Tx], Awaitable[Any]],
        on_done: Callable[[Any, BaseException | None], None],
    ) -> None:
        """`write` without a future, for the way of one message."""
        self._writer.submit(org_id, use_case, on_done)

    async def write(self, use_case: Callable[[Tx], Awaitable[T]], *, org_id: int = 0) -> T:
        result: T = await answered(lambda done: self.submit(org_id, use_case, done))
        return result

    async def read(self, use_case: Callable[[Reader], Awaitable[T]]) -> T:
        return await self._readers.read(use_case)

    async def close(self) -> None:
        """Finish what is queued, then hang up."""
        await self._writer.close()
        await self._readers.close()
        self._folder.release()
