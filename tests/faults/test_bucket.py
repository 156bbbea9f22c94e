"""A bucket that refuses, hangs, loses answers: tried again, then 8007 with a time, and the server goes on (fault table)."""

from __future__ import annotations

import asyncio
import hashlib
import os
import secrets
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from chat_server.blobs.address import parse_s3
from chat_server.blobs.bucket import PART, Bucket
from chat_server.blobs.s3 import S3Blobs
from chat_server.blobs.s3_lease import Lease
from chat_server.domain.errors import Problem
from chat_server.fuse import Fuse
from tests.contract.test_blobs import is_there, keep, read
from tests.support.patience import DEADLINE
from tests.support.s3_server import S3Server, s3_server

UPLOAD = "0123456789abcdef0123456789"
DATA = os.urandom(300_000)
SHA256 = hashlib.sha256(DATA).hexdigest()
LARGE = os.urandom(3 * PART + 5)
STEPS = 8
"""begin, four parts, complete, and the two looks afterwards"""


@pytest.fixture(scope="module")
def s3() -> Iterator[S3Server]:
    with s3_server() as server:
        yield server


@dataclass
class House:
    server: S3Server
    address: str
    folder: Path
    fuse: Fuse
    blobs: S3Blobs

    def node(self) -> S3Blobs:
        return S3Blobs(Bucket(parse_s3(self.address)), self.folder / secrets.token_hex(4), self.fuse)

    def locals(self) -> list[Path]:
        return [path for path in self.folder.rglob("*") if path.is_file()]


@pytest.fixture
async def house(s3: S3Server, tmp_path: Path) -> AsyncIterator[House]:
    address = s3.fresh_bucket(timeout="3")
    fuse = Fuse()
    blobs = S3Blobs(Bucket(parse_s3(address)), tmp_path / "own", fuse)
    yield House(s3, address, tmp_path, fuse, blobs)
    s3.door("fail", times=0)
    s3.door("lose", times=0, method="")
    s3.door("hang", seconds=0)
    await blobs.close()


@pytest.mark.parametrize("status", [500, 502, 503])
async def test_a_few_refusals_are_tried_again(house: House, status: int) -> None:
    house.server.door("fail", times=2, status=status)
    assert (await keep(house.blobs, DATA)).sha256 == SHA256
    house.server.door("fail", times=2, status=status)
    assert await read(house.blobs, SHA256) == DATA


@pytest.mark.parametrize("status", [403, 500])
async def test_a_bucket_that_goes_on_refusing_is_busy_and_leaves_nothing(house: House, status: int) -> None:
    await keep(house.blobs, b"before")
    house.server.door("fail", times=1000, status=status)
    for step in (lambda: keep(house.blobs, DATA), lambda: keep(house.blobs, LARGE), lambda: read(house.blobs, SHA256)):
        with pytest.raises(Problem) as problem:
            await step()
        assert (problem.value.fault.code, problem.value.params) == (8007, {"retry_after": 5})
    assert not house.fuse.blown
    assert house.locals() == []
    house.server.door("fail", times=0)
    assert len(house.server.keys(house.address)) == 1
    assert await read(house.blobs, hashlib.sha256(b"before").hexdigest()) == b"before"
    assert (await keep(house.blobs, LARGE)).size == len(LARGE)


async def test_a_bucket_that_does_not_answer_is_given_up_in_time(house: House) -> None:
    house.server.door("hang", seconds=8)
    began = time.monotonic()
    with pytest.raises(Problem) as problem:
        await keep(house.blobs, DATA)
    assert problem.value.fault.code == 8007
    assert time.monotonic() - began < DEADLINE / 2
    assert not house.fuse.blown


async def test_nobody_listens(house: House) -> None:
    nowhere = S3Blobs(
        Bucket(parse_s3("s3://key:secret@bucket?endpoint=http://127.0.0.1:1&timeout=2")), house.folder / "n"
    )
    with pytest.raises(Problem) as problem:
        await keep(nowhere, DATA)
    assert problem.value.fault.code == 8007
    assert "secret" not in str(problem.value.as_dict())
    await nowhere.close()


