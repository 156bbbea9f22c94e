"""`POST /api/sync` (docs/protocol.md, section 12): the same positions and the same data as the WebSocket's resume."""

from __future__ import annotations

import gzip
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgpack
import pytest
import pytest_asyncio

from chat_server.domain.actors import ORGANIZATION_ADMIN
from chat_server.services import changing, organizations, reading
from chat_server.services.authority import Operator
from chat_server.services.blocks import Photos, Text
from chat_server.services.commands import React, Read, Redact
from mobile_api.sync import gathering
from tests.support.api import Api
from tests.support.peer import Peer
from tests.support.world import Org, Someone, World
from tests.unit.photo_samples import encoded, picture

BOTH_ENGINES = True
pytestmark = pytest.mark.asyncio(loop_scope="module")
JSON: Final = {"Accept": "application/json", "Accept-Encoding": "identity"}
Wire = dict[str, Any]


@dataclass
class Phone:
    """A client that holds positions and the messages that it was told of, and knows nothing else."""

    scene: Scene
    epoch: str | None = None
    me: int = 0
    rooms: dict[str, int] = field(default_factory=dict)
    messages: dict[str, dict[int, Wire]] = field(default_factory=dict)

    async def ask(self, *, low: bool = False) -> Wire:
        held = {"epoch": self.epoch, "me": self.me, "rooms": self.rooms, "low": low}
        async with self.scene.world.server.client(self.scene.member.token) as client:
            answer = await Api(client, self.scene.document).call("sync", json=held, headers=JSON)
        found: Wire = answer.json()
        return found

    async def sync(self) -> Wire:
        """Ask, and take in what came as the document says."""
        found = await self.ask()
        self.epoch, self.me = found["epoch"], found["me"].get("upto", self.me)
        for room, entry in found["rooms"].items():
            for event in entry.get("events", ()):
                self.apply(room, event)
            if "upto" in entry:
                self.rooms[room] = entry["upto"]
        return found

    def apply(self, room: str, event: Wire) -> None:
        mine = self.messages.setdefault(room, {})
        if event["kind"] in ("message", "edit"):
            mine[event["message"]["seq"]] = {
                name: event["message"].get(name) for name in ("id", "text", "reactions", "redacted", "version")
            }
        elif event["kind"] == "redaction" and event["target"] in mine:
            mine[event["target"]] |= {"text": None, "reactions": None, "redacted": True, "version": None}
        elif event["kind"] == "reaction" and event["target"] in mine:
            user = event.get("user", event.get("by"))
            before = mine[event["target"]]["reactions"] or []
            given = {one["key"]: set(one["users"]) for one in before}
            (
                given.setdefault(event["key"], set()).add
                if event["on"]
                else given.setdefault(event["key"], set()).discard
            )(user)
            mine[event["target"]]["reactions"] = [
                {"key": key, "count": len(users), "users": sorted(users)} for key, users in given.items() if users
            ]

    async def connect(self) -> None:
        """Go on over the WebSocket, to the end, and hang up."""
        peer = await Peer.open(self.scene.world.server.ports["lgwan"])
        await peer.ask("auth", token=self.scene.member.token)
        resumed = await peer.ask("resume", epoch=self.epoch, me=self.me, rooms=self.rooms)
        self.epoch = resumed["epoch"]
        for room, state in resumed["rooms"].items():
            assert state["state"] in ("live", "replay"), "the positions that sync gave are good"
            live = state["state"] == "live"
            while not live:
                page = await peer.ask("pull", room=room, after=self.rooms[room], limit=7)
                for event in page["events"]:
                    self.apply(room, event)
                    self.rooms[room] = event["seq"]
                live = page["live"]
        await peer.close()

    def told(self) -> dict[str, list[tuple[int, str | None, bool, int]]]:
        return {
            room: [
                (seq, one["text"], bool(one["redacted"]), sum(each["count"] for each in one["reactions"] or ()))
                for seq, one in sorted(messages.items())
            ]
            for room, messages in self.messages.items()
        }


