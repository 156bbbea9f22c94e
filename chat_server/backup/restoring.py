"""Putting a snapshot into a data folder.

Everything is checked before anything is touched. Then the folder `restoring` appears in the data folder: while it is there,
nothing opens the data (`storage/sqlite/opening.py`), so a restore that died half-way is never served. The database is made
ready inside it (new epoch, sessions ended, outbox parked), the bytes come beside it, and at the end both are renamed into
their places, the database last.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final

from chat_server.backup import database
from chat_server.backup.checking import Checked, Snapshot
from chat_server.backup.listing import Line
from chat_server.backup.polite import Pace
from chat_server.backup.problems import BackupProblem, writing
from chat_server.backup.sources import Progress
from chat_server.backup.stores import Store
from chat_server.backup.streams import fsync_folder, make_folder, written
from chat_server.domain.errors import Problem
from chat_server.ports import Clock
from chat_server.services.restoring import Restored, restored
from chat_server.storage.folder import LOCK, RESTORING, CannotOpen, take_lock
from chat_server.storage.sqlite.opening import DATABASE
from chat_server.storage.sqlite.storage import SqliteStorage

_BLOBS: Final = "blobs"
_FRESH: Final = "fresh"
"""In `restoring`: the target was empty, so whatever lies in it is the interrupted restore's own."""
_DONE: Final = f"{RESTORING}.done"
_MADE: Final = (DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", _BLOBS)
_ROOM: Final = 64 * 1024 * 1024
"""Bytes that stay free: the first start writes too."""


@dataclass(frozen=True, slots=True)
class Done:
    """`aside`: where the data lies that was there before."""

    restored: Restored
    aside: Path | None
    lost: tuple[Line, ...]


class DataTarget:
    """The data folder that a snapshot goes into."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.staging = path / RESTORING

    def occupied(self) -> bool:
        """Whether somebody's data lies there. What an interrupted restore into an empty folder left does not count."""
        if (self.staging / _FRESH).exists():
            return False
        blobs = self.path / _BLOBS
        return (self.path / DATABASE).exists() or (blobs.is_dir() and any(each.is_file() for each in blobs.rglob("*")))

    def check_mounts(self) -> None:
        """What is put aside is renamed. Raises `BackupProblem` where that cannot be."""
        mounted = _mount_points()
        for name in _MADE:
            if str((self.path / name).resolve()) in mounted:
                raise BackupProblem(
                    f"{self.path / name} は別のディスクのマウント先です。マウントを外すか、別のフォルダに復元してください。",
                    f"A disk of its own is mounted at {self.path / name}. Unmount it, or restore to another folder.",
                )

    def check_room(self, needed: int) -> None:
        """Raises `BackupProblem`."""
        nearest = next(folder for folder in (self.path, *self.path.absolute().parents) if folder.exists())
        free = shutil.disk_usage(nearest).free
        if free < needed + _ROOM:
            raise BackupProblem(
                f"{self.path} のディスクの空きが足りません(必要 {needed + _ROOM:,} バイト、空き {free:,} バイト)。",
                f"There is not enough room on the disk of {self.path}: {needed + _ROOM:,} bytes are needed, {free:,} are free.",
            )

    def check_owner(self) -> None:
        """Files that root leaves there are files that the server cannot open. Raises `BackupProblem`."""
        if self.path.exists() and (owner := self.path.stat().st_uid) != os.geteuid():
            raise BackupProblem(
                f"{self.path} は別の利用者(uid {owner})のものです。その利用者で実行してください: sudo -u '#{owner}' renraku restore …",
                f"{self.path} belongs to another user (uid {owner}). Run this as that user: sudo -u '#{owner}' renraku restore …",
            )

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody else uses the folder; if it was not there and nothing came into it, it goes again. Raises `BackupProblem`."""
        made = not self.path.exists()
        make_folder(self.path)
        with writing(self.path):
            handle = os.open(self.path / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            take_lock(self.path, handle)
        except CannotOpen as error:
            raise BackupProblem(
                f"{self.path} は使用中です。サーバーを止めるか、別のフォルダを指定してください。", str(error)
            ) from error
        try:
            yield
        finally:
            if made:
                self._remove_if_empty()
            os.close(handle)

    def _remove_if_empty(self) -> None:
        for each in self.path.iterdir():
            with suppress(OSError):
                each.rmdir()  # what a blob store made for its own use, and did not use
        if [each.name for each in self.path.iterdir()] == [LOCK]:
            (self.path / LOCK).unlink()
            self.path.rmdir()

    def begin(self) -> None:
        """From here to `finish` the folder cannot be started on. Raises `BackupProblem`."""
        fresh = not self.occupied()
        with writing(self.path):
            shutil.rmtree(self.path / _DONE, ignore_errors=True)
            if fresh:
                self._clear()
            elif self.staging.exists():
                shutil.rmtree(self.staging)
            self.staging.mkdir(mode=0o700)
            if fresh:
                (self.staging / _FRESH).touch(mode=0o600)
        fsync_folder(self.staging)
        fsync_folder(self.path)

    def _clear(self) -> None:
        """What is left of an interrupted restore; the mark that it is one goes last."""
        for name in _MADE:
            path = self.path / name
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        if self.staging.exists():
            for path in self.staging.iterdir():
                if path.is_dir():
                    shutil.rmtree(path)
                elif path.name != _FRESH:
                    path.unlink()
            shutil.rmtree(self.staging)

    def give_up(self) -> None:
        """Nothing has been put into its place yet: the folder is as it was."""
        with suppress(OSError):
            shutil.rmtree(self.staging)

    def _put_aside(self, names: list[str]) -> Path:
        """All of them or none. Raises OSError."""
        aside = self._new_aside()
        for name in names:
            try:
                (self.path / name).rename(aside / name)
            except OSError:
                for moved in aside.iterdir():
                    moved.rename(self.path / moved.name)
                aside.rmdir()
                self.give_up()
                raise
        return aside

    def _new_aside(self) -> Path:
        now = datetime.now(UTC)
        while True:
            aside = self.path / f"replaced-{now:%Y-%m-%dT%H-%M-%SZ}"
            with suppress(FileExistsError):
                aside.mkdir(mode=0o700)
                return aside
            now += timedelta(seconds=1)

    def finish(self) -> Path | None:
        """Everything into its place; answers where the earlier data is now. Raises `BackupProblem`."""
        aside = None
        with writing(self.path):
            present = [name for name in _MADE if (self.path / name).exists()]
            if present:
                aside = self._put_aside(present)
                fsync_folder(aside)
                fsync_folder(self.path)
                (self.staging / _FRESH).touch(mode=0o600)  # whatever comes into its place now is ours
                fsync_folder(self.staging)
            for name in (_BLOBS, DATABASE):
                if (self.staging / name).exists():
                    (self.staging / name).rename(self.path / name)
            fsync_folder(self.path)
            gone = self.staging.rename(self.path / _DONE)  # at one stroke: now it may be served
            fsync_folder(self.path)
            shutil.rmtree(gone)
        return aside


def _mount_points() -> set[str]:
    """proc(5), mountinfo: the fifth field, in which blanks and the like are written as octal numbers. A bind mount of the
    same disk has the device of its parent: stat(2) does not tell."""
    try:
        lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return set()
    return {re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), line.split(" ")[4]) for line in lines}


@dataclass(frozen=True)
class Restoring:
    """One restore into a data folder. `elsewhere`: what puts the finished database file into another engine.
    `store`: where the files go, if not into the data folder."""

    snapshot: Snapshot
    target: DataTarget
    progress: Progress
    clock: Clock
    pace: Pace
    elsewhere: Callable[[Path], None] | None = None
    store: Store | None = None

    def check(self) -> Checked:
        """All of the snapshot, and the room for it. Raises `BackupProblem`; nothing has been touched then."""
        manifest = self.snapshot.manifest
        self.snapshot.need_identity()
        database.refuse_newer(manifest.migrations, manifest.release)
        self.target.check_mounts()
        self.target.check_room(manifest.database.size + (0 if self.store else manifest.blobs.size))
        self.progress.begin("控えを確かめています", "Checking the snapshot")
        self.snapshot.check_stored_database()
        return self.snapshot.check_blobs(self.progress, self.pace)

    def run(self, lost: tuple[Line, ...]) -> Done:
        """After `check`, inside of the target's lock. Raises `BackupProblem`."""
        self.target.begin()
        try:
            plain = self.target.staging / DATABASE
            self.progress.begin("データベースを戻しています", "Restoring the database")
            self.snapshot.unpack_database(plain, self.pace)
            self._copy_blobs(self.target.staging / _BLOBS)
            result = make_ready(plain.parent, self.clock, self.snapshot.path.name)
            if self.elsewhere:
                self.progress.begin("PostgreSQL に入れています", "Putting it into PostgreSQL")
                self.elsewhere(plain)
                plain.unlink()
        except BaseException:
            self.target.give_up()
            raise
        return Done(result, self.target.finish(), lost)

    def _copy_blobs(self, root: Path) -> None:
        self.progress.begin("ファイルを戻しています", "Restoring the files", self.snapshot.manifest.blobs.size)
        shelves: set[Path] = set()
        with self.snapshot.lines() as lines:
            for line in lines:
                if line.stored is not None and self.store:
                    self.store.put(self.snapshot, line)
                elif line.stored is not None:
                    shelves.add(self._copy_blob(line, root))
                self.progress.bytes(line.size)
        for shelf in sorted(
            {*shelves, *(shelf.parent for shelf in shelves), *(shelf.parent.parent for shelf in shelves)}
        ):
            fsync_folder(shelf)

    def _copy_blob(self, line: Line, root: Path) -> Path:
        """Answers the folder that it is in."""
        path = root / f"{line.org_id:d}" / line.sha256[:2] / line.sha256
        make_folder(path.parent)
        with written(path, self.pace) as out:
            self.snapshot.copy_blob(line, out)
        return path.parent


def make_ready(folder: Path, clock: Clock, snapshot: str) -> Restored:
    """The database in `folder` as the present Renraku wants it, at the beginning of a new epoch, as one file on the disk.

    Raises `BackupProblem`.
    """
    try:
        return asyncio.run(_make_ready(folder, clock, snapshot))
    except CannotOpen as error:
        raise BackupProblem(str(error), str(error)) from error
    except Problem as problem:
        told = problem.as_dict()
        raise BackupProblem(told["ja"], told["en"]) from problem


async def _make_ready(folder: Path, clock: Clock, snapshot: str) -> Restored:
    storage = await SqliteStorage.open(folder, clock)
    try:
        return await storage.write(partial(restored, snapshot=snapshot))
    finally:
        await storage.close()
        for name in (LOCK, f"{DATABASE}-wal", f"{DATABASE}-shm"):
            with suppress(OSError):
                (folder / name).unlink()
