"""Snapshots of a data folder: what is in them, what they share, and what goes when they are removed."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from chat_server.backup.checking import Snapshot
from chat_server.backup.folder import BackupFolder
from chat_server.backup.listing import Former, Line, head
from chat_server.backup.polite import Pace
from chat_server.backup.problems import BackupProblem
from chat_server.backup.sealing import make_key, read_identity, seal_to
from tests.support.filled import SECRET, Filled, Silent, back_up, blobs_of, filled, restore, rows
from tests.unit.small_disk import resize, small_disk

CONTENT = "SELECT seq, public_id, text, blocks FROM messages ORDER BY id"


@pytest.fixture
def house(tmp_path: Path) -> Filled:
    return filled(tmp_path / "data")


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "backups"


def files(folder: Path) -> dict[str, int]:
    """Every file's inode: another one was written anew."""
    return {str(p.relative_to(folder)): p.stat().st_ino for p in (folder / "blobs").rglob("*") if p.is_file()}


def whole(snapshot: Path) -> bool:
    found = Snapshot(snapshot)
    found.check_stored_database()
    found.check_database(found.database, Pace())
    return not found.check_blobs(Silent(), Pace()).faults


def test_a_snapshot_holds_what_was_there_and_nothing_that_was_deleted(house: Filled, target: Path) -> None:
    with sqlite3.connect(house.folder / "renraku.db") as db:
        db.execute("PRAGMA secure_delete = OFF")  # some distributions turn it on
        db.execute("CREATE TABLE going (words TEXT)")
        db.executemany("INSERT INTO going VALUES (?)", [("消した言葉 " * 50,)] * 200)
        db.commit()
        db.execute("DELETE FROM going")
    db.close()
    taken = back_up(house.folder, target)
    assert whole(taken.path)
    assert "消した言葉".encode() in (house.folder / "renraku.db").read_bytes()
    assert "消した言葉".encode() not in (taken.path / "database.sqlite").read_bytes()
    assert taken.manifest.tables["messages"] == 20
    assert taken.manifest.blobs.count == len(house.blobs()) == taken.new == 6
    with sqlite3.connect(taken.path / "database.sqlite") as copy:
        assert copy.execute(CONTENT).fetchall() == house.rows(CONTENT)
    copy.close()


def test_a_second_one_copies_what_is_new_alone(house: Filled, target: Path) -> None:
    back_up(house.folder, target)
    before = files(target)
    house.add(5, photos=1)
    taken = back_up(house.folder, target)
    assert taken.new == 2
    assert before.items() <= files(target).items(), "nothing was written anew"
    assert [whole(path) for path in BackupFolder(target).complete()] == [True, True]


def test_bytes_that_rotted_in_the_target_are_found_and_mended_when_asked(house: Filled, target: Path) -> None:
    first = back_up(house.folder, target)
    blob = next(p for p in (target / "blobs").rglob("*") if p.is_file() and p.stat().st_size > 100)
    flip(blob)
    assert not whole(first.path)
    assert back_up(house.folder, target).new == 0, "the size is right, and nobody asked to look inside"
    assert back_up(house.folder, target, reread=True).new == 1
    assert whole(first.path)


def flip(path: Path, at: float = 0.5) -> None:
    data = bytearray(path.read_bytes())
    data[int(len(data) * at)] ^= 0x10
    path.write_bytes(data)


def test_a_rotten_source_is_named_and_the_rest_goes_on(house: Filled, target: Path, tmp_path: Path) -> None:
    rotten, gone, short = sorted(p for p in (house.folder / "blobs").glob("1/*/*"))[:3]
    flip(rotten)
    gone.unlink()
    os.truncate(short, 10)
    taken = back_up(house.folder, target)
    assert {lost.sha256 for lost in taken.lost} == {rotten.name, gone.name, short.name}
    assert taken.manifest.blobs.lost == 3
    assert taken.new == 3
    assert not list(target.rglob("*.part"))
    done = restore(taken.path, tmp_path / "new")
    assert {line.sha256 for line in done.lost} == {rotten.name, gone.name, short.name}, "told again at the restore"
    assert len(blobs_of(tmp_path / "new")) == 3


def test_what_an_earlier_snapshot_has_needs_no_source(house: Filled, target: Path) -> None:
    back_up(house.folder, target)
    flip(next((house.folder / "blobs").glob("1/*/*")))
    assert not back_up(house.folder, target).lost


def test_an_encrypted_one_tells_nothing_and_opens_with_its_key_alone(
    house: Filled, target: Path, tmp_path: Path
) -> None:
    public = make_key(tmp_path / "key")
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    taken = back_up(house.folder, target, seal_to([public]))
    for path in [*target.rglob("*"), *(tmp_path / "work").rglob("*")]:
        assert path.is_dir() or SECRET.encode() not in path.read_bytes(), path
    sealed = Snapshot(taken.path)
    sealed.check_stored_database()
    assert not sealed.check_blobs(Silent(), Pace()).faults, "checked without the key, too"
    with pytest.raises(BackupProblem, match="--identity"):
        restore(taken.path, tmp_path / "new")
    make_key(tmp_path / "another")
    with pytest.raises(BackupProblem, match="does not open"):
        restore(taken.path, tmp_path / "new", read_identity(tmp_path / "another"))
    assert not (tmp_path / "new").exists()
    restore(taken.path, tmp_path / "new", read_identity(tmp_path / "key"))
    assert blobs_of(tmp_path / "new") == house.blobs()
    assert rows(tmp_path / "new", CONTENT) == house.rows(CONTENT)


