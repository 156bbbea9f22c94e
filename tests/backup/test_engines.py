"""SQLite and PostgreSQL: a database goes from one to the other and back, and a backup of either restores to either."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from chat_server.backup import moving, postgresql
from chat_server.backup.database import SqliteSource
from chat_server.backup.folder import BackupFolder
from chat_server.backup.polite import Pace
from chat_server.backup.problems import BackupProblem
from chat_server.backup.sealing import Seal
from chat_server.backup.sources import BlobFolder
from chat_server.backup.tables import Sum, described
from chat_server.backup.taking import Taking
from chat_server.storage.folder import CannotOpen
from chat_server.storage.sqlite.inspection import inspect
from tests.support.filled import Filled, Silent, back_up, blobs_of, filled, restore, rows
from tests.support.postgresql import shared

CONTENT = "SELECT seq, public_id, text, blocks FROM messages ORDER BY id"


@pytest.fixture
def house(tmp_path: Path) -> Filled:
    """With every kind of value: text, numbers with a point, bytes, nothing; and a row that refers to a later one."""
    house = filled(tmp_path / "data")
    with sqlite3.connect(house.folder / "renraku.db") as db:
        db.execute("UPDATE attachments SET latitude = 36.0 + id / 3.0, longitude = 139")
        db.executemany(
            "INSERT INTO departments (public_id, org_id, parent_id, code, name, position, created_at) VALUES (?, 1, ?, ?, ?, 1, 1)",
            [("d1", 2, "10", "道路課"), ("d2", None, "20", "建設部")],
        )
    db.close()
    return house


@pytest.fixture
def database() -> str:
    """The address of a new, empty one."""
    return shared().empty()


def ask(address: str, sql: str) -> list[Any]:
    async def fetch() -> list[Any]:
        connection = await asyncpg.connect(address)
        try:
            return [tuple(row) for row in await connection.fetch(sql)]
        finally:
            await connection.close()

    return asyncio.run(fetch())


def tables_of(folder: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table, in no order."""
    with closing(sqlite3.connect(f"file:{folder}/renraku.db?mode=ro", uri=True)) as db:
        names = [table.name for table in described(db)]
    return {name: sorted(rows(folder, f"SELECT * FROM {name}"), key=repr) for name in names}


def test_there_and_back_nothing_is_lost_and_nothing_changes(house: Filled, database: str, tmp_path: Path) -> None:
    before = (house.folder / "renraku.db").read_bytes()
    facts = moving.to_postgresql(house.folder, database, Silent())
    assert facts.tables["messages"] == 20
    assert (house.folder / "renraku.db").read_bytes() == before, "the source is as it was"
    assert ask(database, "SELECT count(*) FROM messages") == [(20,)]
    moving.to_sqlite(database, tmp_path / "back", Silent())
    assert inspect(tmp_path / "back", serving=False)
    assert tables_of(tmp_path / "back") == tables_of(house.folder)
    assert {path.name for path in (tmp_path / "back").iterdir()} <= {
        "renraku.db", "renraku.lock", "renraku.db-wal", "renraku.db-shm",
    }  # fmt: skip


def test_keys_go_on_from_where_they_were_and_references_hold(house: Filled, database: str) -> None:
    moving.to_postgresql(house.folder, database, Silent())
    [(last,)] = ask(database, "SELECT max(id) FROM departments")
    sql = (
        "INSERT INTO departments (public_id, org_id, code, name, position, created_at)"
        " VALUES ('d3', {}, '30', '会計課', 3, 1) RETURNING id"
    )
    assert ask(database, sql.format(1)) == [(last + 1,)]
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        ask(database, sql.format(99).replace("d3", "d4").replace("'30'", "'40'"))
    assert ask(database, "INSERT INTO sign_in_failures (key, failures, since) VALUES ('a', 1, 1) RETURNING 1") == [(1,)]


