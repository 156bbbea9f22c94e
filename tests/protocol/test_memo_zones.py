"""A memo pad that its organization keeps to the desks does not exist in other zones, by whatever way one asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from chat_server.domain import closing
from chat_server.services import organizations, rooms
from chat_server.services.authority import Operator
from chat_server.services.blocks import Files, Text
from tests.protocol.test_http_search import indexed
from tests.support.api import Api, code_of
from tests.support.peer import Peer, text
from tests.support.uploads import PDF, Sender
from tests.support.world import Org, Someone, World

pytestmark = pytest.mark.asyncio(loop_scope="module")
BOTH_ENGINES = True
WORD = "迂回路"


@dataclass
class Scene:
    """The memo pad of somebody, with everything in it, and their two devices."""

    world: World
    org: Org
    desk: Someone
    phone: Someone
    pad: str
    message: str
    file: str
    note: str
    document: Mapping[str, Any]

    def api(self, who: Someone) -> Api:
        return Api(self.world.server.client(who.token, who.actor.zone), self.document)

    async def ask(self, who: Someone, operation: str, path: Mapping[str, str] | None = None, **request: Any) -> Any:
        api = self.api(who)
        async with api.client:
            return await api.call(operation, path or {}, **request)

    async def rule(self, value: str | None) -> None:
        await self.world.server.app.storage.write(
            lambda tx: organizations.set_policy(tx, Operator(self.org.id), {"memo_pad": value})
        )


@pytest_asyncio.fixture(loop_scope="module")
async def scene(world: World, document: Mapping[str, Any]) -> Scene:
    world.made += 1
    app = world.server.app
    org = await world.organization(f"midorino{world.made}", "みどり野市")
    desk = await world.person(org, "田中 美咲")
    phone = await world.another_device(org, desk, "internet")
    pad = await app.storage.write(lambda tx: rooms.ensure_memo(tx, desk.actor))
    sender = Sender(world.server.client(desk.token, "lgwan"))
    async with sender.client:
        file = str((await sender.whole(PDF, "迂回路.pdf"))["id"])
    ack = await world.post(desk, pad, Text(f"{WORD}の図面です。"), Files((file,)))
    assert ack.id is not None
    scene = Scene(world, org, desk, phone, pad, ack.id, file, "", document)
    made = await scene.ask(desk, "create_note", {"room": pad}, json={"title": WORD, "blocks": []})
    scene.note = made.json()["id"]
    peer = await Peer.live(world.server.ports["lgwan"], desk.token)
    assert (await peer.ask("bookmark", message=scene.message, on=True))["op"] == "ack"
    await peer.close()
    later = {"at": world.server.clock.now() + 3_600_000, "blocks": text("後で")}
    assert code_of(await scene.ask(desk, "schedule_message", {"room": pad}, json=later)) == 200
    await indexed(world.server)
    return scene


async def found(scene: Scene, who: Someone) -> dict[str, Any]:
    """What there is of the pad in the zone of this device."""
    listed = (await scene.ask(who, "list_rooms")).json()
    search = (await scene.ask(who, "search", json={"words": WORD})).json()["items"]
    marked = (await scene.ask(who, "list_bookmarks")).json()["items"]
    waits = (await scene.ask(who, "list_scheduled")).json()["items"]
    addresses = (await scene.ask(who, "give_addresses", json={"ids": [scene.file]})).json()["items"]
    peer = await Peer.open(scene.world.server.ports[who.actor.zone])
    await peer.ask("auth", token=who.token)
    resumed = await peer.ask("resume", rooms={scene.pad: 1})
    scene.world.made += 1
    sent = await peer.ask("send", room=scene.pad, client_msg_id=f"memo-{scene.world.made:08d}", blocks=text("書く"))
    await peer.close()
    return {
        "told": (await scene.ask(who, "get_me")).json()["rules"]["memo_pad"],
        "listed": [room["id"] for room in listed] == [scene.pad],
        "room": code_of(await scene.ask(who, "get_room", {"room": scene.pad})),
        "messages": code_of(await scene.ask(who, "list_messages", {"room": scene.pad})),
        "message": code_of(await scene.ask(who, "get_message", {"message": scene.message})),
        "note": code_of(await scene.ask(who, "get_note", {"note": scene.note})),
        "search": bool(search),
        "bookmarks": bool(marked),
        "scheduled": bool(waits),
        "addresses": bool(addresses),
        "resumed": resumed["rooms"][scene.pad]["state"] != "gone",
        "sent": sent.get("code", 200),
    }


THERE = {
    "told": True, "listed": True, "room": 200, "messages": 200, "message": 200, "note": 200, "search": True, "bookmarks": True,
    "scheduled": True, "addresses": True, "resumed": True, "sent": 200,
}  # fmt: skip
AWAY = {
    "told": False, "listed": False, "room": 3001, "messages": 3001, "message": 4001, "note": 4030, "search": False,
    "bookmarks": False, "scheduled": False, "addresses": False, "resumed": False, "sent": 3001,
}  # fmt: skip


async def test_it_is_where_the_organization_wants_it_and_nowhere_else(scene: Scene) -> None:
    assert await found(scene, scene.phone) == THERE, "everywhere, unless somebody decided otherwise"
    await scene.rule("most_trusted")
    assert await found(scene, scene.phone) == AWAY
    assert await found(scene, scene.desk) == THERE
    await scene.rule(None)
    assert await found(scene, scene.phone) == THERE


async def test_what_is_away_cannot_be_sent_on(scene: Scene) -> None:
    await scene.rule("most_trusted")
    other = await scene.world.room(scene.desk)
    peer = await Peer.live(scene.world.server.ports["internet"], scene.phone.token)
    refused = await peer.ask("send", forward=scene.message, room=other, client_msg_id="forward-0001")
    assert refused["code"] == 4001
    for op, more in (("react", {"key": "承知しました", "on": True}), ("redact", {}), ("pin", {"on": True})):
        assert (await peer.ask(op, message=scene.message, **more))["code"] == 4001, op
    assert (await peer.ask("pull", room=scene.pad, after=0, limit=10))["code"] == 3001
    await peer.close()


async def test_an_open_connection_hears_of_it_with_its_next_renewal(scene: Scene) -> None:
    server = scene.world.server
    await scene.rule(None)
    peer = await Peer.live(server.ports["internet"], scene.phone.token)
    renewed, _ = server.app.tokens.issue(scene.phone.id, scene.phone.actor.device, scene.org.public_id, "internet")
    assert (await peer.ask("renew", token=renewed))["op"] == "result"
    assert (await peer.ask("pull", room=scene.pad, after=0, limit=10))["op"] == "page", "nothing has changed"
    await scene.rule("most_trusted")
    await peer.send_command("renew", token=renewed)
    assert await peer.closed() == closing.EXPIRED
    again = await Peer.open(server.ports["internet"])
    await again.ask("auth", token=renewed)
    assert (await again.ask("resume", rooms={scene.pad: 1}))["rooms"][scene.pad]["state"] == "gone"
    await again.close()
