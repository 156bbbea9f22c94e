"""Presence over real sockets: it ends where one may no longer know of somebody, and goes on where one may."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from chat_server.domain.actors import ORGANIZATION_ADMIN
from chat_server.domain.errors import DATABASE_BUSY, Problem
from chat_server.realtime import presence
from chat_server.services import rooms, sharing
from chat_server.services.presence import visible_people
from tests.support.peer import Peer
from tests.support.server import RunningServer
from tests.support.world import Org, Someone, World

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass
class Scene:
    """`owner`, `member` and `guest` are in one room. The first two are colleagues; the guest knows people by rooms."""

    server: RunningServer
    world: World
    org: Org
    owner: Someone
    member: Someone
    guest: Someone
    room: str

    async def watching(self, who: Someone, *users: Someone) -> Peer:
        """Connected, and shown all of `users`."""
        peer = await Peer.live(self.server.ports["lgwan"], who.token)
        answer = await peer.ask("watch", users=[user.id for user in users])
        assert set(answer["presence"]) == {user.id for user in users}
        return peer

    async def act(self, use_case: Any) -> Any:
        return await self.server.app.storage.write(use_case)

    async def remove(self, who: Someone) -> None:
        await self.act(lambda tx: rooms.remove(tx, self.owner.actor, self.room, who.id))

    async def come_and_go(self, who: Someone, colleague: Peer) -> None:
        """Until `colleague`, who watches too, has heard of both: what others were to hear, they were written before."""
        peer = await Peer.live(self.server.ports["lgwan"], who.token)
        assert await state(colleague, who) == "online"
        await peer.close()
        assert await state(colleague, who) == "offline"


async def state(peer: Peer, who: Someone) -> str:
    """The next state of `who` that comes by itself."""
    return str((await peer.until(lambda wire: wire["op"] == "presence" and wire["user"] == who.id))["state"])


async def heard_of(peer: Peer, who: Someone) -> list[Any]:
    return [wire for wire in await peer.nothing_but() if wire["op"] == "presence" and wire["user"] == who.id]


@pytest_asyncio.fixture(loop_scope="module")
async def scene(server: RunningServer, world: World) -> Scene:
    world.made += 1
    org = await world.organization(f"org{world.made}", "みどり野市")
    owner = await world.person(org, role=ORGANIZATION_ADMIN)
    member, guest = await world.person(org, "田中 美咲"), await world.person(org, "業者 一郎", kind="guest")
    return Scene(server, world, org, owner, member, guest, await world.room(owner, member, guest))


async def test_whoever_leaves_the_last_room_with_somebody_sees_them_no_more(scene: Scene) -> None:
    await scene.world.room(scene.owner, scene.guest)
    guest = await scene.watching(scene.guest, scene.owner, scene.member)
    owner = await scene.watching(scene.owner, scene.member, scene.guest)
    await scene.come_and_go(scene.member, owner)
    assert [await state(guest, scene.member) for _ in range(2)] == ["online", "offline"]
    await scene.remove(scene.guest)
    assert await state(guest, scene.member) == "offline", "the last that the guest hears of them"
    await scene.come_and_go(scene.member, owner)
    assert await heard_of(guest, scene.member) == []
    await owner.close()
    assert await state(guest, scene.owner) == "offline", "another room is still there"
    await guest.close()


async def test_whoever_is_left_behind_sees_them_no_more_either(scene: Scene) -> None:
    guest, owner = await scene.watching(scene.guest, scene.member), await scene.watching(scene.owner, scene.member)
    await scene.remove(scene.member)
    assert await state(guest, scene.member) == "offline"
    await scene.come_and_go(scene.member, owner)
    assert await heard_of(guest, scene.member) == []
    for peer in (guest, owner):
        await peer.close()


async def test_a_side_that_was_closed_sees_nothing_of_the_other(scene: Scene) -> None:
    far = await scene.world.organization(f"far{scene.world.made}", "風見原町")
    opener = await scene.world.person(far, role=ORGANIZATION_ADMIN)
    await scene.act(lambda tx: sharing.offer(tx, scene.owner.actor, scene.room, far.code))
    await scene.act(lambda tx: sharing.open_side(tx, opener.actor, scene.room))
    here, owner = await scene.watching(scene.member, opener), await scene.watching(scene.owner, scene.member)
    there = await scene.watching(opener, scene.member)
    assert await state(here, opener) == "online"
    await scene.act(lambda tx: sharing.close_side(tx, opener.actor, scene.room))
    assert await state(there, scene.member) == "offline"
    assert await state(here, opener) == "offline"
    await here.close()
    assert await state(owner, scene.member) == "offline"
    await scene.come_and_go(scene.member, owner)
    assert await heard_of(there, scene.member) == []
    for peer in (there, owner):
        await peer.close()


async def test_a_list_made_while_somebody_leaves_is_looked_at_again(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The removal is committed after the list was checked and before it is there to be looked at."""

    async def overtaken(*args: Any) -> list[str]:
        monkeypatch.undo()
        visible = await visible_people(*args)
        await scene.remove(scene.member)
        return visible

    owner = await scene.watching(scene.owner, scene.member)
    guest = await Peer.live(scene.server.ports["lgwan"], scene.guest.token)
    monkeypatch.setattr(presence, "visible_people", overtaken)
    assert (await guest.ask("watch", users=[scene.member.id]))["presence"] == {scene.member.id: "offline"}
    assert await state(guest, scene.member) == "offline"
    await scene.come_and_go(scene.member, owner)
    assert await heard_of(guest, scene.member) == []
    for peer in (guest, owner):
        await peer.close()


async def test_who_may_be_seen_is_not_guessed_when_the_database_cannot_say(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They share another room: only the answer is missing."""

    async def fails(*args: Any) -> list[str]:
        monkeypatch.undo()
        raise Problem(DATABASE_BUSY, retry_after=1)

    await scene.world.room(scene.owner, scene.guest, scene.member)
    guest, owner = await scene.watching(scene.guest, scene.member), await scene.watching(scene.owner, scene.member)
    monkeypatch.setattr(presence, "visible_people", fails)
    await scene.remove(scene.guest)
    assert await state(guest, scene.member) == "offline"
    await scene.come_and_go(scene.member, owner)
    assert await heard_of(guest, scene.member) == []
    for peer in (guest, owner):
        await peer.close()
