"""The database file of a snapshot: made from a running server's, and looked at."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

from chat_server.backup.manifest import Step
from chat_server.backup.polite import DIRTY, Pace, settle
from chat_server.backup.problems import BackupProblem
from chat_server.storage.folder import CannotOpen
from chat_server.storage.migrations import migrations
from chat_server.storage.sqlite.opening import DATABASE, check_migrations

_STEPS: Final = 4_000
"""Of SQLite's machine between two looks at the clock: a fraction of a millisecond."""
_STRETCH: Final = 0.004
"""Seconds of work between two rests: an ack that waits for the processor or for the disk waits no longer than this."""
OnBytes = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Facts:
    """What a database file says about itself. `tables`: rows of each."""

    epoch: str
    migrations: tuple[Step, ...]
    tables: dict[str, int]

    @property
    def newest(self) -> int:
        return self.migrations[-1].number


class SqliteSource:
    """The database in a data folder, whether a server runs on it or not."""

    engine = "sqlite"

    def __init__(self, data: Path) -> None:
        """Raises `BackupProblem` where there is none."""
        self._path = data / DATABASE
        if not self._path.exists():
            raise BackupProblem(
                f"{data} にデータベースがありません。RENRAKU_DATA か --data を確かめてください。",
                f"There is no database in {data}. Check RENRAKU_DATA or --data.",
            )

    def copy(self, target: Path, pace: Pace, on_bytes: OnBytes) -> None:
        """One view of all of it, written to `target` without what was deleted from it: free pages are left out.

        The reader holds no lock that a writer waits for, but the write-ahead log grows until it is done. Raises
        `BackupProblem`, OSError.
        """
        with closing(_connect(f"file:{quote(str(self._path))}?mode=ro")) as connection:
            descriptor = os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            try:
                connection.set_progress_handler(_Resting(descriptor, pace, on_bytes), _STEPS)
                # No locks on the copy: nobody else knows it, and on many a network share they fail.
                connection.execute("VACUUM INTO ?", (f"file:{quote(str(target))}?vfs=unix-none",))
                settle(descriptor)
            except sqlite3.Error as error:
                raise _failed(error, self._path, target) from error
            finally:
                os.close(descriptor)


class _Resting:
    """Called by SQLite in the midst of its work. What it wrote goes to the disk in small pieces: see `polite`."""

    def __init__(self, descriptor: int, pace: Pace, on_bytes: OnBytes) -> None:
        self._descriptor = descriptor
        self._pace = pace
        self._on_bytes = on_bytes
        self._told = self._settled = 0

    def __call__(self) -> int:
        if self._pace.worked() < _STRETCH:
            return 0
        size = os.fstat(self._descriptor).st_size
        self._on_bytes(size - self._told)
        self._told = size
        if size - self._settled >= DIRTY:
            self._settled = size
            os.fdatasync(self._descriptor)
        self._pace.rest()
        return 0


def _failed(error: sqlite3.Error, source: Path, target: Path) -> BackupProblem:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return BackupProblem(
            f"{target.parent} のディスクに空きがありません。空きを作ってから、もう一度実行してください。",
            f"The disk of {target.parent} is full. Make room and run this again.",
        )
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return BackupProblem(
            f"データベース {source} が壊れています({error})。控えは作れません。前の控えから復元してください。",
            f"The database {source} is damaged ({error}): it cannot be backed up. Restore the last backup.",
        )
    return BackupProblem(
        f"データベース {source} を写せませんでした({error})。", f"The database {source} could not be copied ({error})."
    )


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """A finished file, for reading alone, with nothing left beside it. Raises `BackupProblem`."""
    try:
        with closing(_connect(f"file:{quote(str(path))}?mode=ro&immutable=1")) as connection:
            yield connection
    except sqlite3.DatabaseError as error:
        raise damaged(path, str(error)) from error


def _connect(uri: str) -> sqlite3.Connection:
    return sqlite3.connect(uri, uri=True, isolation_level=None, timeout=10.0)


def damaged(path: Path, reason: str) -> BackupProblem:
    return BackupProblem(
        f"控えのデータベース {path} が壊れています({reason})。", f"The backup's database {path} is damaged ({reason})."
    )


def check(path: Path, pace: Pace) -> Facts:
    """Every page, every reference, and what it holds. Raises `BackupProblem`."""
    with opened(path) as connection:
        connection.set_progress_handler(lambda: _rest_sometimes(pace), _STEPS)
        problems = [row[0] for row in connection.execute("PRAGMA quick_check(5)")]
        if problems != ["ok"]:
            raise damaged(path, problems[0])
        if broken := connection.execute("PRAGMA foreign_key_check").fetchone():
            raise damaged(path, f"{broken[0]} → {broken[2]}")
        return facts(connection, path)


def _rest_sometimes(pace: Pace) -> int:
    if pace.worked() >= _STRETCH:
        pace.rest()
    return 0


def facts(connection: sqlite3.Connection, path: Path) -> Facts:
    """Raises `BackupProblem` if it was made by a newer Renraku, or by none."""
    try:
        check_migrations(connection, path)
        epoch = connection.execute("SELECT value FROM settings WHERE name = 'epoch'").fetchone()
    except CannotOpen as error:
        raise BackupProblem(str(error), str(error)) from error
    steps = connection.execute("SELECT number, name, digest FROM migrations ORDER BY number")
    return Facts(
        epoch[0] if epoch else "",
        tuple(Step(*row) for row in steps),
        {name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in tables(connection)},  # noqa: S608
    )


def tables(connection: sqlite3.Connection) -> list[str]:
    """Names, in their order."""
    rows = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
    )
    return sorted(row[0] for row in rows)


def refuse_newer(steps: tuple[Step, ...], release: str) -> None:
    """Raises `BackupProblem` where this Renraku does not know the steps that made a database."""
    known = {migration.number: migration.digest for migration in migrations("sqlite")}
    if any(known.get(step.number) != step.digest for step in steps):
        raise BackupProblem(
            f"この控えは別の版の Renraku({release})が作りました。その版か、それより新しい版で復元してください。",
            f"This snapshot was made by another Renraku ({release}). Restore it with that release or a newer one.",
        )