def test_a_database_that_is_not_empty_is_refused(house: Filled, database: str) -> None:
    ask(database, "CREATE TABLE somebodys (work TEXT)")
    with pytest.raises(BackupProblem, match="not empty"):
        moving.to_postgresql(house.folder, database, Silent())
    assert ask(database, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(1,)]


def test_what_postgresql_cannot_hold_is_named_and_nothing_is_left(house: Filled, database: str) -> None:
    with sqlite3.connect(house.folder / "renraku.db") as db:
        db.execute("UPDATE messages SET text = 'a' || char(0) || 'b' WHERE id = 7")
    db.close()
    with pytest.raises(BackupProblem, match="messages"):
        moving.to_postgresql(house.folder, database, Silent())
    postgresql.check_empty(database)


SPOIL = """
CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.topic := 'x'; RETURN NEW; END $$;
CREATE FUNCTION arm() RETURNS event_trigger LANGUAGE plpgsql AS $$
DECLARE made record;
BEGIN
  FOR made IN SELECT * FROM pg_event_trigger_ddl_commands() LOOP
    IF made.object_identity = 'public.rooms' THEN
      CREATE OR REPLACE TRIGGER spoil BEFORE INSERT ON rooms FOR EACH ROW EXECUTE FUNCTION spoil();
    END IF;
  END LOOP;
END $$;
CREATE EVENT TRIGGER arm ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION arm();
"""


def test_a_row_that_comes_out_otherwise_stops_it(house: Filled, database: str) -> None:
    """Something in the database changes one column of one table on its way in: counts agree, the sums do not."""

    async def arm() -> None:
        connection = await asyncpg.connect(database)
        await connection.execute(SPOIL)
        await connection.close()

    asyncio.run(arm())
    with pytest.raises(BackupProblem, match="table rooms"):
        moving.to_postgresql(house.folder, database, Silent())
    postgresql.check_empty(database)


def test_two_sums_are_equal_whatever_the_order_and_differ_for_any_other_value() -> None:
    def total(*found: tuple[object, ...]) -> Sum:
        result = Sum()
        result.add(found)
        return result

    one, two = (1, "a", None, b"x", 0.5), (2, "b", "", b"", 1.0)
    assert total(one, two) == total(two, one)
    for other in (
        (1, "a", "", b"x", 0.5),
        (1, "a", None, "x", 0.5),
        (1.0, "a", None, b"x", 0.5),
        (1, "a", None, b"x", 0.25),
    ):
        assert total(other, two) != total(one, two)
    assert total(one, one) != total(one)


def test_nobody_else_may_be_connected_while_it_moves(house: Filled, database: str, tmp_path: Path) -> None:
    moving.to_postgresql(house.folder, database, Silent())

    async def used() -> None:
        connection = await asyncpg.connect(database)
        try:
            with pytest.raises(BackupProblem, match="connected"):
                await asyncio.to_thread(moving.to_sqlite, database, tmp_path / "back", Silent())
        finally:
            await connection.close()

    asyncio.run(used())
    assert not (tmp_path / "back").exists()


def test_data_that_is_there_is_not_overwritten(house: Filled, database: str) -> None:
    moving.to_postgresql(house.folder, database, Silent())
    before = (house.folder / "renraku.db").read_bytes()
    with pytest.raises(BackupProblem, match="exists already"):
        moving.to_sqlite(database, house.folder, Silent())
    assert (house.folder / "renraku.db").read_bytes() == before


def back_up_postgresql(address: str, data: Path, target: Path) -> Path:
    work = target.parent / "work"
    work.mkdir(exist_ok=True)
    return Taking(
        postgresql.PostgresqlSource(address), BlobFolder(data / "blobs"), BackupFolder(target), Seal(), Pace(), Silent(),
        "test", work,
    ).run().path  # fmt: skip


