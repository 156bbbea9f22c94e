"""One server a module, and the world in it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
import pytest_asyncio

from tests.support.api import document_of
from tests.support.border import Border
from tests.support.server import RunningServer, running_server
from tests.support.uploads import PDF, Scene, Sender
from tests.support.world import World


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(engine: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningServer]:
    """Two listeners: `internet` and the more trusted `lgwan`."""
    async with running_server(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(server: RunningServer) -> World:
    return World(server)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def document(server: RunningServer) -> Mapping[str, Any]:
    """The OpenAPI document, as the server gives it."""
    return await document_of(server)


@pytest_asyncio.fixture(loop_scope="module")
async def scene(world: World, document: Mapping[str, Any]) -> AsyncIterator[Scene]:
    world.made += 1
    org = await world.organization(f"midorino{world.made}", "みどり野市")
    other = await world.organization(f"asahi{world.made}", "あさひ町")
    owner, member = await world.person(org, "高橋 健"), await world.person(org, "田中 美咲")
    stranger = await world.person(other, "山崎 葵")
    yield Scene(world, document, org, owner, member, stranger, await world.room(owner, member))
    world.server.clock.ahead = 0


@pytest_asyncio.fixture(loop_scope="module")
async def sender(scene: Scene) -> AsyncIterator[Sender]:
    found = scene.sender(scene.owner)
    async with found.client:
        yield found


@pytest_asyncio.fixture(loop_scope="module")
async def border(scene: Scene) -> Border:
    file = await scene.sent(scene.owner, PDF, "橋りょう一般図.pdf")
    border = Border(scene, await scene.world.another_device(scene.org, scene.member, "internet"), file)
    await border.outflow("approve")
    return border
