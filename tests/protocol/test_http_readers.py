"""Who has read: counts for every member, names for the author and the room's owners, and for others by policy alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from chat_server.domain.actors import ORGANIZATION_ADMIN
from chat_server.ports import Tx
from chat_server.services import organizations, reading, rooms, sharing
from chat_server.services.authority import Operator
from chat_server.services.commands import Read
from tests.support.api import Api
from tests.support.world import Org, Someone, World

pytestmark = pytest.mark.asyncio(loop_scope="module")

COUNTS = [
    {"name": "道路課", "read": 1, "total": 2},
    {"name": "総務課", "read": 0, "total": 1},
    {"name": "", "read": 1, "total": 1},
]


@dataclass
class Scene:
    """`author` wrote a message; `reader` and `guest` have read it, `idler` and `owner` have not."""

    world: World
    document: Mapping[str, Any]
    org: Org
    people: dict[str, Someone]
    room: str
    message: str

    async def told(self, who: str) -> list[dict[str, Any]]:
        """What `who` is told of the readers, department by department."""
        async with self.world.server.client(self.people[who].token) as client:
            answer = await Api(client, self.document).call("list_readers", {"message": self.message})
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["departments"]
        return found

    async def names(self, who: str) -> list[tuple[list[str], list[str]]]:
        """(who has read, who has not) of each department."""
        called = {someone.id: name for name, someone in self.people.items()}
        return [
            ([called[one["id"]] for one in department["readers"]], [called[one["id"]] for one in department["unread"]])
            for department in await self.told(who)
        ]

    async def rule(self, org: Org, value: str | None) -> None:
        rules = {"reader_names": value}
        await self.act(lambda tx: organizations.set_policy(tx, Operator(org.id), rules))

    async def act(self, use_case: Any) -> None:
        await self.world.server.app.storage.write(use_case)


@pytest_asyncio.fixture(loop_scope="module")
async def scene(world: World, document: Mapping[str, Any]) -> Scene:
    async def make(tx: Tx) -> Scene:
        world.made += 1
        org = await world.organization(f"midorino{world.made}", "みどり野市", tx=tx)
        people = {name: await world.person(org, tx=tx) for name in ("author", "reader", "idler")}
        people["owner"] = await world.person(org, role=ORGANIZATION_ADMIN, tx=tx)
        people["guest"] = await world.person(org, kind="guest", tx=tx)
        roads = await world.department(org, "道路課", tx=tx)
        general = await world.department(org, "総務課", tx=tx)
        for name, department in (("author", roads), ("reader", roads), ("idler", roads), ("owner", general)):
            await world.appoint(people[name], department, tx=tx)
        owner = people["owner"]
        room = await world.room(owner, people["author"], people["reader"], people["idler"], people["guest"], tx=tx)
        sent = await world.post(people["author"], room, tx=tx)
        assert sent.id is not None
        assert sent.seq is not None
        for name in ("reader", "guest"):
            await reading.read(tx, people[name].actor, Read(ref=1, room=room, upto=sent.seq))
        return Scene(world, document, org, people, room, sent.id)

    return await world.server.app.storage.write(make)


@pytest.mark.parametrize("who", ["reader", "idler", "guest"])
async def test_every_member_is_told_counts_and_no_name(scene: Scene, who: str) -> None:
    assert await scene.told(who) == COUNTS


@pytest.mark.parametrize("who", ["author", "owner"])
async def test_the_author_and_the_owners_are_told_who(scene: Scene, who: str) -> None:
    assert await scene.names(who) == [(["reader"], ["idler"]), ([], ["owner"]), (["guest"], [])]
    counts = [{key: one[key] for key in ("name", "read", "total")} for one in await scene.told(who)]
    assert counts == COUNTS


async def test_of_what_others_wrote_an_author_is_told_counts(scene: Scene) -> None:
    theirs = await scene.world.post(scene.people["owner"], scene.room)
    assert theirs.id is not None
    scene.message = theirs.id
    assert all(set(one) == {"name", "read", "total"} for one in await scene.told("author"))


async def test_an_owner_who_is_none_any_more_is_told_counts(scene: Scene) -> None:
    owner, heir = scene.people["owner"], scene.people["idler"]

    async def hand_over(tx: Tx) -> None:
        await rooms.give_role(tx, owner.actor, scene.room, heir.id, "owner")
        await rooms.give_role(tx, owner.actor, scene.room, owner.id, "member")

    await scene.act(hand_over)
    assert await scene.told("owner") == COUNTS
    assert len(await scene.names("idler")) == 3


async def test_an_organization_may_tell_everyone(scene: Scene) -> None:
    await scene.rule(scene.org, "everyone")
    for who in scene.people:
        assert await scene.names(who) == await scene.names("author")
    await scene.rule(scene.org, None)
    assert await scene.told("reader") == COUNTS


async def test_the_home_of_a_shared_room_decides(scene: Scene) -> None:
    world, owner = scene.world, scene.people["owner"].actor
    other = await world.organization(f"other{world.made}", "風見原町")
    theirs = scene.people["theirs"] = await world.person(other, role=ORGANIZATION_ADMIN)

    async def share(tx: Tx) -> None:
        await sharing.offer(tx, owner, scene.room, other.code)
        await sharing.open_side(tx, theirs.actor, scene.room)

    await scene.act(share)
    await scene.rule(other, "everyone")
    assert all("readers" not in one for one in await scene.told("theirs"))
    await scene.rule(scene.org, "everyone")
    assert all("readers" in one for one in await scene.told("theirs"))
