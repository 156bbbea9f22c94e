"""Blobs behind the port: read for a backup, kept by a restore."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from chat_server.backup.checking import Snapshot
from chat_server.backup.database import SqliteSource
from chat_server.backup.folder import BackupFolder
from chat_server.backup.polite import Pace
from chat_server.backup.problems import BackupProblem
from chat_server.backup.restoring import DataTarget, Done, Restoring
from chat_server.backup.sealing import Identity, Seal, make_key, read_identity, seal_to
from chat_server.backup.stores import Store
from chat_server.backup.taking import Taken, Taking
from chat_server.blobs.filesystem import FileBlobs
from chat_server.clock import SystemClock
from tests.support.filled import Filled, Silent, blobs_of, filled
from tests.support.s3_server import S3Server, s3_server
from tests.unit.small_disk import small_disk


@pytest.fixture
def house(tmp_path: Path) -> Filled:
    """With a file that comes in several pieces."""
    house = filled(tmp_path / "data")
    house.repeat = 100_000
    house.add(1, photos=1)
    return house


def folder_store(root: Path) -> Store:
    return Store(lambda: FileBlobs(root, shared=True))


@pytest.fixture
def store(house: Filled) -> Iterator[Store]:
    with folder_store(house.folder / "blobs") as store:
        yield store


def back_up(house: Filled, store: Store, target: Path, seal: Seal) -> Taken:
    target.parent.mkdir(exist_ok=True)
    return Taking(
        SqliteSource(house.folder), store, BackupFolder(target), seal, Pace(), Silent(), "test", target.parent
    ).run()


def restore(snapshot: Path, data: Path, store: Store, identity: Identity | None = None) -> Done:
    target = DataTarget(data)
    restoring = Restoring(
        Snapshot(snapshot, identity), target, Silent(), SystemClock(), Pace(), store=store
    )  # fmt: skip
    with target.locked():
        assert not restoring.check().faults
        return restoring.run(())


@pytest.mark.parametrize("sealed", [False, True], ids=["plain", "sealed"])
def test_from_one_store_into_another(house: Filled, store: Store, tmp_path: Path, sealed: bool) -> None:
    seal = seal_to([make_key(tmp_path / "key")] if sealed else [])
    taken = back_up(house, store, tmp_path / "backups", seal)
    assert not taken.lost
    with folder_store(tmp_path / "shared" / "blobs") as another:
        restore(taken.path, tmp_path / "new", another, read_identity(tmp_path / "key") if sealed else None)
    assert blobs_of(tmp_path / "shared") == house.blobs()
    assert not (tmp_path / "new" / "blobs").exists()
    assert list((tmp_path / "shared" / "blobs" / "incoming").iterdir()) == []


def test_what_is_missing_or_rotten_there_is_named(house: Filled, store: Store, tmp_path: Path) -> None:
    gone, rotten = sorted((house.folder / "blobs").glob("1/*/*"))[:2]
    gone.unlink()
    rotten.write_bytes(b"something else")
    taken = back_up(house, store, tmp_path / "backups", Seal())
    assert {lost.sha256 for lost in taken.lost} == {gone.name, rotten.name}


@pytest.mark.parametrize("sealed", [False, True], ids=["plain", "sealed"])
def test_a_store_that_is_full_stops_the_restore(house: Filled, store: Store, tmp_path: Path, sealed: bool) -> None:
    """In the words of the store, not as damage of the backup."""
    seal = seal_to([make_key(tmp_path / "key")] if sealed else [])
    taken = back_up(house, store, tmp_path / "backups", seal)
    identity = read_identity(tmp_path / "key") if sealed else None
    with (
        small_disk("1500k") as disk,
        folder_store(disk / "blobs") as full,
        pytest.raises(BackupProblem, match="full"),
    ):
        restore(taken.path, tmp_path / "new", full, identity)
    assert not (tmp_path / "new").exists()


# A bucket


@pytest.fixture(scope="module")
def s3() -> Iterator[S3Server]:
    with s3_server() as server:
        yield server


def renraku(data: Path, blobs: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "chat_server", *words], capture_output=True, text=True, timeout=100, check=False,
        env={**os.environ, "RENRAKU_DATA": str(data), "RENRAKU_BLOBS": blobs, "LC_ALL": "C.UTF-8"},
    )  # fmt: skip


def put_all(s3: S3Server, bucket: str, house: Filled) -> None:
    for name, data in house.blobs().items():
        s3.put(bucket, name, data)


def test_from_a_bucket_into_another_and_into_a_folder(house: Filled, tmp_path: Path, s3: S3Server) -> None:
    bucket, another = s3.fresh_bucket(), s3.fresh_bucket()
    put_all(s3, bucket, house)
    blobs = house.blobs()
    shutil.rmtree(house.folder / "blobs")
    arriving = house.folder / "arriving" / "of the server beside it"
    arriving.parent.mkdir()
    arriving.touch()
    target = str(tmp_path / "backups")
    backed_up = renraku(house.folder, bucket, "backup", target, "--verify")
    assert backed_up.returncode == 0, backed_up.stderr
    assert arriving.exists()
    restored = renraku(tmp_path / "new", another, "restore", target)
    assert restored.returncode == 0, restored.stderr
    assert {key for key in s3.keys(another) if key[0].isdigit()} == blobs.keys()
    assert not (tmp_path / "new" / "blobs").exists()
    restored = renraku(tmp_path / "folder", bucket, "restore", target, "--blobs", "")
    assert restored.returncode == 0, restored.stderr
    assert blobs_of(tmp_path / "folder") == blobs


def test_a_bucket_that_does_not_answer_is_not_taken_for_lost_files(house: Filled, tmp_path: Path, s3: S3Server) -> None:
    bucket = s3.fresh_bucket(timeout="2")
    put_all(s3, bucket, house)
    s3.door("fail", times=1000, status=503, skip=2)
    try:
        refused = renraku(house.folder, bucket, "backup", str(tmp_path / "backups"))
    finally:
        s3.door("fail", times=0, status=503)
    assert refused.returncode == 1, refused.stderr
    assert BackupFolder(tmp_path / "backups").complete() == []
    assert "SECRET" not in refused.stderr
    assert s3.keys(bucket)
    taken = renraku(house.folder, bucket, "backup", str(tmp_path / "backups"))
    assert taken.returncode == 0, taken.stderr


def test_a_bucket_that_refuses_stops_a_restore_before_anything_is_touched(
    house: Filled, store: Store, tmp_path: Path, s3: S3Server
) -> None:
    taken = back_up(house, store, tmp_path / "backups", Seal())
    missing = s3.fresh_bucket(timeout="2").replace("@renraku-", "@nowhere-")
    refused = renraku(tmp_path / "new", missing, "restore", str(taken.path))
    assert refused.returncode == 1
    assert "bucket" in refused.stderr
    assert not (tmp_path / "new").exists()
