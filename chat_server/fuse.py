"""The one place that a failing disk leads to. Whoever meets it blows the fuse, and the process stops.

After a failed fsync the kernel may have dropped the pages and call the next one a success (fsync(2), "Errors";
PostgreSQL learned it in 2018). So nothing that was to be kept is tried again, by nobody, on no other file: the process
ends, and the next one recovers from what is really there.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from chat_server.domain.errors import STORAGE_BROKEN, Problem


class Fuse:
    """One for the process, shared by everything that writes to the disk. Every method is safe from any thread."""

    def __init__(self) -> None:
        self.on_blown: Callable[[BaseException], object] = lambda cause: None
        """called once, with the first failure, on the thread that met it"""
        self.blown = False
        self._lock = threading.Lock()

    def blow(self, cause: BaseException) -> Problem:
        """The disk failed with `cause`. Answers error 9002, for the caller to raise."""
        with self._lock:
            first, self.blown = not self.blown, True
        if first:
            self.on_blown(cause)
        return Problem(STORAGE_BROKEN)

    def check(self) -> None:
        """Before anything is promised. Raises `Problem` 9002 once the fuse is blown."""
        if self.blown:
            raise Problem(STORAGE_BROKEN)
