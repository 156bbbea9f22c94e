"""Large bodies that pass the parser by: what stands before and behind them on the same line, and what comes in between."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from chat_server.http import direct_body, protocol
from tests.support.patience import DEADLINE
from tests.support.uploads import TUS, Scene, Sender

pytestmark = pytest.mark.asyncio(loop_scope="module")

MB = 1 << 20


class Line:
    """One connection of `scene.owner`, byte by byte."""

    def __init__(self, scene: Scene, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._token = scene.owner.token
        self._reader = reader
        self.writer = writer

    def patch(self, place: str, offset: int, length: int, *more: str) -> bytes:
        return self.request(
            "PATCH", place, f"Upload-Offset: {offset}", "Content-Type: application/offset+octet-stream",
            f"Content-Length: {length}", *more,
        )  # fmt: skip

    def request(self, method: str, place: str, *more: str) -> bytes:
        words = "Tus-Resumable: 1.0.0"
        lines = [
            f"{method} {place} HTTP/1.1",
            "Host: 127.0.0.1",
            f"Authorization: Bearer {self._token}",
            words,
            *more,
            "",
            "",
        ]
        return "\r\n".join(lines).encode()

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self) -> tuple[int, dict[str, str]]:
        async with asyncio.timeout(DEADLINE):
            head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            first, *lines = head.strip().split("\r\n")
            headers = dict(line.lower().split(": ", 1) for line in lines)
            await self._reader.readexactly(int(headers.get("content-length", 0)))
        return int(first.split()[1]), headers

    async def ended(self) -> bool:
        async with asyncio.timeout(DEADLINE):
            return await self._reader.read() == b""


@asynccontextmanager
async def line(scene: Scene) -> AsyncIterator[Line]:
    reader, writer = await asyncio.open_connection("127.0.0.1", scene.server.ports["lgwan"])
    try:
        yield Line(scene, reader, writer)
    finally:
        writer.close()


async def offset(sender: Sender, place: str) -> int:
    return int((await sender.client.head(place, headers=TUS)).headers["upload-offset"])


async def rested(scene: Scene, place: str) -> None:
    """Until no request brings bytes any more: whoever asks before that ends its receiving, with what is in memory."""
    uploading = scene.server.app.parts.uploading
    async with asyncio.timeout(DEADLINE):
        while uploading.receiving(place.rpartition("/")[2]):  # noqa: ASYNC110 (the server has no event for it)
            await asyncio.sleep(0.005)


async def overtaken(scene: Scene, sender: Sender, place: str) -> int:
    """End the request that brings bytes now, by asking; how many had come."""
    uploading = scene.server.app.parts.uploading
    async with asyncio.timeout(DEADLINE):
        while not uploading.receiving(place.rpartition("/")[2]):  # noqa: ASYNC110 (the server has no event for it)
            await asyncio.sleep(0.005)
    return await offset(sender, place)


async def stored(scene: Scene, sender: Sender, place: str) -> str:
    """The SHA-256 of what an upload became."""
    file = (await sender.client.get(place)).json()["attachment"]["id"]
    return hashlib.sha256((await scene.get(await scene.original(scene.owner, file))).content).hexdigest()


@pytest.mark.parametrize("size", [1, 65_537, MB - 1, MB, MB + 1, 5 * MB + 17])
async def test_the_next_request_begins_at_the_byte_behind_the_body(scene: Scene, sender: Sender, size: int) -> None:
    data, place = os.urandom(size), await sender.begin(size)
    async with line(scene) as one:
        await one.send(one.patch(place, 0, size) + data + one.request("HEAD", place) + one.request("HEAD", place))
        status, headers = await one.answer()
        assert (status, headers["upload-offset"]) == (204, str(size))
        for _ in range(2):
            status, headers = await one.answer()
            assert (status, headers["upload-offset"]) == (200, str(size))
    assert await stored(scene, sender, place) == hashlib.sha256(data).hexdigest()


async def test_bodies_one_behind_the_other_on_one_line(scene: Scene, sender: Sender) -> None:
    data, place = os.urandom(6 * MB), await sender.begin(6 * MB)
    async with line(scene) as one:
        for first in range(0, len(data), 2 * MB):
            await one.send(one.patch(place, first, 2 * MB) + data[first : first + 2 * MB])
            status, headers = await one.answer()
            assert (status, headers["upload-offset"]) == (204, str(first + 2 * MB))
    assert await stored(scene, sender, place) == hashlib.sha256(data).hexdigest()


async def test_what_is_refused_in_the_middle_is_dropped_and_the_line_goes_on(scene: Scene, sender: Sender) -> None:
    """The answer comes before the body has ended; what still comes is no request."""
    data, place = os.urandom(4 * MB), await sender.begin(4 * MB)
    async with line(scene) as one:
        await one.send(one.patch(place, 0, 4 * MB) + data[: 2 * MB])
        came = await overtaken(scene, sender, place)
        assert (await one.answer())[0] == 423
        await one.send(b"GET / HTTP/1.1\r\n\r\n".ljust(2 * MB, b"x") + one.request("HEAD", place))
        status, headers = await one.answer()
        assert (status, headers["upload-offset"]) == (200, str(came))
        await one.send(one.patch(place, came, 4 * MB - came) + data[came:])
        assert (await one.answer())[0] == 204
    assert await stored(scene, sender, place) == hashlib.sha256(data).hexdigest()


async def test_who_waits_to_be_asked_is_asked(scene: Scene, sender: Sender) -> None:
    place = await sender.begin(3 * MB)
    async with line(scene) as one:
        await one.send(one.patch(place, 0, 3 * MB, "Expect: 100-continue"))
        assert (await one.answer())[0] == 100
        await one.send(b"z" * (3 * MB))
        assert (await one.answer())[0] == 204


async def test_what_a_slow_line_brings_is_not_held_back(scene: Scene, sender: Sender) -> None:
    """Far less than a batch, again and again: all of it is the upload's before the line is given up."""
    place = await sender.begin(MB)
    async with line(scene) as one:
        await one.send(one.patch(place, 0, MB))
        for _ in range(3):
            await one.send(b"s" * 5000)
            await asyncio.sleep(2 * direct_body.LINGER_SECONDS)  # the line's own slowness
        came = await overtaken(scene, sender, place)
        assert came == 15_000