@pytest.mark.parametrize("skip", range(STEPS + 1))
async def test_a_large_file_is_whole_or_not_there_wherever_it_breaks(house: House, skip: int) -> None:
    house.server.door("fail", times=1000, status=403, skip=skip)
    name = hashlib.sha256(LARGE).hexdigest()
    (outcome,) = await asyncio.gather(keep(house.blobs, LARGE), return_exceptions=True)
    house.server.door("fail", times=0)
    if isinstance(outcome, BaseException):
        assert isinstance(outcome, Problem)
        assert outcome.fault.code == 8007
    if not isinstance(outcome, BaseException) or await is_there(house.blobs, name):
        assert await read(house.blobs, name) == LARGE
    assert isinstance(outcome, BaseException) == (skip < STEPS)


async def test_bytes_that_change_on_their_way_are_not_kept(house: House) -> None:
    incoming = house.blobs.receive()
    await incoming.write(LARGE)
    await incoming.flush()
    with incoming.path.open("r+b") as file:
        file.seek(PART + 1)
        file.write(b"damaged")
    with pytest.raises(OSError, match="changed"):
        await house.blobs.keep(1, incoming)
    assert house.server.keys(house.address) == []
    assert house.locals() == []


async def test_a_decoder_never_gets_other_bytes_than_those_kept(house: House) -> None:
    await keep(house.blobs, DATA)
    house.server.put(house.address, f"1/{SHA256[:2]}/{SHA256}", b"x" * len(DATA))
    with pytest.raises(OSError, match="not those"):
        async with house.blobs.local(1, SHA256):
            pass
    assert house.locals() == []


async def test_bytes_that_are_removed_while_they_are_sent_end_in_an_error(house: House) -> None:
    blob = await keep(house.blobs, LARGE)
    async with house.blobs.open(1, blob.sha256) as opened:
        pieces = opened.pieces(0, opened.size)
        assert LARGE.startswith(await anext(pieces))
        await house.blobs.delete(1, blob.sha256)
        with pytest.raises(FileNotFoundError):
            await anext(pieces)


# ------------------------------------------------------------------------------------------------- unfinished uploads


@pytest.mark.parametrize("method", ["PUT", "GET", "HEAD"])
async def test_answers_that_are_lost_lose_no_byte_and_no_lock(house: House, method: str) -> None:
    """Each request is done, and answered with an error once: the second try meets what the first one did."""
    for each in range(3):
        house.server.door("lose", times=1, method=method)
        async with house.blobs.unfinished(UPLOAD) as part:
            assert part.size == each * 100_000
            await part.write(DATA[each * 100_000 :][:100_000])
            house.server.door("lose", times=2, method=method)
            await part.flush()
    house.server.door("lose", times=1, method=method)
    async with house.node().unfinished(UPLOAD) as part:
        assert (await part.keep(1)).sha256 == SHA256
        house.server.door("lose", times=1, method=method)
        await part.discard()
    assert [key for key in house.server.keys(house.address) if key != "clock"] == [f"1/{SHA256[:2]}/{SHA256}"]


async def test_what_was_told_safe_outlives_a_bucket_that_is_away(house: House) -> None:
    async with house.blobs.unfinished(UPLOAD) as part:
        await part.write(DATA[:1000])
        await part.flush()
        await part.write(LARGE)
        house.server.door("fail", times=1000, status=403)
        with pytest.raises(Problem) as problem:
            await part.flush()
    assert problem.value.fault.code == 8007
    house.server.door("fail", times=0)
    async with house.blobs.unfinished(UPLOAD) as part:  # the same node goes on at once, others when the lease is over
        assert part.size == 1000
        house.server.door("fail", times=1000, status=403)
    house.server.door("fail", times=0)
    with pytest.raises(Problem) as problem:
        async with house.node().unfinished(UPLOAD):
            pass
    assert problem.value.fault.code == 8006
    house.server.age(house.address, f"unfinished/{UPLOAD}/lock", 61)
    async with house.node().unfinished(UPLOAD) as part:
        assert part.size == 1000
        await part.write(DATA[1000:])
        assert (await part.keep(1)).sha256 == SHA256


