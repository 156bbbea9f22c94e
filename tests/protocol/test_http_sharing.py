"""A room between two organizations: who may do what in every state of it, from both sides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import pytest

from chat_server.domain.actors import ORGANIZATION_ADMIN
from chat_server.services import rooms
from chat_server.services.blocks import Text
from tests.support.api import Api, code_of
from tests.support.peer import Peer
from tests.support.world import Org, Someone, World

pytestmark = pytest.mark.asyncio(loop_scope="module")
BOTH_ENGINES = True


@dataclass
class Scene:
    """`home` owns the room at home. Of the other side: two administrators, a colleague who is in no room."""

    world: World
    document: Mapping[str, Any]
    other: Org
    home: Someone
    opener: Someone
    second: Someone
    colleague: Someone
    room: str

    async def call(self, who: Someone, operation: str, /, json: Any = None, **path: str) -> int:
        api = Api(self.world.server.client(who.token), self.document)
        async with api.client:
            answer = await api.call(operation, {"room": self.room, **path}, **({"json": json} if json else {}))
        return code_of(answer)

    async def do(self, act: str) -> int:
        theirs = {"organization": self.other.public_id}
        match act:
            case "offer":
                return await self.call(self.home, "offer_room", json={"organization": self.other.code})
            case "withdraw":
                return await self.call(self.home, "withdraw_room", **theirs)
            case "open":
                return await self.call(self.opener, "open_side")
            case "open, the second administrator":
                return await self.call(self.second, "open_side")
            case "close":
                return await self.call(self.opener, "close_side")
            case "withdraw, by the other side":
                return await self.call(self.opener, "withdraw_room", **theirs)
            case "invite":
                return await self.call(self.opener, "invite_members", json={"users": [self.colleague.id]})
            case "read":
                return await self.call(self.opener, "list_messages")
            case "remove":
                return await self.call(self.home, "remove_member", user=self.opener.id)
        raise AssertionError(act)

    async def state(self) -> str:
        """As the owner at home is told."""
        async with self.world.server.client(self.home.token) as client:
            items = (await client.get(f"/api/rooms/{self.room}/organizations")).json()["items"]
        assert all((side["id"], side["name"]) == (self.other.public_id, self.other.name) for side in items)
        return items[0]["state"] if items else "none"


async def scene_of(world: World, document: Mapping[str, Any]) -> Scene:
    world.made += 1
    here = await world.organization(f"here{world.made}", "みどり野市")
    there = await world.organization(f"there{world.made}", "風見原町")
    home = await world.person(here, "佐藤 一", role=ORGANIZATION_ADMIN)
    opener, second = [await world.person(there, name, role=ORGANIZATION_ADMIN) for name in ("山本 直子", "森 大樹")]
    colleague = await world.person(there, "石井 亮")
    return Scene(world, document, there, home, opener, second, colleague, await world.room(home))


WAYS: Final = {
    "never offered": (),
    "offered": ("offer",),
    "offer taken back": ("offer", "withdraw"),
    "declined": ("offer", "close"),
    "open": ("offer", "open"),
    "closed there": ("offer", "open", "close"),
    "closed by home": ("offer", "open", "withdraw"),
    "nobody left there": ("offer", "open", "remove"),
    "offered anew": ("offer", "open", "withdraw", "offer"),
    "offered anew to nobody": ("offer", "open", "remove", "offer"),
}
"""State → how it is reached."""

ANSWERS: Final = {
    # state                   offer withdraw open  second close invite read  then the state that home sees
    "never offered":          (204, 6004, 3001, 3001, 3001, 3001, 3001, "none"),
    "offered":                (204, 204, 200, 200, 204, 3001, 3001, "offered"),
    "offer taken back":       (204, 204, 3001, 3001, 204, 3001, 3001, "none"),
    "declined":               (204, 204, 3001, 3001, 204, 3001, 3001, "none"),
    "open":                   (204, 204, 200, 3001, 204, 204, 200, "open"),
    "closed there":           (204, 204, 3001, 3001, 204, 3001, 3001, "none"),
    "closed by home":         (204, 204, 3001, 3001, 204, 3001, 3001, "none"),
    "nobody left there":      (204, 204, 3001, 3001, 204, 3001, 3001, "open"),
    "offered anew":           (204, 204, 200, 200, 204, 3001, 3001, "offered"),
    "offered anew to nobody": (204, 204, 200, 200, 204, 3001, 3001, "offered"),
}  # fmt: skip
ACTS: Final = ("offer", "withdraw", "open", "open, the second administrator", "close", "invite", "read")


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("state", WAYS)
async def test_every_act_in_every_state(state: str, act: str, world: World, document: Mapping[str, Any]) -> None:
    scene = await scene_of(world, document)
    for step in WAYS[state]:
        assert await scene.do(step) in (200, 204), step
    *answers, before = ANSWERS[state]
    assert await scene.state() == before
    answer = await scene.do(act)
    assert answer == answers[ACTS.index(act)]
    if answer in (200, 204):
        after = {
            "offer": "open" if state == "open" else "offered",
            "withdraw": "none",
            "close": "none",
            "open": "open",
            "open, the second administrator": "open",
        }
        assert await scene.state() == after.get(act, before)
    else:
        assert await scene.state() == before


async def test_what_is_said_after_it_was_taken_back_stays_at_home(world: World, document: Mapping[str, Any]) -> None:
    """The other side's administrator used to let themselves in again, as often as they were removed."""
    scene = await scene_of(world, document)
    for step in ("offer", "open", "invite"):
        await scene.do(step)
    peers = [await Peer.live(world.server.ports["lgwan"], who.token) for who in (scene.opener, scene.colleague)]
    assert await scene.do("withdraw") == 204
    for peer in peers:
        await peer.until(lambda wire: wire.get("kind") == "room_lost")
    await world.post(scene.home, scene.room, Text("外に出さない"))
    for who, peer in zip((scene.opener, scene.colleague), peers, strict=True):
        assert not [wire for wire in await peer.nothing_but() if wire.get("kind") == "message"]
        assert await scene.call(who, "get_room") == 3001
        assert await scene.call(who, "list_messages") == 3001
        await peer.close()
    assert await scene.do("open") == 3001
    assert await scene.do("offer") == 204
    assert await scene.do("open") == 200


async def test_only_people_at_home_own_a_shared_room(world: World, document: Mapping[str, Any]) -> None:
    """The other side may close at any time; the room would have no owner, or theirs would take it from home."""
    scene = await scene_of(world, document)
    for step in ("offer", "open", "invite"):
        await scene.do(step)
    assert await scene.call(scene.home, "change_member", json={"role": "owner"}, user=scene.opener.id) == 3012
    assert await scene.call(scene.home, "change_member", json={"role": "read_only"}, user=scene.colleague.id) == 204
    for operation, json in (("change_room", {"topic": "変更"}), ("offer_room", {"organization": scene.other.code})):
        assert await scene.call(scene.opener, operation, json=json) == 3004
    assert await scene.do("withdraw, by the other side") == 3004
    assert await scene.call(scene.opener, "list_sides") == 3004


async def test_an_archived_room_is_taken_back_and_not_offered(world: World, document: Mapping[str, Any]) -> None:
    scene = await scene_of(world, document)
    for step in ("offer", "open"):
        await scene.do(step)
    change = rooms.RoomChange(archived=True)
    await world.server.app.storage.write(lambda tx: rooms.change(tx, scene.home.actor, scene.room, change))
    assert await scene.do("withdraw") == 204
    assert await scene.do("read") == 3001
    assert await scene.do("offer") == 3002