async def test_a_line_that_is_cut_in_the_middle(scene: Scene, sender: Sender) -> None:
    place = await sender.begin(4 * MB)
    async with line(scene) as one:
        await one.send(one.patch(place, 0, 4 * MB) + b"c" * (3 * MB + 100))
        one.writer.write_eof()
        assert await one.ended()
    await rested(scene, place)
    assert await offset(sender, place) == 3 * MB + 100


async def test_a_body_for_nobody_is_not_waited_for(
    scene: Scene, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Answered in the middle and then silent: the line is given up as any other."""
    monkeypatch.setattr(protocol, "REST_SECONDS", 0.2)
    place = await sender.begin(4 * MB)
    async with line(scene) as one:
        await one.send(one.patch(place, 0, 4 * MB) + b"x" * MB)
        await overtaken(scene, sender, place)
        assert (await one.answer())[0] == 423
        assert await one.ended()


async def test_a_body_that_nobody_takes_stays_with_its_sender(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two batches wait, and the one that is being filled; the rest waits in the sender's own memory."""
    monkeypatch.setattr(direct_body, "LINGER_SECONDS", 0)
    http = Door()
    body = direct_body.DirectBody(http, b"", 10 * MB)  # type: ignore[arg-type]
    while not http.paused:
        body.buffer_updated(len(body.get_buffer(0)))
    assert body._left == 8 * MB
    for _ in range(2):
        assert len((await body.receive())["body"]) == MB
    assert not http.paused


class Door:
    """What a body asks of its connection."""

    def __init__(self) -> None:
        self.flow = self
        self.loop = asyncio.get_running_loop()
        self.paused = False

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False
