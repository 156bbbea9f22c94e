"""Pages of a stream: how much one costs to make, and how much it may bring."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from chat_server.clock import SystemClock
from chat_server.domain import limits
from chat_server.domain.actors import Actor
from chat_server.ports import AnyStorage, Reader, Row, Tx, Value
from chat_server.services import changing, messages, pages, rooms, streams
from chat_server.services.answers import Ack
from chat_server.services.blocks import Text
from chat_server.services.commands import Edit, Pin, React, Send
from chat_server.services.drafts import draft
from chat_server.services.pages import Page
from chat_server.services.rendering import pack
from chat_server.services.rooms import NewRoom, RoomChange
from tests.support.engines import open_storage
from tests.support.people import add_people

KEY = b"k" * 32


class Counting:
    """A `Reader` that counts what it is asked."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.now = reader.now
        self.queries = 0

    async def one(self, sql: str, *values: Value) -> Row | None:
        self.queries += 1
        return await self._reader.one(sql, *values)

    async def all(self, sql: str, *values: Value) -> Sequence[Row]:
        self.queries += 1
        return await self._reader.all(sql, *values)


class Scene:
    """An owner and a member of one room that hides its history from newcomers."""

    def __init__(self, storage: AnyStorage, owner: Actor, member: Actor) -> None:
        self.storage, self.owner, self.member = storage, owner, member
        self.sent = 0

    async def new_room(self, tx: Tx, history: str = "joined") -> str:
        return await rooms.create(
            tx,
            self.owner,
            NewRoom(kind="private", name="道路課", history=history, members=(self.member.id,)),  # type: ignore[arg-type]
        )

    async def post(self, tx: Tx, room: str, text: str = "倒木です") -> Ack:
        self.sent += 1
        command = Send(ref=1, room=room, client_msg_id=f"message-{self.sent:04d}", blocks=(Text(text),))
        return await messages.send(tx, self.owner, draft(command), KEY)

    async def edit(self, tx: Tx, ack: Ack, version: int, text: str) -> Ack:
        command = Edit(ref=1, message=str(ack.id), version=version, blocks=(Text(text),))
        return await changing.edit(tx, self.owner, draft(command))


@pytest_asyncio.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    storage = await open_storage(tmp_path, SystemClock())
    try:
        owner, member = await add_people(storage, 2)
        yield Scene(storage, owner, member)
    finally:
        await storage.close()


async def test_a_long_page_takes_no_more_queries_than_a_short_one(scene: Scene) -> None:
    """Readers are few: whoever holds one for a query an event holds up everybody else."""

    async def all_kinds(tx: Tx) -> str:
        room = await scene.new_room(tx)
        for n in range(12):
            said = await scene.post(tx, room)
            await scene.edit(tx, said, 1, f"訂正{n}")
            await changing.react(tx, scene.member, React(ref=1, message=str(said.id), key="了解", on=True))
            await changing.pin(tx, scene.owner, Pin(ref=1, message=str(said.id), on=True))
            await rooms.change(tx, scene.owner, room, RoomChange(name=f"道路課 {n}"))
            await rooms.give_role(tx, scene.owner, room, scene.member.id, ("owner", "member")[n % 2])
        return room

    room = await scene.storage.write(all_kinds)

    async def cost(limit: int) -> tuple[int, int]:
        async def read(tx: Reader) -> tuple[int, int]:
            counting = Counting(tx)
            page = await pages.room_page(counting, scene.member, room, 2, limit)
            return len(page.events), counting.queries

        return await scene.storage.read(read)

    (short, few), (long, many) = await cost(6), await cost(72)
    assert (short, long) == (6, 72)
    assert few == many


async def test_a_resume_takes_no_more_queries_for_many_rooms(scene: Scene) -> None:
    async def cost() -> tuple[int, int]:
        async def read(tx: Reader) -> tuple[int, int]:
            counting = Counting(tx)
            found = await streams.plan(counting, scene.member, 0, {}, same_epoch=True)
            return len(found.rooms), counting.queries

        return await scene.storage.read(read)

    await scene.storage.write(scene.new_room)
    one, few = await cost()
    for _ in range(5):
        await scene.storage.write(scene.new_room)
    six, many = await cost()
    assert (one, six) == (1, 6)
    assert few == many


