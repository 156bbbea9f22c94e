"""Disks that fill up, fail, lie or belong to somebody else."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from chat_server.clock import SystemClock
from chat_server.domain.actors import Actor
from chat_server.domain.errors import Problem
from chat_server.services import messages, rooms
from chat_server.services.answers import Ack
from chat_server.services.blocks import Text
from chat_server.services.commands import Send
from chat_server.services.drafts import draft
from chat_server.storage.folder import CannotOpen, lock_folder
from chat_server.storage.sqlite.storage import SqliteStorage
from tests.support.people import add_people

KEY = b"k" * 32


class Room:
    """One person and a room to write to."""

    def __init__(self, storage: SqliteStorage, actor: Actor, room: str) -> None:
        self.storage, self.actor, self.room = storage, actor, room

    async def send(self, n: int, text: str = "倒木です") -> Ack:
        command = Send(ref=1, room=self.room, client_msg_id=f"message-{n:04d}", blocks=(Text(text),))
        return await self.storage.write(lambda tx: messages.send(tx, self.actor, draft(command), KEY))

    async def count(self) -> int:
        async def read(tx: object) -> int:
            row = await tx.one("SELECT count(*) FROM messages")  # type: ignore[attr-defined]
            return int(row[0])

        return await self.storage.read(read)


@asynccontextmanager
async def a_room(folder: Path) -> AsyncIterator[Room]:
    storage = await SqliteStorage.open(folder, SystemClock())
    try:
        person = (await add_people(storage, 1))[0]
        room = await storage.write(lambda tx: rooms.create(tx, person, rooms.NewRoom(kind="private", name="道路")))
        yield Room(storage, person, room)
    finally:
        await storage.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 4 MB. Making one needs root, as CI is."""
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "renraku-test", str(disk)], check=True)
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def fill(ballast: Path) -> None:
    """Write until there is no room left. Raises `OSError` (ENOSPC), as is the aim."""
    with ballast.open("wb", buffering=0) as file:
        while True:
            file.write(b"\0" * 4096)


async def test_a_full_disk_refuses_clearly_and_heals_by_itself(small_disk: Path) -> None:
    async with a_room(small_disk / "data") as room:
        await room.send(1)
        ballast = small_disk / "ballast"
        with pytest.raises(OSError, match="No space"):
            fill(ballast)
        refused, n = None, 1
        while refused is None:
            n += 1
            try:
                await room.send(n, "長い文" * 2000)
            except Problem as problem:
                refused = problem
        assert (refused.fault.code, refused.fault.status) == (8002, 507)
        kept = await room.count()
        assert kept == n - 1, "reads go on, and nothing refused was kept"
        ballast.unlink()
        assert (await room.send(n, "長い文" * 2000)).seq is not None
        assert await room.count() == n


async def test_a_locked_database_is_a_bounded_wait(tmp_path: Path) -> None:
    async with a_room(tmp_path) as room:
        other = sqlite3.connect(tmp_path / "renraku.db", isolation_level=None)
        try:
            other.execute("BEGIN EXCLUSIVE")
            with pytest.raises(Problem) as caught:
                await room.send(1)
            assert (caught.value.fault.code, caught.value.fault.status) == (8001, 503)
            assert caught.value.params["retry_after"] > 0
            assert await room.count() == 0
            other.execute("ROLLBACK")
        finally:
            other.close()
        assert (await room.send(1)).seq == 2


async def test_one_failure_does_not_sink_its_neighbours(tmp_path: Path) -> None:
    """Savepoints: of what is committed together, only what failed is missing."""
    import asyncio

    async with a_room(tmp_path) as room:
        stranger = Send(ref=1, room="0" * 26, client_msg_id="stranger1", blocks=(Text("x"),))
        results = await asyncio.gather(
            room.send(1),
            room.storage.write(lambda tx: messages.send(tx, room.actor, draft(stranger), KEY)),
            room.send(2),
            return_exceptions=True,
        )
        assert isinstance(results[1], Problem)
        assert [getattr(result, "seq", None) for result in results] == [2, None, 3]
        assert await room.count() == 2


