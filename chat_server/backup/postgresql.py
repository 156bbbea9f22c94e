"""PostgreSQL on either side of a copy: read in one view, or filled in one transaction.

Everything here is a coroutine of one connection; `source` and `filled` are what the rest of the package calls.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any, Final

import asyncpg

from chat_server.backup import database
from chat_server.backup.database import OnBytes
from chat_server.backup.polite import Pace, settle
from chat_server.backup.problems import BackupProblem
from chat_server.backup.tables import BATCH, MIGRATIONS, Sum, Table, batches, chosen, described, make_file
from chat_server.storage.folder import CannotOpen
from chat_server.storage.postgresql.address import MIGRATING, dial
from chat_server.storage.postgresql.opening import check_server, explained
from chat_server.storage.postgresql.readers import hang_up

_WORD: Final = 8
"""Bytes that a value is taken for in the progress, beyond its text."""
OnRows = Callable[[Sequence[Sequence[Any]]], None]


class PostgresqlSource:
    """A PostgreSQL database, whether servers run on it or not."""

    engine = "postgresql"

    def __init__(self, address: str, *, alone: bool = False) -> None:
        """`alone`: refuse while anybody else is connected, and let nobody write meanwhile."""
        self._address = address
        self._alone = alone

    def copy(self, target: Path, pace: Pace, on_bytes: OnBytes) -> None:
        """One view of all of it, as a SQLite file at `target`. Raises `BackupProblem`, OSError."""
        asyncio.run(_copy_out(self._address, target, pace, on_bytes, alone=self._alone))


def fill(address: str, source: Path, on_bytes: OnBytes) -> None:
    """Put the database file `source` into an empty PostgreSQL database, in one transaction. Raises `BackupProblem`."""
    asyncio.run(_copy_in(address, source, on_bytes))


def check_empty(address: str) -> None:
    """Raises `BackupProblem` unless it can be reached, suits us, and there is nothing in it."""

    async def look() -> None:
        async with _connected(address) as connection:
            await _refuse_unless_empty(connection, address)

    asyncio.run(look())


@asynccontextmanager
async def _connected(address: str) -> AsyncIterator[Any]:
    """Raises `BackupProblem` for whatever goes wrong with it."""
    try:
        with explained(address):
            connection = await dial(address, MIGRATING)
    except CannotOpen as error:
        raise BackupProblem(f"PostgreSQL が使えません。{error}", str(error)) from error
    try:
        yield connection
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise BackupProblem(
            f"PostgreSQL でエラーが起きました({_first_line(error)})。何も変更していません。",
            f"PostgreSQL refused ({_first_line(error)}). Nothing was changed there.",
        ) from error
    finally:
        await hang_up(connection)


def _first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]


# Out of it


async def _copy_out(address: str, target: Path, pace: Pace, on_bytes: OnBytes, *, alone: bool) -> None:
    async with (
        _connected(address) as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        if alone:
            await _keep_others_out(connection)
        make_file(target, await _steps(connection))
        with closing(sqlite3.connect(target, isolation_level=None)) as file:
            file.execute("PRAGMA journal_mode = OFF")
            file.execute("PRAGMA synchronous = OFF")
            file.execute("BEGIN")
            found = {
                table.name: await _read_table(connection, file, table, pace, on_bytes) for table in described(file)
            }
            file.execute("COMMIT")
    with database.opened(target) as copied:
        for table in described(copied):
            _compare(table, found[table.name], _sum_of_file(copied, table))
    with target.open("rb+") as written:
        settle(written.fileno())


async def _keep_others_out(connection: Any) -> None:
    """Before the view is opened: a lock takes none."""
    await connection.execute(f"LOCK TABLE {MIGRATIONS}, settings, organizations, rooms, users IN SHARE MODE NOWAIT")
    others = await connection.fetchval(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        " AND backend_type = 'client backend'"
    )
    if others:
        raise BackupProblem(
            "このデータベースはほかのプロセスが使用中です。すべてのサーバーを止めてから、もう一度実行してください。",
            "Others are connected to that database. Stop every server (and every shell) on it, and run this again.",
        )


async def _steps(connection: Any) -> list[int]:
    """Numbers of the migrations that made it. Raises `BackupProblem` if not all of them are ours."""
    if await connection.fetchval("SELECT to_regclass($1)", MIGRATIONS) is None:
        raise BackupProblem(
            "この PostgreSQL のデータベースに Renraku のデータがありません。",
            "There is no Renraku in that PostgreSQL database.",
        )
    rows = await connection.fetch(f"SELECT number, digest FROM {MIGRATIONS} ORDER BY number")  # noqa: S608 - a constant
    known = {migration.number: migration.digest for migration in chosen("postgresql", [row[0] for row in rows])}
    if any(known.get(row[0]) != row[1] for row in rows):
        raise BackupProblem(
            "このデータベースは別の版の Renraku が作りました。その版を使ってください。",
            "That database was made by another Renraku: use the same release.",
        )
    return [row[0] for row in rows]


async def _read_table(connection: Any, file: sqlite3.Connection, table: Table, pace: Pace, on_bytes: OnBytes) -> Sum:
    total = Sum()
    marks = ", ".join("?" * len(table.columns))
    insert = f'INSERT INTO "{table.name}" ({table.selected}) VALUES ({marks})'  # noqa: S608 - our own names
    some: list[tuple[Any, ...]] = []
    async for row in connection.cursor(f'SELECT {table.selected} FROM "{table.name}"', prefetch=BATCH):  # noqa: S608
        some.append(tuple(row))
        if len(some) >= BATCH:
            _take(file, insert, some, total, on_bytes)
            pace.rest()
    _take(file, insert, some, total, on_bytes)
    return total


def _take(file: sqlite3.Connection, insert: str, rows: list[tuple[Any, ...]], total: Sum, on_bytes: OnBytes) -> None:
    total.add(rows)
    file.executemany(insert, rows)
    on_bytes(_weight(rows))
    rows.clear()


def _weight(rows: Sequence[Sequence[Any]]) -> int:
    """Bytes, roughly: for whoever watches."""
    return sum(len(value) if isinstance(value, str | bytes) else _WORD for row in rows for value in row)


def _sum_of_file(file: sqlite3.Connection, table: Table) -> Sum:
    total = Sum()
    for rows in batches(file, table):
        total.add(rows)
    return total


def _compare(table: Table, source: Sum, target: Sum) -> None:
    if source != target:
        raise BackupProblem(
            f"表 {table.name} の写しが元と一致しません({source.rows}行と{target.rows}行)。写しは使えません。",
            f"The copy of the table {table.name} is not what it was ({source.rows} and {target.rows} rows): it is of no use.",
        )


# Into it


async def _copy_in(address: str, source: Path, on_bytes: OnBytes) -> None:
    with database.opened(source) as file:
        numbers = [row[0] for row in file.execute(f"SELECT number FROM {MIGRATIONS}")]  # noqa: S608 - a constant
        async with _connected(address) as connection, connection.transaction():
            await _refuse_unless_empty(connection, address)
            await _make_schema(connection, numbers)
            references = await _take_references_off(connection)
            for table in described(file):
                found = await _write_table(connection, file, table, on_bytes)
                _compare(table, found, await _sum_of(connection, table))
            for statement in references:
                await connection.execute(statement)
            await connection.execute("ANALYZE")


async def _refuse_unless_empty(connection: Any, address: str) -> None:
    try:
        await check_server(connection, address)
    except CannotOpen as error:
        raise BackupProblem(f"この PostgreSQL は使えません。{error}", str(error)) from error
    found = await connection.fetchval(
        "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p', 'v', 'm', 'S')"
    )
    if found:
        raise BackupProblem(
            "この PostgreSQL のデータベースは空ではありません。新しいデータベースを作って(createdb)、そのアドレスを指定してください。",
            "That PostgreSQL database is not empty. Make a new one (createdb) and name that.",
        )


async def _make_schema(connection: Any, numbers: Sequence[int]) -> None:
    """As the server makes it."""
    await connection.execute(
        f"CREATE TABLE {MIGRATIONS} (number BIGINT PRIMARY KEY, name TEXT NOT NULL, digest TEXT NOT NULL)"
    )
    for migration in chosen("postgresql", numbers):
        for statement in migration.statements():
            await connection.execute(statement)
        await connection.execute(
            f"INSERT INTO {MIGRATIONS} (number, name, digest) VALUES ($1, $2, $3)",  # noqa: S608 - a constant
            migration.number, migration.name, migration.digest,
        )  # fmt: skip


async def _take_references_off(connection: Any) -> list[str]:
    """Answers how to put them on again, all checked: rows may refer to rows that come later, and one check at the end is
    quicker than one a row."""
    rows = await connection.fetch(
        "SELECT c.conrelid::regclass::text, quote_ident(c.conname), pg_get_constraintdef(c.oid) FROM pg_constraint c"
        " JOIN pg_namespace n ON n.oid = c.connamespace WHERE c.contype = 'f' AND n.nspname = current_schema()"
    )
    for table, name, _ in rows:
        await connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    return [f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}" for table, name, definition in rows]


async def _write_table(connection: Any, file: sqlite3.Connection, table: Table, on_bytes: OnBytes) -> Sum:
    total = Sum()

    async def rows() -> AsyncIterator[tuple[Any, ...]]:
        for some in batches(file, table):
            total.add(some)
            on_bytes(_weight(some))
            for row in some:
                yield row

    try:
        await connection.copy_records_to_table(table.name, records=rows(), columns=table.columns)
    except (asyncpg.PostgresError, asyncpg.DataError) as error:
        raise BackupProblem(
            f"表 {table.name} を PostgreSQL に写せません({_first_line(error)})。何も変更していません。",
            f"The table {table.name} cannot be put into PostgreSQL ({_first_line(error)}). Nothing was changed there.",
        ) from error
    if table.numbered:
        await connection.execute(
            f"SELECT setval(pg_get_serial_sequence('\"{table.name}\"', '{table.numbered}'), max(\"{table.numbered}\"))"  # noqa: S608
            f' FROM "{table.name}" HAVING max("{table.numbered}") IS NOT NULL'
        )
    return total


async def _sum_of(connection: Any, table: Table) -> Sum:
    total = Sum()
    some: list[Any] = []
    async for row in connection.cursor(f'SELECT {table.selected} FROM "{table.name}"', prefetch=BATCH):  # noqa: S608
        some.append(row)
        if len(some) >= BATCH:
            total.add(some)
            some.clear()
    total.add(some)
    return total
