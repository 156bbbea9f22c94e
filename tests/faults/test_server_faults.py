"""The whole server and its lines: an orderly stop, a dead line, a clock that is wrong."""

from __future__ import annotations

import asyncio
import signal
import time
from pathlib import Path

import pytest

from chat_server.domain import closing, limits
from tests.faults.served import Server, whole_room
from tests.support.cutting_proxy import CuttingProxy
from tests.support.peer import Peer, text
from tests.support.server import running_server
from tests.support.world import World


async def test_a_stop_answers_what_it_accepted_and_sends_everybody_back(tmp_path: Path) -> None:
    """SIGTERM in the middle of a burst: every command has exactly one answer, every ack is kept, exit status 0."""
    server = Server(tmp_path / "data")
    await server.prepare()
    await server.start()
    writer, bystander = [await Peer.live(server.port, token) for token in server.tokens[:2]]
    refs = [
        await writer.send_command("send", room=server.room, client_msg_id=f"burst-{n:04d}", blocks=text(f"0/{n}"))
        for n in range(50)
    ]
    server.process.send_signal(signal.SIGTERM)
    assert await writer.closed() == closing.RESTARTING
    assert await bystander.closed() == closing.RESTARTING
    assert await server.process.wait() == 0
    answers = {wire["ref"]: wire for wire in writer.heard if "ref" in wire}
    assert set(answers) <= set(refs)
    acked = [wire for wire in answers.values() if wire["op"] == "ack"]
    refused = [wire for wire in answers.values() if wire["op"] == "error"]
    assert all(wire["code"] == 8004 for wire in refused)
    await server.process.communicate()

    await server.start()
    try:
        stored = {message["id"] for message in await whole_room(server)}
        assert {wire["id"] for wire in acked} <= stored
        again = await Peer.live(server.port, server.tokens[0])
        for n in range(50):
            await again.ask("send", room=server.room, client_msg_id=f"burst-{n:04d}", blocks=text(f"0/{n}"))
        await again.close()
        assert len(await whole_room(server)) == 50
    finally:
        await server.kill()


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
