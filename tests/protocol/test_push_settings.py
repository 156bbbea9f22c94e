"""How one wants to be rung, and why one was not: settings, rules as they hold on a running server, and what administrators and
the operator are told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from chat_server.domain.actors import ORGANIZATION_ADMIN
from chat_server.domain.push import Why
from chat_server.domain.push_words import DEVICES, PEOPLE
from chat_server.operations import deps_of, operate
from chat_server.services import devices
from chat_server.services.blocks import Text
from mobile_api.ledger.port import STATES
from tests.support.push.lines import LineProvider, LineServer, Wire, line_server
from tests.support.push.phones import Phone, give_phone
from tests.support.server import RunningServer, running_server
from tests.support.world import Org, Someone, World

BOTH_ENGINES = True


@dataclass
class Scene:
    """`marker` is rung for everything, in a room of its own: messages are decided in their order, so once that one has rung, what
    was sent before it has been decided, too."""

    provider: LineServer
    server: RunningServer
    world: World
    org: Org
    author: Someone
    reader: Someone
    marker: Someone
    admin: Someone
    room: str
    beside: str

    async def call(self, who: Someone, method: str, path: str, **options: Any) -> Any:
        async with self.server.client(who.token) as client:
            return await client.request(method, path, **options)

    async def wants(self, **changed: Any) -> None:
        body = {"push": "mentions_and_direct", "duty": "on", "quiet": None, "time_zone": "Asia/Tokyo"} | changed
        assert (await self.call(self.reader, "PUT", "/api/me/notifications", json=body)).status_code == 200

    async def post(self, words: str = "確認しました") -> str:
        """The message's id, once it is decided."""
        message = (await self.world.post(self.author, self.room, Text(words))).id
        seen = len(self.provider.received)
        await self.world.post(self.author, self.beside, Text(f"<@user:{self.marker.id}>"))
        while not any(one["token"] == "marker" for one in self.provider.received[seen:]):
            await self.provider.until(self.provider.answered + 1)
        assert message is not None
        return message

    async def why(self, message: str, user: str | None = None) -> Any:
        params = {"user": user or self.reader.id, "message": message}
        return (await self.call(self.admin, "GET", "/api/organization/push/why", params=params)).json()


@pytest.fixture
async def scene(engine: str, tmp_path: Path) -> AsyncIterator[Scene]:
    async with line_server(answer) as provider:
        providers: Any = {"fcm": LineProvider("fcm", provider.port)}
        async with running_server(tmp_path, providers=providers) as server:
            world = World(server)
            org = await world.organization("midorino", "みどり野市")
            author, reader, marker = [await world.person(org) for _ in range(3)]
            admin = await world.person(org, role=ORGANIZATION_ADMIN)
            await give_phone(world, reader, Phone("reader"))
            await give_phone(world, marker, Phone("marker"))
            room, beside = await world.room(author, reader), await world.room(author, marker)
            yield Scene(provider, server, world, org, author, reader, marker, admin, room, beside)


async def answer(parcel: Wire) -> Wire:
    return {"outcome": "accepted", "reason": "200 OK", "receipt": "projects/x/messages/1"}


