"""Pushes where two processes serve one database: the one that leads rings, once, and the other one goes on when it is gone."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from chat_server.services.blocks import Text
from tests.support import postgresql
from tests.support.engines import belongs
from tests.support.peer import Peer
from tests.support.push.lines import LineProvider, LineServer, line_server
from tests.support.push.phones import Phone, give_phone
from tests.support.server import RunningServer, running_server
from tests.support.world import World


def provided(provider: LineServer) -> Any:
    return {"fcm": LineProvider("fcm", provider.port)}


def leads(server: RunningServer) -> bool:
    return server.app.leadership.leads


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
