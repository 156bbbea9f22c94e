"""Between the handshake and the hello: what goes wrong there must not leave a socket behind."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest

from chat_server.domain import closing
from tests.support.peer import Peer
from tests.support.server import RunningServer
from tests.support.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_an_unexpected_fault_ends_the_socket(
    server: RunningServer, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The deadline of the first frame is over by then: nobody else would ever end it."""
    person = await world.person(await world.organization("fault", "みどり野市"))

    async def broken(use_case: Any) -> Any:
        raise sqlite3.OperationalError("unable to open database file")

    peer = await Peer.open(server.ports["lgwan"])
    with monkeypatch.context() as patch:
        patch.setattr(server.app.storage, "read", broken)
        answer = await peer.ask("auth", token=person.token)
        assert (answer["op"], answer["name"]) == ("error", "internal")
        assert answer["params"]["trace"]
        assert await peer.closed() == closing.BUSY
    again = await Peer.live(server.ports["lgwan"], person.token)
    await again.close()