async def test_what_one_sets_is_what_one_reads(scene: Scene) -> None:
    first = (await scene.call(scene.reader, "GET", "/api/me/notifications")).json()
    assert first == {
        "push": "mentions_and_direct", "duty": "on", "quiet": None, "time_zone": "Asia/Tokyo", "rooms": [],
    }  # fmt: skip
    body = {"push": "all", "duty": "off", "quiet": {"from": "22:30", "to": "06:00"}, "time_zone": "Europe/Berlin"}
    answered = await scene.call(scene.reader, "PUT", "/api/me/notifications", json=body)
    assert answered.json() == {**body, "rooms": []}
    path = f"/api/rooms/{scene.room}/notifications"
    for level in ("mentions", "none"):
        assert (await scene.call(scene.reader, "PUT", path, json={"level": level})).status_code == 204
        read = (await scene.call(scene.reader, "GET", "/api/me/notifications")).json()
        assert read["rooms"] == [{"room": scene.room, "level": level}]
    await scene.call(scene.reader, "PUT", path, json={"level": None})
    assert (await scene.call(scene.reader, "GET", "/api/me/notifications")).json() == {**body, "rooms": []}
    assert (await scene.call(scene.author, "GET", "/api/me/notifications")).json() == first


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"time_zone": "Mars/Base"}, "time_zone"),
        ({"time_zone": "../../etc/passwd"}, "time_zone"),
        ({"quiet": {"from": "07:00", "to": "07:00"}}, "quiet"),
        ({"quiet": {"from": "24:00", "to": "07:00"}}, "quiet.from"),
        ({"push": "sometimes"}, "push"),
    ],
)
async def test_what_cannot_be_meant_is_refused(scene: Scene, wrong: dict[str, Any], field: str) -> None:
    body = {"push": "all", "duty": "on", "quiet": None, "time_zone": "Asia/Tokyo"} | wrong
    answered = await scene.call(scene.reader, "PUT", "/api/me/notifications", json=body)
    assert answered.status_code == 422
    assert answered.json()["error"]["field"] == field


async def test_each_setting_silences_and_says_so(scene: Scene) -> None:
    call = f"<@user:{scene.reader.id}>"
    now = datetime.now(UTC)
    quiet = {"from": f"{now - timedelta(minutes=5):%H:%M}", "to": f"{now + timedelta(minutes=30):%H:%M}"}
    asked: list[tuple[dict[str, Any], str | None, str]] = [
        ({"duty": "off"}, None, "off_duty"),
        ({"push": "none"}, None, "switched_off"),
        ({"quiet": quiet, "time_zone": "Etc/UTC"}, None, "quiet_hours"),
        ({}, "none", "room_muted"),
    ]
    for settings, level, why in asked:
        await scene.wants(**settings)
        await scene.call(scene.reader, "PUT", f"/api/rooms/{scene.room}/notifications", json={"level": level})
        told = await scene.why(await scene.post(call))
        assert (told["why"], told["devices"]) == (why, [])
        assert told["explanation"] == dict(zip(("ja", "en"), PEOPLE[why], strict=True))
    assert not any(one["token"] == "reader" for one in scene.provider.received)


async def test_an_administrator_reads_what_was_decided_and_what_the_provider_said(scene: Scene) -> None:
    rang = await scene.post(f"<@user:{scene.reader.id}> お願いします")
    await scene.provider.until(2)
    told = await scene.why(rang)
    while told["devices"][0]["state"] == "sending":  # the answer is on its way to the disk
        told = await scene.why(rang)
    (device,) = told["devices"]
    assert told["why"] == ""
    assert (device["device"], device["name"]) == (scene.reader.actor.device, "端末")
    assert (device["kind"], device["why"], device["state"], device["tries"]) == ("ring", "mention", "accepted", 1)
    assert (device["answer"], device["receipt"]) == ("200 OK", "projects/x/messages/1")
    assert told["at"] <= told["decided_at"] <= device["tried_at"] <= device["done_at"]

    assert (await scene.why(rang, scene.author.id))["why"] == "own_message"
    missing = await scene.why(rang, scene.marker.id)
    assert missing["error"]["code"] == 4001  # they were never in that room
    rows = await scene.world.recorded(scene.org, "push.why")
    assert rows[-1] == (scene.admin.id, scene.author.id, {"message": rang})
    assert all("お願いします" not in str(row) for row in rows)


