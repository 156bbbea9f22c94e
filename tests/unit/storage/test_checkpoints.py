"""The write-ahead log goes back into the database in time, and nobody's answer waits for it."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from chat_server.clock import SystemClock
from chat_server.ports import Tx
from chat_server.storage.folder import lock_folder
from chat_server.storage.sqlite import checkpoints
from chat_server.storage.sqlite.checkpoints import FRAME, Checkpoints
from chat_server.storage.sqlite.opening import open_writer
from chat_server.storage.sqlite.storage import SqliteStorage
from tests.support.patience import DEADLINE

PAGES, MOST = 50, 200
BLOB = bytes(40_000)
"""Ten pages and a little."""
COMMIT = 16 * FRAME
"""More than a commit of one BLOB adds to the log."""


@pytest.fixture
def writer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[sqlite3.Connection]:
    """A writing connection whose log goes back after a few commits."""
    monkeypatch.setattr(checkpoints, "PAGES", PAGES)
    monkeypatch.setattr(checkpoints, "PAGES_MOST", MOST)
    folder = lock_folder(tmp_path)
    connection = open_writer(folder)
    connection.execute("CREATE TABLE blobs_written (id INTEGER PRIMARY KEY, data BLOB)")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    yield connection
    connection.close()
    folder.release()


def write(connection: sqlite3.Connection) -> None:
    connection.execute("INSERT INTO blobs_written (data) VALUES (?)", (BLOB,))


def sizes(connection: sqlite3.Connection, tmp_path: Path, commits: int, *, idle: bool) -> tuple[list[int], int]:
    """Bytes of the log after each of `commits`, and how many checkpoints there were."""
    due, found, made = Checkpoints(connection), [], 0
    for _ in range(commits):
        write(connection)
        if due.due(idle=idle):
            due.run()
            made += 1
        found.append((tmp_path / "renraku.db-wal").stat().st_size)
    return found, made


def test_an_idle_writer_keeps_the_log_short(writer: sqlite3.Connection, tmp_path: Path) -> None:
    found, made = sizes(writer, tmp_path, 100, idle=True)
    assert max(found) <= PAGES * FRAME + COMMIT
    assert 10 <= made <= 30, "as often as the log is full, not at every commit"


def test_steady_load_cannot_make_it_grow_without_end(writer: sqlite3.Connection, tmp_path: Path) -> None:
    found, made = sizes(writer, tmp_path, 200, idle=False)
    assert MOST * FRAME < max(found) <= MOST * FRAME + COMMIT
    assert made


def test_a_reader_that_needs_the_log_is_not_run_against_at_every_commit(
    writer: sqlite3.Connection, tmp_path: Path
) -> None:
    write(writer)
    with closing(sqlite3.connect(f"file:{tmp_path}/renraku.db?mode=ro", uri=True, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM blobs_written").fetchone()
        grown, made = sizes(writer, tmp_path, 50, idle=True)
        assert grown[-1] > 2 * PAGES * FRAME
        assert made <= grown[-1] // (PAGES * FRAME)
    after, _ = sizes(writer, tmp_path, 20, idle=True)
    assert after[-1] <= PAGES * FRAME + COMMIT, "and goes back when it has gone"


async def test_no_answer_waits_for_a_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is told of a commit is told before the log goes back: it takes as long as the disk takes."""
    answered, waited = threading.Event(), []

    def run(self: Checkpoints) -> None:
        waited.append(answered.wait(DEADLINE))

    monkeypatch.setattr(Checkpoints, "due", lambda self, *, idle: not waited)
    monkeypatch.setattr(Checkpoints, "run", run)

    async def nothing(tx: Tx) -> None:
        tx.emit("note")

    storage = await SqliteStorage.open(tmp_path, SystemClock())
    storage.on_notes = lambda notes: answered.set()
    try:
        await asyncio.wait_for(storage.write(nothing), DEADLINE)
        await asyncio.wait_for(storage.write(nothing), DEADLINE)
        assert waited == [True]
    finally:
        await storage.close()
