"""Restoring: what is changed on the way, what is refused, and that nothing half done is ever served."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from chat_server.backup.checking import Snapshot
from chat_server.backup.manifest import _check
from chat_server.backup.problems import BackupProblem
from chat_server.backup.restoring import DataTarget
from chat_server.backup.sealing import make_key, read_identity, seal_to
from chat_server.clock import SystemClock
from chat_server.ports import Reader
from chat_server.services import audit
from chat_server.storage.folder import CannotOpen
from chat_server.storage.sqlite.inspection import inspect
from chat_server.storage.sqlite.storage import SqliteStorage
from tests.support.filled import Filled, back_up, blobs_of, filled, found_whole, restore, restoring, rows
from tests.unit.small_disk import small_disk

CONTENT = "SELECT seq, public_id, text, blocks FROM messages ORDER BY id"
SAME = (
    "messages",
    "events",
    "sends",
    "users",
    "rooms",
    "memberships",
    "blobs",
    "attachments",
    "renditions",
    "signing_keys",
)


@pytest.fixture
def house(tmp_path: Path) -> Filled:
    return filled(tmp_path / "data")


@pytest.fixture
def snapshot(house: Filled, tmp_path: Path) -> Path:
    return back_up(house.folder, tmp_path / "backups").path


@pytest.fixture
def new(tmp_path: Path) -> Path:
    return tmp_path / "new"


def everything(folder: Path) -> dict[str, bytes]:
    """Every file below, but for locks."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.endswith(".lock")
    }


async def verdict(folder: Path) -> audit.Verdict:
    storage = await SqliteStorage.open(folder, SystemClock())
    try:

        async def verify(reader: Reader) -> audit.Verdict:
            return await audit.verify(reader, 1)

        return await storage.read(verify)
    finally:
        await storage.close()


def test_everything_is_there_again_and_nobody_goes_on_as_if_nothing_had_happened(
    house: Filled, snapshot: Path, new: Path
) -> None:
    done = restore(snapshot, new)
    assert {path.name for path in new.iterdir()} == {"renraku.db", "renraku.lock", "blobs"}
    assert {path.stat().st_mode & 0o077 for path in new.rglob("*")} == {0}, "nobody else reads it"
    for table in SAME:
        assert rows(new, f"SELECT * FROM {table}") == house.rows(f"SELECT * FROM {table}"), table
    assert blobs_of(new) == house.blobs()
    epoch = "SELECT value FROM settings WHERE name = 'epoch'"
    assert rows(new, epoch) == [(done.restored.epoch,)] != house.rows(epoch)
    assert house.rows("SELECT count(*) FROM devices WHERE revoked_at IS NULL") == [(done.restored.devices,)] == [(1,)]
    for table in ("devices WHERE revoked_at IS NULL", "refresh_tokens", "sign_ins"):
        assert rows(new, f"SELECT count(*) FROM {table}") == [(0,)], table
    assert rows(new, "SELECT count(*) FROM nodes") == [(0,)], "nobody of then serves it now"
    assert rows(new, "SELECT public_id FROM uploads") == [("one.dwg",)], "the other one's bytes are not in a backup"
    waiting = "SELECT kind, count(*), count(parked_at) FROM outbox GROUP BY kind ORDER BY kind"
    assert house.rows(waiting) == [("directory", 1, 0), ("message", house.sent, 0)]
    assert rows(new, waiting) == [("directory", 1, 0), ("message", house.sent, house.sent)], "what rings is parked"
    assert done.restored.parked == house.sent + 1
    assert rows(new, "SELECT fault FROM scheduled WHERE failed_at IS NOT NULL") == [(4016,)], "it was sent, perhaps"
    tokens = "SELECT token_hash, zone FROM bots"
    assert rows(new, tokens) != house.rows(tokens), "one that was taken away since would be good again"
    assert rows(new, "SELECT zone FROM bots WHERE token_hash IS NOT NULL") == [("lgwan",)], "it does not run here"
    assert house.rows("SELECT is_on FROM hooks") == [(1,)]
    assert rows(new, "SELECT is_on, old_salt FROM hooks") == [(0, None)], "one that was removed since would post again"
    assert rows(new, "SELECT salt FROM hooks") != house.rows("SELECT salt FROM hooks"), "its secret would be good again"
    assert rows(new, "SELECT public_id FROM handed_files") == [("whole.jpg",)], (
        "the other one's bytes are not in a backup"
    )
    assert rows(new, "SELECT public_id FROM link_visits") == [("one",)]
    found = asyncio.run(verdict(new))
    assert found.ok
    [(detail,)] = rows(new, "SELECT detail FROM audit WHERE act = 'server.restored'")
    assert json.loads(str(detail))["snapshot"] == snapshot.name


