"""Everyone's own room is there from the first sign-in, once, and a guest has none."""

from __future__ import annotations

import pytest

from tests.support.server import RunningServer
from tests.support.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")
PASSWORD = "ながいあいことばです"


async def rooms_after_sign_in(server: RunningServer, organization: str, login: str) -> list[str]:
    async with server.client() as http:
        start = {"organization": organization, "login": login, "device_name": "机"}
        flow = (await http.post("/api/sign-in", json=start)).json()["flow"]
        answer = (await http.post("/api/sign-in/password", json={"flow": flow, "password": PASSWORD})).json()
        token = answer["session"]["access_token"]
        rooms = (await http.get("/api/rooms", headers={"Authorization": f"Bearer {token}"})).json()
    return [room["kind"] for room in rooms]


async def test_a_member_has_one_memo_room_and_a_guest_none(server: RunningServer, world: World) -> None:
    org = await world.organization("memo", "みどり野市")
    await world.person(org, login="takahashi", password=PASSWORD)
    await world.person(org, login="vendor", kind="guest", password=PASSWORD)
    for _ in range(2):
        assert await rooms_after_sign_in(server, "memo", "takahashi") == ["memo"]
    assert await rooms_after_sign_in(server, "memo", "vendor") == []
