"""What the file system answers, in the words of the ports; and folders that survive a loss of power."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from chat_server.domain.errors import DISK_FULL, Problem
from chat_server.fuse import Fuse

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
_BROKEN: Final = frozenset({errno.EIO, errno.EROFS})  # EROFS: what a file system turns to after an I/O error


@contextmanager
def translated(fuse: Fuse) -> Iterator[None]:
    """Raises `Problem` 8002 for a full disk and 9002 for a failing one instead of their OSError; the latter blows `fuse`,
    and a blown fuse lets nothing begin: not even another file in a folder whose fsync failed is safe."""
    fuse.check()
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise Problem(DISK_FULL) from error
        if error.errno in _BROKEN:
            raise fuse.blow(error) from error
        raise


def fsync_folder(folder: Path) -> None:
    """Make the names in a folder durable. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_all(descriptor: int, data: bytes | bytearray) -> None:
    """write(2) may take a part only, for one when the disk has room for a part only. Raises OSError."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
