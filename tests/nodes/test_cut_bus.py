"""Two processes whose bus was never there: what the comparison of heads alone does, within about a second."""

from __future__ import annotations

import statistics
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from chat_server.domain import closing
from tests.support.cluster import HEALED, LATEST, Cluster, cluster, hears, said, until_bus
from tests.support.ports import free_port

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town() -> AsyncIterator[Cluster]:
    async with cluster(people=6, RENRAKU_BUS=f"valkey://127.0.0.1:{free_port()}/0") as found:
        await until_bus(found, "cut")
        yield found


async def test_messages_go_on_and_arrive_within_about_a_second(town: Cluster) -> None:
    here, there = town.nodes
    sender, reader = await town.peer(here, 0), await town.peer(there, 1)
    acked, heard = [], []
    for number in range(5):
        begun = time.monotonic()
        await said(sender, town, f"橋{number}")
        acked.append(time.monotonic() - begun)
        await hears(reader, f"橋{number}")
        heard.append(time.monotonic() - begun)
    # Medians: other tests run beside this one, and what stands still for a moment is the machine.
    assert statistics.median(acked) < 1, "a cut bus holds up nobody"
    assert statistics.median(heard) < HEALED
    for peer in (sender, reader):
        await peer.close()


async def test_a_removed_member_is_out_within_about_a_second(town: Cluster) -> None:
    here, there = town.nodes
    owner, stays, removed = await town.peer(here, 0), await town.peer(there, 1), await town.peer(there, 3)
    async with here.client(town.tokens[0]) as client:
        answer = await client.delete(f"/api/rooms/{town.room}/members/{town.people[3].id}")
        assert answer.status_code < 300, answer.text
    await removed.until(lambda wire: wire.get("kind") == "room_lost", LATEST)
    await said(owner, town, "内緒")
    await hears(stays, "内緒", LATEST)
    assert [wire for wire in await removed.nothing_but() if wire.get("kind") == "message"] == []
    for peer in (owner, removed, stays):
        await peer.close()


async def test_a_disabled_person_is_out_within_about_a_second(town: Cluster) -> None:
    here, there = town.nodes
    gone = await town.peer(there, 4)
    await here.operate("user.disable", organization="midorino", login="person4")
    assert await gone.closed(LATEST) == closing.DISABLED


async def test_a_device_signed_out_is_out_within_about_a_second(town: Cluster) -> None:
    here, there = town.nodes
    gone = await town.peer(there, 5)
    async with here.client(town.tokens[5]) as client:
        assert (await client.post("/api/me/sign-out")).status_code == 204
    assert await gone.closed(LATEST) == closing.SIGNED_OUT
