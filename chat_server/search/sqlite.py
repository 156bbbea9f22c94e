"""The index in a file of its own, `search.db` in the data folder: FTS5 keeps for each gram where it is, and nothing else.

The file is written by one thread and read by others. It need not survive a loss of power: what is not in it is indexed again,
and a file that cannot be read is made anew. So it is not synced, and an ack never waits for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, TypeVar

import structlog

from chat_server.ports import MESSAGES, NOTES, PARTS, Hit, Sought, Text
from chat_server.search.words import all_of, one_of, words_of

T = TypeVar("T")
FILE: Final = "search.db"
FORM: Final = 2
"""Of the file and of the folding; an index of another form is made anew."""
_READERS: Final = 2
_COLUMNS: Final = "id, room_id, seq, author_id, department, kind, folded"
_SCHEMA: Final = (
    "CREATE TABLE state (name TEXT NOT NULL PRIMARY KEY, value NOT NULL)",
    (
        "CREATE TABLE texts (id INTEGER PRIMARY KEY, room_id INTEGER NOT NULL, seq INTEGER NOT NULL,"
        " author_id INTEGER NOT NULL, department TEXT NOT NULL, kind TEXT NOT NULL, folded TEXT NOT NULL)"
    ),
    # No text, no positions, no sizes: a third of the size, and what is found is looked at again anyway.
    "CREATE VIRTUAL TABLE grams USING fts5(words, content='', detail=none, columnsize=0, tokenize='ascii')",
)
log = structlog.get_logger("renraku.search")


class SqliteIndex:
    """Implements `ports.SearchIndex`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writing = ThreadPoolExecutor(1, "indexing")
        self._reading = ThreadPoolExecutor(_READERS, "searching")
        self._own = threading.local()
        self._readers: list[sqlite3.Connection] = []
        self._writer: sqlite3.Connection | None = None

    @classmethod
    async def open(cls, folder: Path) -> SqliteIndex:
        index = cls(folder / FILE)
        try:
            await index._write(index._open)
        except sqlite3.DatabaseError as error:
            log.warning("the search index cannot be read and is made anew", why=str(error))
            await index.close()
            await asyncio.to_thread(_remove, folder)
            index = cls(folder / FILE)
            await index._write(index._open)
        return index

    async def belong(self, epoch: str) -> None:
        def check(db: sqlite3.Connection) -> None:
            if db.execute("SELECT value FROM state WHERE name = 'epoch'").fetchone() != (epoch,):
                _forget(db)
                self._make(db)
                db.execute("INSERT INTO state VALUES ('epoch', ?)", (epoch,))

        await self._write(check)

    async def position(self, of: str = MESSAGES) -> int:
        return await self._write(
            lambda db: int(db.execute("SELECT value FROM state WHERE name = ?", (of,)).fetchone()[0])
        )

    async def replace(self, keys: Sequence[int], texts: Sequence[Text], position: int, of: str = MESSAGES) -> None:
        await self._write(lambda db: _replace(db, keys, texts, position, of))

    async def find(self, sought: Sought) -> list[Hit]:
        if not sought.rooms or not sought.words:
            return []
        return await asyncio.get_running_loop().run_in_executor(self._reading, self._find, sought)

    async def close(self) -> None:
        """Wait for what is under way."""
        for threads in (self._writing, self._reading):
            await asyncio.to_thread(threads.shutdown)
        for connection in (*self._readers, *([self._writer] if self._writer else [])):
            connection.close()

    async def _write(self, function: Callable[[sqlite3.Connection], T]) -> T:
        def alone() -> T:
            if self._writer is None:
                self._writer = self._connect()
            db = self._writer
            with _transaction(db):
                return function(db)

        return await asyncio.get_running_loop().run_in_executor(self._writing, alone)

    # Everything below blocks.

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, cached_statements=64)
        for pragma in ("journal_mode = WAL", "synchronous = OFF", "cache_size = -32768", "busy_timeout = 5000"):
            db.execute(f"PRAGMA {pragma}")
        return db

    def _open(self, db: sqlite3.Connection) -> None:
        try:
            fits = db.execute("SELECT value FROM state WHERE name = 'form'").fetchone() == (FORM,)
        except sqlite3.Error:
            fits = False
        if not fits:
            _forget(db)
            self._make(db)

    def _make(self, db: sqlite3.Connection) -> None:
        for statement in _SCHEMA:
            db.execute(statement)
        db.executemany("INSERT INTO state VALUES (?, ?)", [("form", FORM), (MESSAGES, 0), (NOTES, 0)])

    def _find(self, sought: Sought) -> list[Hit]:
        db = getattr(self._own, "connection", None)
        if db is None:
            db = self._own.connection = self._connect()
            self._readers.append(db)
        question, values = _question(sought)
        return [Hit(*row) for row in db.execute(question, values)]


def _remove(folder: Path) -> None:
    for path in folder.glob(f"{FILE}*"):
        path.unlink()


@contextlib.contextmanager
def _transaction(db: sqlite3.Connection) -> Any:
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


def _forget(db: sqlite3.Connection) -> None:
    for name in ("grams", "texts", "state"):
        db.execute(f"DROP TABLE IF EXISTS {name}")


def _replace(db: sqlite3.Connection, keys: Sequence[int], texts: Sequence[Text], position: int, of: str) -> None:
    for key in keys:
        range_ = (key * PARTS, key * PARTS + PARTS - 1)
        old = db.execute(f"SELECT {_COLUMNS} FROM texts WHERE id BETWEEN ? AND ?", range_).fetchall()  # noqa: S608
        # SQLite before 3.43 takes a text out of such a table only by its words.
        gone = ((text.id, " ".join(words_of(text))) for text in (Text(*row) for row in old))
        db.executemany("INSERT INTO grams (grams, rowid, words) VALUES ('delete', ?, ?)", gone)
        db.execute("DELETE FROM texts WHERE id BETWEEN ? AND ?", range_)
    db.executemany(
        f"INSERT INTO texts ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
        [(text.id, text.room_id, text.seq, text.author_id, text.department, text.kind, text.text) for text in texts],
    )
    db.executemany(
        "INSERT INTO grams (rowid, words) VALUES (?, ?)", ((text.id, " ".join(words_of(text))) for text in texts)
    )
    db.execute("UPDATE state SET value = max(value, ?) WHERE name = ?", (position, of))


def _question(sought: Sought) -> tuple[str, list[Any]]:
    match = " AND ".join(
        [*(f'"{word}"' for word in all_of(sought))]
        + ["(" + " OR ".join(f'"{word}"' for word in words) + ")" for words in one_of(sought)]
    )
    conditions = ["grams MATCH ?", "grams.rowid >= ?", "grams.rowid < ?"]
    values: list[Any] = [match, sought.above, sought.below]
    conditions.append(f"t.room_id IN ({','.join('?' * len(sought.rooms))})")
    values += sought.rooms
    for word in sought.words:
        conditions.append("instr(t.folded, ?) > 0")
        values.append(word)
    if sought.department is not None:
        conditions.append("t.department = ?")
        values.append(sought.department)
    return (
        (
            "SELECT t.id, t.room_id, t.seq FROM grams CROSS JOIN texts t ON t.id = grams.rowid"  # noqa: S608
            f" WHERE {' AND '.join(conditions)} ORDER BY grams.rowid DESC LIMIT ?"
        ),
        [*values, sought.limit],
    )
