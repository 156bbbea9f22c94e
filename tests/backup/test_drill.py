"""The restore drill: a server under load is backed up, its machine is lost, another one goes on from the backup."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from PIL import Image

from chat_client import Client, EventStream
from chat_client import events as e
from chat_server.backup.checking import Snapshot
from tests.client.town import Town, built
from tests.client.waiting import FastClock, soon
from tests.protocol.test_command_line import Terminal
from tests.support import engines, postgresql
from tests.support.cutting_proxy import CuttingProxy
from tests.support.filled import rows
from tests.support.patience import DEADLINE
from tests.support.process import server_process

BOTH_ENGINES = True
PHOTO_EVERY = 6


@pytest.fixture
async def closing() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


@pytest.fixture
async def line() -> AsyncIterator[CuttingProxy]:
    """The server's address, which stays whatever machine answers."""
    async with CuttingProxy("127.0.0.1", 9) as line:
        yield line


def photo(number: int) -> bytes:
    image = io.BytesIO()
    Image.new("RGB", (200, 100 + number), (number % 256, 90, 120)).save(image, "JPEG")
    return image.getvalue()


class Writer:
    """Sends one message after another, some with a photo, for as long as it takes."""

    def __init__(self, client: Client, room: str) -> None:
        self.acked: list[str] = []
        self._client = client
        self._room = room
        self._changed = asyncio.Condition()
        self._stopping = False
        self._task = asyncio.create_task(self._write())

    async def _write(self) -> None:
        number = 0
        while not self._stopping:
            photos = [photo(number)] if number % PHOTO_EVERY == 0 else []
            await self._client.send(self._room, f"n{number}", photos=photos)
            number += 1
            async with self._changed:
                self.acked.append(f"n{number - 1}")
                self._changed.notify_all()

    async def until(self, count: int) -> None:
        """So many are acknowledged."""
        async with asyncio.timeout(60), self._changed:
            await self._changed.wait_for(lambda: len(self.acked) >= count)

    async def stop(self) -> None:
        """When what is under way is acknowledged."""
        self._stopping = True
        async with asyncio.timeout(60):
            await self._task


@pytest.mark.timeout(180)
async def test_a_machine_is_lost_and_another_goes_on_from_the_backup(
    line: CuttingProxy, closing: AsyncExitStack, tmp_path: Path, engine: str
) -> None:
    lost, new, target = tmp_path / "lost", tmp_path / "new", tmp_path / "backups"
    to = an_empty_database(engine, new)
    town: Town = await built(lost)
    operator = Terminal(tmp_path, lost)
    url = f"http://127.0.0.1:{line.port}"
    phone, desk = (Client(url, credentials=who, clock=FastClock(20)) for who in (town.takahashi, town.tanaka))
    for client in (phone, desk):
        closing.push_async_callback(client.close)
    seen = desk.events()
    async with server_process(lost, tmp_path) as first:
        line.lead_to(first.ports["lgwan"])
        await soon(asyncio.gather(phone.start(), desk.start()))
        writer = Writer(phone, town.room)
        await writer.until(20)
        before = list(writer.acked)
        backing_up = asyncio.create_task(operator.run("backup", str(target), "--verify"))
        await writer.until(30)
        assert "are whole" in await backing_up
        during = len(writer.acked)
        await writer.until(during + 5)
        line.cut_after(down=0)  # what is under way now is never answered
        first.process.kill()
        await first.process.wait()
    assert "restored" in await operator.run("restore", str(target), "--data", str(new), "--database", to)
    same_files_as_the_backup(target, new)
    in_snapshot = [str(text).partition("\n")[0] for (text,) in rows(new, "SELECT text FROM messages ORDER BY seq")]
    assert in_snapshot == [f"n{number}" for number in range(len(in_snapshot))], "a prefix, each once"
    assert len(before) <= len(in_snapshot) < during + 5

    (tmp_path / "second").mkdir()
    async with server_process(new, tmp_path / "second") as second:
        assert second.ports != first.ports
        line.lead_to(second.ports["lgwan"])
        unanswered = f"n{len(writer.acked)}"
        await writer.until(len(writer.acked) + 3)
        await writer.stop()
        await a_new_epoch(seen, town.room)
        history = (await soon(desk.history(town.room, limit=200))).messages
        texts = [message.text.partition("\n")[0] for message in history]
        assert texts[: len(in_snapshot)] == in_snapshot
        assert texts[len(in_snapshot)] == unanswered, "kept by the client, and sent again"
        assert len(set(texts)) == len(texts)
        for message in history:
            for attachment in message.attachments:
                await soon(desk.photo(attachment.id, "thumbnail"))
        assert sum(bool(message.attachments) for message in history) > 3


def an_empty_database(engine: str, folder: Path) -> str:
    """For a data folder; in the words of `--database`."""
    if engine == engines.SQLITE:
        return "sqlite"
    address = postgresql.shared().empty()
    engines.belongs(folder, address)
    return address


async def a_new_epoch(seen: EventStream, room: str) -> None:
    """The client was told to begin anew, everywhere."""
    told: set[str | None] = set()
    async with asyncio.timeout(DEADLINE):
        while not {None, room} <= told:
            event = await anext(seen)
            if isinstance(event, e.Resynced):
                told.add(event.room)


def same_files_as_the_backup(target: Path, folder: Path) -> None:
    """By hash, and every row has its bytes."""
    snapshot = Snapshot(target)
    with snapshot.lines() as lines:
        listed = {(line.org_id, line.sha256, line.size) for line in lines}
    found = set()
    for path in (folder / "blobs").glob("[0-9]*/*/*"):
        data = path.read_bytes()
        assert hashlib.sha256(data).hexdigest() == path.name
        found.add((int(path.parent.parent.name), path.name, len(data)))
    assert found == listed == set(rows(folder, "SELECT org_id, sha256, size FROM blobs"))
    named = set(rows(folder, "SELECT org_id, sha256 FROM renditions WHERE sha256 IS NOT NULL"))
    assert named
    assert named <= {(org_id, sha256) for org_id, sha256, _ in found}
    manifest = json.loads((snapshot.path / "manifest.json").read_text())
    assert manifest["tables"]["messages"] == rows(folder, "SELECT count(*) FROM messages")[0][0]


async def test_the_sweeper_was_held_before_the_view_was_opened(tmp_path: Path, engine: str) -> None:
    await built(tmp_path / "data")
    operator = Terminal(tmp_path, tmp_path / "data")
    async with server_process(tmp_path / "data", tmp_path):
        await operator.run("backup", str(tmp_path / "backups"))
    to = an_empty_database(engine, tmp_path / "new")
    await operator.run("restore", str(tmp_path / "backups"), "--data", str(tmp_path / "new"), "--database", to)
    assert rows(tmp_path / "new", "SELECT count(*) FROM settings WHERE name = 'backup_until'") == [(1,)]
