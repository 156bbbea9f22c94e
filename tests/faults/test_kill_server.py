"""kill -9 on the whole server during mixed traffic, twenty times on one data folder; on both engines.

Three people write, read, react and edit over WebSockets, and send photos over HTTP; the process dies at a moment that
chance chooses; it starts again; what was acknowledged is there, once, in order, in the stream from its first event on
and in the pages alike, and the photos open.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.support.engines import POSTGRESQL, SQLITE
from tests.support.patience import DEADLINE
from tests.support.peer import Closed, Peer, text
from tests.support.served import Server, photo, whole_room, whole_stream

BOTH_ENGINES = True
CYCLES = {SQLITE: 20, POSTGRESQL: 5}
"""What differs between the engines is tried with PostgreSQL itself killed: test_postgresql.py."""
REACTION = "承知しました"
Wire = dict[str, Any]


class Writer:
    """One person's traffic and what was promised to them. An unanswered send is sent again after the restart."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.next = 0
        self.promised: dict[int, Wire] = {}
        """by number of the message: the ack"""
        self.reacted: dict[int, Wire] = {}
        self.edited: dict[int, Wire] = {}
        self.read = 0
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
                self.promised[n] = ack
                self.next = n + 1
                self.read = (await self.done(peer, "read", room=server.room, upto=ack["seq"]))["upto"]
                if n % 3 == 0:
                    self.reacted[n] = await self.done(peer, "react", message=ack["id"], key=REACTION, on=True)
                if n % 4 == 0:
                    new = text(f"{self.number}/{n} 訂正")
                    self.edited[n] = await self.done(peer, "edit", message=ack["id"], version=1, blocks=new)
        finally:
            await peer.close()

    async def done(self, peer: Peer, op: str, **fields: Any) -> Wire:
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
                answer = await http.post("/api/photos?name=a.jpg", content=photo(len(self.photos) % 256))
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
            async with asyncio.timeout(DEADLINE):
                await job


async def check(server: Server, writers: list[Writer]) -> None:
    """Everything that was ever promised, held against what the server says now."""
    messages, events = await whole_room(server), await whole_stream(server)
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1)), "the stream has holes"
    assert [event["message"] for event in events if event["kind"] == "message"] == messages
    assert [message["ordinal"] for message in messages] == list(range(1, len(messages) + 1))
    stored: dict[tuple[int, int], Wire] = {}
    for message in messages:
        number, n = map(int, message["text"].split(" ")[0].split("/"))
        assert (number, n) not in stored, f"{number}/{n} is there twice"
        stored[number, n] = message
    for writer in writers:
        mine = [n for number, n in stored if number == writer.number]
        assert mine == list(range(len(mine))), "lost, doubled or reordered"
        for n in mine:
            check_message(server, writer, n, stored[writer.number, n], events)
        async with server.http(writer.number) as http:
            room = (await http.get(f"/api/rooms/{server.room}")).json()
        assert writer.read <= room["read"] <= room["head"] == len(events)
    assert all(writer.promised.keys() <= {n for number, n in stored if number == writer.number} for writer in writers)


def check_message(server: Server, writer: Writer, n: int, message: Wire, events: list[Wire]) -> None:
    """What was acknowledged is there, at the place that the ack named; what was not is there once or never."""
    if n in writer.promised:
        assert (message["seq"], message["id"]) == (writer.promised[n]["seq"], writer.promised[n]["id"])
    if n in writer.reacted:
        event = promised_event(writer.reacted[n], events)
        assert (event["kind"], event["id"], event["key"]) == ("reaction", message["id"], REACTION)
    me = server.people[writer.number]
    reaction = {"key": REACTION, "count": 1, "users": [me]}
    assert message.get("reactions", []) in ([[reaction]] if n in writer.reacted else [[reaction], []])
    if n in writer.edited:
        event = promised_event(writer.edited[n], events)
        assert (event["kind"], event["target"]) == ("edit", message["seq"])
    now = (message["version"], message["text"])
    before, after = (1, f"{writer.number}/{n}"), (2, f"{writer.number}/{n} 訂正")
    assert now in ([after] if n in writer.edited else [before, after])


def promised_event(ack: Wire, events: list[Wire]) -> Wire:
    seq: int = ack["seq"]
    assert seq <= len(events), f"acknowledged as {ack}, and the stream ends with {len(events)}"
    return events[seq - 1]


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
async def test_killed_in_the_middle_of_everything(engine: str, tmp_path: Path) -> None:
    chance = random.Random(20)
    server, writers = Server(tmp_path / "data"), [Writer(number) for number in range(3)]
    await server.prepare()
    try:
        for _ in range(CYCLES[engine]):
            await server.start()
            await check(server, writers)
            await traffic_until_killed(server, writers, chance.uniform(0.2, 1.0))
        await server.start()
        await check(server, writers)
        await photos_open(server, writers[0])
        assert sum(len(writer.promised) for writer in writers) > CYCLES[engine] * 3
        assert all(writer.reacted and writer.edited and writer.read for writer in writers)
        assert writers[0].photos
        for left in (server.folder / "scratch", server.folder / "blobs" / "incoming"):
            assert list(left.iterdir()) == [], "what the kills left half done is gone after the start"
    finally:
        if server.process.returncode is None:
            await server.kill()