def test_no_token_of_then_is_good_again_in_whatever_table(house: Filled, snapshot: Path, new: Path) -> None:
    """Whoever makes another kind of link keeps its hash in a column of one of these names: then it is tried here, and has to be filled
    in `filled`."""
    restore(snapshot, new)
    found = [
        (str(table), str(column))
        for (table,) in house.rows("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
        for (column,) in house.rows(
            f"SELECT name FROM pragma_table_info('{table}') WHERE name IN ('token_hash', 'renewal_hash')"
        )
    ]
    tables = ["bots", "devices", "link_visits", "push_tokens", "refresh_tokens", "sign_ins", "upload_links"]
    assert [table for table, _ in found] == tables
    for table, column in found:
        hashes = f"SELECT {column} FROM {table} WHERE {column} IS NOT NULL"
        before = set(house.rows(hashes))
        assert before, f"nothing in {table} to try it with"
        assert not before & set(rows(new, hashes)), table


def flip(path: Path, at: float = 0.5) -> None:
    data = bytearray(path.read_bytes())
    data[int(len(data) * at)] ^= 0x10
    path.write_bytes(data)


def some_blob(snapshot: Path) -> Path:
    return next(path for path in sorted((snapshot.parent.parent / "blobs").rglob("*")) if path.is_file())


def other_blob(snapshot: Path) -> None:
    """Another blob's bytes, whole, under its name."""
    one, another = [path for path in sorted((snapshot.parent.parent / "blobs").rglob("*")) if path.is_file()][:2]
    shutil.copy(another, one)


def change_manifest(snapshot: Path) -> None:
    """Somebody thinks it is theirs to edit."""
    path = snapshot / "manifest.json"
    path.write_text(path.read_text().replace('"messages": 20', '"messages": 21'))


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "a bit of the database": (lambda snapshot: flip(next(snapshot.glob("database.sqlite*"))), "database.sqlite"),
    "a bit of the database's head": (lambda snapshot: flip(next(snapshot.glob("database.sqlite*")), 0.001), "database"),
    "no database": (lambda snapshot: next(snapshot.glob("database.sqlite*")).unlink(), "is missing"),
    "a bit of the manifest": (lambda snapshot: flip(snapshot / "manifest.json"), "manifest.json"),
    "a changed manifest": (change_manifest, "manifest.json"),
    "no manifest": (lambda snapshot: (snapshot / "manifest.json").unlink(), "no complete snapshot"),
    "a bit of the list": (lambda snapshot: flip(snapshot / "blobs.txt"), "blobs.txt"),
    "no list": (lambda snapshot: (snapshot / "blobs.txt").unlink(), "is missing"),
    "a bit of a blob": (lambda snapshot: flip(some_blob(snapshot)), "is damaged"),
    "no blob": (lambda snapshot: some_blob(snapshot).unlink(), "is missing"),
    "another blob": (other_blob, "is damaged"),
}


@pytest.mark.parametrize("sealed", [False, True], ids=["plain", "sealed"])
@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_snapshot_is_refused_and_nothing_is_touched(
    house: Filled, tmp_path: Path, new: Path, damage: str, sealed: bool
) -> None:
    key = make_key(tmp_path / "key")
    taken = back_up(house.folder, tmp_path / "backups", seal_to([key] if sealed else []))
    harm, words = DAMAGE[damage]
    harm(taken.path)
    house.add(3)
    before = everything(house.folder)
    identity = read_identity(tmp_path / "key") if sealed else None
    with pytest.raises((BackupProblem, AssertionError), match=words):
        found_whole(taken.path, new, identity)
    for target in (new, house.folder):
        with pytest.raises((BackupProblem, AssertionError), match=words):
            restore(taken.path, target, identity)
    assert not new.exists()
    assert everything(house.folder) == before


