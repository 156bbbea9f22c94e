"""`renraku config check` refuses what the start-up refuses, in its words, and leaves everything as it was."""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from chat_server.clock import SystemClock
from chat_server.storage.sqlite.storage import SqliteStorage
from tests.support.people import add_people
from tests.support.process import server_process


def renraku(*words: str, data: Path, port: int = 0) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "chat_server", *words],
        env={**os.environ, "RENRAKU_DATA": str(data), "RENRAKU_PORT": str(port)},
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip


def refused_alike(data: Path, *, port: int = 0) -> str:
    """What both say to it; nothing was changed by the one that only looks."""
    before = contents(data)
    check = renraku("config", "check", data=data, port=port)
    assert check.returncode == 1, check.stdout
    assert contents(data) == before
    serve = renraku("serve", data=data, port=port)
    assert (serve.returncode, serve.stderr) == (1, check.stderr)
    return check.stderr


def contents(folder: Path) -> dict[str, bytes]:
    """Every file but the index of the log, which SQLite makes anew when it likes."""
    return {path.name: path.read_bytes() for path in folder.glob("*") if path.is_file() and path.suffix != ".db-shm"}


@pytest.fixture
async def data(tmp_path: Path) -> Path:
    """A folder in which a server has been."""
    storage = await SqliteStorage.open(tmp_path / "data", SystemClock())
    await add_people(storage, 40)
    await storage.close()
    return tmp_path / "data"


@pytest.fixture
async def crashed(tmp_path: Path) -> Path:
    """As a power cut leaves it: everything is in the write-ahead log."""
    storage = await SqliteStorage.open(tmp_path / "living", SystemClock())
    await add_people(storage, 3)
    folder = tmp_path / "crashed"
    folder.mkdir()
    for name in ("renraku.db", "renraku.db-wal", "renraku.lock"):
        shutil.copy(tmp_path / "living" / name, folder / name)
    await storage.close()
    assert (folder / "renraku.db-wal").stat().st_size > 0
    return folder


def test_a_folder_in_order_is_fine(data: Path) -> None:
    before = contents(data)
    check = renraku("config", "check", data=data)
    assert (check.returncode, check.stderr) == (0, "")
    assert "would start" in check.stdout
    assert contents(data) == before


def test_a_folder_that_is_not_there_is_fine_and_still_not_there(tmp_path: Path) -> None:
    check = renraku("config", "check", data=tmp_path / "new" / "data")
    assert (check.returncode, check.stderr) == (0, "")
    assert "first start" in check.stdout
    assert not (tmp_path / "new").exists()


def test_a_log_that_a_crash_left_is_read_and_left(crashed: Path) -> None:
    before = sorted(path.name for path in crashed.iterdir()), contents(crashed)
    check = renraku("config", "check", data=crashed)
    assert (check.returncode, check.stderr) == (0, "")
    assert (sorted(path.name for path in crashed.iterdir()), contents(crashed)) == before


def test_what_is_newer_only_in_the_log_is_found(crashed: Path) -> None:
    writing = sqlite3.connect(crashed / "renraku.db", isolation_level=None)
    writing.execute("PRAGMA wal_autocheckpoint = 0")
    writing.execute("INSERT INTO migrations (number, name, digest) VALUES (9999, 'future', 'x')")
    copy = crashed.with_name("copy")
    shutil.copytree(crashed, copy)
    writing.close()
    (copy / "renraku.db-shm").unlink()
    assert "newer Renraku" in refused_alike(copy)


def test_a_torn_page_is_found(data: Path) -> None:
    database = data / "renraku.db"
    torn = bytearray(database.read_bytes())
    middle = len(torn) // 4096 // 2 * 4096
    torn[middle : middle + 2048] = bytes(2048)
    database.write_bytes(torn)
    assert "damaged" in refused_alike(data)


def test_a_file_that_is_no_database_is_found(data: Path) -> None:
    (data / "renraku.db").write_bytes(b"this is not a database, whatever its name says\n" * 100)
    assert "damaged" in refused_alike(data)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("INSERT INTO migrations (number, name, digest) VALUES (9999, 'future', 'x')", "newer Renraku"),
        ("UPDATE migrations SET digest = 'x' WHERE number = 1", "unmodified release"),
    ],
    ids=["newer", "another"],
)
def test_a_database_that_is_not_ours_is_found(data: Path, change: str, words: str) -> None:
    with sqlite3.connect(data / "renraku.db") as database:
        database.execute(change)
    database.close()
    assert words in refused_alike(data)


async def test_a_folder_that_somebody_works_in_is_found(tmp_path: Path) -> None:
    """An import, say: it has the folder, and is no server that could be restarted."""
    storage = await SqliteStorage.open(tmp_path, SystemClock())
    try:
        assert "Another Renraku process" in refused_alike(tmp_path)
    finally:
        await storage.close()


def test_a_folder_that_is_a_file_is_found(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a file where a folder is wanted")
    assert "cannot be written" in refused_alike(tmp_path / "file" / "data")


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    """A disk that takes nothing. Mounting one needs root, as CI is."""
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "ro,size=1m", "renraku-test", str(disk)], check=True)
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


@pytest.mark.parametrize("below", [".", "data"])
def test_a_disk_that_cannot_be_written_is_found(read_only: Path, below: str) -> None:
    assert "Read-only" in refused_alike(read_only / below)


def test_a_taken_port_is_found(data: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert "RENRAKU_PORT" in refused_alike(data, port=taken.getsockname()[1])


async def test_beside_a_running_server_its_next_start_is_checked(tmp_path: Path) -> None:
    data = tmp_path / "data"
    async with server_process(data, tmp_path, zones=("lgwan",)) as server:
        check = renraku("config", "check", data=data, port=server.ports["lgwan"])
        assert (check.returncode, check.stderr) == (0, "")
        assert "running" in check.stdout
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            check = renraku("config", "check", data=data, port=taken.getsockname()[1])
        assert check.returncode == 1
        assert "RENRAKU_PORT" in check.stderr
