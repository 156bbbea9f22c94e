"""What a review of the core found: calls that an edit takes back, connections that go while they are being served."""

from __future__ import annotations

import pytest

from chat_server.services import room_list
from chat_server.services.blocks import Text
from tests.support.peer import Peer, text
from tests.support.server import RunningServer
from tests.support.world import Someone, World

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def mentioned(server: RunningServer, who: Someone, room: str) -> bool:
    return bool((await server.app.storage.read(lambda tx: room_list.room_of(tx, who.actor, room)))["mentioned"])


@pytest.mark.parametrize("whom", ["member", "everyone"])
async def test_an_edit_moves_the_mention_flag_both_ways(server: RunningServer, world: World, whom: str) -> None:
    org = await world.organization(f"review-{whom}", "みどり野市")
    owner, member = await world.person(org), await world.person(org)
    room = await world.room(owner, member)
    call = "<@everyone>" if whom == "everyone" else f"<@user:{member.id}>"
    sent = await world.post(owner, room, Text(f"{call} 確認ください"))
    assert await mentioned(server, member, room)
    peer = await Peer.live(server.ports["lgwan"], owner.token)
    await peer.ask("edit", message=sent.id, version=1, blocks=text("確認しました"))
    assert not await mentioned(server, member, room)
    await peer.ask("edit", message=sent.id, version=2, blocks=text(f"{call} やはり確認ください"))
    assert await mentioned(server, member, room)
    await peer.close()