def test_a_backup_of_postgresql_is_one_view_and_restores_to_sqlite(
    house: Filled, database: str, tmp_path: Path
) -> None:
    moving.to_postgresql(house.folder, database, Silent())
    snapshot = back_up_postgresql(database, house.folder, tmp_path / "backups")
    restore(snapshot, tmp_path / "new")
    assert rows(tmp_path / "new", CONTENT) == house.rows(CONTENT)
    assert blobs_of(tmp_path / "new") == house.blobs()


def test_a_backup_of_sqlite_restores_to_postgresql(house: Filled, database: str, tmp_path: Path) -> None:
    snapshot, new = back_up(house.folder, tmp_path / "backups").path, tmp_path / "new"
    done = subprocess.run(
        [sys.executable, "-m", "chat_server", "restore", str(snapshot), "--data", str(new), "--database", database],
        capture_output=True, text=True, timeout=60, check=False, env={**os.environ, "LC_ALL": "C.UTF-8"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert ask(database, CONTENT) == house.rows(CONTENT)
    assert ask(database, "SELECT count(*) FROM devices WHERE revoked_at IS NULL") == [(0,)]
    assert ask(database, "SELECT count(*) FROM outbox WHERE kind = 'message' AND parked_at IS NULL") == [(0,)]
    assert blobs_of(new) == house.blobs()
    assert {path.name for path in new.iterdir()} == {"renraku.lock", "blobs"}


def test_a_restore_that_postgresql_refuses_leaves_nothing(house: Filled, database: str, tmp_path: Path) -> None:
    snapshot = back_up(house.folder, tmp_path / "backups").path
    ask(database, "CREATE TABLE somebodys (work TEXT)")
    done = subprocess.run(
        [sys.executable, "-m", "chat_server", "restore", str(snapshot), "--data", str(tmp_path / "new"), "--database", database],
        capture_output=True, text=True, timeout=60, check=False, env={**os.environ, "LC_ALL": "C.UTF-8"},
    )  # fmt: skip
    assert done.returncode == 1
    assert "not empty" in done.stderr
    assert not (tmp_path / "new").exists()


SLOW = """
CREATE FUNCTION wait() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_advisory_lock(1); END $$;
CREATE EVENT TRIGGER wait ON ddl_command_end WHEN TAG IN ('CREATE INDEX') EXECUTE FUNCTION wait();
"""
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


async def test_killed_while_postgresql_is_filled_leaves_nothing_that_starts(tmp_path: Path, database: str) -> None:
    house = await asyncio.to_thread(filled, tmp_path / "data")
    snapshot, new = (await asyncio.to_thread(back_up, house.folder, tmp_path / "backups")).path, tmp_path / "new"
    holding = await asyncpg.connect(database)
    try:
        await holding.execute(SLOW)
        await holding.fetchval("SELECT pg_advisory_lock(1)")
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "chat_server", "restore", str(snapshot), "--data", str(new), "--database", database,
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        async with asyncio.timeout(60):
            while not await holding.fetchval(WAITING):  # noqa: ASYNC110 (PostgreSQL has no event for it)
                await asyncio.sleep(0.05)
            process.kill()
            await process.wait()
        with pytest.raises(CannotOpen, match="was interrupted"):
            inspect(new, serving=False)
        await holding.execute("DROP EVENT TRIGGER wait")
    finally:
        await holding.close()
    async with asyncio.timeout(60):
        while (await asyncio.to_thread(ask, database, WAITING))[0][0]:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    await asyncio.to_thread(postgresql.check_empty, database)
    await asyncio.to_thread(restore, snapshot, new)
    assert blobs_of(new) == house.blobs()


def test_a_server_that_cannot_be_reached_is_said(house: Filled) -> None:
    with pytest.raises(BackupProblem, match="cannot be used"):
        moving.to_postgresql(house.folder, "postgresql://nobody@127.0.0.1:9/none", Silent())
    assert SqliteSource(house.folder).engine == "sqlite"
