"""kill -9 at every step of a backup and of a restore: what is left is known for what it is, and the next run gets through.

The steps are the system calls that give names to files, take them away, or put bytes on the disk.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from chat_server.backup.folder import BackupFolder
from chat_server.backup.sealing import make_key, read_identity, seal_to
from chat_server.storage.folder import CannotOpen
from chat_server.storage.sqlite.inspection import inspect
from tests.support.filled import SECRET, Filled, back_up, blobs_of, filled, restore, rows

CONTENT = "SELECT seq, public_id, text, blocks FROM messages ORDER BY id"


@pytest.fixture
def house(tmp_path: Path) -> Filled:
    return filled(tmp_path / "data", messages=8, photos=1)


def killed_at(step: str, scratch: Path, *words: str, given: str = "") -> None:
    """Run `renraku …` until it comes to that step (`rename 3`: to the third rename)."""
    call, number = step.split()
    done = subprocess.run(
        [
            "strace", "-f", "-qq", "-o", str(scratch / "calls"), "-e", f"trace={call}",
            "-e", f"inject={call}:signal=SIGKILL:when={number}",
            sys.executable, "-m", "chat_server", *words,
        ],
        capture_output=True, text=True, timeout=60, check=False, input=given,
        env={**os.environ, "RENRAKU_DATA": str(scratch / "data"), "LC_ALL": "C.UTF-8"},
    )  # fmt: skip
    assert done.returncode in (-9, 137), done.stderr


@pytest.mark.parametrize(
    "step",
    ["mkdir 6", "rename 1", "rename 2", "fdatasync 6", "fsync 1", "rename 4", "fsync 8"],
)
def test_a_killed_backup_leaves_no_snapshot_or_a_whole_one(house: Filled, tmp_path: Path, step: str) -> None:
    target = tmp_path / "backups"
    key = make_key(tmp_path / "key")
    killed_at(step, tmp_path, "backup", str(target), "--key", key)
    for path in target.rglob("*"):
        assert path.is_dir() or SECRET.encode() not in path.read_bytes(), "not even half way is anything readable"
    folder = BackupFolder(target)
    identity = read_identity(tmp_path / "key")
    for snapshot in folder.complete():
        restore(snapshot, tmp_path / "new", identity)
        assert rows(tmp_path / "new", CONTENT) == house.rows(CONTENT)
    taken = back_up(house.folder, target, seal_to([key]))
    assert folder.halves() == []
    restore(taken.path, tmp_path / "next", identity)
    assert rows(tmp_path / "next", CONTENT) == house.rows(CONTENT)
    assert blobs_of(tmp_path / "next") == house.blobs()


def test_what_a_killed_backup_left_in_the_data_folder_goes_with_the_next(house: Filled, tmp_path: Path) -> None:
    key = make_key(tmp_path / "key")
    killed_at("rename 1", tmp_path, "backup", str(tmp_path / "backups"), "--key", key)
    assert list((house.folder / "backup").iterdir()), "the unencrypted copy"
    subprocess.run(
        [sys.executable, "-m", "chat_server", "backup", str(tmp_path / "backups"), "--key", key],
        check=True, capture_output=True, timeout=60, env={**os.environ, "RENRAKU_DATA": str(house.folder)},
    )  # fmt: skip
    assert not (house.folder / "backup").exists()


@pytest.mark.parametrize(
    "step",
    [
        "mkdir 2",
        "fsync 2",
        "mkdir 4",
        "rename 1",
        "rename 3",
        "fdatasync 8",
        "rename 4",
        "rename 5",
        "rmdir 1",
        "fsync 8",
    ],
)
def test_a_killed_restore_is_not_served_and_the_next_one_gets_through(house: Filled, tmp_path: Path, step: str) -> None:
    snapshot, new = back_up(house.folder, tmp_path / "backups").path, tmp_path / "new"
    killed_at(step, tmp_path, "restore", str(snapshot), "--data", str(new))
    never_served_half(new)
    if not (new / "renraku.db").exists() or (new / "restoring").exists():
        restore(snapshot, new)
    assert inspect(new, serving=False)
    assert rows(new, CONTENT) == house.rows(CONTENT)
    assert blobs_of(new) == house.blobs()


@pytest.mark.parametrize("step", ["rename 3", "rename 4", "rename 5", "rename 6", "rename 7", "rmdir 1"])
def test_a_killed_replacement_loses_nothing_of_what_was_there(house: Filled, tmp_path: Path, step: str) -> None:
    snapshot = back_up(house.folder, tmp_path / "backups").path
    then, then_blobs = house.rows(CONTENT), house.blobs()
    house.add(3, photos=1)
    now, now_blobs = house.rows(CONTENT), house.blobs()
    words = ("restore", str(snapshot), "--data", str(house.folder), "--replace")
    killed_at(step, tmp_path, *words, given="replace\n")
    never_served_half(house.folder)
    if (house.folder / "restoring").exists():
        restore(snapshot, house.folder)
    assert house.rows(CONTENT) == then
    assert house.blobs() == then_blobs
    aside = list(house.folder.glob("replaced-*"))
    assert [rows(folder, CONTENT) for folder in aside if (folder / "renraku.db").exists()] == [now]
    assert {name: data for folder in aside for name, data in blobs_of(folder).items()} == now_blobs


def never_served_half(folder: Path) -> None:
    """Either it is whole, or it does not open, or there is nothing."""
    if (folder / "restoring").exists():
        with pytest.raises(CannotOpen, match="was interrupted"):
            inspect(folder, serving=False)
    elif inspect(folder, serving=False):
        assert len(rows(folder, CONTENT)) in (8, 11)
        assert blobs_of(folder)
