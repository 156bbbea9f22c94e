"""kill -9 in the middle of an upload: what the client was told is safe is there, and the file is what it was."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
from collections.abc import AsyncGenerator
from pathlib import Path

import httpx2
import pytest

from tests.support.served import Server

SIZE = 24 << 20
TUS = {"Tus-Resumable": "1.0.0", "Content-Type": "application/offset+octet-stream"}


@pytest.mark.timeout(180)
async def test_what_was_told_to_be_safe_outlives_every_kill(tmp_path: Path) -> None:
    """Pieces of any length, killed at a moment that chance chooses; also in the last one, which makes the attachment."""
    chance = random.Random(7)
    data = os.urandom(SIZE)
    server = Server(tmp_path)
    await server.prepare()
    await server.start()
    try:
        async with server.http(0) as http:
            begun = await http.post("/api/uploads", headers={**TUS, "Upload-Length": str(SIZE)})
        place = begun.headers["location"]
        told = kills = 0
        attachment = None
        while attachment is None:
            sending = asyncio.create_task(send(server, place, data, told, chance.randint(1 << 20, 6 << 20)))
            if kills < 12:
                await asyncio.wait([sending], timeout=chance.uniform(0.0, 0.12))
                await server.kill()
                kills += 1
            with contextlib.suppress(httpx2.HTTPError):
                told = max(told, await sending)
            if server.process.returncode is not None:
                await server.start()
            async with server.http(0) as http:
                state = (await http.get(place)).json()
            assert state["offset"] >= told, "told to be safe, and gone"
            told = state["offset"]
            attachment = state["attachment"]
        assert kills == 12
        assert attachment["size"] == SIZE
        async with server.http(0) as http:
            again = (await http.get(place)).json()["attachment"]
            assert again["id"] == attachment["id"], "one attachment, however often it is asked"
            answer = await http.post("/api/attachments/addresses", json={"ids": [attachment["id"]]})
            fetched = await http.get(answer.json()["items"][0]["addresses"]["original"])
            assert fetched.content == data
    finally:
        if server.process.returncode is None:
            await server.kill()


async def send(server: Server, place: str, data: bytes, offset: int, length: int) -> int:
    """One PATCH; answers the offset that it was told."""

    async def pieces() -> AsyncGenerator[bytes, None]:
        for first in range(offset, min(offset + length, len(data)), 1 << 18):
            yield data[first : min(first + (1 << 18), offset + length)]
            await asyncio.sleep(0)

    async with server.http(0) as http:
        answer = await http.patch(place, content=pieces(), headers={**TUS, "Upload-Offset": str(offset)})
    return int(answer.headers["upload-offset"]) if answer.status_code == 204 else offset
