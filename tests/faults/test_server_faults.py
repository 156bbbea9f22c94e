"""The whole server and its lines: an orderly stop, a dead line, a clock that is wrong."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sqlite3
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from chat_server.domain import closing, limits
from tests.support.cutting_proxy import CuttingProxy
from tests.support.patience import DEADLINE
from tests.support.peer import Peer, text
from tests.support.served import Server, whole_room
from tests.support.server import running_server
from tests.support.world import World

BURST = 50


async def test_a_stop_answers_what_it_accepted_and_sends_everybody_back(tmp_path: Path) -> None:
    """SIGTERM while a burst waits for the disk: every command of it has exactly one answer, then 4000; every ack is
    kept; what comes later is told to come back; exit status 0."""
    server = Server(tmp_path / "data")
    await server.prepare()
    await server.start()
    writer, bystander = [await Peer.live(server.port, token) for token in server.tokens[:2]]
    with a_busy_disk(server):
        refs = [
            await writer.send_command("send", room=server.room, client_msg_id=f"burst-{n:04d}", blocks=text(f"0/{n}"))
            for n in range(BURST)
        ]
        # Commands are taken in their order, and a ping waits for no disk: all before it have been accepted now.
        await writer.ask("ping")
        assert not answers(writer, refs), "nothing was committed yet"
        server.process.send_signal(signal.SIGTERM)
        await nobody_listens(server.port)
        late = await writer.ask("send", room=server.room, client_msg_id="late-0001", blocks=text("late"))
        assert late["code"] == 8004
    assert await writer.closed() == closing.RESTARTING
    assert await bystander.closed() == closing.RESTARTING
    assert await server.process.wait() == 0
    given = answers(writer, refs)
    assert [wire["ref"] for wire in given] == refs, "one answer each, in order, before the close"
    acked = {wire["id"] for wire in given if wire["op"] == "ack"}
    # On a machine that holds this test up for two seconds, the wait for the disk has come to its bound.
    assert all(wire["code"] == 8001 for wire in given if wire["op"] == "error")
    await server.process.communicate()

    await server.start()
    try:
        assert {message["id"] for message in await whole_room(server)} == acked
        again = await Peer.live(server.port, server.tokens[0])
        for n in range(BURST):
            await again.ask("send", room=server.room, client_msg_id=f"burst-{n:04d}", blocks=text(f"0/{n}"))
        await again.close()
        assert len(await whole_room(server)) == BURST
    finally:
        await server.kill()


@contextlib.contextmanager
def a_busy_disk(server: Server) -> Iterator[None]:
    """Nothing can be committed until the end of the block: another program holds the database."""
    other = sqlite3.connect(server.folder / "renraku.db", isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")
    finally:
        other.close()


async def nobody_listens(port: int) -> None:
    """Until the server takes no more connections: it closes its listeners as it begins to stop."""
    with contextlib.suppress(ConnectionRefusedError):
        async with asyncio.timeout(DEADLINE):
            while True:
                _, peer = await asyncio.open_connection("127.0.0.1", port)
                peer.close()
                await asyncio.sleep(0.01)


def answers(peer: Peer, refs: list[int]) -> list[dict[str, Any]]:
    """What was answered to these commands, as it came."""
    return [wire for wire in peer.heard if wire.get("ref") in refs]


@pytest.mark.timeout(120)
async def test_a_dead_line_is_found_within_a_minute(tmp_path: Path) -> None:
    """The peer is gone without a word: nothing arrives, nothing is refused."""
    async with running_server(tmp_path) as server:
        world = World(server)
        person = await world.person(await world.organization("midorino", "みどり野市"))
        async with CuttingProxy("127.0.0.1", server.ports["lgwan"]) as proxy:
            # Without the client's own heartbeat, which would notice first.
            await Peer.live(proxy.port, person.token)
            connections = server.app.hub.users[person.actor.user_id]
            proxy.stall()
            began = time.monotonic()
            while connections:
                await asyncio.sleep(0.25)
                assert time.monotonic() - began < 60, "the dead line is still held"


async def test_a_log_whose_reader_is_gone_costs_its_lines_and_nothing_else(tmp_path: Path) -> None:
    """A collector that died: requests are answered, and a stop is a stop. (It ended the stop half-way, and the process stayed.)"""
    reading, writing = os.pipe()
    environment = os.environ | {"RENRAKU_DATA": str(tmp_path / "data"), "RENRAKU_PORT": "0"}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "chat_server", "serve", env=environment, stdout=asyncio.subprocess.PIPE, stderr=writing
    )
    os.close(writing)
    os.close(reading)
    try:
        assert process.stdout is not None
        async with asyncio.timeout(60):
            ready = (await process.stdout.readline()).decode()
            async with httpx2.AsyncClient(base_url=ready.split(" ")[3], trust_env=False, timeout=DEADLINE) as http:
                assert (await http.get("/api/me")).status_code == 401
            process.send_signal(signal.SIGTERM)
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()


async def test_the_order_is_that_of_seq_whatever_the_clock_says(tmp_path: Path) -> None:
    """A clock set back a day between two messages changes neither their order nor anybody's unread count."""
    async with running_server(tmp_path) as server:
        world = World(server)
        org = await world.organization("midorino", "みどり野市")
        writer, reader = await world.person(org), await world.person(org)
        room = await world.room(writer, reader)
        first = await world.post(writer, room)
        server.clock.ahead = -limits.DAY
        second = await world.post(writer, room)
        server.clock.ahead = limits.DAY
        third = await world.post(writer, room)
        server.clock.ahead = 0
        assert first.seq is not None
        assert [second.seq, third.seq] == [first.seq + 1, first.seq + 2]
        async with server.client(reader.token) as http:
            page = (await http.get(f"/api/rooms/{room}/messages")).json()
            listed = (await http.get(f"/api/rooms/{room}")).json()
        assert [message["id"] for message in page["messages"]] == [first.id, second.id, third.id]
        assert listed["unread"] == 3
