"""Closing a side that has many people: fifty with the act, the others by a job that a crash does not lose."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from chat_server.clock import SystemClock
from chat_server.domain import limits
from chat_server.domain.actors import ORGANIZATION_ADMIN, Actor
from chat_server.domain.errors import Problem
from chat_server.ports import AnyStorage
from chat_server.services import rooms, sharing
from chat_server.services.rooms import Invitation, NewRoom
from chat_server.storage.queries import organizations
from chat_server.workers.outbox import OutboxWorker
from tests.support.engines import open_storage
from tests.support.people import add_organization, add_person

THEIRS = 2 * limits.INVITE_AT_ONCE + 5


@dataclass
class Scene:
    storage: AnyStorage
    owner: Actor
    theirs: list[Actor]
    other: str
    room: str

    async def members(self) -> int:
        row = await self.storage.read(lambda tx: tx.one("SELECT members FROM rooms WHERE public_id = ?", self.room))
        assert row is not None
        return int(row[0])

    async def invite(self, by: Actor, who: Actor) -> None:
        await self.storage.write(lambda tx: rooms.invite(tx, by, self.room, Invitation((who.id,))))


@pytest_asyncio.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    storage = await open_storage(tmp_path, SystemClock())
    try:
        admin = (ORGANIZATION_ADMIN,)
        owner = await add_person(storage, await add_organization(storage), "owner", roles=admin)
        there = await add_organization(storage, "kazamihara", "風見原町")
        theirs = [await add_person(storage, there, f"person{n}", roles=admin) for n in range(THEIRS)]
        room = await storage.write(lambda tx: rooms.create(tx, owner, NewRoom(kind="private", name="広域の道路")))
        await storage.write(lambda tx: sharing.offer(tx, owner, room, "kazamihara"))
        await storage.write(lambda tx: sharing.open_side(tx, theirs[0], room))
        made = Scene(storage, owner, theirs, "", room)
        for someone in theirs[1:]:
            await made.invite(theirs[0], someone)
        found = await storage.read(lambda tx: organizations.by_id(tx, there))
        assert found is not None
        made.other = found.public_id
        assert await made.members() == 1 + THEIRS
        yield made
    finally:
        await storage.close()


@pytest.mark.parametrize("by_home", [True, False], ids=["home", "their side"])
async def test_the_rest_follow_by_the_outbox(scene: Scene, by_home: bool) -> None:
    if by_home:
        await scene.storage.write(lambda tx: sharing.withdraw(tx, scene.owner, scene.room, scene.other))
    else:
        await scene.storage.write(lambda tx: sharing.close_side(tx, scene.theirs[0], scene.room))
    assert await scene.members() == 1 + THEIRS - limits.INVITE_AT_ONCE
    worker = OutboxWorker(scene.storage)
    assert await worker.expand() == 1
    assert await scene.members() == 1
    assert await worker.expand() == 0


async def test_whoever_is_still_in_brings_nobody_back(scene: Scene) -> None:
    await scene.storage.write(lambda tx: sharing.withdraw(tx, scene.owner, scene.room, scene.other))
    with pytest.raises(Problem) as refused:
        await scene.invite(scene.theirs[-1], scene.theirs[0])
    assert refused.value.fault.code == 3010
    with pytest.raises(Problem) as refused:
        await scene.storage.write(lambda tx: sharing.open_side(tx, scene.theirs[-1], scene.room))
    assert refused.value.fault.code == 3001
    assert await scene.members() == 1 + THEIRS - limits.INVITE_AT_ONCE
