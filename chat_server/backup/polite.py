"""Staying out of the server's way: low priority, and rests that are longer than the work between them.

A disk gives an fsync of the server its turn only after what others have queued before it. So the copying side never lets
much pile up: it writes a few megabytes, puts them on the disk, and rests for some time longer than that took. On a slow
disk it rests longer by itself.
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct
import time
from contextlib import suppress
from typing import Final

DIRTY: Final = 2 * 1024 * 1024
"""Bytes written before they are put on the disk."""
_REST_MOST: Final = 1.0
_NICE: Final = 10
"""Not lower, and not SCHED_IDLE: the file system makes an fsync of the server wait for whoever is in the midst of a change
to it, and if that is us, on a busy processor without a turn, the ack waits as well."""
_SLICE: Final = 100_000
"""Nanoseconds that we go on when somebody else wakes up (Linux 6.12; older ones let us finish 3 ms of an ack's time)."""
_SCHED_SETATTR: Final = {"x86_64": 314, "aarch64": 274}
_IOPRIO_SET: Final = {"x86_64": 251, "aarch64": 30}
_LOWEST_BEST_EFFORT: Final = (2 << 13) | 7
"""Not the idle class: the file system's journal waits for our bytes too, and would wait for ever on a busy disk."""


def lower_priority() -> None:
    """Of this process, on the processor (sched_setattr(2)) and, where the disk's scheduler cares, on the disk
    (ioprio_set(2)). What the machine does not know is left."""
    with suppress(OSError):
        os.nice(_NICE)
    system_call = ctypes.CDLL(None, use_errno=True).syscall
    if number := _SCHED_SETATTR.get(platform.machine()):
        attributes = struct.pack("=IIQiIQQQ", 48, os.SCHED_BATCH, 0, _NICE, 0, _SLICE, 0, 0)
        system_call(number, 0, attributes, 0)
    if number := _IOPRIO_SET.get(platform.machine()):
        system_call(number, 1, 0, _LOWEST_BEST_EFFORT)


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
