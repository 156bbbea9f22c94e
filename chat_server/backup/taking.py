"""Making a snapshot.

The database comes first, in one view; the bytes that its rows name come after it. Bytes are never changed, and none that a
row names is removed while the sweeper is held (`services/backups.py`): so what the snapshot's rows name is there, whatever
is sent and removed meanwhile.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path

from chat_server.backup import database
from chat_server.backup.database import Facts
from chat_server.backup.folder import DATABASE, LIST, BackupFolder, now_ms
from chat_server.backup.listing import Former, Line, head
from chat_server.backup.manifest import Blobs, Manifest, Stored, write_manifest
from chat_server.backup.polite import Pace
from chat_server.backup.problems import writing
from chat_server.backup.sealing import Seal
from chat_server.backup.sources import BlobSource, DatabaseSource, Progress
from chat_server.backup.streams import (
    PART,
    CannotRead,
    HashedReader,
    fsync_folder,
    hashed,
    make_folder,
    private,
    reading,
    written,
)


@dataclass(frozen=True, slots=True)
class Lost:
    """Bytes that a row names and that could not be read as they should be."""

    org_id: int
    sha256: str
    reason: str


@dataclass
class Taken:
    """A complete snapshot, and what it took."""

    path: Path
    manifest: Manifest
    new: int = 0
    new_size: int = 0
    lost: list[Lost] = field(default_factory=list)


@dataclass(frozen=True)
class Taking:
    """One backup. `reread`: also the blobs that lie in the target already. `work`: a folder for a database that must not
    lie in the target unencrypted."""

    source: DatabaseSource
    blobs: BlobSource
    folder: BackupFolder
    seal: Seal
    pace: Pace
    progress: Progress
    release: str
    work: Path
    reread: bool = False

    def run(self) -> Taken:
        """Raises `BackupProblem`; what is done by then is left for the next backup to go on from."""
        with self.folder.locked():
            self.folder.empty_halves()
            path = self.folder.begin()
            try:
                taken = self._take(path)
            except BaseException:
                self.folder.empty_halves()  # a full disk has room again
                raise
            self.folder.sweep(path)
            return taken

    def _take(self, path: Path) -> Taken:
        taken_at = now_ms()
        plain = (self.work if self.seal.keys else path) / (DATABASE + PART)
        try:
            facts = self._copy_database(plain)
            entry = self._store_database(plain, path)
            with closing(_Blobs(self, path)) as found:
                blobs = found.copy(entry[1])
        finally:
            plain.unlink(missing_ok=True)
        manifest = Manifest(
            snapshot=path.name,
            taken_at=taken_at,
            release=self.release,
            engine=self.source.engine,
            epoch=facts.epoch,
            migrations=facts.migrations,
            tables=facts.tables,
            database=entry[0],
            blobs=blobs,
            keys=self.seal.keys,
        )
        for folder in (path, path.parent):
            fsync_folder(folder)
        write_manifest(path, manifest)
        return Taken(path, manifest, found.new, found.new_size, found.lost)

    def _copy_database(self, plain: Path) -> Facts:
        self.progress.begin("データベースを写しています", "Copying the database")
        plain.unlink(missing_ok=True)
        with writing(plain.parent):
            self.source.copy(plain, self.pace, self.progress.bytes)
        self.progress.begin("写しを確かめています", "Checking the copy")
        return database.check(plain, self.pace)

    def _store_database(self, plain: Path, path: Path) -> tuple[Stored, Path]:
        """Its final place and form; and where it can be read."""
        if not self.seal.keys:
            final = path / DATABASE
            sha256, size = hashed(plain, self.pace)
            with writing(path):
                plain.rename(final)
            return Stored(size, sha256, size, sha256), final
        with reading(plain) as file, written(path / f"{DATABASE}.age", self.pace) as target:
            source = HashedReader(file)
            self.seal.write(source, target)
        return Stored(source.size, source.sha256, target.size, target.sha256), plain


class _Blobs:
    """The bytes that the snapshot's rows name."""

    def __init__(self, taking: Taking, path: Path) -> None:
        self.new = self.new_size = 0
        self.lost: list[Lost] = []
        self._taking = taking
        self._list = path / LIST
        self._former = Former(taking.folder.lists(), taking.seal.suffix)
        self._shelves: set[Path] = set()

    def close(self) -> None:
        self._former.close()

    def copy(self, plain: Path) -> Blobs:
        """Every blob of the database at `plain`, and the list of them."""
        digest, count = hashlib.sha256(), 0
        with (
            database.opened(plain) as connection,
            writing(self._list.parent),
            os.fdopen(private(self._list), "wb") as out,
        ):
            total = connection.execute("SELECT sum(size) FROM blobs").fetchone()[0] or 0
            self._taking.progress.begin("ファイルを写しています", "Copying the files", total)
            for text in self._lines(connection):
                out.write(text)
                digest.update(text)
                count += 1
            out.flush()
            os.fsync(out.fileno())
        for shelf in sorted({*self._shelves, *(shelf.parent for shelf in self._shelves)}):
            fsync_folder(shelf)
            self._taking.pace.rest()
        return Blobs(count - 1, total, len(self.lost), digest.hexdigest())

    def _lines(self, connection: sqlite3.Connection) -> Iterator[bytes]:
        yield head(self._taking.seal.suffix).encode()
        for org_id, sha256, size in connection.execute(
            "SELECT org_id, sha256, size FROM blobs ORDER BY org_id, sha256"
        ):
            stored = self._there(org_id, sha256, size)
            if stored:
                self._taking.progress.bytes(size)
            else:
                stored = self._store(org_id, sha256, size)
            yield str(Line(org_id, sha256, size, stored)).encode()

    def _there(self, org_id: int, sha256: str, size: int) -> tuple[int, str] | None:
        """What lies in the target already, if it can be relied on."""
        path = self._taking.folder.blob(org_id, sha256, self._taking.seal.suffix)
        former = self._former.find((org_id, sha256))
        stored = former.stored if former else None
        if stored is None and not self._taking.seal.keys:
            stored = (size, sha256)  # no list tells of it, its name does
        if stored is None or not _has_size(path, stored[0]):
            return None
        if not self._taking.reread:
            return stored
        try:
            found = hashed(path, self._taking.pace)
        except (OSError, CannotRead):
            return None
        return stored if found == (stored[1], stored[0]) else None

    def _store(self, org_id: int, sha256: str, size: int) -> tuple[int, str] | None:
        """Copy it; None if it cannot be read. Raises `BackupProblem` where the target cannot be written."""
        path = self._taking.folder.blob(org_id, sha256, self._taking.seal.suffix)
        if path.parent not in self._shelves:
            make_folder(path.parent)
            self._shelves.add(path.parent)
        with ExitStack() as stack:
            try:
                file = stack.enter_context(self._taking.blobs.open(org_id, sha256))
                with written(path, self._taking.pace) as target:
                    source = HashedReader(file, self._taking.progress.bytes)
                    self._taking.seal.write(source, target)
                    if (source.sha256, source.size) != (sha256, size):
                        raise CannotRead("its bytes are not those that were kept")
            except (OSError, CannotRead) as error:
                reason = error.strerror if isinstance(error, OSError) else None
                self.lost.append(Lost(org_id, sha256, reason or str(error)))
                return None
        self.new += 1
        self.new_size += size
        return target.size, target.sha256


def _has_size(path: Path, size: int) -> bool:
    try:
        return path.stat().st_size == size
    except OSError:
        return False
