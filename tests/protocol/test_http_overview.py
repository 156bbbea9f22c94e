"""What an organization's administrators see of it as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from chat_server.domain.actors import ORGANIZATION_ADMIN
from tests.support.api import Api, code_of
from tests.support.uploads import Scene, Sender

pytestmark = pytest.mark.asyncio(loop_scope="module")
BOTH_ENGINES = True


async def asked(scene: Scene, document: Mapping[str, Any], operation: str, **request: Any) -> Any:
    admin = await scene.world.person(scene.org, "佐藤 一", role=ORGANIZATION_ADMIN)
    async with scene.server.client(admin.token) as client:
        answer = await Api(client, document).call(operation, **request)
        assert code_of(answer) == 200, answer.text
        return answer.json()


async def test_rooms_without_what_is_said_and_without_what_is_private(
    scene: Scene, document: Mapping[str, Any]
) -> None:
    world = scene.world
    await world.post(scene.owner, scene.room)
    sent = await world.post(scene.owner, scene.room)
    quiet = await world.room(scene.member, kind="open")
    await world.room(scene.stranger)
    async with scene.server.client(scene.owner.token) as client:
        made = await client.post("/api/rooms/direct", json={"user": scene.member.id})
        assert made.status_code == 200
    found = await asked(scene, document, "list_organization_rooms")
    assert {room["id"] for room in found["items"]} == {scene.room, quiet}
    (busy,) = [room for room in found["items"] if room["id"] == scene.room]
    assert (busy["members"], busy["messages"], busy["owners"]) == (2, 2, ["高橋 健"])
    assert busy["last_at"] == sent.at
    (other,) = [room for room in found["items"] if room["id"] == quiet]
    assert (other["kind"], other["messages"], other["last_at"]) == ("open", 0, None)
    first = await asked(scene, document, "list_organization_rooms", params={"limit": 1})
    rest = await asked(scene, document, "list_organization_rooms", params={"limit": 1, "cursor": first["next"]})
    assert {room["id"] for room in [*first["items"], *rest["items"]]} == {scene.room, quiet}


async def test_health_tells_bytes_and_delays_of_ones_own(
    scene: Scene, sender: Sender, document: Mapping[str, Any]
) -> None:
    await sender.begin(1000)
    other = scene.sender(scene.stranger)
    async with other.client:
        await other.begin(5000)
    health = await asked(scene, document, "get_health")
    assert (health["used"], health["limit"]) == (1000, None)
    assert health["bus"] in ("none", "connected")
    assert [(row["person"]["name"], row["used"]) for row in health["largest"]] == [("高橋 健", 1000)]
    assert health["backup_at"] is None
    assert all(seconds >= 1 for seconds in health["late"].values())