async def test_what_a_resume_lets_see_is_what_a_page_lets_see(scene: Scene) -> None:
    """Two stays in one room, the whole of another."""
    room = await scene.storage.write(scene.new_room)
    whole = await scene.storage.write(lambda tx: scene.new_room(tx, "all"))
    await scene.storage.write(lambda tx: rooms.leave(tx, scene.member, room))
    await scene.storage.write(lambda tx: scene.post(tx, room))
    again = rooms.Invitation((scene.member.id,))
    await scene.storage.write(lambda tx: rooms.invite(tx, scene.owner, room, again))
    found = await scene.storage.read(lambda tx: streams.plan(tx, scene.member, 0, {}, same_epoch=True))
    seen: dict[str, Any] = {head.room: visible for head, _, visible in found.rooms}
    for each in (room, whole):
        page = await scene.storage.read(lambda tx, each=each: pages.room_page(tx, scene.member, each, 0, 10))  # type: ignore[misc]
        assert sorted(seen[each]) == sorted(page.visible)
    assert len(seen[room]) == 2


LONG = "道" * 19_000


async def pages_of(scene: Scene, room: str) -> list[Page]:
    """The whole room, as a client pulls it that asks for as much as it may."""
    found: list[Page] = []
    while not found or found[-1].last < found[-1].head:
        after = found[-1].last if found else 0
        found.append(
            await scene.storage.read(
                lambda tx, after=after: pages.room_page(tx, scene.member, room, after, limits.PAGE_EVENTS_MAX)  # type: ignore[misc]
            )
        )
        assert found[-1].last > after, "a page brings at least one event"
    return found


async def test_a_page_ends_at_its_bytes_and_the_next_goes_on(scene: Scene) -> None:
    async def much(tx: Tx) -> str:
        room = await scene.new_room(tx)
        for _ in range(12):
            await scene.post(tx, room, LONG)
        return room

    found = await pages_of(scene, await scene.storage.write(much))
    assert [event["seq"] for page in found for event in page.events] == list(range(1, 15))
    assert len(found) > 3
    for page in found:
        assert page.last == page.events[-1]["seq"]
        assert len(pack(page.events)) <= limits.PAGE_BYTES


async def test_what_is_larger_than_a_page_is_a_page(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PAGE_BYTES", 100)
    room = await scene.storage.write(scene.new_room)
    await scene.storage.write(lambda tx: scene.post(tx, room))
    found = await pages_of(scene, room)
    assert [[event["kind"] for event in page.events] for page in found] == [["stub"], ["membership"], ["message"]]


async def test_hidden_messages_do_not_shorten_a_page(scene: Scene) -> None:
    async def much(tx: Tx) -> str:
        room = await scene.new_room(tx)
        await rooms.leave(tx, scene.member, room)
        for _ in range(12):
            await scene.post(tx, room, LONG)
        await rooms.invite(tx, scene.owner, room, rooms.Invitation((scene.member.id,)))
        return room

    assert len(await pages_of(scene, await scene.storage.write(much))) == 1


async def test_many_edits_of_a_message_carry_it_once(scene: Scene) -> None:
    """Each edit shows the message as it is now: a page of 200 edits was the same message 200 times."""

    async def much(tx: Tx) -> tuple[str, Ack]:
        room = await scene.new_room(tx)
        said, other = await scene.post(tx, room, LONG), await scene.post(tx, room)
        for n in range(200):
            await scene.edit(tx, said, n + 1, f"{LONG}{n}")
        await scene.edit(tx, other, 1, "訂正")
        return room, said

    room, said = await scene.storage.write(much)
    (page,) = await pages_of(scene, room)
    assert len(pack(page.events)) <= limits.PAGE_BYTES
    assert [event["seq"] for event in page.events] == list(range(1, 206))
    edits = [event for event in page.events if event["kind"] == "edit"]
    assert [(event["target"], event["seq"]) for event in edits] == [(said.seq, 204), (4, 205)]
    assert edits[0]["message"]["version"] == 201
    assert {event["kind"] for event in page.events[4:203]} == {"stub"}
    assert set(page.events[4]) == {"op", "room", "seq", "kind"}


async def test_what_an_edit_made_void_stands_whole_if_the_page_ends_before_it(scene: Scene) -> None:
    """Whoever stops after a page holds what that page could tell."""

    async def edited(tx: Tx) -> str:
        room = await scene.new_room(tx)
        said = await scene.post(tx, room)
        await scene.edit(tx, said, 1, "訂正")
        await scene.edit(tx, said, 2, "再訂正")
        return room

    room = await scene.storage.write(edited)
    page = await scene.storage.read(lambda tx: pages.room_page(tx, scene.member, room, 3, 1))
    assert [(event["kind"], event["message"]["text"]) for event in page.events] == [("edit", "再訂正")]
