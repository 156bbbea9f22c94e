"""One body for every place where attachments may lie: what `ports.BlobStore` says it MUST do."""

from __future__ import annotations

import asyncio
import hashlib
import os
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from chat_server.blobs.address import parse_s3
from chat_server.blobs.bucket import Bucket
from chat_server.blobs.filesystem import FileBlobs
from chat_server.blobs.s3 import S3Blobs
from chat_server.domain.errors import Problem
from chat_server.ports import Blob, BlobStore
from tests.support.s3_server import S3Server, s3_server

DATA = os.urandom(700_000)
SHA256 = hashlib.sha256(DATA).hexdigest()
UPLOAD = "0123456789abcdef0123456789"
HOUR = 3600


@dataclass
class Place:
    """Where the bytes lie. Every `node` is a store of its own in it, as another process would have."""

    make: Callable[[], Awaitable[BlobStore]]
    names: Callable[[], Awaitable[list[str]]]
    """of everything that is there but locks and clocks"""
    age: Callable[[int, str, int], Awaitable[None]]
    """make a blob (organization, SHA-256) look as if it had been kept so many seconds ago"""
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def node(self) -> BlobStore:
        store = await self.make()
        self.stack.push_async_callback(store.close)
        return store


def folder(root: Path, *, shared: bool) -> Place:
    async def make() -> BlobStore:
        return FileBlobs(root, shared=shared)

    def names() -> list[str]:
        files = (each for each in root.rglob("*") if each.is_file() and each.suffix != ".lock")
        return sorted(str(each.relative_to(root)) for each in files)

    async def age(org_id: int, sha256: str, seconds: int) -> None:
        path = root / str(org_id) / sha256[:2] / sha256
        then = path.stat().st_mtime - seconds
        os.utime(path, (then, then))

    return Place(make, lambda: asyncio.to_thread(names), age)


def bucket(server: S3Server, root: Path) -> Place:
    address = server.fresh_bucket()

    async def make() -> BlobStore:
        return S3Blobs(Bucket(parse_s3(address)), root / secrets.token_hex(8))

    def names() -> list[str]:
        local = [str(each) for each in root.rglob("*") if each.is_file()]
        return local + [key for key in server.keys(address) if key != "clock" and not key.endswith("/lock")]

    async def age(org_id: int, sha256: str, seconds: int) -> None:
        server.age(address, f"{org_id}/{sha256[:2]}/{sha256}", seconds)

    return Place(make, lambda: asyncio.to_thread(names), age)


@pytest.fixture(scope="module")
def s3() -> Iterator[S3Server]:
    with s3_server() as server:
        yield server


@pytest.fixture(params=["folder", "shared", "s3"])
async def place(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Place]:
    if request.param == "s3":
        found = bucket(request.getfixturevalue("s3"), tmp_path)
    else:
        found = folder(tmp_path / "blobs", shared=request.param == "shared")
    async with found.stack:
        yield found


@pytest.fixture
async def blobs(place: Place) -> BlobStore:
    return await place.node()


def name_of(sha256: str, org_id: int = 1) -> str:
    return f"{org_id}/{sha256[:2]}/{sha256}"


async def read(store: BlobStore, sha256: str, org_id: int = 1) -> bytes:
    async with store.open(org_id, sha256) as opened:
        return b"".join([piece async for piece in opened.pieces(0, opened.size)])


async def is_there(store: BlobStore, sha256: str, org_id: int = 1) -> bool:
    try:
        async with store.open(org_id, sha256):
            return True
    except FileNotFoundError:
        return False


async def keep(store: BlobStore, data: bytes, org_id: int = 1) -> Blob:
    incoming = store.receive()
    for at in range(0, len(data), 64_000):
        await incoming.write(data[at : at + 64_000])
    return await store.keep(org_id, incoming)


# ---------------------------------------------------------------------------------------------------- whole blobs