@dataclass
class Scene:
    world: World
    document: Mapping[str, Any]
    org: Org
    owner: Someone
    member: Someone
    rooms: list[str]

    async def act(self, luck: random.Random, sent: list[str]) -> None:
        """Something happens in one of the rooms."""
        write = self.world.server.app.storage.write
        room, what = luck.choice(self.rooms), luck.random()
        if what < 0.6 or not sent:
            words = "道路の状況です。" * luck.randint(1, 60)
            done = await self.world.post(luck.choice([self.owner, self.member]), room, Text(words))
            assert done.id is not None
            sent.append(done.id)
        elif what < 0.9:
            command = React(ref=1, message=luck.choice(sent), key="承知しました", on=luck.random() < 0.8)
            await write(lambda tx: changing.react(tx, self.owner.actor, command))
        else:
            gone = Redact(ref=1, message=sent.pop(luck.randrange(len(sent))), how="redacted")
            await write(lambda tx: changing.redact(tx, self.owner.actor, gone))


@pytest_asyncio.fixture(loop_scope="module")
async def scene(world: World, document: Mapping[str, Any]) -> Scene:
    world.made += 1
    org = await world.organization(f"midorino{world.made}", "みどり野市")
    owner = await world.person(org, "高橋 健", role=ORGANIZATION_ADMIN)
    member = await world.person(org, "田中 美咲")
    rooms = [await world.room(owner, member) for _ in range(4)]
    return Scene(world, document, org, owner, member, rooms)


@pytest.mark.parametrize("seed", range(4))
async def test_sync_and_the_socket_go_on_from_each_other_without_loss(scene: Scene, seed: int) -> None:
    luck, sent = random.Random(seed), list[str]()
    phone, steady = Phone(scene), Phone(scene)
    for client in (phone, steady):
        client.rooms = dict.fromkeys(scene.rooms, 0)
    for _ in range(8):
        for _ in range(luck.randint(0, 25)):
            await scene.act(luck, sent)
        await (phone.sync() if luck.random() < 0.6 else phone.connect())
    await phone.connect()
    await steady.connect()
    assert phone.rooms == steady.rooms
    assert phone.told() == steady.told()
    found = await phone.ask()
    assert found["rooms"].keys().isdisjoint(scene.rooms), "and then there is nothing to tell"


async def test_what_does_not_fit_stays_where_it_is_and_comes_next(scene: Scene) -> None:
    phone = Phone(scene, rooms=dict.fromkeys(scene.rooms, 0))
    for room in scene.rooms:
        for number in range(3):
            await scene.world.post(scene.owner, room, Text(f"{number} " + "長い報告です。" * 120))
    first = await phone.sync()
    states = {first["rooms"][room]["state"] for room in scene.rooms}
    assert states == {"live", "replay"}
    for room in scene.rooms:
        if first["rooms"][room]["state"] == "replay":
            assert first["rooms"][room]["last"]["text"].startswith("2 長い")
            assert len(first["rooms"][room]["last"]["text"]) <= 120
    for _ in range(len(scene.rooms)):
        await phone.sync()
    assert all(len(phone.messages[room]) == 3 for room in scene.rooms)


async def test_a_client_that_holds_nothing_gets_a_list(scene: Scene) -> None:
    await scene.world.post(scene.owner, scene.rooms[0], Text("橋の下を確認してください。"))
    found = await Phone(scene).ask()
    entry = found["rooms"][scene.rooms[0]]
    assert (entry["state"], entry["name"], entry["unread"]) == ("new", "道路課 現場連絡", 1)
    assert entry["last"]["text"] == "橋の下を確認してください。"
    assert found["badge"] == 1
    assert set(scene.rooms) <= set(found["rooms"])