async def test_a_write_that_is_cancelled_spoils_no_hash(house: House) -> None:
    async with house.blobs.unfinished(UPLOAD) as part:
        await part.write(LARGE[:1000])
        house.server.door("hang", seconds=1)
        writing = asyncio.create_task(part.write(LARGE[1000 : PART + 5000]))
        await asyncio.sleep(0.1)
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing
        house.server.door("hang", seconds=0)
        await part.flush()
        at = part.size
        assert 1000 < at <= PART + 5000
        await part.write(LARGE[at:])
        assert (await part.keep(1)).sha256 == hashlib.sha256(LARGE).hexdigest()


async def test_a_holder_that_was_taken_over_tells_nothing_safe_any_more(house: House) -> None:
    async with house.blobs.unfinished(UPLOAD) as frozen:
        await frozen.write(b"a" * 1000)
        await frozen.flush()
        with pytest.raises(Problem) as problem:
            async with house.node().unfinished(UPLOAD):
                pass
        assert problem.value.fault.code == 8006
        house.server.age(house.address, f"unfinished/{UPLOAD}/lock", 61)
        async with house.node().unfinished(UPLOAD) as part:
            assert part.size == 1000
            await part.write(b"b" * 1000)
            await part.flush()
            await frozen.write(b"x" * 500)
            with pytest.raises(Problem) as problem:
                await frozen.flush()
            assert problem.value.fault.code == 8006
            await part.write(b"b" * 1000)
            await part.flush()
    async with house.node().unfinished(UPLOAD) as part:
        assert (await part.keep(1)).sha256 == hashlib.sha256(b"a" * 1000 + b"b" * 2000).hexdigest()


async def test_of_many_who_take_a_lock_at_once_one_has_it(house: House) -> None:
    bucket = Bucket(parse_s3(house.address))
    for _ in range(5):
        leases = [Lease(bucket, "unfinished/raced/lock", {}) for _ in range(8)]
        outcomes = await asyncio.gather(*(lease.take() for lease in leases), return_exceptions=True)
        assert [lease.held for lease in leases].count(True) == 1, outcomes
        assert all(outcome is None or isinstance(outcome, Problem) for outcome in outcomes)
        for lease in leases:
            await lease.give_up()


# ----------------------------------------------------------------------------------------------------------- sweeping


async def test_a_sweeper_that_was_killed_blocks_no_upload_for_long(house: House) -> None:
    await keep(house.blobs, DATA)
    house.server.age(house.address, f"1/{SHA256[:2]}/{SHA256}", 7200)
    house.server.put(house.address, f"doomed/1/{SHA256}", b"killed")
    assert await house.blobs.remove_old(1, [SHA256]) == 0
    house.server.age(house.address, f"doomed/1/{SHA256}", 590)
    await house.blobs.sweep(3_600_000)
    with pytest.raises(Problem) as problem:
        await keep(house.blobs, DATA)
    assert problem.value.fault.code == 8007
    house.server.age(house.address, f"doomed/1/{SHA256}", 20)
    await house.blobs.sweep(3_600_000)
    await keep(house.blobs, DATA)
    assert await read(house.blobs, SHA256) == DATA


async def test_keeping_and_removing_the_same_bytes_for_a_while(house: House) -> None:
    """Between any two steps of the one comes a step of the other, in the end."""
    keepers, sweeper = [house.node(), house.node()], house.node()
    removed = 0
    for each in range(25):
        await keep(keepers[0], DATA)
        house.server.age(house.address, f"1/{SHA256[:2]}/{SHA256}", 7200)

        async def late(steps: int) -> None:
            for _ in range(steps):
                await house.blobs._bucket.head("nothing")
            await keepers[1].keep_bytes(1, DATA)

        gone, _ = await asyncio.gather(sweeper.remove_old(1, [SHA256]), late(each % 6))
        removed += gone
        assert await read(house.blobs, SHA256) == DATA
    assert removed > 0
