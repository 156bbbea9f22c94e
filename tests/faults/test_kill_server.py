"""kill -9 on the whole server during mixed traffic, twenty times on one data folder.

Three people write, read, react and edit over WebSockets, and send photos over HTTP; the process dies at a moment that
chance chooses; it starts again; what was acknowledged is there, once, in order, and the photos open.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.faults.served import Server, photo, whole_room
from tests.support.peer import Closed, Peer, text

CYCLES = 20


class Writer:
    """One person's traffic and what was promised to them. An unanswered send is sent again after the restart."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.next = 0
        self.promised: dict[int, tuple[int, str]] = {}
        self.photos: list[str] = []

    async def write(self, server: Server) -> None:
        peer = await Peer.live(server.port, server.tokens[self.number])
        try:
            while True:
                n = self.next
                ack = await self.done(
                    peer, "send",
                    room=server.room, client_msg_id=f"w{self.number}-{n:07d}", blocks=text(f"{self.number}/{n}"),
                )  # fmt: skip
                self.promised[n] = (ack["seq"], ack["id"])
                self.next = n + 1
                await self.done(peer, "read", room=server.room, upto=ack["seq"])
                if n % 3 == 0:
                    await self.done(peer, "react", message=ack["id"], key="承知しました", on=True)
                if n % 4 == 0:
                    await self.done(peer, "edit", message=ack["id"], version=1, blocks=text(f"{self.number}/{n} 訂正"))
        finally:
            await peer.close()

    async def done(self, peer: Peer, op: str, **fields: Any) -> dict[str, Any]:
        """The command's ack. A fast machine outruns a person's rate: then wait as long as the server says, again."""
        while True:
            answer = await peer.ask(op, **fields)
            if answer["op"] == "ack":
                return answer
            assert answer["name"] == "rate_limited", answer
            await asyncio.sleep(answer["params"]["retry_after"])

    async def send_photos(self, server: Server) -> None:
        async with server.http(self.number) as http:
            while True:
                answer = await http.post("/api/photos?name=a.jpg", content=photo(self.number * 60))
                assert answer.status_code < 300, answer.text
                self.photos.append(answer.json()["id"])


async def traffic_until_killed(server: Server, writers: list[Writer], seconds: float) -> None:
    """All at once; ends with the process."""
    jobs = [asyncio.create_task(writer.write(server)) for writer in writers]
    jobs.append(asyncio.create_task(writers[0].send_photos(server)))
    done, _ = await asyncio.wait(jobs, timeout=seconds, return_when=asyncio.FIRST_EXCEPTION)
    for job in done:
        job.result()  # nothing may fail before the kill
    await server.kill()
    for job in jobs:
        with contextlib.suppress(Closed, OSError, httpx2.HTTPError, asyncio.CancelledError):
            async with asyncio.timeout(10):
                await job


def check(messages: list[dict[str, Any]], writers: list[Writer]) -> None:
    stored: dict[tuple[int, int], tuple[int, str]] = {}
    for message in messages:
        number, n = message["text"].split(" ")[0].split("/")
        key = (int(number), int(n))
        assert key not in stored, f"{key} is there twice"
        stored[key] = (message["seq"], message["id"])
    assert [m["ordinal"] for m in messages] == list(range(1, len(messages) + 1))
    for writer in writers:
        for n, promise in writer.promised.items():
            assert stored.get((writer.number, n)) == promise
        mine = [n for number, n in stored if number == writer.number]
        assert mine == list(range(len(mine))), "lost, doubled or reordered"


async def photos_open(server: Server, writer: Writer) -> None:
    """Every photo that was answered for has its bytes."""
    async with server.http(writer.number) as http:
        for first in range(0, len(writer.photos), 100):
            ids = writer.photos[first : first + 100]
            answer = await http.post("/api/attachments/addresses", json={"ids": ids})
            items = answer.json()["items"]
            assert [item["id"] for item in items] == ids
            for item in items[:3]:
                assert (await http.get(item["addresses"]["thumbnail"])).status_code == 200


@pytest.mark.timeout(300)
async def test_killed_in_the_middle_of_everything(tmp_path: Path) -> None:
    chance = random.Random(20)
    server, writers = Server(tmp_path / "data"), [Writer(number) for number in range(3)]
    await server.prepare()
    for _ in range(CYCLES):
        await server.start()
        if writers[0].promised:
            check(await whole_room(server), writers)
        await traffic_until_killed(server, writers, chance.uniform(0.2, 1.0))
    await server.start()
    try:
        check(await whole_room(server), writers)
        await photos_open(server, writers[0])
        assert sum(len(writer.promised) for writer in writers) > CYCLES * 3
        assert writers[0].photos
    finally:
        await server.kill()
