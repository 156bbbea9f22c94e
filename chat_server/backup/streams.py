"""Bytes on their way from one file to another: hashed, measured, at a pace."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final, Protocol

from chat_server.backup.polite import DIRTY, Pace, forget, settle
from chat_server.backup.problems import BackupProblem, writing

CHUNK: Final = 1024 * 1024
PART: Final = ".part"
OnBytes = Callable[[int], None]


class CannotRead(Exception):
    """A source could not be read to its end: not the fault of the target."""


class HashedReader:
    """A source that is hashed as it is read, in large pieces whatever is asked for. Raises `CannotRead`, `BackupProblem`.

    `failure`: what was raised, for whoever gets it back from a library as something else.
    """

    def __init__(self, source: IO[bytes], on_bytes: OnBytes = lambda count: None) -> None:
        self.size = 0
        self.failure: CannotRead | BackupProblem | None = None
        self._source = source
        self._hash = hashlib.sha256()
        self._on_bytes = on_bytes
        self._piece = memoryview(b"")

    def read(self, count: int = -1) -> bytes:
        if not self._piece:
            self._piece = memoryview(self._next())
        if count < 0:
            count = len(self._piece)
        given, self._piece = self._piece[:count], self._piece[count:]
        return bytes(given)

    def _next(self) -> bytes:
        try:
            piece = self._source.read(CHUNK)
        except OSError as error:
            self.failure = CannotRead(error.strerror or str(error))
            raise self.failure from error
        except BackupProblem as problem:
            self.failure = problem
            raise
        self._hash.update(piece)
        self.size += len(piece)
        self._on_bytes(len(piece))
        return piece

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()


class Target(Protocol):
    """Where bytes go. `failure`: the OSError that writing raised, if it did."""

    size: int
    failure: OSError | None

    def write(self, data: bytes) -> int: ...

    def flush(self) -> None: ...

    @property
    def sha256(self) -> str: ...


class HashedWriter:
    """A target that is hashed as it is written. Raises OSError, kept as `failure`."""

    def __init__(self, target: IO[bytes], pace: Pace) -> None:
        self.size = 0
        self.failure: OSError | None = None
        self._target = target
        self._pace = pace
        self._hash = hashlib.sha256()
        self._dirty = 0

    def write(self, data: bytes) -> int:
        try:
            self._write(data)
        except OSError as error:
            self.failure = error
            raise
        return len(data)

    def _write(self, data: bytes) -> None:
        self._target.write(data)
        self._hash.update(data)
        self.size += len(data)
        self._dirty += len(data)
        if self._dirty >= DIRTY:
            self._dirty = 0
            self._target.flush()
            settle(self._target.fileno())
            self._pace.rest()

    def flush(self) -> None:
        self._target.flush()

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()


@contextmanager
def written(path: Path, pace: Pace) -> Iterator[HashedWriter]:
    """Write `path` under another name; it has its own once all of it is on the disk. The folder is not fsynced.

    Raises `BackupProblem`; what was written so far is then gone.
    """
    part = path.with_name(path.name + PART)
    with writing(path.parent):
        try:
            with os.fdopen(private(part), "wb", buffering=CHUNK) as file:
                yield HashedWriter(file, pace)
                file.flush()
                settle(file.fileno())
            part.rename(path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
    pace.rest()


def private(path: Path) -> int:
    """A new or emptied file that its owner alone may read, as a descriptor. Raises OSError."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)


@contextmanager
def reading(path: Path) -> Iterator[IO[bytes]]:
    """The file, not kept in memory afterwards. Raises OSError."""
    with path.open("rb", buffering=0) as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_SEQUENTIAL)
        try:
            yield file
        finally:
            forget(file.fileno())


def pour(source: HashedReader, target: Target) -> None:
    """All of it. Raises `CannotRead`, OSError."""
    while piece := source.read():
        target.write(piece)


def hashed(path: Path, pace: Pace, on_bytes: OnBytes = lambda count: None) -> tuple[str, int]:
    """(SHA-256, size) of a file. Raises OSError, `CannotRead`."""
    with reading(path) as file:
        source = HashedReader(file, on_bytes)
        while source.read():
            pace.rest()
        return source.sha256, source.size


def make_folder(path: Path) -> None:
    """With its parents; what was not there is for its owner alone. Raises `BackupProblem`."""
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    with writing(path):
        for folder in reversed(missing):
            folder.mkdir(mode=0o700, exist_ok=True)


def fsync_folder(path: Path) -> None:
    """Make the names in it durable. Raises `BackupProblem`."""
    with writing(path):
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
