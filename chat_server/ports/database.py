"""The database: views, transactions, and whatever holds them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol, TypeVar

Row = Sequence[Any]
Value = str | int | float | bytes | None
T = TypeVar("T")


class Reader(Protocol):
    """One consistent view of the database: SELECT only. SQL is the dialect both engines share, `?` for parameters."""

    now: int
    """UTC milliseconds, the same for the whole view or use case."""

    async def one(self, sql: str, *values: Value) -> Row | None:
        """The first row, or None."""
        ...

    async def all(self, sql: str, *values: Value) -> Sequence[Row]:
        """Every row."""
        ...


class Tx(Reader, Protocol):
    """One transaction of one use case.

    A use case awaits nothing but its `Tx`: on SQLite a thread without an event loop drives it (see
    `storage/sqlite/writer.py`). What is emitted MUST reach the hub only after the commit.
    """

    async def run(self, sql: str, *values: Value) -> int:
        """Execute; answers the number of rows changed."""
        ...

    def emit(self, note: object) -> None:
        """Hand `note` (an event of `domain.events`) to the hub after the commit; dropped if the use case fails."""
        ...


class Storage(Protocol):
    """The database. MUST answer `write` only after the commit is on disk."""

    async def read(self, use_case: Callable[[Reader], Awaitable[T]]) -> T:
        """Run a reading use case on one consistent view."""
        ...

    async def write(self, use_case: Callable[[Tx], Awaitable[T]], *, org_id: int = 0) -> T:
        """Run a writing use case in its own transaction (or savepoint). `org_id` is whose turn it takes.

        Raises: whatever the use case raised (nothing is then left of it), `domain.errors.Problem` 8xxx when the
        disk is full or the database is busy, 9002 when it failed: the process stops, restarts and recovers.
        """
        ...


class AnyStorage(Storage, Protocol):
    """What the composition root holds: an engine."""

    on_notes: Callable[[list[Any]], None]
    """gets what committed transactions emitted, on the event loop, in the order of their commits"""
    engine: str
    """sqlite, postgresql"""

    def submit(
        self,
        org_id: int,
        use_case: Callable[[Tx], Awaitable[Any]],
        on_done: Callable[[Any, BaseException | None], None],
    ) -> None:
        """`write` without a future, for the way of one message; `on_done(result, error)` comes on the event loop."""
        ...

    async def close(self) -> None:
        """Commit and answer what was submitted, then let go of the database and of the data folder."""
        ...
