"""Announcements: levels, who may use which, what one has yet to read, and how far one has come (security.md, 12, 14)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from chat_server.domain.actors import ORGANIZATION_ADMIN
from chat_server.domain.limits import HOUR
from chat_server.services import organizations, reading, rooms
from chat_server.services.authority import Operator
from chat_server.services.commands import Read
from chat_server.services.keys import SENDS
from chat_server.services.rooms import Invitation
from chat_server.workers.scheduled import ScheduledWorker
from tests.support.peer import Peer, text
from tests.support.server import RunningServer
from tests.support.world import Org, Someone, World

pytestmark = pytest.mark.asyncio(loop_scope="module")
BOTH_ENGINES = True


@dataclass
class Town:
    """An organization with an announcement room, owned by `owner` and by `administrator`; `reader` reads."""

    world: World
    org: Org
    owner: Someone
    administrator: Someone
    reader: Someone
    room: str

    @property
    def server(self) -> RunningServer:
        return self.world.server

    async def act(self, use_case: Any) -> Any:
        return await self.server.app.storage.write(use_case)

    async def call(self, who: Someone, method: str, path: str, **body: Any) -> tuple[int, Any]:
        """(status or error's number, answer)"""
        async with self.server.client(who.token) as client:
            answer = await client.request(method, path, json=body or None)
            told = answer.json()
            return (answer.status_code, told) if answer.is_success else (told["error"]["code"], told["error"])

    async def post(self, who: Someone, words: str, room: str = "", **more: Any) -> tuple[int, Any]:
        path = f"/api/rooms/{room or self.room}/messages"
        self.world.made += 1
        return await self.call(
            who, "POST", path, client_msg_id=f"post-{self.world.made:05d}", blocks=text(words), **more
        )

    async def unread(self, who: Someone) -> list[tuple[str, str]]:
        """(level, words)"""
        _, told = await self.call(who, "GET", "/api/me/announcements")
        return [(one["message"]["level"], one["message"]["text"]) for one in told["items"]]


@pytest_asyncio.fixture(loop_scope="module")
async def town(world: World) -> AsyncIterator[Town]:
    org = await world.organization(f"midorino{world.made}", "みどり野市")
    administrator = await world.person(org, "佐藤 一", role=ORGANIZATION_ADMIN)
    owner, reader = await world.person(org, "高橋 健"), await world.person(org, "田中 美咲")
    room = await world.room(administrator, owner, reader, kind="announcement")
    await world.server.app.storage.write(lambda tx: rooms.give_role(tx, administrator.actor, room, owner.id, "owner"))
    yield Town(world, org, owner, administrator, reader, room)


async def test_a_room_tells_which_levels_one_may_post_with(town: Town) -> None:
    async def may(who: Someone) -> Any:
        return (await town.call(who, "GET", f"/api/rooms/{town.room}"))[1]["can"].get("levels")

    assert await may(town.administrator) == ["urgent", "important", "notice"]
    assert await may(town.owner) == ["important", "notice"]
    assert await may(town.reader) is None
    assert (await town.post(town.owner, "避難指示", level="urgent"))[0] == 4018


async def test_a_level_is_told_to_all_and_is_the_lowest_where_none_is_given(town: Town) -> None:
    peer = await Peer.live(town.server.ports["lgwan"], town.reader.token)
    for level in ("important", None):
        assert (await town.post(town.owner, "断水のお知らせ", **({"level": level} if level else {})))[0] == 200
        event = await peer.event("message")
        assert event["message"]["level"] == (level or "notice")
    await peer.close()
    ordinary = await town.world.room(town.owner)
    _, sent = await town.post(town.owner, "断水", ordinary)
    _, told = await town.call(town.owner, "GET", f"/api/messages/{sent['id']}")
    assert "level" not in told["message"]


async def test_a_level_elsewhere_or_of_no_name_is_refused(town: Town) -> None:
    ordinary = await town.world.room(town.owner)
    status, error = await town.post(town.owner, "断水", ordinary, level="important")
    assert (status, error["field"]) == (2001, "level")
    status, error = await town.post(town.owner, "断水", level="critical")
    assert (status, error["field"]) == (2001, "level")


async def test_who_may_use_which_level_is_the_organizations_to_say(town: Town) -> None:
    assert (await town.post(town.owner, "避難指示", level="urgent"))[0] == 4018
    assert (await town.post(town.administrator, "避難指示", level="urgent"))[0] == 200
    assert (await town.post(town.reader, "断水", level="notice"))[0] == 3003, (
        "whoever only reads there announces nothing"
    )
    rules = {"announce_urgent": "member", "announce_important": "organization_admin"}
    await town.act(lambda tx: organizations.set_policy(tx, Operator(town.org.id), rules))
    assert (await town.post(town.owner, "避難指示", level="urgent"))[0] == 200
    assert (await town.post(town.owner, "断水", level="important"))[0] == 4018
    assert (await town.post(town.owner, "断水"))[0] == 200


async def test_the_same_send_at_another_level_is_another_message(town: Town) -> None:
    path, body = f"/api/rooms/{town.room}/messages", {"client_msg_id": "same-level-1", "blocks": text("断水")}
    _, first = await town.call(town.owner, "POST", path, **body, level="important")
    _, again = await town.call(town.owner, "POST", path, **body, level="important")
    assert (again["id"], again["replay"]) == (first["id"], True)
    assert (await town.call(town.owner, "POST", path, **body))[0] == 4003


async def test_a_scheduled_one_has_the_rights_of_its_author_then(town: Town) -> None:
    path, at = f"/api/rooms/{town.room}/scheduled", town.server.clock.now() + HOUR
    assert (await town.call(town.owner, "POST", path, at=at, blocks=text("避難"), level="urgent"))[0] == 4018
    status, made = await town.call(town.administrator, "POST", path, at=at, blocks=text("避難"), level="urgent")
    assert (status, made["level"]) == (200, "urgent")
    status, second = await town.call(town.administrator, "POST", path, at=at + 1, blocks=text("解除"), level="urgent")
    app = town.server.app
    peer = await Peer.live(town.server.ports["lgwan"], town.reader.token)
    town.server.clock.ahead += HOUR
    worker = ScheduledWorker(app.storage, app.keys.current(SENDS).secret)
    await worker.step()
    event = await peer.event("message")
    assert (event["message"]["text"], event["message"]["level"]) == ("避難", "urgent")
    assert second["id"]
    await peer.close()


async def test_what_one_has_yet_to_read_comes_by_level_and_goes_when_it_is_read(town: Town) -> None:
    await town.post(town.owner, "古い重要", level="important")
    await town.post(town.administrator, "緊急", level="urgent")
    await town.post(town.owner, "お知らせ")
    _, last = await town.post(town.owner, "新しい重要", level="important")
    expected = [("urgent", "緊急"), ("important", "新しい重要"), ("important", "古い重要"), ("notice", "お知らせ")]
    assert await town.unread(town.reader) == expected
    assert await town.unread(town.owner) == [("urgent", "緊急")], "one's own one knows"
    late = await town.world.person(town.org, "新人")
    assert await town.unread(late) == [], "not of a room that one is not in"
    await town.act(lambda tx: reading.read(tx, town.reader.actor, Read(ref=1, room=town.room, upto=last["seq"])))
    assert await town.unread(town.reader) == []


async def test_what_was_taken_back_or_archived_is_not_on_top(town: Town) -> None:
    _, sent = await town.post(town.owner, "誤報", level="important")
    await town.post(town.owner, "残る", level="important")
    async with town.server.client(town.owner.token) as client:
        assert (await client.request("GET", f"/api/messages/{sent['id']}")).status_code == 200
    await town.act(lambda tx: tx.run("UPDATE messages SET redacted_at = ? WHERE public_id = ?", tx.now, sent["id"]))
    assert await town.unread(town.reader) == [("important", "残る")]
    await town.act(lambda tx: rooms.change(tx, town.owner.actor, town.room, rooms.RoomChange(archived=True)))
    assert await town.unread(town.reader) == []


async def test_readers_are_rolled_up_the_tree(town: Town) -> None:
    """部 › 課 › 係: each with everybody below; nobody by name, and nobody twice."""
    world = town.world
    people = [await world.person(town.org, f"職員{number}") for number in range(6)]
    gone, bot = await world.person(town.org, "退職した人"), await world.person(town.org, "係", kind="bot")

    head = await world.department(town.org, "建設部")
    roads = await world.department(town.org, "道路課", head)
    works = await world.department(town.org, "工事係", roads)
    await world.department(town.org, "空の課", head)
    for person, place in zip(people, (head, roads, roads, works, works, None), strict=True):
        if place is not None:
            await world.appoint(person, place)
    everyone = (*people, gone, bot)
    invited = Invitation(tuple(one.id for one in everyone))
    await town.act(lambda tx: rooms.invite(tx, town.owner.actor, town.room, invited))
    await town.act(lambda tx: tx.run("UPDATE users SET disabled_at = ? WHERE id = ?", tx.now, gone.actor.user_id))
    _, sent = await town.post(town.owner, "断水", level="important")
    for person in (people[1], people[3], people[5]):
        await town.act(
            lambda tx, who=person: reading.read(tx, who.actor, Read(ref=1, room=town.room, upto=sent["seq"]))
        )
    path = f"/api/messages/{sent['id']}/readers/rollup"
    status, told = await town.call(people[0], "GET", path)
    assert status == 200
    shown = [(one["name"], one["read"], one["total"]) for one in told["departments"]]
    # Without a department: the administrator and the reader of the room, and the last of the people.
    assert shown == [("建設部", 2, 5), ("道路課", 2, 4), ("工事係", 1, 2), ("", 1, 3)]
    assert (told["read"], told["total"]) == (3, 8)
    names = {one["id"]: one["name"] for one in told["departments"]}
    assert [names.get(one["parent"]) for one in told["departments"] if one["id"]] == ["", "建設部", "道路課"], (
        "none above"
    )
    assert {one["organization"] for one in told["departments"]} == {"みどり野市"}
    assert "職員" not in str(told)


async def test_a_guest_gets_the_sum_alone_and_a_stranger_nothing(town: Town) -> None:
    guest = await town.world.person(town.org, "外部 一郎", kind="guest")
    room = await town.world.room(town.owner, guest)
    message = (await town.world.post(town.owner, room)).id
    path = f"/api/messages/{message}/readers/rollup"
    assert await town.call(guest, "GET", path) == (200, {"read": 0, "total": 1, "departments": []})
    assert (await town.call(town.reader, "GET", path))[0] == 4001
