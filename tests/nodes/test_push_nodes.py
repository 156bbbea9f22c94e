"""Pushes where two processes serve one database: the one that leads rings, once, and the other one goes on when it is gone."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import Any

from chat_server.services.blocks import Text
from chat_server.storage.queries import messages
from tests.support import postgresql
from tests.support.engines import belongs
from tests.support.peer import Peer
from tests.support.push.lines import LineProvider, LineServer, line_server
from tests.support.push.phones import Phone, give_phone
from tests.support.server import RunningServer, running_server
from tests.support.world import Someone, World


def provided(provider: LineServer) -> Any:
    return {"fcm": LineProvider("fcm", provider.port)}


def leads(server: RunningServer) -> bool:
    return server.app.leadership.leads


async def test_who_has_the_room_on_a_screen_at_another_node_is_not_rung(tmp_path: Path) -> None:
    address = postgresql.shared().fresh()
    for name in ("one", "two"):
        belongs(tmp_path / name, address)
    blobs = str(tmp_path / "blobs")
    async with (
        line_server() as provider,
        running_server(tmp_path / "one", providers=provided(provider), blobs=blobs) as leader,
        running_server(tmp_path / "two", providers=provided(provider), blobs=blobs) as other,
    ):
        assert leads(leader)
        world = World(other)
        org = await world.organization("midorino", "みどり野市")
        author, reader = await world.person(org), await world.person(org)
        await give_phone(world, reader, Phone("reader"))
        room = await world.room(author, reader)
        desk = await Peer.live(other.ports["lgwan"], reader.token)
        await desk.ask("look", room=room)
        await known(leader, reader)
        seen = await world.post(author, room, Text(f"<@user:{reader.id}>"))
        assert await why(leader, seen.id, reader) == "reading_now"
        await desk.ask("look", room=None)
        await known(leader, reader, looks=False)
        await world.post(author, room, Text(f"<@user:{reader.id}> もう一度"))
        await provider.until(1)
        await desk.close()
    assert len(provider.received) == 1


async def known(server: RunningServer, someone: Someone, *, looks: bool = True) -> None:
    """Until the server has heard of it, or forgotten."""
    node = server.app.node
    assert node is not None
    async with asyncio.timeout(20):
        while looks is not any(someone.actor.user_id in node.neighbours.looking.at(room) for room in range(1, 10)):  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.02)


async def why(server: RunningServer, message: str | None, someone: Someone) -> str:
    app = server.app
    assert app.ledger is not None
    stored = await app.storage.read(lambda reader: messages.by_public_id(reader, message or ""))
    assert stored is not None
    async with asyncio.timeout(20):
        while (found := await app.ledger.decided(stored.id, someone.actor.user_id)) is None:  # noqa: ASYNC110 - rows tell nobody
            await asyncio.sleep(0.02)
    return found.why


async def test_it_rings_once_whichever_node_a_message_came_by_and_goes_on_without_the_leader(tmp_path: Path) -> None:
    address = postgresql.shared().fresh()
    for name in ("one", "two"):
        belongs(tmp_path / name, address)
    blobs = str(tmp_path / "blobs")
    async with line_server() as provider, contextlib.AsyncExitStack() as first:
        leader = await first.enter_async_context(
            running_server(tmp_path / "one", providers=provided(provider), blobs=blobs)
        )
        async with running_server(tmp_path / "two", providers=provided(provider), blobs=blobs) as other:
            assert leads(leader)
            assert not leads(other)
            world = World(other)
            org = await world.organization("midorino", "みどり野市")
            author, reader = await world.person(org), await world.person(org)
            phone = Phone("reader")
            await give_phone(world, reader, phone)
            room = await world.room(author, reader)
            rang = await world.post(author, room, Text(f"<@user:{reader.id}>"))
            await provider.until(1)

            # read at a desk that is connected to the one that does not push
            desk = await Peer.live(other.ports["lgwan"], reader.token)
            await desk.ask("read", room=room, upto=rang.seq)
            await desk.close()
            cleared = (await provider.until(2))[1]
            assert phone.read(cleared)["kind"] == "clear"

            await first.aclose()
            await world.post(author, room, Text(f"<@user:{reader.id}> もう一度"))
            again = (await provider.until(3, 60))[2]
            assert phone.read(again)["kind"] == "ring"
            assert leads(other)
            assert len({one["id"] for one in provider.received}) == len(provider.received) == 3