async def test_a_message_is_asked_about_as_a_link_names_it(scene: Scene) -> None:
    message = await scene.post()
    async with scene.server.client(scene.author.token) as client:
        page = (await client.get(f"/api/rooms/{scene.room}/messages")).json()["messages"]
    (seq,) = [one["seq"] for one in page if one["id"] == message]

    async def ask(**params: Any) -> Any:
        answered = await scene.call(scene.admin, "GET", "/api/organization/push/why", params=params)
        return answered.status_code, answered.json()

    status, told = await ask(user=scene.reader.id, room=scene.room, seq=seq)
    assert (status, told["message"], told["why"]) == (200, message, "not_involved")
    assert (await scene.world.recorded(scene.org, "push.why"))[-1][2] == {"message": message}
    for place in (
        {"room": scene.room, "seq": seq + 1000},
        {"room": scene.beside, "seq": 1},
        {"room": message, "seq": 1},
    ):
        status, told = await ask(user=scene.reader.id, **place)
        assert (status, told["error"]["code"]) == (404, 4001), place
    for half in ({}, {"room": scene.room}, {"seq": seq}, {"message": message, "room": scene.room, "seq": seq}):
        status, told = await ask(user=scene.reader.id, **half)
        assert (status, told["error"]["field"]) == (422, "message"), half
    status, told = await ask(user=scene.reader.id, room=scene.room, seq=0)
    assert (status, told["error"]["field"]) == (422, "seq")
    assert len(await scene.world.recorded(scene.org, "push.why")) == 1


async def test_the_operator_asks_by_login(scene: Scene) -> None:
    message = await scene.post()
    person = await scene.call(scene.admin, "GET", f"/api/people/{scene.reader.id}")
    asked = {"organization": scene.org.code, "login": person.json()["login"], "message": message}
    told = await operate(deps_of(scene.server.app), "push.why", asked)
    assert told["why"] == "not_involved"
    assert (await scene.world.recorded(scene.org, "push.why"))[-1][0] == "operator"
    page = (await scene.call(scene.author, "GET", f"/api/rooms/{scene.room}/messages")).json()["messages"]
    (seq,) = [one["seq"] for one in page if one["id"] == message]
    link = f"https://renraku.city.example/#/rooms/{scene.room}?message={seq}"
    assert (await operate(deps_of(scene.server.app), "push.why", asked | {"message": link}))["message"] == message


async def test_a_device_that_is_signed_out_is_not_rung(scene: Scene) -> None:
    who = scene.reader.actor
    await scene.server.app.storage.write(lambda tx: devices.sign_out(tx, who, who.device))
    told = await scene.why(await scene.post(f"<@user:{scene.reader.id}>"))
    assert (told["why"], told["devices"]) == ("no_device", [])


async def test_where_nobody_is_pushed_it_says_so(engine: str, tmp_path: Path) -> None:
    async with running_server(tmp_path) as server:
        world = World(server)
        org = await world.organization("midorino", "みどり野市")
        admin, author = await world.person(org, role=ORGANIZATION_ADMIN), await world.person(org)
        message = await world.post(author, await world.room(author, admin))
        async with server.client(admin.token) as client:
            told = await client.get("/api/organization/push/why", params={"user": admin.id, "message": str(message.id)})
        assert told.json()["why"] == "off"


async def test_what_pushing_does_is_counted(scene: Scene) -> None:
    await scene.post(f"<@user:{scene.reader.id}>")
    await scene.provider.until(2)
    async with scene.server.client() as client:
        page = (await client.get("/metrics")).text
    assert 'renraku_push_decisions_total{why="mention"}' in page
    assert 'renraku_push_decisions_total{why="own_message"}' in page
    assert 'renraku_push_tries_total{outcome="accepted",platform="fcm"}' in page
    for what in ("push", "push_expanding"):
        assert f'renraku_waiting{{what="{what}"}}' in page


def test_every_reason_and_every_state_has_words() -> None:
    rings = {Why.EMERGENCY, Why.DIRECT, Why.MENTION, Why.REPLY, Why.ASKED, Why.ANNOUNCED, Why.FOLLOWED}
    assert {why.value for why in Why if why not in rings} <= set(PEOPLE)
    assert set(STATES.values()) == set(DEVICES)
    page = (Path(__file__).parents[2] / "docs" / "push.md").read_text(encoding="utf-8")
    for word in (*(why.value for why in Why), *STATES.values()):
        assert f"`{word}`" in page, word
