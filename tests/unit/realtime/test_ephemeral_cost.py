"""What is never stored must cost next to nothing when everybody comes back at once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from chat_server.clock import SystemClock
from chat_server.domain.actors import Actor
from chat_server.domain.events import EVERYTHING
from chat_server.realtime.codec import JSON, MSGPACK, Codec
from chat_server.realtime.connection import Connection
from chat_server.realtime.ephemeral import Ephemeral
from chat_server.realtime.hub import Hub
from chat_server.realtime.presence import Presence
from chat_server.storage.sqlite.storage import SqliteStorage
from tests.support.people import add_people

ROOM_ID, ROOM = 5, "r" * 26


class Office:
    """Colleagues on their connections, whose sockets are lists."""

    def __init__(self, storage: SqliteStorage, people: list[Actor]) -> None:
        self.hub = Hub()
        self.people = people
        self.ephemeral = Ephemeral(storage, self.hub)
        self.presence = Presence(storage, self.hub)
        self.written: dict[Connection, list[bytes]] = {}

    def connect(self, who: Actor, codec: Codec = MSGPACK) -> Connection:
        writes: list[bytes] = []
        connection = Connection(codec, writes.append, lambda code: None, who, 2**60)
        self.written[connection] = writes
        self.hub.add(connection)
        self.hub.subscribe(connection, ROOM_ID, ROOM, EVERYTHING)
        return connection

    def disconnect(self, connection: Connection) -> None:
        self.presence.forget(connection)
        self.hub.drop(connection)


@pytest_asyncio.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    storage = await SqliteStorage.open(tmp_path, SystemClock())
    try:
        yield Office(storage, await add_people(storage, 4))
    finally:
        await storage.close()


async def test_watching_does_not_look_at_every_connection(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two, three, _ = office.people
    watcher, desk = office.connect(one), office.connect(two)
    office.connect(two)
    monkeypatch.delattr(Hub, "connections")

    async def states() -> dict[str, str]:
        return await office.presence.watch(watcher, (two.id, three.id))

    assert await states() == {two.id: "online", three.id: "offline"}
    office.disconnect(desk)
    assert await states() == {two.id: "online", three.id: "offline"}, "on one device still"
    office.connect(three)
    assert await states() == {two.id: "online", three.id: "online"}


async def test_a_change_is_encoded_once_for_all_who_watch(office: Office) -> None:
    *watchers, late = office.people
    connections = [office.connect(who, codec) for who in watchers for codec in (MSGPACK, JSON)]
    for connection in connections:
        await office.presence.watch(connection, (late.id,))
    office.connect(late)
    frames = {codec.name: [office.written[c][-1] for c in connections if c.codec is codec] for codec in (MSGPACK, JSON)}
    for same in frames.values():
        assert len(same) == len(watchers)
        assert all(frame is same[0] for frame in same)


async def test_typing_is_told_once_in_a_while_by_each_connection_and_room(office: Office) -> None:
    one, two, *_ = office.people
    typist, looker = office.connect(one), office.connect(two)
    office.hub.look(looker, ROOM)
    office.ephemeral.typing(typist, ROOM)
    office.ephemeral.typing(typist, ROOM)
    assert len(office.written[looker]) == 1
    office.ephemeral.typing(office.connect(one), ROOM)
    assert len(office.written[looker]) == 2
    office.hub.subscribe(typist, ROOM_ID + 1, "other", EVERYTHING)
    office.hub.subscribe(looker, ROOM_ID + 1, "other", EVERYTHING)
    office.hub.look(looker, "other")
    office.ephemeral.typing(typist, "other")
    assert len(office.written[looker]) == 3
