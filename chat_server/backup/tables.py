"""Tables as both engines have them, and a sum over their rows that both must come to.

The schema is read from a SQLite file, which the migrations have just made: no second description of it can go wrong.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from chat_server.backup.database import tables
from chat_server.storage.migrations import Migration, migrations

BATCH: Final = 1000
"""Rows in memory at once."""
MIGRATIONS: Final = "migrations"
"""The one table that is not copied: each engine has its own steps."""
_WRAP: Final = 1 << 256
Row = Sequence[Any]


@dataclass(frozen=True, slots=True)
class Table:
    """`columns` in the order in which rows are read and written; `numbered`: the key that numbers itself, if there is one."""

    name: str
    columns: tuple[str, ...]
    numbered: str | None

    @property
    def selected(self) -> str:
        """For a SELECT or an INSERT, quoted."""
        return ", ".join(f'"{column}"' for column in self.columns)


class Sum:
    """Over the rows of one table, whatever their order: the sum of their SHA-256s. Constant memory, no sorting, which the
    two engines would do differently. It finds what went wrong, not what somebody forged."""

    def __init__(self) -> None:
        self.rows = 0
        self._total = 0

    def add(self, rows: Iterable[Row]) -> None:
        """Integers, floats, text, bytes and NULL each have an encoding of their own (MessagePack)."""
        encode, sha256 = msgspec.msgpack.encode, hashlib.sha256
        count = total = 0
        for row in rows:
            total += int.from_bytes(sha256(encode(tuple(row))).digest(), "big")
            count += 1
        self._total = (self._total + total) % _WRAP
        self.rows += count

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sum) and (self.rows, self._total) == (other.rows, other._total)

    __hash__ = None  # type: ignore[assignment]

    def __str__(self) -> str:
        return f"{self._total:064x}"


def described(connection: sqlite3.Connection) -> list[Table]:
    """Every table but `migrations`, by name."""
    return [_describe(connection, name) for name in tables(connection) if name != MIGRATIONS]


def _describe(connection: sqlite3.Connection, name: str) -> Table:
    info = connection.execute(f'PRAGMA table_info("{name}")').fetchall()
    keys = [column for _, column, kind, _, _, key in info if key and kind == "INTEGER"]
    return Table(name, tuple(row[1] for row in info), keys[0] if keys else None)


def batches(connection: sqlite3.Connection, table: Table) -> Iterator[list[tuple[Any, ...]]]:
    """All rows, some at a time."""
    cursor = connection.execute(f'SELECT {table.selected} FROM "{table.name}"')  # noqa: S608 - our own names
    while rows := cursor.fetchmany(BATCH):
        yield rows


def make_file(path: Path, numbers: Sequence[int]) -> None:
    """A new database file with the tables of these migrations and nothing in them. Raises `sqlite3.Error`."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute(
            f"CREATE TABLE {MIGRATIONS} (number BIGINT PRIMARY KEY, name TEXT NOT NULL, digest TEXT NOT NULL)"
        )
        for migration in chosen("sqlite", numbers):
            for statement in migration.statements():
                connection.execute(statement)
            connection.execute(
                f"INSERT INTO {MIGRATIONS} (number, name, digest) VALUES (?, ?, ?)",  # noqa: S608 - a constant
                (migration.number, migration.name, migration.digest),
            )


def chosen(engine: str, numbers: Sequence[int]) -> list[Migration]:
    """The migrations with these numbers, in order."""
    return [migration for migration in migrations(engine) if migration.number in numbers]
