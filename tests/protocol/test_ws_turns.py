"""Who waits for whom: a connection for itself, and nobody for a connection that asks for much."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from chat_server.ports import Tx
from chat_server.realtime.dispatch import AT_ONCE
from chat_server.realtime.resume import CatchingUp
from chat_server.services.blocks import Text
from tests.support.peer import Peer
from tests.support.server import RunningServer
from tests.support.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Reads:
    """Pages and resumes that the server reads: while `block` is set, those that begin do not end."""

    def __init__(self, read: Any) -> None:
        self._read = read
        self._go_on = asyncio.Event()
        self.block = True
        self.begun = 0

    async def __call__(self, use_case: Any) -> Any:
        if not use_case.__qualname__.startswith(CatchingUp.__name__):
            return await self._read(use_case)  # a worker's own, whose hour it happened to be
        self.begun += 1
        if self.block:
            await self._go_on.wait()
        return await self._read(use_case)

    def end(self) -> None:
        self.block = False
        self._go_on.set()


@asynccontextmanager
async def blocked_reads(server: RunningServer, patch: pytest.MonkeyPatch) -> AsyncIterator[Reads]:
    reads = Reads(server.app.storage.read)
    with patch.context() as patched:
        patched.setattr(server.app.storage, "read", reads)
        try:
            yield reads
        finally:
            reads.end()


async def test_a_connection_reads_one_thing_at_a_time(
    server: RunningServer, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Forty pulls of one client held every place at the gate: the answers of everybody else came after them."""
    org = await world.organization("turns", "みどり野市")
    greedy, bystander = await world.person(org), await world.person(org)
    room = await world.room(greedy, bystander)
    peer, other = [await Peer.live(server.ports["lgwan"], who.token) for who in (greedy, bystander)]
    async with blocked_reads(server, monkeypatch) as reads:
        refs = [await peer.send_command("pull", room=room, after=0) for _ in range(40)]
        await peer.ask("ping")
        assert reads.begun == 1
        reads.block = False
        assert (await other.ask("pull", room=room, after=0))["op"] == "page"
        newcomer = await Peer.live(server.ports["lgwan"], bystander.token)
    assert [(await peer.hear())["ref"] for _ in refs] == refs, "answered in their turn"
    for each in (peer, other, newcomer):
        await each.close()


async def test_pages_do_not_keep_anybody_at_the_door(
    server: RunningServer, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    org = await world.organization("door", "みどり野市")
    people = [await world.person(org) for _ in range(AT_ONCE)]
    room = await world.room(*people)
    peers = [await Peer.live(server.ports["lgwan"], person.token) for person in people]
    async with blocked_reads(server, monkeypatch) as reads:
        for peer in peers:
            await peer.send_command("pull", room=room, after=0)
            await peer.ask("ping")
        assert reads.begun == AT_ONCE
        reads.block = False
        newcomer = await Peer.open(server.ports["lgwan"])
        assert (await newcomer.ask("auth", token=people[0].token))["op"] == "hello"
    for each in (*peers, newcomer):
        await each.close()


async def test_who_asks_for_many_pages_gets_them_as_fast_as_they_are_taken(server: RunningServer, world: World) -> None:
    """A client that is behind in many rooms asks for a page of each at once: more than a queue may hold."""
    org = await world.organization("pages", "みどり野市")
    person, bystander = await world.person(org), await world.person(org)
    room = await world.room(person, bystander)

    async def much(tx: Tx) -> None:
        for _ in range(3):
            await world.post(person, room, Text("道" * 19_000), tx=tx)

    await server.app.storage.write(much)
    peer, other = [await Peer.live(server.ports["lgwan"], who.token) for who in (person, bystander)]
    peer.connection.transport.pause_reading()
    refs = [await peer.send_command("pull", room=room, after=0) for _ in range(40)]
    for _ in range(60):
        await other.ask("pull", room=room, after=0)
    peer.connection.transport.resume_reading()
    assert [(await peer.hear())["ref"] for _ in refs] == refs
    assert (await peer.ask("ping"))["op"] == "result"
    for each in (peer, other):
        await each.close()


async def test_what_a_connection_left_behind_is_not_read(
    server: RunningServer, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asking for much, leaving and coming back to ask again must not pile up."""
    person = await world.person(await world.organization("left", "みどり野市"))
    room = await world.room(person)
    peer, watcher = [await Peer.live(server.ports["lgwan"], person.token) for _ in range(2)]
    async with blocked_reads(server, monkeypatch) as reads:
        for _ in range(40):
            await peer.send_command("pull", room=room, after=0)
        await peer.ask("ping")
        await peer.close()
        while len(server.app.hub.users[person.actor.user_id]) > 1:
            await watcher.ask("ping")
        reads.end()
        for _ in range(5):
            await watcher.ask("pull", room=room, after=0)
        assert reads.begun == 1 + 5
    await watcher.close()