async def test_what_was_read_elsewhere_changes_the_badge(scene: Scene) -> None:
    phone = Phone(scene, rooms=dict.fromkeys(scene.rooms, 0))
    sent = await scene.world.post(scene.owner, scene.rooms[0], Text("確認してください。"))
    assert sent.seq is not None
    assert (await phone.sync())["badge"] == 1
    own = (await phone.ask())["me"]["head"]
    phone.me = own
    read = Read(ref=1, room=scene.rooms[0], upto=sent.seq)
    await scene.world.server.app.storage.write(lambda tx: reading.read(tx, scene.member.actor, read))
    found = await phone.sync()
    assert found["badge"] == 0
    assert [event["kind"] for event in found["me"]["events"]] == ["read"]
    assert (found["rooms"][scene.rooms[0]]["unread"], found["rooms"][scene.rooms[0]]["state"]) == (0, "live")


async def test_it_comes_packed_and_compressed_unless_somebody_wants_to_read_it(scene: Scene) -> None:
    async with scene.world.server.client(scene.member.token) as client:
        request = client.build_request("POST", "/api/sync", json={}, headers={"Accept-Encoding": "gzip"})
        answer = await client.send(request, stream=True)
        raw = b"".join([piece async for piece in answer.aiter_raw()])
        await answer.aclose()
        assert (answer.headers["content-type"], answer.headers["content-encoding"]) == ("application/msgpack", "gzip")
        whole = msgpack.unpackb(gzip.decompress(raw))
        plain = await client.post("/api/sync", json={}, headers={"Accept-Encoding": "gzip;q=0"})
        assert "content-encoding" not in plain.headers
        assert msgpack.unpackb(plain.content)["rooms"].keys() == whole["rooms"].keys()
        read = await client.post("/api/sync", json={}, headers=JSON)
        assert read.json()["rooms"].keys() == whole["rooms"].keys()


async def test_low_data_brings_no_events_and_no_pictures(scene: Scene) -> None:
    async with scene.world.server.client(scene.owner.token) as client:
        photo = (await client.post("/api/photos", content=encoded(picture()))).json()["id"]
    await scene.world.post(scene.owner, scene.rooms[0], Text("写真です。" * 40), Photos((photo,)))
    phone = Phone(scene, rooms=dict.fromkeys(scene.rooms, 0))
    whole, low = await phone.ask(), await phone.ask(low=True)
    assert whole["thumbnails"].keys() == {photo}
    async with scene.world.server.client() as client:
        assert (await client.get(whole["thumbnails"][photo])).status_code == 200
    assert low["thumbnails"] == {}
    assert all("events" not in entry for entry in low["rooms"].values())
    assert len(low["rooms"][scene.rooms[0]]["last"]["text"]) == 60


async def test_a_device_that_may_see_no_files_gets_no_thumbnails(scene: Scene) -> None:
    async with scene.world.server.client(scene.owner.token) as client:
        photo = (await client.post("/api/photos", content=encoded(picture()))).json()["id"]
    await scene.world.post(scene.owner, scene.rooms[0], Photos((photo,)))
    rules = {"device_access_private": "text"}
    await scene.world.server.app.storage.write(lambda tx: organizations.set_policy(tx, Operator(scene.org.id), rules))
    assert (await Phone(scene, rooms=dict.fromkeys(scene.rooms, 0)).ask())["thumbnails"] == {}


async def test_rooms_of_others_and_other_epochs(scene: Scene) -> None:
    elsewhere = await scene.world.room(scene.owner)
    found = await Phone(scene, rooms={elsewhere: 3}).ask()
    assert found["rooms"][elsewhere] == {"state": "gone"}, "as a room that does not exist"
    await scene.world.post(scene.owner, scene.rooms[0], Text("確認"))
    found = await Phone(scene, epoch="of-before", me=5, rooms={scene.rooms[0]: 1}).ask()
    assert (found["me"]["state"], found["rooms"][scene.rooms[0]]["state"]) == ("resync", "resync")


async def test_much_is_bounded(scene: Scene) -> None:
    for _ in range(30):
        await scene.world.post(scene.owner, scene.rooms[0], Text("長い報告です。" * 200))
    found = await Phone(scene, rooms=dict.fromkeys(scene.rooms, 0)).ask()
    assert len(msgpack.packb(found)) < gathering.BYTES + 4096