def serve(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """`renraku serve` on a folder that it must refuse."""
    return subprocess.run(
        [sys.executable, "-m", "chat_server", "serve"],
        env={**os.environ, "RENRAKU_DATA": str(folder), "RENRAKU_PORT": "0", **environment},
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip


async def test_a_torn_page_is_found_at_the_start(tmp_path: Path) -> None:
    async with a_room(tmp_path) as room:
        for n in range(200):
            await room.send(n, "長い文" * 200)
    database = tmp_path / "renraku.db"
    torn = bytearray(database.read_bytes())
    middle = len(torn) // 4096 // 2 * 4096
    torn[middle : middle + 2048] = bytes(2048)
    database.write_bytes(torn)
    refused = serve(tmp_path)
    assert refused.returncode == 1
    assert "damaged" in refused.stderr
    assert "backup" in refused.stderr
    assert database.read_bytes() == torn, "nothing was changed"


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "renraku.db").write_bytes(b"this is not a database, whatever its name says\n" * 100)
    refused = serve(tmp_path)
    assert refused.returncode == 1
    assert "damaged" in refused.stderr


async def test_a_database_newer_than_the_code_is_refused(tmp_path: Path) -> None:
    async with a_room(tmp_path):
        pass
    with sqlite3.connect(tmp_path / "renraku.db") as database:
        database.execute("INSERT INTO migrations (number, name, digest) VALUES (9999, 'future', 'x')")
    database.close()
    refused = serve(tmp_path)
    assert refused.returncode == 1
    assert "newer Renraku" in refused.stderr
    assert "9999" in refused.stderr


def test_a_lock_that_is_just_going_is_waited_for(tmp_path: Path) -> None:
    """A killed server's child has it until it runs its own program; whoever restarts the server is not refused."""
    held = lock_folder(tmp_path)
    going = threading.Timer(0.2, held.release)
    going.start()
    lock_folder(tmp_path).release()
    going.join()


async def test_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    async with a_room(tmp_path):
        with pytest.raises(CannotOpen, match="Another Renraku process"):
            await SqliteStorage.open(tmp_path, SystemClock())
        refused = serve(tmp_path)
    assert refused.returncode == 1
    assert "Another Renraku process" in refused.stderr
    assert "RENRAKU_DATA" in refused.stderr


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a file where a folder is wanted")
    refused = serve(tmp_path / "file" / "data")
    assert refused.returncode == 1
    assert "cannot be written" in refused.stderr
    assert "RENRAKU_DATA" in refused.stderr


def test_a_taken_port_is_refused(tmp_path: Path) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        refused = serve(tmp_path, RENRAKU_PORT=str(taken.getsockname()[1]))
    assert refused.returncode == 1
    assert "RENRAKU_PORT" in refused.stderr


@pytest.mark.parametrize(
    "where",
    [["-e", "inject=fdatasync:error=EIO:when=12+"], ["-P", "{folder}/renraku.db", "-e", "inject=fdatasync:error=EIO"]],
    ids=["of the log", "of the database, while the log goes back into it"],
)
def test_a_failed_fsync_ends_all_writing(tmp_path: Path, where: list[str]) -> None:
    """No ack after it, no second try on the same pages; the next start has everything that was promised."""
    import asyncio

    from tests.faults import storage_driver
    from tests.faults.ledger import Ledger

    folder = tmp_path / "data"
    asyncio.run(storage_driver.prepare(folder))
    ledger = Ledger(folder)
    failing = storage_driver.run(
        folder, 40, "-o", str(tmp_path / "calls"), "-e", "trace=fdatasync,fsync",
        *(option.format(folder=folder) for option in where),
    )  # fmt: skip
    assert failing.returncode != 0
    assert "storage_broken" in failing.stderr
    assert not ledger.take(failing.stdout)
    calls = (tmp_path / "calls").read_text().splitlines()
    failed = [line for line in calls if "EIO" in line]
    assert len(failed) == 1, "the fsync was tried again"
    ledger.check()
    healthy = storage_driver.run(folder, 4)
    assert healthy.returncode == 0, healthy.stderr
    assert ledger.take(healthy.stdout)
    ledger.check()
