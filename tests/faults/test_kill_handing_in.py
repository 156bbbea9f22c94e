"""kill -9 while somebody outside hands in a file: what they were told is safe is there, and the receipt is of what they sent."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import random
import time
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.faults.test_kill_uploads import TUS
from tests.support.served import Server

SIZE = 6 << 20
KILLS = 4


@pytest.mark.timeout(180)
async def test_a_visit_goes_on_after_every_kill(tmp_path: Path) -> None:
    """Pieces of any length, killed at a moment that chance chooses; also in the last one, which seals the file."""
    chance = random.Random(11)
    data = os.urandom(SIZE)
    server = Server(tmp_path)
    await server.prepare()
    await server.start()
    try:
        visit = await begun(server)
        more = {**TUS, "Upload-Length": str(SIZE)}
        file = (await ask(server, visit, "POST", "/api/visit/files", headers=more)).headers["location"]
        told, kills, in_last = 0, 0, False
        line: dict[str, Any] = {"state": "coming"}
        while line["state"] == "coming":
            piece = data[told : told + chance.randint(SIZE // 8, SIZE // (KILLS + 1))]
            headers = {**TUS, "Upload-Offset": str(told)}
            sending = asyncio.create_task(ask(server, visit, "PATCH", file, headers=headers, content=piece))
            last = told + len(piece) == SIZE
            if kills < KILLS or (last and not in_last):
                in_last = in_last or last
                await asyncio.wait([sending], timeout=chance.uniform(0.0, 0.12))
                await server.kill()
                kills += 1
            with contextlib.suppress(httpx2.HTTPError):
                told = max(told, int((await sending).headers.get("upload-offset", 0)))
            if server.process.returncode is not None:
                await server.start()
            offset = int((await ask(server, visit, "HEAD", file, headers=TUS)).headers["upload-offset"])
            assert offset >= told, "told to be safe, and gone"
            told = offset
            [line] = (await ask(server, visit, "GET", "/api/visit")).json()["files"]
        assert kills >= KILLS
        assert in_last
        assert line["sha256"] == hashlib.sha256(data).hexdigest()
        for _ in range(2):
            delivered = (await ask(server, visit, "POST", "/api/visit/delivery")).json()
            assert [one["id"] for one in delivered["files"]] == [line["id"]]
    finally:
        if server.process.returncode is None:
            await server.kill()


async def begun(server: Server) -> str:
    """The token of a visit by a new link."""
    async with server.http(0) as http:
        ends = int(time.time() * 1000) + 3_600_000
        wanted = {"recipient": "青葉 一郎", "purpose": "写真", "ends": ends}
        link = (await http.post(f"/api/rooms/{server.room}/upload-links", json=wanted)).json()
        token = (await http.post(f"/api/upload-links/{link['id']}/address")).json()["token"]
    answer = await ask(server, token, "POST", "/api/link/visits", scheme="Link", json={})
    return str(answer.json()["visit"])


async def ask(
    server: Server, token: str, method: str, path: str, *, scheme: str = "Visit", **request: Any
) -> httpx2.Response:
    headers = {"Authorization": f"{scheme} {token}", **request.pop("headers", {})}
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{server.port}", trust_env=False, timeout=30) as client:
        return await client.request(method, path, headers=headers, **request)
