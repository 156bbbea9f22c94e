"""What PostgreSQL's failures mean to whoever asked.

Its disk is its own: after a failed fsync it panics and recovers by itself, so the fuse (`chat_server.fuse`) is not blown
by anything that it says. A server that is away comes back; until then the answer is "busy".
"""

from __future__ import annotations

from typing import Any, Final

import asyncpg

from chat_server.domain.errors import DATABASE_BUSY, DISK_FULL, Problem

AGAIN: Final = 2
"""Seconds after which whoever was turned away may come back."""

_FULL: Final = "53100"
_BUSY: Final = frozenset(
    {
        "55P03",  # lock_timeout: somebody holds the writers' lock
        "57014",  # statement_timeout
        "40001",
        "40P01",  # deadlock: with one writer only somebody else's
        "25006",  # a standby since a moment ago
        "3D000",
    }
)
_BUSY_CLASSES: Final = frozenset(
    {
        "08",  # the connection
        "28",  # not let in any more: a password that is being changed
        "53",  # out of connections, out of memory
        "57",  # shutting down, starting up, ended by the administrator
        "25",  # ended because it stood still inside a transaction
    }
)
_FAREWELLS: Final = ("08", "57P", "25P03", "25P04")
"""After these the server hangs up, though the end of the line may not have arrived."""


def lost(connection: Any, error: BaseException) -> bool:
    """Whether the connection is of no more use after `error`."""
    return (
        bool(connection.is_closed())
        or isinstance(error, OSError | TimeoutError | asyncpg.InternalClientError)
        or str(getattr(error, "sqlstate", None) or "").startswith(_FAREWELLS)
    )


def translate(error: BaseException) -> BaseException:
    """The numbered error for a failure of the database, or the error itself: a mistake of ours, or damage that only the
    administrator's log must name."""
    # asyncpg's internal error: the server said farewell between two statements, and the end of the line is not here yet.
    if isinstance(error, OSError | TimeoutError | asyncpg.InternalClientError):
        return Problem(DATABASE_BUSY, retry_after=AGAIN)
    if isinstance(error, asyncpg.InterfaceError) and not isinstance(error, ValueError):
        return Problem(DATABASE_BUSY, retry_after=AGAIN)  # "connection is closed", "no host is a primary"
    state = str(getattr(error, "sqlstate", None) or "")
    if state == _FULL:
        return Problem(DISK_FULL)
    if state in _BUSY or state[:2] in _BUSY_CLASSES:
        return Problem(DATABASE_BUSY, retry_after=AGAIN)
    return error
