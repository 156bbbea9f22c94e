"""Sweeping real files of a real store beside a real database: what goes, what stays, and uploads that come in between."""

from __future__ import annotations

import asyncio
import os
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest

from chat_server.blobs.filesystem import FileBlobs
from chat_server.domain import limits
from chat_server.domain.actors import Actor
from chat_server.ports import AnyStorage, Blob, Photo, Reader, Storage, Tx
from chat_server.services import backups, leftovers, messages, rooms
from chat_server.services.blocks import Photos
from chat_server.services.commands import Send
from chat_server.services.drafts import draft
from chat_server.services.photo_upload import Prepared, add_photo
from chat_server.storage.queries.attachments import NewRendition
from chat_server.workers.file_sweeper import FileSweeper
from tests.support.engines import open_storage
from tests.support.patience import DEADLINE
from tests.support.people import add_people
from tests.support.server import MovableClock, running_server

T = TypeVar("T")
PHOTO = Photo("image/jpeg", 40, 30, "#8899aa", None, None, None, ())
LONG_AGO = 2 * limits.HOUR / limits.SECOND


@dataclass
class House:
    """A data folder at work, without sockets and decoders."""

    folder: Path
    clock: MovableClock
    storage: AnyStorage
    blobs: FileBlobs
    person: Actor

    @property
    def scratch(self) -> Path:
        return self.folder / "scratch"

    @property
    def files(self) -> set[str]:
        """Names of all blobs on the disk."""
        return {path.name for path in (self.folder / "blobs").glob("*/*/*")}

    def sweeper(self, storage: Storage | None = None) -> FileSweeper:
        return FileSweeper(storage or self.storage, self.blobs, self.scratch)

    async def record(self, *kept: Blob) -> str:
        """The rows of an upload with these blobs, as the server writes them; answers the attachment."""
        kinds = ("original", "sanitized", "preview", "thumbnail")
        made = tuple(NewRendition(kind, blob, "image/jpeg", 40, 30) for kind, blob in zip(kinds, kept, strict=False))
        prepared = Prepared(PHOTO, kept[0].size, made)
        wire = await self.storage.write(lambda tx: add_photo(tx, self.person, prepared, "a.jpg", lambda zone: 0))
        return str(wire["id"])

    async def upload(self, *contents: bytes) -> str:
        return await self.record(*[await self.blobs.keep_bytes(self.person.org_id, data) for data in contents])

    async def send(self, attachment: str) -> None:
        new = rooms.NewRoom(kind="private", name="道路")
        room = await self.storage.write(lambda tx: rooms.create(tx, self.person, new))
        command = Send(ref=1, room=room, client_msg_id=f"m-{attachment}", blocks=(Photos((attachment,)),))
        await self.storage.write(lambda tx: messages.send(tx, self.person, draft(command), b"k" * 32))

    def restart(self) -> None:
        """As after a restart some hours later: the files are old, and nobody remembers having kept them."""
        before = time.time() - LONG_AGO
        for path in self.folder.rglob("*"):
            os.utime(path, (before, before))
        self.blobs = FileBlobs(self.folder / "blobs")

    async def rows(self, table: str) -> int:
        async def count(tx: Reader) -> int:
            row = await tx.one(f"SELECT count(*) FROM {table}")
            assert row is not None
            return int(row[0])

        return await self.storage.read(count)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    clock = MovableClock()
    storage = await open_storage(tmp_path, clock)
    (tmp_path / "scratch").mkdir()
    [person] = await add_people(storage, 1)
    yield House(tmp_path, clock, storage, FileBlobs(tmp_path / "blobs"), person)
    await storage.close()


def half_a_photo(scratch: Path, name: str) -> Path:
    folder = scratch / name
    folder.mkdir()
    (folder / "preview.webp").write_bytes(b"half")
    return folder


async def test_a_start_clears_what_the_last_process_was_in_the_middle_of(house: House) -> None:
    half = half_a_photo(house.scratch, "photo-x1")
    incoming = house.folder / "blobs" / "incoming" / ("a" * 32)
    incoming.write_bytes(b"half")
    (house.scratch / "not ours").write_text("a file that somebody put there")
    await house.sweeper().clear()
    assert not half.exists()
    assert not incoming.exists()
    assert [path.name for path in house.scratch.iterdir()] == ["not ours"]