def test_a_newer_snapshot_is_refused(house: Filled, tmp_path: Path, new: Path) -> None:
    taken = back_up(house.folder, tmp_path / "backups")
    manifest = taken.path / "manifest.json"
    raw = json.loads(manifest.read_text())
    raw["migrations"].append({"number": 9999, "name": "future", "digest": "x"})
    raw.pop("check")
    raw["check"] = _check(raw)
    manifest.write_text(json.dumps(raw))
    with pytest.raises(BackupProblem, match="a newer one"):
        restore(taken.path, new)
    assert not new.exists()


def test_an_older_snapshot_is_brought_up_to_date(house: Filled, snapshot: Path, new: Path, tmp_path: Path) -> None:
    """As if the last migration had come since then."""
    with sqlite3.connect(house.folder / "renraku.db") as db:
        db.execute("DROP INDEX outbox_parked")
        db.execute("ALTER TABLE outbox DROP COLUMN parked_at")
        db.execute("DELETE FROM migrations WHERE name = 'backup'")
    db.close()
    old = back_up(house.folder, tmp_path / "backups")
    assert len(old.manifest.migrations) < len(Snapshot(snapshot).manifest.migrations)
    restore(old.path, new)
    assert rows(new, CONTENT) == house.rows(CONTENT)
    assert rows(new, "SELECT count(*) FROM migrations WHERE name = 'backup'") == [(1,)]


def test_a_folder_in_use_is_refused(snapshot: Path, new: Path) -> None:
    async def used() -> None:
        storage = await SqliteStorage.open(new, SystemClock())
        try:
            with pytest.raises(BackupProblem, match="Another Renraku process"):
                await asyncio.to_thread(restore, snapshot, new)
        finally:
            await storage.close()

    asyncio.run(used())


def test_what_was_there_is_put_aside_whole(house: Filled, snapshot: Path) -> None:
    house.add(4, photos=1)
    before = everything(house.folder)
    done = restore(snapshot, house.folder)
    assert done.aside is not None
    assert everything(done.aside) == before
    assert len(house.rows(CONTENT)) == 20


@pytest.mark.parametrize("seen", [True, False], ids=["seen beforehand", "met on the way"])
def test_blobs_on_a_disk_of_their_own_stay_where_they_are(
    house: Filled, snapshot: Path, seen: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not seen:
        monkeypatch.setattr(DataTarget, "check_mounts", lambda self: None)
    blobs = house.folder / "blobs"
    before = everything(house.folder)
    subprocess.run(["mount", "--bind", str(blobs), str(blobs)], check=True)
    try:
        with pytest.raises(BackupProblem, match="Unmount" if seen else "busy"):
            restore(snapshot, house.folder)
    finally:
        subprocess.run(["umount", "-l", str(blobs)], check=True)
    assert everything(house.folder) == before
    assert inspect(house.folder, serving=False)


def test_no_room_is_found_out_before_anything_is_touched(snapshot: Path) -> None:
    with small_disk("4m") as disk:
        with pytest.raises(BackupProblem, match="not enough room"):
            restore(snapshot, disk / "data")
        assert not (disk / "data").exists()


def test_a_disk_that_fills_up_on_the_way_leaves_nothing(snapshot: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DataTarget, "check_room", lambda self, needed: None)  # somebody else took the room meanwhile
    with small_disk("600k") as disk:
        with pytest.raises(BackupProblem, match="full"):
            restore(snapshot, disk / "data")
        assert not (disk / "data").exists()


def test_half_restored_is_never_opened(snapshot: Path, new: Path) -> None:
    half = restoring(snapshot, new)
    with half.target.locked():
        half.target.begin()
    with pytest.raises(CannotOpen, match="was interrupted"):
        asyncio.run(SqliteStorage.open(new, SystemClock()))
    with pytest.raises(CannotOpen, match="was interrupted"):
        inspect(new, serving=False)
    restore(snapshot, new)
    assert inspect(new, serving=False)
