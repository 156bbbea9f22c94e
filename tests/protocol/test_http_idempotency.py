"""An unsafe call under an Idempotency-Key happens once, however often it is asked for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from chat_server.domain import limits
from chat_server.domain.actors import ORGANIZATION_ADMIN
from chat_server.domain.errors import Problem
from chat_server.ports import Tx
from chat_server.services import idempotency
from chat_server.services.idempotency import Claim
from chat_server.storage.queries import people
from tests.support.api import Api, code_of
from tests.support.server import RunningServer
from tests.support.world import Org, Someone, World

pytestmark = pytest.mark.asyncio(loop_scope="module")
BOTH_ENGINES = True

ROOM = {"kind": "private", "name": "道路課"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def org(world: World) -> Org:
    return await world.organization("midorino", "みどり野市")


@pytest_asyncio.fixture(loop_scope="module")
async def someone(world: World, org: Org) -> Someone:
    return await world.person(org)


@pytest_asyncio.fixture(loop_scope="module")
async def api(server: RunningServer, someone: Someone, document: Mapping[str, Any]) -> AsyncIterator[Api]:
    caller = Api(server.client(someone.token), document)
    async with caller.client:
        yield caller


def key(name: str) -> dict[str, str]:
    return {"Idempotency-Key": name}


async def rooms_of(server: RunningServer, who: Someone) -> int:
    row = await server.app.storage.read(
        lambda tx: tx.one("SELECT count(*) FROM rooms WHERE created_by = ?", who.actor.user_id)
    )
    assert row is not None
    return int(row[0])


async def test_the_same_request_gets_the_first_answer(server: RunningServer, someone: Someone, api: Api) -> None:
    first = await api.call("create_room", json=ROOM, headers=key("create-1"))
    again = await api.call("create_room", json=ROOM, headers=key("create-1"))
    assert first.content == again.content
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    await api.call("create_room", json=ROOM, headers=key("create-2"))
    await api.call("create_room", json=ROOM)
    await api.call("create_room", json=ROOM)
    assert await rooms_of(server, someone) == 4


async def test_an_answer_without_a_body_is_kept_too(world: World, org: Org, api: Api, someone: Someone) -> None:
    room = await world.room(await world.person(org), kind="open")
    assert (await api.call("join_room", {"room": room}, headers=key("join-once"))).status_code == 204
    assert (await api.call("leave_room", {"room": room}, headers=key("leave-once"))).status_code == 204
    replayed = await api.call("join_room", {"room": room}, headers=key("join-once"))
    assert (replayed.status_code, replayed.content) == (204, b"")
    assert code_of(await api.call("get_room", {"room": room})) == 3001


async def test_the_key_of_another_request_is_refused(
    server: RunningServer, world: World, org: Org, someone: Someone, api: Api
) -> None:
    made = await api.call("create_room", json=ROOM, headers=key("used-key"))
    other_body = await api.call("create_room", json={**ROOM, "topic": "x"}, headers=key("used-key"))
    other_path = await api.call("change_room", {"room": made.json()["id"]}, json=ROOM, headers=key("used-key"))
    one, two = [await world.room(await world.person(org), kind="open") for _ in range(2)]
    assert (await api.call("join_room", {"room": one}, headers=key("join-key"))).status_code == 204
    other_room = await api.call("join_room", {"room": two}, headers=key("join-key"))
    for answer in (other_body, other_path, other_room):
        assert (answer.status_code, code_of(answer)) == (409, 2006)
        assert answer.json()["error"]["field"] == "Idempotency-Key"
    assert await rooms_of(server, someone) == 1


async def test_keys_are_ones_own(server: RunningServer, world: World, org: Org, api: Api, document: Any) -> None:
    other = await world.person(org)
    async with server.client(other.token) as client:
        mine = await api.call("create_room", json=ROOM, headers=key("shared-key"))
        theirs = await client.post("/api/rooms", json=ROOM, headers=key("shared-key"))
    assert theirs.status_code == 200
    assert mine.json()["id"] != theirs.json()["id"]


async def test_the_same_request_many_times_at_once_happens_once(
    server: RunningServer, someone: Someone, api: Api
) -> None:
    answers = await asyncio.gather(*(api.call("create_room", json=ROOM, headers=key("many-at-once")) for _ in range(8)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert await rooms_of(server, someone) == 1


async def test_the_transaction_alone_makes_it_happen_once(server: RunningServer, someone: Someone) -> None:
    """As between two processes, where nobody takes turns: the claim in the transaction decides."""
    made: list[int] = []

    async def act(tx: Tx) -> Any:
        made.append(tx.now)
        return {"made": len(made)}

    actor = someone.actor
    claim = Claim(actor.user_id, actor.org_id, "two-processes", b"digest")
    answers = await asyncio.gather(
        *(
            server.app.storage.write(lambda tx: idempotency.once(tx, claim, 200, act, msgspec.json.encode))
            for _ in range(6)
        )
    )
    assert len(made) == 1
    assert {answer.body for answer in answers} == {b'{"made":1}'}
    with pytest.raises(Problem, match="2006"):
        await server.app.storage.write(
            lambda tx: idempotency.once(tx, replace(claim, digest=b"other"), 200, act, msgspec.json.encode)
        )


async def test_a_refused_request_leaves_its_key_free(server: RunningServer, someone: Someone, api: Api) -> None:
    announcement = {"kind": "announcement", "name": "お知らせ"}
    refused = await api.call("create_room", json=announcement, headers=key("refused-first"))
    assert code_of(refused) == 3008
    actor = someone.actor
    await server.app.storage.write(lambda tx: people.grant(tx, actor.org_id, actor.user_id, ORGANIZATION_ADMIN, 0))
    assert (await api.call("create_room", json=announcement, headers=key("refused-first"))).status_code == 200


async def test_a_key_is_kept_for_a_day_and_swept_after(
    server: RunningServer, world: World, org: Org, someone: Someone, document: Mapping[str, Any]
) -> None:
    async def again() -> str:
        fresh = await world.another_device(org, someone, "lgwan")
        caller = Api(server.client(fresh.token), document)
        async with caller.client:
            return str((await caller.call("create_room", json=ROOM, headers=key("for-a-day"))).json()["id"])

    try:
        first = await again()
        server.clock.ahead = limits.IDEMPOTENCY_KEPT - limits.MINUTE
        assert await again() == first
        assert await server.app.storage.write(idempotency.sweep) == 0
        server.clock.ahead = limits.IDEMPOTENCY_KEPT + limits.MINUTE
        assert await again() != first
        server.clock.ahead *= 3
        assert await server.app.storage.write(idempotency.sweep) >= 1
    finally:
        server.clock.ahead = 0


@pytest.mark.parametrize("bad", ["short", "x" * 65, "with space", "with/slash", "full\xe9width"])
async def test_a_bad_key_is_named(api: Api, bad: str) -> None:
    answer = await api.client.post("/api/rooms", json=ROOM, headers=[(b"Idempotency-Key", bad.encode("latin-1"))])
    assert (code_of(answer), answer.json()["error"]["field"]) == (2001, "Idempotency-Key")