@pytest.mark.parametrize("size", [0, 1, 262_144, 700_000, 3_000_001])
async def test_bytes_come_back_at_every_node(place: Place, size: int) -> None:
    data = os.urandom(size)
    blob = await keep(await place.node(), data)
    assert blob == Blob(hashlib.sha256(data).hexdigest(), size)
    other = await place.node()
    assert await read(other, blob.sha256) == data
    async with other.local(1, blob.sha256) as path:
        assert path.read_bytes() == data
    async with other.open(1, blob.sha256) as opened:
        assert opened.size == size
        for first, length in ((0, 1), (1, 0), (size // 2, 262_145), (max(size - 3, 0), 3)):
            assert b"".join([each async for each in opened.pieces(first, length)]) == data[first : first + length]
    assert await place.names() == [name_of(blob.sha256)]


async def test_the_same_bytes_at_once_are_one_blob(place: Place) -> None:
    nodes = [await place.node(), await place.node()]
    kept = await asyncio.gather(*(keep(nodes[each % 2], DATA) for each in range(8)), nodes[0].keep_bytes(1, DATA))
    assert set(kept) == {Blob(SHA256, len(DATA))}
    assert await place.names() == [name_of(SHA256)]
    assert await read(nodes[1], SHA256) == DATA


async def test_an_organization_never_gets_at_anothers_bytes_by_their_hash(blobs: BlobStore, place: Place) -> None:
    await keep(blobs, DATA, 1)
    assert not await is_there(blobs, SHA256, 2)
    with pytest.raises(FileNotFoundError):
        async with blobs.local(2, SHA256):
            pass
    await keep(blobs, DATA, 2)
    await blobs.delete(1, SHA256)
    assert not await is_there(blobs, SHA256, 1)
    assert await read(blobs, SHA256, 2) == DATA
    assert await place.names() == [name_of(SHA256, 2)]


async def test_deleting_what_is_missing_is_fine(blobs: BlobStore) -> None:
    await blobs.delete(1, SHA256)
    await keep(blobs, DATA)
    for _ in range(2):
        await blobs.delete(1, SHA256)
    assert not await is_there(blobs, SHA256)


@pytest.mark.parametrize(
    "name", ["", "../../../../etc/passwd", "A" * 64, "a" * 63, "a" * 64 + "\n", "a" * 32 + "/" * 32]
)
async def test_what_is_no_hash_is_refused(blobs: BlobStore, name: str) -> None:
    for context in (blobs.open, blobs.local):
        with pytest.raises(ValueError, match="SHA-256"):
            async with context(1, name):
                pass
    with pytest.raises(ValueError, match="SHA-256"):
        await blobs.delete(1, name)


@pytest.mark.parametrize("name", ["", "../../../../etc/passwd", "A" * 26, "a" * 15, "a" * 26 + "\n", "a" * 65])
async def test_what_is_no_id_is_refused(blobs: BlobStore, name: str) -> None:
    with pytest.raises(ValueError, match="upload"):
        async with blobs.unfinished(name):
            pass


async def test_what_was_discarded_leaves_nothing(blobs: BlobStore, place: Place) -> None:
    incoming = blobs.receive()
    await incoming.write(DATA)
    await incoming.flush()
    assert incoming.path.read_bytes() == DATA
    for _ in range(2):
        await incoming.discard()
    with pytest.raises(ValueError, match="kept or discarded"):
        await blobs.keep(1, incoming)
    kept = blobs.receive()
    await kept.write(DATA)
    await blobs.keep(1, kept)
    assert not kept.path.exists()
    await kept.discard()
    assert await place.names() == [name_of(SHA256)]


# ------------------------------------------------------------------------------------------------------- sweeping


async def test_only_what_is_old_is_a_candidate_and_is_removed(place: Place) -> None:
    keeper = await place.node()
    old, young, other = [await keep(keeper, b"%d" % each, org_id) for each, org_id in ((1, 1), (2, 1), (3, 2))]
    await place.age(1, old.sha256, 2 * HOUR)
    await place.age(1, young.sha256, HOUR - 60)
    await place.age(2, other.sha256, HOUR + 60)
    sweeper = await place.node()
    found = [(org_id, name) async for org_id, names in sweeper.old() for name in names]
    assert sorted(found) == sorted([(1, old.sha256), (2, other.sha256)])
    assert await sweeper.remove_old(1, [old.sha256, young.sha256, SHA256]) == 1
    assert not await is_there(keeper, old.sha256)
    assert await is_there(keeper, young.sha256)
    assert await is_there(keeper, other.sha256, 2)


async def test_what_is_kept_again_is_young_again(place: Place) -> None:
    keeper, sweeper = await place.node(), await place.node()
    await keep(keeper, DATA)
    await place.age(1, SHA256, 2 * HOUR)
    listed = [names async for _, names in sweeper.old()]
    await keep(await place.node(), DATA)
    assert listed == [[SHA256]]
    assert await sweeper.remove_old(1, [SHA256]) == 0
    assert await is_there(keeper, SHA256)


async def test_bytes_that_are_kept_while_they_are_removed_are_there_afterwards(place: Place) -> None:
    keeper, sweeper = await place.node(), await place.node()
    outcomes = set()
    for each in range(12):
        data = b"raced %d" % each
        sha256 = (await keep(keeper, data)).sha256
        await place.age(1, sha256, 2 * HOUR)
        again = await place.node()
        removed, *_ = await asyncio.gather(sweeper.remove_old(1, [sha256]), again.keep_bytes(1, data))
        outcomes.add(removed)
        assert await read(keeper, sha256) == data


# --------------------------------------------------------------------------------------------- uploads in parts


async def test_an_upload_in_parts_goes_on_at_another_node(place: Place) -> None:
    data = os.urandom(20_000_000)
    at = 0
    for take in (1, 5_000_000, 3_388_608, 1_000_000, len(data)):
        node = await place.node()
        async with node.unfinished(UPLOAD) as part:
            assert part.size == at
            piece = data[at : at + take]
            for first in range(0, len(piece), 100_000):
                await part.write(piece[first : first + 100_000])
            await part.flush()
            at += len(piece)
            assert part.size == at
    other = await place.node()
    async with other.unfinished(UPLOAD) as part:
        blob = await part.keep(7)
    assert blob == Blob(hashlib.sha256(data).hexdigest(), len(data))
    assert await read(other, blob.sha256, 7) == data
    # killed before the commit of its row: nothing is lost, and it becomes the same blob
    async with (await place.node()).unfinished(UPLOAD) as part:
        assert part.size == len(data)
        assert await part.keep(7) == blob
        await part.discard()
    assert await place.names() == [name_of(blob.sha256, 7)]
    assert await read(other, blob.sha256, 7) == data


async def test_what_was_not_flushed_is_not_there_and_what_was_is(place: Place) -> None:
    first, second = await place.node(), await place.node()
    async with first.unfinished(UPLOAD) as part:
        await part.write(b"a" * 300_000)
    async with second.unfinished(UPLOAD) as part:
        assert part.size == 0
        await part.write(b"a" * 300_000)
        await part.flush()
        await part.write(b"b" * 9_000_000)
    async with first.unfinished(UPLOAD) as part:
        assert part.size == 300_000
        await part.write(b"c" * 300_000)
        blob = await part.keep(1)
        await part.discard()
    assert await read(first, blob.sha256) == b"a" * 300_000 + b"c" * 300_000
    assert await place.names() == [name_of(blob.sha256)]


async def test_a_wrong_piece_is_cut_off(place: Place) -> None:
    node = await place.node()
    async with node.unfinished(UPLOAD) as part:
        await part.write(b"a" * 10)
        await part.flush()
        await part.write(b"x" * 9_000_000)
        await part.flush()
        await part.cut(10)
        assert part.size == 10
        await part.write(b"b" * 5)
        await part.flush()
    async with (await place.node()).unfinished(UPLOAD) as part:
        assert part.size == 15
        with pytest.raises(ValueError, match="cut"):
            await part.cut(14)
    async with node.unfinished(UPLOAD) as part:
        assert (await part.keep(1)).sha256 == hashlib.sha256(b"a" * 10 + b"b" * 5).hexdigest()


async def test_one_holds_an_upload_at_a_time(place: Place) -> None:
    first, second = await place.node(), await place.node()
    async with first.unfinished(UPLOAD) as part:
        await part.write(b"mine")
        await part.flush()
        for node in (first, second):
            with pytest.raises(Problem) as problem:
                async with node.unfinished(UPLOAD):
                    pass
            assert problem.value.fault.code == 8006
        async with second.unfinished("another0upload0here"):
            pass
    async with second.unfinished(UPLOAD) as part:
        assert part.size == 4
        await part.discard()
        with pytest.raises(ValueError, match="discarded"):
            await part.write(b"more")
    assert await place.names() == []


async def test_a_turn_that_is_cancelled_gives_the_upload_free(place: Place) -> None:
    node, other = await place.node(), await place.node()
    safe = 0

    async def turn() -> None:
        nonlocal safe
        async with node.unfinished(UPLOAD) as part:
            while True:
                await part.write(os.urandom(300_000))
                await part.flush()
                safe = part.size

    for each in range(10):
        task = asyncio.create_task(turn())
        await asyncio.wait([task], timeout=0.01 * each)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with other.unfinished(UPLOAD) as part:
            assert part.size >= safe
            safe = part.size


async def test_a_kept_upload_takes_no_more(place: Place) -> None:
    node = await place.node()
    async with node.unfinished(UPLOAD) as part:
        await part.write(DATA)
        await part.keep(1)
        with pytest.raises(ValueError, match="blob"):
            await part.write(b"x")
    assert await read(node, SHA256) == DATA


async def test_an_upload_nobody_goes_on_with_is_told_after_an_hour(place: Place) -> None:
    node = await place.node()
    async with node.unfinished(UPLOAD) as part:
        await part.write(b"a")
        await part.flush()
    assert await node.unfinished_old() == []