async def test_old_halves_go_and_those_under_way_stay(house: House) -> None:
    old, young = (half_a_photo(house.scratch, name) for name in ("photo-old", "photo-young"))
    stalled, left = house.blobs.receive(), house.folder / "blobs" / "incoming" / ("a" * 32)
    await stalled.write(b"x" * 400_000)
    left.write_bytes(b"half")
    for path in (old, left, stalled.path):
        os.utime(path, (time.time() - LONG_AGO,) * 2)
    await house.sweeper().sweep()
    assert not old.exists()
    assert young.exists()
    assert not left.exists()
    assert (await house.blobs.keep(house.person.org_id, stalled)).size == 400_000


async def test_a_blob_without_a_row_goes_when_it_is_old_and_one_with_a_row_never(house: House) -> None:
    kept = await house.blobs.keep_bytes(house.person.org_id, b"of an upload that was killed before its row")
    await house.upload(b"original", b"preview")
    named = house.files - {kept.sha256}
    stranger = house.blobs.path(1, kept.sha256).with_name("somebody's notes")
    stranger.write_text("not a blob")
    house.restart()
    young = await house.blobs.keep_bytes(house.person.org_id, b"of an upload under way")
    await house.sweeper().sweep()
    assert house.files == named | {young.sha256, stranger.name}


async def test_while_a_backup_copies_nothing_is_removed(house: House) -> None:
    """Rows that go meanwhile leave bytes that the backup still has to copy. The hold ends by itself, whatever the clock."""
    await house.blobs.keep_bytes(house.person.org_id, b"had a row when the backup began")
    house.restart()
    await house.storage.write(backups.hold)
    await house.sweeper().sweep()
    assert len(house.files) == 1
    house.clock.ahead = -limits.HOUR
    await house.storage.write(backups.hold)
    house.clock.ahead = -limits.HOUR + backups.HELD + 1
    await house.sweeper().sweep()
    assert len(house.files) == 0, "a backup that died holds nothing"


async def test_a_hold_from_the_time_before_the_clock_was_set_back_does_not_last(house: House) -> None:
    await house.blobs.keep_bytes(house.person.org_id, b"without a row")
    house.restart()
    house.clock.ahead = limits.DAY
    await house.storage.write(backups.hold)
    house.clock.ahead = 0
    await house.sweeper().sweep()
    assert len(house.files) == 0


async def test_a_clock_that_jumps_does_not_make_an_upload_under_way_old(house: House) -> None:
    kept = await house.blobs.keep_bytes(house.person.org_id, b"kept a moment ago")
    path = house.blobs.path(house.person.org_id, kept.sha256)
    os.utime(path, (time.time() - LONG_AGO,) * 2)  # which is how it looks when the clock jumps two hours ahead
    await house.sweeper().sweep()
    await house.record(kept)
    assert path.exists()


async def test_bytes_that_came_in_slowly_are_young_when_they_are_kept(house: House) -> None:
    incoming = house.blobs.receive()
    await incoming.write(b"x" * 400_000)
    os.utime(incoming.path, (time.time() - LONG_AGO,) * 2)
    kept = await house.blobs.keep(house.person.org_id, incoming)
    age = time.time() - house.blobs.path(house.person.org_id, kept.sha256).stat().st_mtime
    assert age < 60


class Between:
    """A storage beside which something happens, once: after the first look at it, before the answer is used."""

    def __init__(self, storage: Storage, happen: Callable[[], Awaitable[object]]) -> None:
        self._storage = storage
        self._happen: Callable[[], Awaitable[object]] | None = happen

    async def read(self, use_case: Callable[[Reader], Awaitable[T]]) -> T:
        answer = await self._storage.read(use_case)
        happen, self._happen = self._happen, None
        if happen is not None:
            await happen()
        return answer

    async def write(self, use_case: Callable[[Tx], Awaitable[T]], *, org_id: int = 0) -> T:
        return await self._storage.write(use_case, org_id=org_id)


async def test_an_orphan_that_is_kept_again_after_the_look_up_is_spared(house: House) -> None:
    """The same photo again, at the worst moment: its row would name a file that the sweeper is about to remove."""
    data = b"uploaded once, killed, and uploaded again"
    kept = await house.blobs.keep_bytes(house.person.org_id, data)
    house.restart()
    await house.sweeper(Between(house.storage, lambda: house.upload(data))).sweep()
    assert house.blobs.path(house.person.org_id, kept.sha256).read_bytes() == data


