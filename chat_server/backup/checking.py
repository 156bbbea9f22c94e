"""Checking a snapshot wholly: nothing is believed because of its name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from chat_server.backup import database
from chat_server.backup.database import Facts
from chat_server.backup.folder import DATABASE, LIST, BackupFolder, snapshot_at
from chat_server.backup.listing import Line, damaged, read_list
from chat_server.backup.manifest import Manifest, read_manifest
from chat_server.backup.polite import Pace
from chat_server.backup.problems import BackupProblem
from chat_server.backup.sealing import Broken, Discard, Identity, Seal, WrongKey
from chat_server.backup.sources import Progress
from chat_server.backup.streams import (
    CannotRead,
    HashedReader,
    Target,
    hashed,
    pour,
    reading,
    written,
)


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Raises `BackupProblem` where it is not."""
    try:
        yield
    except FileNotFoundError as error:
        raise BackupProblem(f"{path} がありません。", f"{path} is missing.") from error
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from error
    except CannotRead as error:
        raise _unreadable(path, str(error)) from error


def _unreadable(path: Path, reason: str) -> BackupProblem:
    return BackupProblem(f"{path} が読めません({reason})。", f"{path} cannot be read ({reason}).")


@dataclass(frozen=True, slots=True)
class Fault:
    """A blob of the backup that is not what was kept."""

    path: Path
    ja: str
    en: str


@dataclass
class Checked:
    """`lost`: what could not be read even when the snapshot was made."""

    faults: list[Fault] = field(default_factory=list)
    lost: list[Line] = field(default_factory=list)


class Snapshot:
    """A complete snapshot, its manifest read. Everything here raises `BackupProblem`."""

    def __init__(self, path: Path, identity: Identity | None = None) -> None:
        self.folder: BackupFolder
        self.folder, self.path = snapshot_at(path)
        self.manifest: Manifest = read_manifest(self.path)
        self.identity = identity
        self.seal = Seal(self.manifest.keys)
        self.database = self.path / (f"{DATABASE}.age" if self.seal.keys else DATABASE)

    def need_identity(self) -> None:
        """Without the private key an encrypted one cannot be opened."""
        if self.seal.keys and self.identity is None:
            raise BackupProblem(
                "この控えは暗号化されています。--identity で秘密鍵のファイルを指定してください。",
                "This snapshot is encrypted. Name the private key's file with --identity.",
            )

    @contextmanager
    def lines(self) -> Iterator[Iterator[Line]]:
        """The list, whole as it was written."""
        path = self.path / LIST
        with _readable(path):
            if hashed(path, Pace())[0] != self.manifest.blobs.list_sha256:
                raise damaged(path)
        with read_list(path) as (suffix, lines):
            if suffix != self.seal.suffix:
                raise damaged(path)
            yield lines

    def check_stored_database(self) -> None:
        """What lies in the backup is what was written; and the key that we have opens it."""
        stored = self.manifest.database
        with _readable(self.database):
            found = hashed(self.database, Pace())
            if found != (stored.stored_sha256, stored.stored_size):
                raise database.damaged(self.database, "SHA-256")
            if self.seal.keys and self.identity:
                target = Discard()
                with reading(self.database) as file:
                    self._open(HashedReader(file), target, self.database)
                if (target.sha256, target.size) != (stored.sha256, stored.size):
                    raise database.damaged(self.database, "SHA-256")

    def unpack_database(self, target: Path, pace: Pace) -> Facts:
        """The database itself at `target`, every page and reference looked at, and counted as it was."""
        with _readable(self.database), reading(self.database) as file, written(target, pace) as out:
            self._open(HashedReader(file), out, self.database)
        if (out.sha256, out.size) != (self.manifest.database.sha256, self.manifest.database.size):
            raise database.damaged(self.database, "SHA-256")
        return self.check_database(target, pace)

    def check_database(self, plain: Path, pace: Pace) -> Facts:
        """The unencrypted file: pages, references, counts, and that it names the blobs of the list."""
        facts = database.check(plain, pace)
        if facts.tables != self.manifest.tables or facts.migrations != self.manifest.migrations:
            raise database.damaged(plain, "counts")
        with database.opened(plain) as connection, self.lines() as lines:
            for row in connection.execute("SELECT org_id, sha256, size FROM blobs ORDER BY org_id, sha256"):
                line = next(lines, None)
                if line is None or row != (line.org_id, line.sha256, line.size):
                    raise damaged(self.path / LIST)
            if next(lines, None) is not None:
                raise damaged(self.path / LIST)
        return facts

    def check_blobs(self, progress: Progress, pace: Pace) -> Checked:
        """Every one of them read to its end."""
        progress.begin("ファイルを確かめています", "Checking the files", self.manifest.blobs.size)
        checked = Checked()
        with self.lines() as lines:
            for line in lines:
                if line.stored is None:
                    checked.lost.append(line)
                elif fault := self._blob_fault(line, line.stored, pace):
                    checked.faults.append(fault)
                progress.bytes(line.size)
        return checked

    def _blob_fault(self, line: Line, stored: tuple[int, str], pace: Pace) -> Fault | None:
        path = self.blob(line)
        try:
            with reading(path) as file:
                whole = self._is_whole(HashedReader(file), line, stored, path)
        except FileNotFoundError:
            return Fault(path, "がありません", "is missing")
        except (OSError, CannotRead) as error:
            return Fault(path, f"が読めません({error})", f"cannot be read ({error})")
        pace.rest()
        return None if whole else Fault(path, "が壊れています", "is damaged")

    def _is_whole(self, source: HashedReader, line: Line, stored: tuple[int, str], path: Path) -> bool:
        if not (self.seal.keys and self.identity):
            while source.read():
                pass
            return (source.size, source.sha256) == stored
        target = Discard()
        try:
            self._open(source, target, path)
        except BackupProblem as problem:
            if isinstance(problem.__cause__, WrongKey):
                raise
            return False
        return (source.size, source.sha256) == stored and (target.size, target.sha256) == (line.size, line.sha256)

    def blob(self, line: Line) -> Path:
        return self.folder.blob(line.org_id, line.sha256, self.seal.suffix)

    def copy_blob(self, line: Line, target: Target) -> None:
        """Its bytes, decrypted. Raises also OSError."""
        path = self.blob(line)
        with _readable(path):
            file = path.open("rb", buffering=0)
        with file:
            try:
                self._open(HashedReader(file), target, path)
            except CannotRead as error:
                raise _unreadable(path, str(error)) from error
        if (target.sha256, target.size) != (line.sha256, line.size):
            raise BackupProblem(f"{path} が壊れています。", f"{path} is damaged.")

    def _open(self, source: HashedReader, target: Target, path: Path) -> None:
        if not self.seal.keys:
            pour(source, target)
            return
        self.need_identity()
        assert self.identity is not None
        try:
            self.identity.open(source, target)
        except WrongKey as error:
            raise BackupProblem(
                f"この秘密鍵では {path} を開けません。控えは次の公開鍵で暗号化されています: {', '.join(self.seal.keys)}",
                f"This private key does not open {path}. It is encrypted to {', '.join(self.seal.keys)}.",
            ) from error
        except Broken as error:
            raise BackupProblem(f"{path} が壊れています。", f"{path} is damaged.") from error
