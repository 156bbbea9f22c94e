"""Signing in over HTTP, as docs/protocol.md, section 1, says it (security.md, 22–25)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from chat_server.domain import limits
from chat_server.domain.actors import ORGANIZATION_ADMIN
from tests.support.api import Api, code_of
from tests.support.cutting_proxy import CuttingProxy
from tests.support.server import RunningServer
from tests.support.world import Org, Someone, World

pytestmark = pytest.mark.asyncio(loop_scope="module")
BOTH_ENGINES = True

PASSWORD = "みどりの町の合言葉です"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def org(world: World) -> Org:
    return await world.organization("midorino", "みどり野市")


@pytest_asyncio.fixture(loop_scope="module")
async def api(server: RunningServer, document: Mapping[str, Any]) -> AsyncIterator[Api]:
    caller = Api(server.client(), document)
    async with caller.client:
        yield caller


async def sign_in(api: Api, login: str, password: str = PASSWORD, organization: str = "midorino") -> Any:
    begun = await api.call(
        "start_sign_in", json={"organization": organization, "login": login, "device_name": "現場のスマートフォン"}
    )
    assert begun.status_code == 200
    assert begun.json()["next"] == ["password"]
    assert begun.json()["session"] is None
    return await api.call("prove_password", json={"flow": begun.json()["flow"], "password": password})


def bearer(session: Mapping[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {session['access_token']}"}


async def test_in_and_out_again(world: World, org: Org, api: Api, server: RunningServer) -> None:
    person = await world.person(org, login="takahashi", password=PASSWORD)
    proved = await sign_in(api, "takahashi")
    assert proved.status_code == 200
    session = proved.json()["session"]
    assert (proved.json()["flow"], proved.json()["next"], session["user"]) == (None, [], person.id)
    assert session["access_expires"] - server.clock.now() <= limits.ACCESS_LIVES

    me = (await api.call("get_me", headers=bearer(session))).json()
    assert (me["user"]["id"], me["device"], me["zone"]) == (person.id, session["device"], "lgwan")
    listed = (await api.call("list_devices", headers=bearer(session))).json()["items"]
    assert [(one["name"], one["current"]) for one in listed if one["current"]] == [("現場のスマートフォン", True)]

    assert (await api.call("sign_out", headers=bearer(session))).status_code == 204
    assert code_of(await api.call("get_me", headers=bearer(session))) == 1004
    refused = await api.call("refresh_session", json={"refresh_token": session["refresh_token"]})
    assert refused.status_code == 401


async def test_what_is_wrong_is_not_said(world: World, org: Org, api: Api) -> None:
    await world.person(org, login="suzuki", password=PASSWORD)
    answers = [
        await sign_in(api, "suzuki", "wrong password"),
        await sign_in(api, "nobody-here"),
        await sign_in(api, "suzuki", organization="no-such-town"),
    ]
    assert {(answer.status_code, answer.text) for answer in answers} == {(401, answers[0].text)}
    assert code_of(answers[0]) == 1001


async def test_a_flow_works_once(world: World, org: Org, api: Api) -> None:
    await world.person(org, login="ito", password=PASSWORD)
    begun = (await api.call("start_sign_in", json={"organization": "midorino", "login": "ito"})).json()
    proof = {"flow": begun["flow"], "password": PASSWORD}
    answers = await asyncio.gather(*(api.call("prove_password", json=proof) for _ in range(3)))
    assert sorted(code_of(answer) for answer in answers) == [200, 1006, 1006]


async def test_a_refresh_token_works_once_and_its_reuse_ends_the_session(world: World, org: Org, api: Api) -> None:
    await world.person(org, login="kato", password=PASSWORD)
    first = (await sign_in(api, "kato")).json()["session"]
    second = (await api.call("refresh_session", json={"refresh_token": first["refresh_token"]})).json()
    assert second["device"] == first["device"]
    assert second["refresh_token"] != first["refresh_token"]
    assert (await api.call("get_me", headers=bearer(second))).status_code == 200

    reused = await api.call("refresh_session", json={"refresh_token": first["refresh_token"]})
    assert (reused.status_code, code_of(reused)) == (401, 1005)
    assert code_of(await api.call("get_me", headers=bearer(second))) == 1004
    assert code_of(await api.call("refresh_session", json={"refresh_token": second["refresh_token"]})) == 1005


async def test_a_refresh_whose_answer_was_lost_is_repeated_under_its_key(
    server: RunningServer, world: World, org: Org, api: Api, document: Mapping[str, Any]
) -> None:
    await world.person(org, login="mori", password=PASSWORD)
    first = (await sign_in(api, "mori")).json()["session"]
    body, key = {"refresh_token": first["refresh_token"]}, {"Idempotency-Key": "refresh-of-mori"}
    async with CuttingProxy("127.0.0.1", server.ports["lgwan"]) as line:
        line.cut_after(down=0)
        async with server.client() as client:
            with pytest.raises(httpx2.TransportError):
                await client.post(f"http://127.0.0.1:{line.port}/api/sessions/refresh", json=body, headers=key)
    second = await api.call("refresh_session", json=body, headers=key)
    assert second.status_code == 200, second.text
    assert second.json()["device"] == first["device"]
    assert (await api.call("get_me", headers=bearer(second.json()))).status_code == 200
    twice = (await api.call("refresh_session", json=body, headers=key)).json()
    assert twice["refresh_token"] == second.json()["refresh_token"]

    other_key = await api.call("refresh_session", json=body, headers={"Idempotency-Key": "key-of-a-thief"})
    assert code_of(other_key) == 1005
    assert code_of(await api.call("get_me", headers=bearer(twice))) == 1004
    assert code_of(await api.call("refresh_session", json=body, headers=key)) == 1005


@pytest.mark.parametrize("keyed", [False, True])
async def test_the_same_refresh_token_twice_at_once_is_not_two_sessions(
    world: World, org: Org, api: Api, keyed: bool
) -> None:
    login = f"yoshida-{keyed}".lower()
    await world.person(org, login=login, password=PASSWORD)
    session = (await sign_in(api, login)).json()["session"]
    body = {"refresh_token": session["refresh_token"]}
    keys = [{"Idempotency-Key": f"key-of-{n:03d}"} if keyed else {} for n in range(3)]
    answers = await asyncio.gather(*(api.call("refresh_session", json=body, headers=key) for key in keys))
    assert sorted(code_of(answer) for answer in answers) == [200, 1005, 1005]


async def test_guessing_is_slowed_down_with_a_time_to_wait(world: World, org: Org, api: Api) -> None:
    await world.person(org, login="target", password=PASSWORD)
    answers = await asyncio.gather(
        *(sign_in(api, "target", f"guess {n}") for n in range(limits.FAILURES_PER_ACCOUNT + 2))
    )
    codes = sorted(code_of(answer) for answer in answers)
    assert codes == [1001] * limits.FAILURES_PER_ACCOUNT + [1002] * 2
    right = await sign_in(api, "target")
    assert (right.status_code, code_of(right)) == (429, 1002)
    assert int(right.headers["retry-after"]) == right.json()["error"]["params"]["retry_after"] > 0


async def test_a_new_password_signs_the_other_devices_out(world: World, org: Org, api: Api) -> None:
    person = await world.person(org, login="yamada", password=PASSWORD)
    here = (await sign_in(api, "yamada")).json()["session"]
    change = {"old": PASSWORD, "new": "さらに長い新しい合言葉"}
    weak = await api.call("change_password", json={**change, "new": "password123"}, headers=bearer(here))
    assert (code_of(weak), weak.json()["error"]["field"]) == (6003, "new")
    headers = {**bearer(here), "Idempotency-Key": "new-password"}
    assert (await api.call("change_password", json=change, headers=headers)).status_code == 204
    assert (await api.call("change_password", json=change, headers=headers)).status_code == 204
    assert (await api.call("get_me", headers=bearer(here))).status_code == 200
    assert code_of(await api.call("get_me", headers={"Authorization": f"Bearer {person.token}"})) == 1004
    assert code_of(await sign_in(api, "yamada")) == 1001
    assert code_of(await sign_in(api, "yamada", "さらに長い新しい合言葉")) == 200


async def test_an_administrator_adds_and_disables(
    world: World, org: Org, api: Api, server: RunningServer, document: Mapping[str, Any]
) -> None:
    admin: Someone = await world.person(org, role=ORGANIZATION_ADMIN)
    by = {"Authorization": f"Bearer {admin.token}"}
    new = {"login": "Shin.Jin", "name": "新人 一", "reading": "シンジン ハジメ", "password": PASSWORD}
    weak = await api.call("add_person", json={**new, "password": "1234567890"}, headers=by)
    assert code_of(weak) == 6003
    added = await api.call("add_person", json=new, headers=by)
    assert added.status_code == 200, added.text
    person = added.json()
    assert (person["login"], person["reading"]) == ("shin.jin", "しんじん はじめ")
    assert code_of(await api.call("add_person", json=new, headers=by)) == 6002

    session = (await sign_in(api, "shin.jin")).json()["session"]
    renamed = await api.call("change_person", {"user": person["id"]}, json={"name": "新田 一"}, headers=by)
    assert (renamed.json()["name"], renamed.json()["former_name"]) == ("新田 一", "新人")
    disabled = await api.call("change_person", {"user": person["id"]}, json={"disabled": True}, headers=by)
    assert disabled.json()["disabled"] is True
    assert code_of(await api.call("get_me", headers=bearer(session))) == 6009
    assert code_of(await sign_in(api, "shin.jin")) == 1001
    back = await api.call("change_person", {"user": person["id"]}, json={"disabled": False}, headers=by)
    assert "disabled" not in back.json()
    assert code_of(await sign_in(api, "shin.jin")) == 200


async def test_a_guests_time_runs_out(world: World, org: Org, api: Api, server: RunningServer) -> None:
    ends_at = server.clock.now() + 5 * limits.MINUTE
    guest = await world.person(org, kind="guest", ends_at=ends_at, login="guest-by-the-hour", password=PASSWORD)
    by = {"Authorization": f"Bearer {guest.token}"}
    assert (await api.call("get_me", headers=by)).status_code == 200
    try:
        server.clock.ahead = 5 * limits.MINUTE + 1
        assert code_of(await api.call("get_me", headers=by)) in (1004, 6009)
        assert code_of(await sign_in(api, "guest-by-the-hour")) == 1001
    finally:
        server.clock.ahead = 0
