"""The data folder of one process, whatever the engine: its lock, and what must never be served out of it."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from chat_server.storage.migrations import migrations

LOCK: Final = "renraku.lock"
RESTORING: Final = "restoring"
"""A folder in the data folder while a restore puts things into it (`backup/restoring.py`)."""


PATIENCE: Final = 1.0
"""Seconds for which a lock that somebody holds is asked for again."""
_AGAIN: Final = 0.02


class CannotOpen(Exception):
    """The data folder or the database cannot be used as it is; the text says what to do."""


class InUse(CannotOpen):
    """A process has it."""


def check_digests(applied: Mapping[int, str], engine: str, database: object) -> None:
    """`applied`: digests by number of the migrations that made a database. All of them have to be ours. Raises
    `CannotOpen`."""
    known = {migration.number: migration.digest for migration in migrations(engine)}
    newer = sorted(set(applied) - set(known))
    if newer:
        raise CannotOpen(
            f"The database {database} was made by a newer Renraku (migration {newer[-1]}; this one knows {max(known)}). "
            f"Install that version again, or restore a backup made by this one."
        )
    for number, digest in applied.items():
        if known[number] != digest:
            raise CannotOpen(
                f"Migration {number} of this Renraku differs from the one that made {database}. "
                f"Install an unmodified release."
            )


@dataclass(slots=True)
class DataFolder:
    """A locked data folder. One process owns it: two writers would lose each other's commits."""

    path: Path
    _lock: int

    def release(self) -> None:
        os.close(self._lock)


def lock_folder(path: Path) -> DataFolder:
    """Create the folder if need be and lock it. Raises `CannotOpen`."""
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(path / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise not_writable(path, error) from error
    take_lock(path, handle)
    try:
        refuse_half_restored(path)
    except CannotOpen:
        os.close(handle)
        raise
    return DataFolder(path, handle)


def refuse_half_restored(path: Path) -> None:
    """What an interrupted restore left must never be served. Raises `CannotOpen`."""
    if (path / RESTORING).exists():
        raise CannotOpen(
            f"A restore into the data folder {path} was interrupted. Run “renraku restore” again; until then nothing "
            f"here is used."
        )


def not_writable(path: Path, error: OSError) -> CannotOpen:
    return CannotOpen(
        f"The data folder {path} cannot be written ({error.strerror}). Give this user the folder "
        f"(chown -R) or choose another with RENRAKU_DATA."
    )


def take_lock(path: Path, handle: int) -> None:
    """Lock the open lock file of the folder `path`, or close it. Raises `CannotOpen`.

    With some patience: where a server is killed while it starts a program, the child has the lock until that program runs,
    and whoever starts the server again at once would be refused.
    """
    until = time.monotonic() + PATIENCE
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except OSError as error:
            if time.monotonic() < until:
                time.sleep(_AGAIN)
                continue
            os.close(handle)
            raise InUse(
                f"Another Renraku process is using the data folder {path}. Stop it first, or choose another folder "
                f"with RENRAKU_DATA."
            ) from error


@contextlib.contextmanager
def looked_at(path: Path, *, serving: bool) -> Iterator[None]:
    """Whether the folder could be opened, and while we look nobody begins to. `serving`: see `_locked`.

    Raises `CannotOpen` as `lock_folder` does; nothing is created, nothing is changed.
    """
    _writable(path)
    refuse_half_restored(path)
    with _locked(path, serving=serving):
        yield


def _writable(path: Path) -> None:
    nearest = next(folder for folder in (path, *path.absolute().parents) if folder.exists())
    if not nearest.is_dir():
        raise not_writable(path, OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)))
    if os.statvfs(nearest).f_flag & os.ST_RDONLY:
        raise not_writable(path, OSError(errno.EROFS, os.strerror(errno.EROFS)))
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise not_writable(path, OSError(errno.EACCES, os.strerror(errno.EACCES)))


@contextlib.contextmanager
def _locked(path: Path, *, serving: bool) -> Iterator[None]:
    """While we look nobody begins to write, but for the server that does already."""
    try:
        handle = os.open(path / LOCK, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        yield  # nobody has ever opened the folder, or it was brought here without its lock
        return
    except OSError as error:
        raise not_writable(path, error) from error
    try:
        take_lock(path, handle)
    except InUse:
        if not serving:
            raise
        yield
        return
    try:
        yield
    finally:
        os.close(handle)
