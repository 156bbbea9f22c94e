"""What of a room's files leaves for less trusted zones: who may change it, and that files follow at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from chat_server.domain.actors import ORGANIZATION_ADMIN
from chat_server.services import organizations, rooms, sharing
from chat_server.services.authority import Operator
from chat_server.services.blocks import Photos
from tests.protocol.test_http_permissions import fingerprint
from tests.support.api import Api, code_of
from tests.support.peer import Peer
from tests.support.world import Org, Someone, World
from tests.unit.photo_samples import encoded, picture

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass
class Scene:
    """A room with two owners, one of whom administers the organization, and a photo from the closed network in it."""

    world: World
    document: Mapping[str, Any]
    org: Org
    administrator: Someone
    owner: Someone
    member: Someone
    phone: Someone
    """the member again, on the Internet"""
    room: str
    photo: str

    async def change(self, who: Someone, outflow: str, room: str | None = None) -> httpx2.Response:
        async with self.world.server.client(who.token, who.actor.zone) as client:
            path = {"room": room or self.room}
            return await Api(client, self.document).call("change_room", path, json={"outflow": outflow})

    async def rule(self, value: str) -> None:
        rules = {"change_outflow": value}
        await self.world.server.app.storage.write(lambda tx: organizations.set_policy(tx, Operator(self.org.id), rules))

    async def on_the_phone(self) -> dict[str, Any]:
        async with self.world.server.client(self.phone.token, "internet") as client:
            answer = await Api(client, self.document).call("give_addresses", json={"ids": [self.photo]})
        [item] = answer.json()["items"]
        found: dict[str, Any] = item
        return found

    async def open(self, address: str) -> int:
        async with self.world.server.client(zone="internet") as client:
            return code_of(await client.get(address))


@pytest_asyncio.fixture(loop_scope="module")
async def scene(world: World, document: Mapping[str, Any]) -> Scene:
    world.made += 1
    org = await world.organization(f"midorino{world.made}", "みどり野市")
    administrator = await world.person(org, role=ORGANIZATION_ADMIN)
    owner, member = await world.person(org), await world.person(org)
    room = await world.room(administrator, owner, member)
    write = world.server.app.storage.write
    await write(lambda tx: rooms.give_role(tx, administrator.actor, room, owner.id, "owner"))
    async with world.server.client(owner.token) as client:
        photo = (await client.post("/api/photos", content=encoded(picture()))).json()["id"]
    await world.post(owner, room, Photos((photo,)))
    phone = await world.another_device(org, member, "internet")
    return Scene(world, document, org, administrator, owner, member, phone, room, photo)


async def test_files_follow_a_changed_outflow_at_once(scene: Scene) -> None:
    viewed = (await scene.on_the_phone())["addresses"]
    assert set(viewed) == {"thumbnail", "preview"}
    assert await scene.open(viewed["preview"]) == 200

    assert (await scene.change(scene.administrator, "download")).json()["outflow"] == "download"
    downloaded = (await scene.on_the_phone())["addresses"]
    assert set(downloaded) == {"thumbnail", "preview", "sanitized"}
    assert await scene.open(downloaded["sanitized"]) == 200

    await scene.change(scene.administrator, "view")
    assert await scene.open(downloaded["sanitized"]) == 5005
    assert await scene.open(downloaded["thumbnail"]) == 200

    await scene.change(scene.administrator, "text")
    assert await scene.open(viewed["thumbnail"]) == 5005
    item = await scene.on_the_phone()
    assert item["addresses"] == {}
    assert item["refused"]["ja"].startswith("この添付は")


async def test_by_default_an_owner_who_administers_the_organization_changes_it(scene: Scene) -> None:
    assert code_of(await scene.change(scene.owner, "download")) == 2008
    assert code_of(await scene.change(scene.owner, "view")) == 200  # as it is
    assert code_of(await scene.change(scene.administrator, "download")) == 200
    outside = await scene.world.person(scene.org, role=ORGANIZATION_ADMIN)
    assert code_of(await scene.change(outside, "download")) == 3001


async def test_what_leaves_is_widened_inside_alone(scene: Scene) -> None:
    """A phone that was stolen, its owner's rights and all, opens no border; it may still close one."""
    outside = await scene.world.another_device(scene.org, scene.administrator, "internet")
    for wider in ("approve", "download"):
        assert code_of(await scene.change(outside, wider)) == 5027
    assert code_of(await scene.change(outside, "view")) == 200  # as it is
    assert code_of(await scene.change(outside, "text")) == 200
    assert code_of(await scene.change(outside, "view")) == 5027
    assert code_of(await scene.change(scene.administrator, "view")) == 200

    async def ceiling(who: Someone, action: str | None) -> int:
        rule = {"from": "lgwan", "to": "internet", "family": "outflow", "action": action}
        async with scene.world.server.client(who.token, who.actor.zone) as client:
            return code_of(await Api(client, scene.document).call("change_zone_rule", json=rule))

    assert await ceiling(outside, "view") == 200
    assert await ceiling(outside, "approve") == 5027
    assert await ceiling(outside, None) == 5027
    assert await ceiling(scene.administrator, None) == 200


async def test_the_organization_may_leave_it_to_owners(scene: Scene) -> None:
    await scene.rule("member")
    assert code_of(await scene.change(scene.owner, "text")) == 200
    assert code_of(await scene.change(scene.member, "download")) == 3004
    await scene.rule("organization_admin")
    assert code_of(await scene.change(scene.owner, "download")) == 2008


async def test_the_other_side_of_a_shared_room_has_no_say(scene: Scene) -> None:
    world = scene.world
    other = await world.organization(f"other{world.made}", "風見原町")
    theirs = await world.person(other, role=ORGANIZATION_ADMIN)
    administrator = scene.administrator.actor

    async def share(tx: Any) -> None:
        await sharing.offer(tx, administrator, scene.room, other.code)
        await sharing.open_side(tx, theirs.actor, scene.room)

    await world.server.app.storage.write(share)
    assert code_of(await scene.change(theirs, "download")) == 3004
    await scene.rule("member")
    assert code_of(await scene.change(theirs, "download")) == 3004
    assert code_of(await scene.change(scene.owner, "download")) == 200


async def test_what_cannot_be_chosen_changes_nothing(scene: Scene) -> None:
    storage = scene.world.server.app.storage
    direct = await storage.write(lambda tx: rooms.direct(tx, scene.administrator.actor, scene.member.id))
    before = await storage.read(fingerprint)
    for value in ("approved", "everything", ""):
        refused = await scene.change(scene.administrator, value)
        assert (code_of(refused), refused.json()["error"]["field"]) == (2001, "outflow")
    assert code_of(await scene.change(scene.administrator, "download", direct)) == 3005
    assert (await scene.on_the_phone())["addresses"].keys() == {"thumbnail", "preview"}
    assert await storage.read(fingerprint) == before


async def test_members_are_told_and_it_is_on_record(scene: Scene) -> None:
    peer = await Peer.live(scene.world.server.ports["lgwan"], scene.member.token)
    await scene.change(scene.administrator, "text")
    assert (await peer.event("room"))["room_info"]["outflow"] == "text"
    await peer.close()
    expected = [(scene.administrator.id, scene.room, {"from": "view", "to": "text"})]
    assert await scene.world.recorded(scene.org, "room.outflow") == expected
    await scene.change(scene.administrator, "text")  # as it is
    assert await scene.world.recorded(scene.org, "room.outflow") == expected
