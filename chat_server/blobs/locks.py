"""Locks on files, between the processes that share a folder.

flock(2) holds between processes of one machine and, on NFS (Linux 2.6.12 and newer), between machines: the client turns it
into a lock at the file server, which is why the file is opened for writing. A killed process leaves none behind.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class NamingLock:
    """Many may give names to new bytes at once; one who looks at an age and removes is alone. Blocks, for moments."""

    def __init__(self, path: Path | None) -> None:
        """`path`: the file that other processes lock too; None where there are none."""
        self._path = path
        self._here = threading.Lock()

    @contextmanager
    def naming(self) -> Iterator[None]:
        with self._held(fcntl.LOCK_SH):
            yield

    @contextmanager
    def removing(self) -> Iterator[None]:
        with self._held(fcntl.LOCK_EX):
            yield

    @contextmanager
    def _held(self, how: int) -> Iterator[None]:
        with self._here:
            if self._path is None:
                yield
                return
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(descriptor, how)
                yield
            finally:
                os.close(descriptor)


def locked(path: Path) -> int | None:
    """An open descriptor of the file at `path`, made where it is missing, that holds its lock; None where somebody else
    holds it. Raises OSError."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_named(descriptor, path):
                return descriptor
        except BlockingIOError:
            os.close(descriptor)
            return None
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)  # its holder removed it meanwhile


def _is_named(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
