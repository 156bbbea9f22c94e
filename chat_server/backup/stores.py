"""Blobs that lie behind the port (`ports.BlobStore`): in a bucket, or in a folder that several servers share.

The port is asynchronous and a backup is not: an event loop in a thread of its own stands between the two.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, contextmanager
from types import TracebackType
from typing import IO, Any, Final, Self, TypeVar, cast

from chat_server.backup.checking import Snapshot
from chat_server.backup.listing import Line
from chat_server.backup.problems import BackupProblem
from chat_server.backup.sealing import Discard
from chat_server.domain.errors import Problem
from chat_server.ports import BlobStore

_GATHERED: Final = 1 << 20
T = TypeVar("T")


class Store:
    """An opened `BlobStore`, for one thread. Implements `sources.BlobSource`; a context manager, which closes it."""

    def __init__(self, make: Callable[[], BlobStore]) -> None:
        """`make` runs in the loop that will use it. Raises what it raises."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="renraku-blobs", daemon=True)
        self._thread.start()
        try:
            self._store = self._run(_called(make))
        except BaseException:
            self._stop()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._run(self._store.close())
        finally:
            self._stop()

    def _stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    @contextmanager
    def open(self, org_id: int, sha256: str) -> Iterator[IO[bytes]]:
        """Its bytes. Raises FileNotFoundError, OSError; `BackupProblem`, also at reading, where the store does not answer."""
        stack = AsyncExitStack()
        try:
            pieces = self._run(self._opened(stack, org_id, sha256))
            yield cast("IO[bytes]", _Reading(self._run, pieces))
        except Problem as problem:
            raise _told(problem) from problem
        finally:
            self._run(stack.aclose())

    async def _opened(self, stack: AsyncExitStack, org_id: int, sha256: str) -> AsyncGenerator[bytes, None]:
        opened = await stack.enter_async_context(self._store.open(org_id, sha256))
        pieces = opened.pieces(0, opened.size)
        stack.push_async_callback(pieces.aclose)
        return pieces

    def put(self, snapshot: Snapshot, line: Line) -> None:
        """A snapshot's blob, kept durably. Raises `BackupProblem`."""
        incoming = self._store.receive()
        writing = _Writing(lambda data: self._run(incoming.write(data)))
        try:
            snapshot.copy_blob(line, writing)
            self._run(self._store.keep(line.org_id, incoming))
        except (Problem, OSError) as error:
            problem = error if isinstance(error, Problem) else writing.problem
            raise (_told(problem) if problem else BackupProblem(str(error), str(error))) from error
        finally:
            self._run(incoming.discard())


async def _called(make: Callable[[], BlobStore]) -> BlobStore:
    return make()


def _told(problem: Problem) -> BackupProblem:
    """What stands in the way of all files, and not the fault of one."""
    told = problem.as_dict()
    return BackupProblem(told["ja"], told["en"])


class _Reading:
    """What `streams.HashedReader` reads. Raises OSError, `BackupProblem`."""

    def __init__(self, run: Callable[[Coroutine[Any, Any, bytes]], bytes], pieces: AsyncGenerator[bytes, None]) -> None:
        self._run = run
        self._pieces = pieces

    def read(self, count: int) -> bytes:
        """The next pieces, together about as many; nothing at the end."""
        try:
            return self._run(self._some(min(count, _GATHERED)))
        except Problem as problem:
            raise _told(problem) from problem

    async def _some(self, count: int) -> bytes:
        found = bytearray()
        async for piece in self._pieces:
            found += piece
            if len(found) >= count:
                break
        return bytes(found)


class _Writing(Discard):
    """What `Snapshot.copy_blob` writes to: counted and hashed, and handed on. Raises OSError, with `problem` as its cause."""

    def __init__(self, hand_on: Callable[[bytes], object]) -> None:
        super().__init__()
        self.problem: Problem | None = None
        self._hand_on = hand_on

    def write(self, data: bytes) -> int:
        try:
            self._hand_on(data)
        except Problem as problem:
            self.problem, self.failure = problem, OSError(problem.as_dict()["en"])
            raise self.failure from problem
        return super().write(data)
