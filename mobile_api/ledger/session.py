"""What the steps of the ledger need of an engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

Row = Sequence[Any]
Value = str | int | bytes | None


class Session(Protocol):
    """One transaction. `?` stands for a parameter. A step awaits nothing but this."""

    async def all(self, sql: str, *values: Value) -> Sequence[Row]: ...

    async def run(self, sql: str, *values: Value) -> int:
        """The number of rows changed."""
        ...

    async def many(self, sql: str, rows: Sequence[Sequence[Value]]) -> None: ...
