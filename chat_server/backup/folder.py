"""The target folder of backups: its snapshots, complete and half done, and the blobs that they share."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from chat_server.backup import listing, manifest
from chat_server.backup.listing import Line
from chat_server.backup.polite import Pace
from chat_server.backup.problems import BackupProblem, writing
from chat_server.backup.streams import PART, fsync_folder, hashed, make_folder

SNAPSHOTS: Final = "snapshots"
BLOBS: Final = "blobs"
DATABASE: Final = "database.sqlite"
LIST: Final = "blobs.txt"
_NAME: Final = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}-\d{2}-\d{2}Z")
_BLOB: Final = re.compile(r"[0-9a-f]{64}(\.[0-9a-f]{8}\.age)?")
_REMOVED: Final = ".removed"


class BackupFolder:
    """`root` may be missing until `locked`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._snapshots = root / SNAPSHOTS

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One backup at a time writes here. Where the file system knows no locks, nobody is kept out. Raises `BackupProblem`."""
        make_folder(self._snapshots)
        with writing(self.root):
            handle = os.open(self.root / "backup.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            raise BackupProblem(
                f"{self.root} へのバックアップがもう動いています。終わるまで待ってください。",
                f"A backup to {self.root} is running already. Wait until it has ended.",
            ) from None
        except OSError:
            pass
        try:
            yield
        finally:
            os.close(handle)

    def begin(self) -> Path:
        """A new snapshot's folder, named by the time, later than every other. Raises `BackupProblem`."""
        now = datetime.now(UTC)
        while True:
            path = self._snapshots / f"{now:%Y-%m-%dT%H-%M-%SZ}"
            with writing(self._snapshots), suppress(FileExistsError):
                path.mkdir(mode=0o700)
                return path
            now += timedelta(seconds=1)

    def complete(self) -> list[Path]:
        """Snapshots with a manifest, the oldest first."""
        return [path for path in self._named() if (path / manifest.NAME).exists()]

    def halves(self) -> list[Path]:
        """What an interrupted backup left, and what an interrupted removal did."""
        return [path for path in self._all() if path not in set(self.complete())]

    def lists(self) -> list[Path]:
        """Of all snapshots, also of those half done: their blobs lie in the folder all the same."""
        return [path / LIST for path in self._named() if (path / LIST).exists()]

    def _named(self) -> list[Path]:
        return [path for path in self._all() if _NAME.fullmatch(path.name)]

    def _all(self) -> list[Path]:
        if not self._snapshots.is_dir():
            return []
        found = [path for path in self._snapshots.iterdir() if path.is_dir()]
        return sorted(path for path in found if _NAME.fullmatch(path.name.removesuffix(_REMOVED)))

    def blob(self, org_id: int, sha256: str, suffix: str) -> Path:
        return self.root / BLOBS / f"{org_id:d}" / sha256[:2] / (sha256 + suffix)

    # Removing

    def empty_halves(self) -> None:
        """Leave of what is half done the lists alone: they say which blobs are there. Raises `BackupProblem`."""
        for folder in self.halves():
            with writing(folder):
                for path in folder.iterdir():
                    if path.name != LIST:
                        path.unlink()

    def sweep(self, new: Path) -> None:
        """Remove what is half done, but for the snapshot under way. Raises `BackupProblem`."""
        for folder in self.halves():
            if folder != new:
                with writing(folder.parent):
                    shutil.rmtree(folder)

    def keep(self, count: int) -> tuple[int, int]:
        """Remove all complete snapshots but the newest `count`, and every blob that none of those names.

        Answers (snapshots, blobs) removed. Raises `BackupProblem`: a list that cannot be read stops it before any blob.
        """
        going = self.complete()[:-count]
        for folder in going:
            with writing(folder.parent):
                # first out of sight: half removed it must not look whole
                gone = folder.rename(folder.with_name(folder.name + _REMOVED))
                fsync_folder(folder.parent)
                shutil.rmtree(gone)
        return len(going), self._remove_unnamed([path / LIST for path in self.complete()])

    def _remove_unnamed(self, lists: Sequence[Path]) -> int:
        removed = 0
        with ExitStack() as files:
            readers = [_Shelves(*files.enter_context(_believed(path))) for path in lists]
            for org, shelf, folder in self._shelves():
                named: set[str] = set()
                for reader in readers:
                    named.update(reader.on((org, shelf)))
                removed += _remove_from(folder, named)
        return removed

    def _shelves(self) -> Iterator[tuple[int, str, Path]]:
        """(organization, first two digits, folder) in the lists' order."""
        blobs = self.root / BLOBS
        if not blobs.is_dir():
            return
        for org in sorted((path for path in blobs.iterdir() if path.name.isdecimal()), key=lambda path: int(path.name)):
            for shelf in sorted(path for path in org.iterdir() if path.is_dir()):
                yield int(org.name), shelf.name, shelf


@contextmanager
def _believed(path: Path) -> Iterator[tuple[str, Iterator[Line]]]:
    """A list that is what was written: one that says too little would let go what it does not name."""
    if hashed(path, Pace())[0] != manifest.read_manifest(path.parent).blobs.list_sha256:
        raise listing.damaged(path)
    with listing.read_list(path) as found:
        yield found


class _Shelves:
    """A list, read a shelf at a time."""

    def __init__(self, suffix: str, lines: Iterator[Line]) -> None:
        self._suffix, self._lines = suffix, lines
        self._next = next(self._lines, None)

    def on(self, shelf: tuple[int, str]) -> Iterator[str]:
        """SHA-256s on that shelf. Shelves MUST come in order."""
        while self._next is not None and (self._next.org_id, self._next.sha256[:2]) <= shelf:
            if (self._next.org_id, self._next.sha256[:2]) == shelf:
                yield self._next.sha256 + self._suffix
            self._next = next(self._lines, None)


def _remove_from(shelf: Path, named: set[str]) -> int:
    """What has the name of a blob, whole or half written, and is not one of these."""
    removed = 0
    with writing(shelf):
        for path in list(shelf.iterdir()):
            if path.name not in named and _BLOB.fullmatch(path.name.removesuffix(PART)):
                path.unlink()
                removed += not path.name.endswith(PART)
    return removed


def snapshot_at(path: Path) -> tuple[BackupFolder, Path]:
    """The snapshot at `path`, or the newest one where `path` is a folder of backups. Raises `BackupProblem`."""
    path = path.absolute()
    if (path / SNAPSHOTS).is_dir():
        folder = BackupFolder(path)
        complete = folder.complete()
        if not complete:
            raise BackupProblem(f"{path} に完成した控えがありません。", f"There is no complete snapshot in {path}.")
        return folder, complete[-1]
    if path.parent.name == SNAPSHOTS and path.is_dir():
        return BackupFolder(path.parent.parent), path
    raise BackupProblem(
        f"{path} は控えではありません。バックアップ先のフォルダか、その snapshots の中の一つを指定してください。",
        f"{path} is no snapshot. Name the folder of backups, or one of those in its “snapshots”.",
    )


def now_ms() -> int:
    return time.time_ns() // 1_000_000
