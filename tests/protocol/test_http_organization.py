"""The organization's name and rules over HTTP: they hold from the next act on, and are on record with it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import pytest
import pytest_asyncio

from chat_server.domain.actors import ORGANIZATION_ADMIN
from chat_server.domain.policy import Policy
from tests.protocol.test_http_permissions import fingerprint
from tests.support.api import Api, code_of
from tests.support.server import RunningServer
from tests.support.world import Org, Someone, World

pytestmark = pytest.mark.asyncio(loop_scope="module")
ROOM = {"kind": "open", "name": "花壇の当番"}


@dataclass
class Scene:
    """An organization with somebody who administers it and somebody who does not."""

    org: Org
    administrator: Someone
    rules: Api
    member: Api

    async def change(self, code: int = 200, /, **wanted: Any) -> dict[str, Any]:
        """What the administrator is answered."""
        answer = await self.rules.call("change_organization", json=wanted)
        assert code_of(answer) == code, answer.text
        found: dict[str, Any] = answer.json()
        return found


@pytest_asyncio.fixture(loop_scope="module")
async def scene(world: World, document: Mapping[str, Any]) -> AsyncIterator[Scene]:
    world.made += 1
    org = await world.organization(f"midorino{world.made}", "みどり野市")
    administrator = await world.person(org, role=ORGANIZATION_ADMIN)
    member = await world.person(org)
    async with world.server.client(administrator.token) as one, world.server.client(member.token) as other:
        yield Scene(org, administrator, Api(one, document), Api(other, document))


async def test_a_rule_holds_from_the_next_act_on(scene: Scene) -> None:
    assert code_of(await scene.member.call("create_room", json=ROOM)) == 200
    changed = await scene.change(policy={"create_open": "organization_admin", "invite_guests": "department_admin"})
    ruled = asdict(Policy()) | {"create_open": "organization_admin", "invite_guests": "department_admin"}
    assert changed["policy"] == ruled
    assert code_of(await scene.member.call("create_room", json=ROOM)) == 3008
    assert code_of(await scene.rules.call("create_room", json=ROOM)) == 200
    assert (await scene.rules.call("get_organization")).json() == changed
    assert (await scene.change(policy={"create_open": None, "invite_guests": "member"}))["policy"] == asdict(Policy())
    assert code_of(await scene.member.call("create_room", json=ROOM)) == 200


async def test_a_change_is_on_record_with_what_was_before(scene: Scene, world: World) -> None:
    await scene.change(policy={"create_open": "organization_admin", "share_rooms": None})
    await scene.change(policy={"create_open": "organization_admin"})  # as it is
    await scene.change(policy={"create_open": None})
    rows = await world.recorded(scene.org, "organization.policy")
    assert [(actor, target) for actor, target, _ in rows] == [(scene.administrator.id, scene.org.public_id)] * 2
    assert [detail for _, _, detail in rows] == [
        {"create_open": {"from": "member", "to": "organization_admin"}},
        {"create_open": {"from": "organization_admin", "to": "member"}},
    ]


@pytest.mark.parametrize(
    ("policy", "field"),
    [
        ({"create_everything": "member"}, "policy"),
        ({"create_open": "nobody"}, "policy.create_open"),
        ({"create_private": "member", "create_open": "guest"}, "policy.create_open"),
        ({"create_open": ["member"]}, "policy[...]"),
    ],
)
async def test_a_rule_that_there_is_not_changes_nothing_at_all(
    scene: Scene, server: RunningServer, policy: dict[str, Any], field: str
) -> None:
    before = await server.app.storage.read(fingerprint)
    error = (await scene.change(2001, name="べつの市", policy=policy))["error"]
    assert error["field"] == field
    assert await server.app.storage.read(fingerprint) == before
    assert (await scene.rules.call("get_organization")).json()["name"] == "みどり野市"


async def test_a_new_name_reaches_everybody(scene: Scene, world: World) -> None:
    before = (await scene.member.call("get_directory")).json()["version"]
    assert (await scene.change(name=" 新みどり\u202e野市\n"))["name"] == "新みどり野市"
    assert (await scene.member.call("get_me")).json()["organization"]["name"] == "新みどり野市"
    assert (await scene.member.call("get_directory")).json()["version"] == before + 1
    expected = [(scene.administrator.id, scene.org.public_id, {"from": "みどり野市", "to": "新みどり野市"})]
    assert await world.recorded(scene.org, "organization.rename") == expected
    await scene.change(name="新みどり野市")
    assert await world.recorded(scene.org, "organization.rename") == expected
    assert (await scene.change(2001, name="\u202e"))["error"]["field"] == "name"


async def test_whether_devices_may_keep_what_was_read_is_told_to_everybody(scene: Scene) -> None:
    async def told() -> Any:
        return (await scene.member.call("get_me")).json()["rules"]

    assert await told() == {"device_cache": "allowed", "device_access": "cache", "memo_pad": True}
    await scene.change(policy={"device_cache": "off"})
    assert await told() == {"device_cache": "off", "device_access": "cache", "memo_pad": True}
    assert (await scene.change(2001, policy={"device_cache": "sometimes"}))["error"]["field"] == "policy.device_cache"
