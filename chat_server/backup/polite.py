"""Staying out of the server's way: low priority, and rests that are longer than the work between them.

A disk gives an fsync of the server its turn only after what others have queued before it. So the copying side never lets
much pile up: it writes a few megabytes, puts them on the disk, and rests for some time longer than that took. On a slow
disk it rests longer by itself.
"""

from __future__ import annotations

import ctypes
import os
import platform
import time
from contextlib import suppress
from typing import Final

DIRTY: Final = 2 * 1024 * 1024
"""Bytes written before they are put on the disk."""
_REST_MOST: Final = 1.0
_IOPRIO_SET: Final = {"x86_64": 251, "aarch64": 30}
_LOWEST_BEST_EFFORT: Final = (2 << 13) | 7
"""Not the idle class: the file system's journal waits for our bytes too, and would wait for ever on a busy disk."""


def lower_priority() -> None:
    """Of this process, on the processor and (where the disk's scheduler cares, ioprio_set(2)) on the disk."""
    with suppress(OSError):
        os.nice(19)
    with suppress(OSError):
        # Whoever else wakes up runs at once. Nice alone lets us finish our slice first: milliseconds of an ack.
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    if number := _IOPRIO_SET.get(platform.machine()):
        ctypes.CDLL(None, use_errno=True).syscall(number, 1, 0, _LOWEST_BEST_EFFORT)


class Pace:
    """Call `rest` between pieces of work. `share`: seconds of rest for each second of work; 0: nobody is in the way."""

    def __init__(self, share: float = 0.0) -> None:
        self.share = share
        self._since = time.monotonic()

    def worked(self) -> float:
        """Seconds since the last rest."""
        return time.monotonic() - self._since

    def rest(self) -> None:
        if self.share:
            time.sleep(min(self.worked() * self.share, _REST_MOST))
        self._since = time.monotonic()


def settle(descriptor: int) -> None:
    """Put what was written on the disk, and out of memory that the server can use better. Raises OSError."""
    os.fdatasync(descriptor)
    forget(descriptor)


def forget(descriptor: int) -> None:
    """Drop a file's bytes from the page cache: they are read or written once."""
    with suppress(OSError):
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
