"""A message wakes a phone: from the commit to the provider's socket, on a running server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from chat_server.services.blocks import Text
from chat_server.storage.queries import organizations
from tests.support.peer import Peer
from tests.support.push.lines import LineProvider, LineServer, line_server
from tests.support.push.phones import Phone, give_phone
from tests.support.server import running_server
from tests.support.world import Org, Someone, World

BOTH_ENGINES = True
SECRET = "国道12号で倒木です"


@dataclass
class Scene:
    """`reader` has a phone and is in both rooms with `author`; nobody is connected."""

    provider: LineServer
    world: World
    org: Org
    author: Someone
    reader: Someone
    phone: Phone
    direct: str
    room: str

    async def ring(self, room: str, words: str = SECRET) -> int:
        """Its seq."""
        return (await self.world.post(self.author, room, Text(words))).seq or 0

    async def call(self) -> int:
        """By name, in the room of many."""
        return await self.ring(self.room, f"<@user:{self.reader.id}> 確認してください")

    async def read(self, upto: int, room: str) -> None:
        """At the desk."""
        desk = await Peer.live(self.world.server.ports["lgwan"], self.reader.token)
        await desk.ask("read", room=room, upto=upto)
        await desk.connection.close()

    async def allow(self, content: str) -> None:
        storage = self.world.server.app.storage
        await storage.write(lambda tx: organizations.set_own_rules(tx, self.org.id, {"push_content": content}))


@pytest.fixture
async def scene(engine: str, tmp_path: Path) -> AsyncIterator[Scene]:
    async with line_server() as provider:
        providers: Any = {"fcm": LineProvider("fcm", provider.port)}
        async with running_server(tmp_path, providers=providers) as server:
            world = World(server)
            org = await world.organization("midorino", "みどり野市")
            author, reader = await world.person(org, "高橋 健"), await world.person(org, "佐藤 美咲")
            phone = Phone("token-of-sato")
            await give_phone(world, reader, phone)
            async with server.client(author.token) as client:
                answer = await client.post("/api/rooms/direct", json={"user": reader.id})
                direct = answer.json()["id"]
            yield Scene(provider, world, org, author, reader, phone, direct, await world.room(author, reader))


async def test_a_phone_rings_once_and_nobody_on_the_way_reads_what_for(scene: Scene) -> None:
    seq = await scene.ring(scene.direct)
    (parcel,) = await scene.provider.until(1)
    assert (parcel["token"], parcel["text"], parcel["badge"]) == ("token-of-sato", "新しいメッセージがあります", 1)
    assert (parcel["urgent"], parcel["clears"]) == (False, False)
    for word in (SECRET, "高橋", "道路課", scene.direct, scene.reader.id):
        assert word not in str(parcel)
    said = scene.phone.read(parcel)
    assert (said["kind"], said["room"], said["seq"], said["badge"]) == ("ring", scene.direct, seq, 1)
    assert (said["title"], said["body"]) == ("連絡", "新しいメッセージがあります")
    assert SECRET not in str(said)


async def test_an_organization_may_have_more_shown_and_the_carrier_still_reads_nothing(scene: Scene) -> None:
    for number, (content, title, body) in enumerate(
        [
            ("room", "連絡", "新しいメッセージがあります"),  # a direct room has the sender for its name
            ("sender_and_room", "高橋 健", "新しいメッセージがあります"),
            ("all", "高橋 健", SECRET),
        ],
        1,
    ):
        await scene.allow(content)
        seq = await scene.ring(scene.direct)
        parcel = (await scene.provider.until(number))[number - 1]
        said = scene.phone.read(parcel)
        assert (said["title"], said["body"], said["seq"]) == (title, body, seq)
        assert "高橋" not in str(parcel)
        assert parcel["badge"] == number


async def test_what_the_desk_has_read_stops_ringing(scene: Scene) -> None:
    seq = await scene.ring(scene.direct)
    (rang,) = await scene.provider.until(1)
    await scene.read(seq, scene.direct)
    cleared = (await scene.provider.until(2, 3))[1]  # at once: the round that finds what was not heard takes 5 s
    assert (cleared["clears"], cleared["badge"], cleared["text"]) == (True, 0, "")
    assert cleared["collapse"] == rang["collapse"]
    said = scene.phone.read(cleared)
    assert (said["kind"], said["upto"], said["tag"]) == ("clear", seq, rang["collapse"])


async def test_who_has_the_room_on_a_screen_is_not_rung(scene: Scene) -> None:
    desk = await Peer.live(scene.world.server.ports["lgwan"], scene.reader.token)
    await desk.ask("look", room=scene.direct)
    await scene.ring(scene.direct)
    await scene.call()
    await scene.provider.until(1)  # so the one before it has been decided, too
    await desk.ask("look", room=None)
    seq = await scene.ring(scene.direct)
    called, parcel = await scene.provider.until(2)
    assert scene.phone.read(called)["room"] == scene.room
    assert scene.phone.read(parcel)["seq"] == seq
    await desk.connection.close()


async def test_a_room_of_many_rings_for_those_who_are_called(scene: Scene) -> None:
    await scene.ring(scene.room)
    called = await scene.call()
    (parcel,) = await scene.provider.until(1)
    assert scene.phone.read(parcel)["seq"] == called
    assert parcel["badge"] == 2
