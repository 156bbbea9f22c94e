"""Whom a message calls: looked up in one statement of each kind, however many are mentioned."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio

from chat_server.clock import SystemClock
from chat_server.domain import limits
from chat_server.domain.actors import Actor
from chat_server.domain.errors import Problem
from chat_server.domain.ids import new_id
from chat_server.ports import AnyStorage, Reader, Row, Tx, Value
from chat_server.services import rooms
from chat_server.services.access import in_room
from chat_server.services.blocks import Text
from chat_server.services.commands import Send
from chat_server.services.drafts import draft
from chat_server.services.mentions import Mentioned, resolve
from chat_server.services.rooms import NewRoom
from chat_server.storage.queries import departments
from tests.support.engines import open_storage
from tests.support.people import add_organization, add_person

pytestmark = pytest.mark.asyncio


@dataclass
class Counting:
    """A view that counts its statements."""

    inner: Reader
    statements: int = 0
    now: int = field(init=False)

    def __post_init__(self) -> None:
        self.now = self.inner.now

    async def one(self, sql: str, *values: Value) -> Row | None:
        self.statements += 1
        return await self.inner.one(sql, *values)

    async def all(self, sql: str, *values: Value) -> Sequence[Row]:
        self.statements += 1
        return await self.inner.all(sql, *values)


@dataclass
class Scene:
    """建設部 > 道路課 (author, road), 建設部 > 河川課 (river), 総務課 (nobody in the room). `outside` is of 道路課."""

    storage: AnyStorage
    people: dict[str, Actor]
    departments: dict[str, str]
    room: str

    async def resolve(self, *tokens: str) -> tuple[Mentioned, int]:
        """What is meant, and with how many statements."""

        async def look(tx: Reader) -> tuple[Mentioned, int]:
            author = self.people["author"]
            standing = await in_room(tx, author, self.room)
            counting = Counting(tx)
            return await resolve(counting, author, standing, tokens), counting.statements

        return await self.storage.read(look)

    def department(self, name: str) -> str:
        return f"department:{self.departments[name]}"

    def user(self, name: str) -> str:
        return f"user:{self.people[name].id}"

    def keys(self, *names: str) -> set[int]:
        return {self.people[name].user_id for name in names}


@pytest_asyncio.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    storage = await open_storage(tmp_path, SystemClock())
    try:
        org_id = await add_organization(storage)
        people = {name: await add_person(storage, org_id, name) for name in ("author", "road", "river", "outside")}

        async def appoint(tx: Tx) -> dict[str, str]:
            ids: dict[str, str] = {}
            keys: dict[str, int] = {}
            tree = (("建設部", None), ("道路課", "建設部"), ("河川課", "建設部"), ("総務課", None))
            for position, (name, parent) in enumerate(tree):
                ids[name] = new_id(tx.now)
                above = keys[parent] if parent else None
                keys[name] = await departments.insert(tx, ids[name], org_id, above, str(position), name, position)
            posts = (
                ("author", "道路課", None), ("road", "道路課", None), ("outside", "道路課", None), ("river", "河川課", None),
                ("river", "総務課", tx.now),
            )  # fmt: skip
            for who, where, end in posts:
                user_id = people[who].user_id
                await departments.appoint(tx, org_id, user_id, keys[where], "main", "主事", 50, 0, end)
            return ids

        ids = await storage.write(appoint)
        members = tuple(people[name].id for name in ("road", "river"))
        new = NewRoom(kind="private", name="道路", members=members)
        room = await storage.write(lambda tx: rooms.create(tx, people["author"], new))
        yield Scene(storage, people, ids, room)
    finally:
        await storage.close()


async def test_departments_call_their_members_in_the_room(scene: Scene) -> None:
    found, _ = await scene.resolve(scene.department("建設部"), scene.department("道路課"))
    assert found.users == scene.keys("road", "river")  # not the author, and nobody outside
    assert found.names == {scene.department("建設部"): "建設部", scene.department("道路課"): "道路課"}
    found, _ = await scene.resolve(scene.department("河川課"), scene.user("road"), "everyone")
    assert (found.users, found.everyone) == (scene.keys("road", "river"), True)
    assert found.names[scene.user("road")] == "roadさん"


@pytest.mark.parametrize("token", ["department 総務課", "user outside", "department nowhere", "user nobody"])
async def test_who_is_not_in_the_room_does_not_exist(scene: Scene, token: str) -> None:
    """An appointment that has ended counts no more: nobody in the room is of 総務課."""
    kind, _, name = token.partition(" ")
    known = scene.departments.get(name) or (scene.people[name].id if name in scene.people else "0" * 26)
    with pytest.raises(Problem) as refused:
        await scene.resolve(scene.department("道路課"), f"{kind}:{known}")
    assert refused.value.fault.code == 4008


async def test_fifty_mentions_are_two_statements(scene: Scene) -> None:
    """Each was a recursive query of its own inside the writer: 299 departments held it for a quarter of a second."""
    _, few = await scene.resolve(scene.user("road"), scene.department("道路課"))
    many, statements = await scene.resolve(
        *(scene.user(name) for name in ("author", "road", "river")),
        *(scene.department(name) for name in ("建設部", "道路課", "河川課")),
    )
    assert (len(many.names), few, statements) == (6, 2, 2)


@pytest.mark.parametrize("number", [limits.MENTIONS, limits.MENTIONS + 1])
async def test_a_message_calls_at_most_fifty(number: int) -> None:
    words = "".join(f"<@department:{n:026d}>" * 2 for n in range(number))
    command = Send(ref=1, room="0" * 26, client_msg_id="mentions", blocks=(Text(words[:30]), Text(words)))
    if number <= limits.MENTIONS:
        assert len(draft(command).mentions) == limits.MENTIONS
        return
    with pytest.raises(Problem) as refused:
        draft(command)
    assert (refused.value.fault.code, refused.value.params) == (4010, {"limit": limits.MENTIONS})