async def test_an_upload_that_is_never_sent_goes_after_a_week_and_nothing_else(house: House) -> None:
    shared, unsent, sent, fresh = b"shared", b"unsent", b"sent", b"fresh"
    await house.upload(unsent, shared)
    await house.send(await house.upload(sent, shared))
    house.clock.ahead = limits.UNSENT_KEPT - limits.MINUTE
    late = await house.upload(fresh)
    house.restart()
    await house.sweeper().sweep()
    assert await house.rows("attachments") == 3, "a week has not passed"
    house.clock.ahead += 2 * limits.MINUTE
    await house.sweeper().sweep()
    assert [await house.rows(table) for table in ("attachments", "renditions", "blobs")] == [2, 3, 3]
    assert len(house.files) == 4, "the files go with the next round"
    await house.sweeper().sweep()
    assert {house.blobs.path(1, name).read_bytes() for name in house.files} == {shared, sent, fresh}
    await house.send(late)


async def test_an_upload_that_is_sent_after_the_look_up_is_spared(house: House) -> None:
    attachment = await house.upload(b"sent in the last moment")
    house.clock.ahead = limits.UNSENT_KEPT + limits.MINUTE
    found = await house.storage.read(leftovers.unsent)
    assert len(found) == 1
    await house.send(attachment)
    assert await house.storage.write(lambda tx: leftovers.forget(tx, found)) == 0
    assert await house.rows("renditions") == 1


async def test_what_is_on_hold_stays(house: House) -> None:
    await house.upload(b"held")
    await house.storage.write(lambda tx: tx.run("UPDATE attachments SET hold = 1"))
    house.clock.ahead = limits.UNSENT_KEPT + limits.MINUTE
    await house.sweeper().sweep()
    assert await house.rows("attachments") == 1


async def test_a_great_many_go_in_steps_that_do_not_hold_the_writer(house: House) -> None:
    many = 400  # nearly all of their pages are in memory here: on a cold disk each step takes several times as long

    async def fill(tx: Tx) -> None:
        for n in range(many):
            kept = [Blob(f"{n * 4 + i:064x}", 100_000) for i in range(4)]
            kinds = ("original", "sanitized", "preview", "thumbnail")
            made = tuple(NewRendition(k, b, "image/jpeg", 40, 30) for k, b in zip(kinds, kept, strict=True))
            await add_photo(tx, house.person, Prepared(PHOTO, 100_000, made), "a.jpg", lambda zone: 0)

    await house.storage.write(fill)
    house.clock.ahead = limits.UNSENT_KEPT + limits.MINUTE
    watched = Watched(house.storage)
    await house.sweeper(watched).sweep()
    assert await house.rows("attachments") == 0
    assert len(watched.seconds) >= 20
    # the median: what else this machine does to a thread is not the sweeper's
    assert statistics.median(watched.seconds) < 0.02, watched.seconds


class Watched:
    """A storage that takes the time of every write, in the writer's thread."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self.seconds: list[float] = []
        self.read = storage.read

    async def write(self, use_case: Callable[[Tx], Awaitable[Any]], *, org_id: int = 0) -> Any:
        async def timed(tx: Tx) -> Any:
            began = time.perf_counter()
            try:
                return await use_case(tx)
            finally:
                self.seconds.append(time.perf_counter() - began)

        return await self._storage.write(timed, org_id=org_id)


async def test_a_server_sweeps_when_it_starts(tmp_path: Path) -> None:
    orphan = tmp_path / "blobs" / "1" / "ab" / ("ab" * 32)
    half = tmp_path / "scratch" / "photo-x1"
    for folder in (orphan.parent, half):
        folder.mkdir(parents=True)
    orphan.write_bytes(b"of an upload that was killed before its row")
    os.utime(orphan, (time.time() - LONG_AGO,) * 2)
    async with running_server(tmp_path), asyncio.timeout(DEADLINE):
        assert not half.exists(), "halves are gone before anything is received"
        while orphan.exists():  # noqa: ASYNC110 (a file that goes has no event for it)
            await asyncio.sleep(0.01)
