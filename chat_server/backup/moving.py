"""From one database engine to the other: the same data, the same epoch, the same sessions. The source stays as it is."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from chat_server.backup import database, postgresql
from chat_server.backup.database import Facts, SqliteSource
from chat_server.backup.polite import Pace
from chat_server.backup.problems import BackupProblem, writing
from chat_server.backup.restoring import DataTarget
from chat_server.backup.sources import Progress
from chat_server.backup.streams import PART, fsync_folder
from chat_server.storage.sqlite.opening import DATABASE


def to_postgresql(data: Path, address: str, progress: Progress) -> Facts:
    """The database of a data folder that nobody serves, into an empty one. Raises `BackupProblem`: nothing is there then."""
    source = SqliteSource(data)
    postgresql.check_empty(address)
    plain = data / (DATABASE + ".moving")
    with DataTarget(data).locked():
        try:
            facts = _copied(source, plain, progress)
            progress.begin("PostgreSQL に入れています", "Putting it into PostgreSQL")
            postgresql.fill(address, plain, progress.bytes)
        finally:
            plain.unlink(missing_ok=True)
    return facts


def to_sqlite(address: str, data: Path, progress: Progress) -> Facts:
    """A PostgreSQL database that nobody uses, into a data folder without one. Raises `BackupProblem`: none is there then."""
    final = data / DATABASE
    plain = final.with_name(final.name + PART)
    with DataTarget(data).locked():
        if final.exists():
            raise BackupProblem(
                f"{final} がもうあります。前のデータなら、別の場所に移してからもう一度実行してください。",
                f"{final} exists already. If that is data of before, move it elsewhere and run this again.",
            )
        try:
            facts = _copied(postgresql.PostgresqlSource(address, alone=True), plain, progress)
            with writing(data):
                plain.rename(final)
            fsync_folder(data)
        finally:
            with suppress(OSError):
                plain.unlink(missing_ok=True)
    return facts


def _copied(source: SqliteSource | postgresql.PostgresqlSource, plain: Path, progress: Progress) -> Facts:
    progress.begin("データベースを読んでいます", "Reading the database")
    plain.unlink(missing_ok=True)
    with writing(plain.parent):
        source.copy(plain, Pace(), progress.bytes)
    progress.begin("写しを確かめています", "Checking the copy")
    return database.check(plain, Pace())
