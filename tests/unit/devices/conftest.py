"""An empty storage on the chosen engine, and which tokens are live in it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest

from chat_server.clock import SystemClock
from chat_server.domain.actors import Actor
from chat_server.ports import AnyStorage
from chat_server.storage.queries import push_tokens
from chat_server.storage.queries.push_tokens import PushToken
from tests.support import engines

UNFIT: Final = (
    "UPDATE devices SET revoked_at = 1",
    "UPDATE devices SET approved_at = NULL",
    "UPDATE devices SET wipe_asked_at = 1",
    "UPDATE users SET disabled_at = 1",
    "UPDATE users SET ends_at = 1",
)
"""What makes devices ones that may do nothing."""


@pytest.fixture
async def storage(engine: str, tmp_path: Path) -> AsyncIterator[AnyStorage]:
    opened = await engines.open_storage(tmp_path, SystemClock())
    yield opened
    await opened.close()


async def live(storage: AnyStorage, *people: Actor) -> list[PushToken]:
    ids = [person.user_id for person in people]
    return await storage.read(lambda reader: push_tokens.live_of(reader, ids, most_trusted="lgwan"))
