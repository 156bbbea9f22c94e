"""What the kind of a room forbids: who may come in by themselves, who may write, who may bring others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from chat_server.domain.actors import ORGANIZATION_ADMIN
from chat_server.domain.ids import new_id
from chat_server.services import rooms
from chat_server.services.rooms import RoomChange
from tests.protocol.test_http_permissions import fingerprint
from tests.support.api import Api, code_of
from tests.support.server import RunningServer
from tests.support.world import Org, Someone, World

pytestmark = pytest.mark.asyncio(loop_scope="module")
BOTH_ENGINES = True


@dataclass
class Scene:
    """`chief` may make rooms of every kind; `member` and `colleague` are ordinary."""

    world: World
    org: Org
    chief: Someone
    member: Someone
    colleague: Someone
    document: Mapping[str, Any]

    async def call(self, who: Someone, operation: str, path: Mapping[str, str], **request: Any) -> Any:
        api = Api(self.world.server.client(who.token), self.document)
        async with api.client:
            return await api.call(operation, path, **request)

    async def act(self, use_case: Any) -> Any:
        return await self.world.server.app.storage.write(use_case)


@pytest_asyncio.fixture(loop_scope="module")
async def scene(world: World, document: Mapping[str, Any]) -> Scene:
    world.made += 1
    org = await world.organization(f"org{world.made}", "みどり野市")
    chief = await world.person(org, role=ORGANIZATION_ADMIN)
    member, colleague = await world.person(org, "田中 美咲"), await world.person(org, "佐藤 一")
    return Scene(world, org, chief, member, colleague, document)


async def private(scene: Scene) -> str:
    return await scene.world.room(scene.chief)


async def announcement(scene: Scene) -> str:
    return await scene.world.room(scene.chief, kind="announcement")


async def direct(scene: Scene) -> str:
    return str(await scene.act(lambda tx: rooms.direct(tx, scene.chief.actor, scene.member.id)))


async def memo(scene: Scene) -> str:
    return str(await scene.act(lambda tx: rooms.ensure_memo(tx, scene.chief.actor)))


async def archived(scene: Scene) -> str:
    room = await scene.world.room(scene.chief, kind="open")
    await scene.act(lambda tx: rooms.change(tx, scene.chief.actor, room, RoomChange(archived=True)))
    return room


async def elsewhere(scene: Scene) -> str:
    """An open one of another organization."""
    far = await scene.world.organization(f"far{scene.world.made}", "風見原町")
    return await scene.world.room(await scene.world.person(far), kind="open")


@pytest.mark.parametrize("make", [private, announcement, direct, memo, archived, elsewhere])
async def test_nobody_joins_what_is_not_open_to_them(server: RunningServer, scene: Scene, make: Any) -> None:
    """It answers as a room that does not exist (CVE-2020-14458), and nothing changes."""
    room = await make(scene)
    before = await server.app.storage.read(fingerprint)
    refused = await scene.call(scene.colleague, "join_room", {"room": room})
    unknown = await scene.call(scene.colleague, "join_room", {"room": new_id(1)})
    assert (refused.status_code, code_of(refused)) == (404, 3001)
    assert refused.json() == unknown.json()
    assert await server.app.storage.read(fingerprint) == before


async def test_an_announcement_room_is_its_owners(server: RunningServer, scene: Scene) -> None:
    """A member reads: writing and inviting are for owners, whom owners make."""
    room = {"room": await scene.world.room(scene.chief, scene.member, kind="announcement")}
    said = {"blocks": [{"type": "text", "text": "お知らせ"}]}
    invitation = {"users": [scene.colleague.id]}
    before = await server.app.storage.read(fingerprint)
    can = (await scene.call(scene.member, "get_room", room)).json()["can"]
    assert can == {"post": False, "invite": False, "manage": False}
    sent = await scene.call(scene.member, "send_message", room, json={"client_msg_id": "message1", **said})
    assert (sent.status_code, code_of(sent)) == (403, 3003)
    invited = await scene.call(scene.member, "invite_members", room, json=invitation)
    assert (invited.status_code, code_of(invited)) == (403, 3004)
    promoted = await scene.call(
        scene.member, "change_member", {**room, "user": scene.member.id}, json={"role": "owner"}
    )
    assert code_of(promoted) == 3004
    assert await server.app.storage.read(fingerprint) == before

    made = await scene.call(scene.chief, "change_member", {**room, "user": scene.member.id}, json={"role": "owner"})
    assert made.status_code == 204
    sent = await scene.call(scene.member, "send_message", room, json={"client_msg_id": "message1", **said})
    assert sent.status_code == 200
    assert (await scene.call(scene.member, "invite_members", room, json=invitation)).status_code == 204


async def test_a_room_has_a_reading_that_all_see(scene: Scene) -> None:
    new = {"kind": "open", "name": "道路 3工区", "reading": "ﾄﾞｳﾛ　３コウク"}
    made = (await scene.call(scene.member, "create_room", {}, json=new)).json()
    assert made["reading"] == "どうろ 3こうく"
    listed = (await scene.call(scene.colleague, "list_open_rooms", {})).json()["items"]
    assert [one["reading"] for one in listed if one["id"] == made["id"]] == ["どうろ 3こうく"]
    place = {"room": made["id"]}
    changed = await scene.call(scene.member, "change_room", place, json={"reading": "どうろさんこうく"})
    assert (changed.json()["reading"], changed.json()["name"]) == ("どうろさんこうく", "道路 3工区")
    refused = await scene.call(scene.member, "change_room", place, json={"reading": "道路"})
    assert (code_of(refused), refused.json()["error"]["field"]) == (2001, "reading")
    assert (await scene.call(scene.member, "change_room", place, json={"reading": ""})).json()["reading"] == ""