def test_another_key_does_not_rely_on_bytes_sealed_to_the_first(house: Filled, target: Path, tmp_path: Path) -> None:
    old, new = (make_key(tmp_path / name) for name in ("old", "new"))
    back_up(house.folder, target, seal_to([old]))
    assert back_up(house.folder, target, seal_to([old])).new == 0
    taken = back_up(house.folder, target, seal_to([new]))
    assert taken.new == 6
    restore(taken.path, tmp_path / "restored", read_identity(tmp_path / "new"))


def test_what_is_no_key_is_refused_and_the_private_one_too(tmp_path: Path) -> None:
    make_key(tmp_path / "key")
    with pytest.raises(BackupProblem, match="private"):
        seal_to([(tmp_path / "key").read_text().splitlines()[-1]])
    with pytest.raises(BackupProblem, match="age1"):
        seal_to(["ssh-ed25519 AAAA"])
    with pytest.raises(BackupProblem, match="exists"):
        make_key(tmp_path / "key")


def test_older_ones_go_with_what_they_alone_named(house: Filled, target: Path) -> None:
    first = back_up(house.folder, target)
    with sqlite3.connect(house.folder / "renraku.db") as db:
        gone = db.execute("SELECT sha256 FROM blobs ORDER BY sha256 LIMIT 1").fetchone()[0]
        db.execute("DELETE FROM renditions WHERE sha256 = ?", (gone,))
        db.execute("DELETE FROM blobs WHERE sha256 = ?", (gone,))
    db.close()
    second, third = back_up(house.folder, target), back_up(house.folder, target)
    folder = BackupFolder(target)
    assert gone in {path.name for path in (target / "blobs").rglob("*")}
    (target / "blobs" / "1" / gone[:2] / (gone + ".part")).write_bytes(b"half")
    with folder.locked():
        assert folder.keep(2) == (1, 1)
    assert folder.complete() == [second.path, third.path]
    assert not first.path.exists()
    left = {path.name for path in (target / "blobs").rglob("*") if path.is_file()}
    assert left == {sha256 for (sha256,) in house.rows("SELECT sha256 FROM blobs")}
    assert whole(second.path)
    assert whole(third.path)


@pytest.mark.parametrize("damage", ["flipped", "shorter by a line"])
def test_no_bytes_go_by_a_list_that_cannot_be_believed(house: Filled, target: Path, damage: str) -> None:
    taken = [back_up(house.folder, target) for _ in range(3)][-1]
    names = taken.path / "blobs.txt"
    if damage == "flipped":
        flip(names)
    else:
        names.write_text("".join(names.read_text().splitlines(keepends=True)[:-1]))
    before = files(target)
    folder = BackupFolder(target)
    with folder.locked(), pytest.raises(BackupProblem, match="damaged"):
        folder.keep(1)
    assert files(target) == before


def test_what_was_half_done_is_known_and_swept_by_the_next(house: Filled, target: Path) -> None:
    half = back_up(house.folder, target).path
    (half / "manifest.json").unlink()
    folder = BackupFolder(target)
    assert (folder.complete(), folder.halves()) == ([], [half])
    with pytest.raises(BackupProblem, match="no complete snapshot"):
        Snapshot(half)
    taken = back_up(house.folder, target)
    assert taken.new == 0, "its files count all the same"
    assert (folder.complete(), folder.halves()) == ([taken.path], [])


def test_an_encrypted_half_is_gone_on_from_as_well(house: Filled, target: Path, tmp_path: Path) -> None:
    """What is stored has no size that the content tells: the half done list does."""
    seal = seal_to([make_key(tmp_path / "key")])
    half = back_up(house.folder, target, seal).path
    (half / "manifest.json").unlink()
    names = half / "blobs.txt"
    names.write_text(names.read_text()[:-40])  # killed in the midst of a line
    assert back_up(house.folder, target, seal).new == 1


def test_two_at_once_are_refused(house: Filled, target: Path) -> None:
    with BackupFolder(target).locked(), pytest.raises(BackupProblem, match="running already"):
        back_up(house.folder, target)


def test_a_full_target_is_said_and_the_next_one_goes_on(house: Filled) -> None:
    house.add(8, photos=8)
    with small_disk("1400k") as disk:
        target = disk / "backups"
        with pytest.raises(BackupProblem, match="is full"):
            back_up(house.folder, target)
        assert BackupFolder(target).complete() == []
        assert not list(target.rglob("*.part"))
        resize(disk, "8m")
        assert whole(back_up(house.folder, target).path)


def test_a_damaged_database_is_not_backed_up(house: Filled, target: Path) -> None:
    house.add(200)
    database = house.folder / "renraku.db"
    data = bytearray(database.read_bytes())
    middle = len(data) // 8192 * 4096
    data[middle : middle + 4096] = os.urandom(4096)
    database.write_bytes(data)
    with pytest.raises(BackupProblem, match="damaged"):
        back_up(house.folder, target)
    assert BackupFolder(target).complete() == []


def test_lists_of_several_snapshots_are_asked_in_their_order(tmp_path: Path) -> None:
    def write(name: str, suffix: str, *lines: Line) -> Path:
        path = tmp_path / name
        path.write_text(head(suffix) + "".join(map(str, lines)))
        return path

    a, b, c = ("a" * 64, "b" * 64, "c" * 64)
    lists = [
        write("1", ".k.age", Line(1, a, 5, (9, a)), Line(1, c, 5, (9, a)), Line(10, a, 1, (1, a))),
        write("2", ".k.age", Line(1, a, 5, (8, b)), Line(2, a, 5, None)),
        write("3", "", Line(1, b, 5, (5, b))),
    ]
    with closing(Former(lists, ".k.age")) as former:
        found = [former.find(key) for key in ((1, a), (1, b), (1, c), (2, a), (10, a), (11, a))]
    assert [line.stored if line else None for line in found] == [(8, b), None, (9, a), None, (1, a), None]
