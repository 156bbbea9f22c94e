"""The memo pad in a running server: from the phone to the desk, pinned, sent on, changed, taken back, tidied up."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from chat_server.domain.limits import DAY, SECOND
from chat_server.services import tidying
from chat_server.services.blocks import Files
from chat_server.workers.tidying import CHUNK, TidyingWorker
from tests.protocol.test_bots import account, memo_of, tell
from tests.support.patience import DEADLINE
from tests.support.peer import Peer, Wire
from tests.support.uploads import PDF, Scene
from tests.support.world import Someone
from tests.unit.photo_samples import encoded, picture

pytestmark = pytest.mark.asyncio(loop_scope="module")
BOTH_ENGINES = True
KEYS = itertools.count(1)


@dataclass
class Pad:
    """Somebody's memo room with its bot in it, and a peer at their desk."""

    scene: Scene
    room: str
    desk: Peer
    who: Someone

    async def say(self, words: str) -> str:
        """Answers the message's id."""
        return str((await tell(self.desk, self.room, words))["id"])

    async def heard(self) -> Wire:
        """The bot's next message."""
        event = await self.desk.until(
            lambda wire: (
                wire.get("kind") == "message"
                and wire["message"]["author"]["kind"] == "bot"
                and wire["room"] == self.room
            )
        )
        message: Wire = event["message"]
        return message

    async def asks(self, words: str) -> str:
        await self.say(words)
        return str((await self.heard())["text"])

    async def standing(self) -> list[str]:
        """What stands in the room, in words."""
        async with self.scene.server.client(self.scene.token_now(self.who)) as client:
            told = (await client.get(f"/api/rooms/{self.room}/messages?limit=200")).json()
        return [message["text"] for message in told["messages"] if "redacted" not in message]


@pytest_asyncio.fixture(loop_scope="module")
async def pad(scene: Scene) -> AsyncIterator[Pad]:
    await account(scene, "memo_pad")
    room = await memo_of(scene, scene.owner)
    desk = await Peer.live(scene.server.ports["lgwan"], scene.token_now(scene.owner))
    yield Pad(scene, room, desk, scene.owner)
    await desk.close()


async def test_a_photo_and_a_url_from_the_phone_are_at_the_desk(scene: Scene, pad: Pad) -> None:
    phone = await scene.world.another_device(scene.org, scene.owner, "internet")
    async with scene.server.client(phone.token, "internet") as client:
        photo = (await client.post("/api/photos", content=encoded(picture()))).json()["id"]
        blocks: list[Any] = [
            {"type": "text", "text": "道路の様式 https://example.jp/form"},
            {"type": "photos", "ids": [photo]},
        ]
        path = f"/api/rooms/{pad.room}/messages"
        answer = await client.post(path, json={"client_msg_id": f"phone-{next(KEYS):04d}", "blocks": blocks})
        assert answer.status_code == 200, answer.text
    message = await pad.heard()
    assert message["blocks"] == [{"type": "copy", "text": "https://example.jp/form", "v": 1}]
    assert "[写真] 道路の様式 https://example.jp/form" in await pad.asks("一覧 写真")
    assert "道路の様式" in await pad.asks("探す 道路")


async def test_what_comes_fast_is_all_remembered(pad: Pad) -> None:
    for number in range(12):
        await pad.say(f"速い話 {number}")
    listed = await pad.asks("一覧")
    assert [number for number in range(12) if f"速い話 {number}" not in listed] == []


async def test_what_it_pins_is_pinned_for_the_room(scene: Scene, pad: Pad) -> None:
    memo = await pad.say("合言葉の紙は引き出し")
    await pad.say("ピン")
    pinned = await pad.desk.until(lambda wire: wire.get("kind") == "pin")
    assert (pinned["id"], pinned["on"]) == (memo, True)
    async with scene.server.client(scene.token_now(scene.owner)) as client:
        pins = (await client.get(f"/api/rooms/{pad.room}/pins")).json()["items"]
    assert [one["id"] for one in pins] == [memo]


async def test_a_memo_is_sent_on_in_its_owners_name_and_nobody_elses(scene: Scene, pad: Pad) -> None:
    await pad.say("3号線に倒木")
    assert await pad.asks("送る 1 道路課") == "「道路課 現場連絡」に送りました。", "as the room's name begins"
    async with scene.server.client(scene.token_now(scene.owner)) as client:
        told = (await client.get(f"/api/rooms/{scene.room}/messages")).json()["messages"][-1]
    assert told["text"] == "3号線に倒木"
    assert told["author"]["id"] == scene.owner.id
    assert told["forward"]["author"] == "高橋 健"


async def test_a_file_that_is_sent_on_from_the_phone_takes_its_rule_along(scene: Scene, pad: Pad) -> None:
    """The memo was written at the desk; the words that send it on come from outside, as its copy's way does."""
    room = await scene.world.room(scene.owner, scene.member)
    await named(scene, room, "何でも持ち出せる部屋")
    await scene.server.app.storage.write(
        lambda tx: tx.run("UPDATE rooms SET outflow = 'download' WHERE public_id = ?", room)
    )
    file = await scene.upload(scene.owner, PDF)
    await scene.world.post(scene.owner, pad.room, Files((file,)))
    phone = await scene.world.another_device(scene.org, scene.owner, "internet")
    outside = await Peer.live(scene.server.ports["internet"], phone.token)
    for said_by, where, may in ((outside, "internet", False), (pad.desk, "lgwan", True)):
        await tell(said_by, pad.room, "送る 1 何でも持ち出せる部屋")
        assert (await pad.heard())["text"] == "「何でも持ち出せる部屋」に送りました。"
        row = await scene.server.app.storage.read(
            lambda reader: reader.one(
                "SELECT a.public_id FROM attachments a JOIN rooms r ON r.id = a.room_id WHERE r.public_id = ?"
                " ORDER BY a.id DESC LIMIT 1",
                room,
            )
        )
        assert row is not None
        item = await scene.item(phone, str(row[0]), "internet")
        assert item is not None
        assert ("original" in item["addresses"]) is may, where
    await outside.close()


async def test_where_it_may_not_go_it_does_not_and_its_owner_is_told(scene: Scene, pad: Pad) -> None:
    await pad.say("3号線に倒木")
    assert await pad.asks("送る 1 秘書課") == "「秘書課」というトークルームはありません。"
    guest = await scene.world.person(scene.org, "外部 一郎", kind="guest")
    stranger = await scene.world.person(scene.org, "別の人")
    hidden = await scene.world.room(stranger)
    await named(scene, hidden, "人事の相談")
    assert await pad.asks("送る 1 人事の相談") == "「人事の相談」というトークルームはありません。", (
        "as if there were none"
    )
    mixed = await scene.world.room(scene.owner, guest)
    await named(scene, mixed, "業者との連絡")
    assert "団体の外の人がいます" in await pad.asks("送る 1 業者との連絡")
    read_only = await scene.world.room(stranger, scene.owner, kind="open")
    await named(scene, read_only, "読むだけ")
    await scene.server.app.storage.write(
        lambda tx: tx.run(
            "UPDATE memberships SET role = 'read_only' WHERE user_id = ? AND role = 'member'", scene.owner.actor.user_id
        )
    )
    assert await pad.asks("送る 1 読むだけ") == "このトークルームでは閲覧のみできます。"
    rows = await scene.server.app.storage.read(
        lambda reader: reader.all(
            "SELECT r.public_id, count(m.id) FROM rooms r JOIN messages m ON m.room_id = r.id GROUP BY r.public_id"
        )
    )
    assert {hidden, mixed, read_only}.isdisjoint(row[0] for row in rows)


async def test_a_room_is_found_however_its_name_is_written(scene: Scene, pad: Pad) -> None:
    await pad.say("様式の改訂")
    one, other = await scene.world.room(scene.owner), await scene.world.room(scene.owner)
    await named(scene, one, "ＩＣＴ推進室（本庁）")
    await named(scene, other, "第１係")
    assert await pad.asks("送る 1 ICT推進室(本庁)") == "「ＩＣＴ推進室（本庁）」に送りました。"
    assert await pad.asks("送る 1 第１係") == "「第１係」に送りました。"
    assert await pad.asks("送る 1 ict") == "「ＩＣＴ推進室（本庁）」に送りました。"
    assert "というトークルームはありません。" in await pad.asks("送る 1 " + "長" * 19_000)


async def named(scene: Scene, room: str, name: str) -> None:
    await scene.server.app.storage.write(lambda tx: tx.run("UPDATE rooms SET name = ? WHERE public_id = ?", name, room))


async def test_what_was_changed_or_taken_back_is_so_in_its_list(scene: Scene, pad: Pad) -> None:
    first, second = await pad.say("古い言い方"), await pad.say("消える話")
    await pad.desk.ask("edit", message=first, version=1, blocks=[{"type": "text", "text": "新しい言い方"}])
    await pad.desk.ask("redact", message=second)
    listed = await pad.asks("一覧")
    while "古い言い方" in listed or "消える話" in listed:
        listed = await pad.asks("一覧")  # what it was told of a moment ago
    assert "新しい言い方" in listed
    row = await scene.server.app.storage.read(
        lambda reader: reader.one(
            "SELECT value FROM bot_stores s JOIN rooms r ON r.id = s.room_id WHERE r.public_id = ?", pad.room
        )
    )
    assert row is not None
    assert "消える話".encode() not in bytes(row[0])


async def test_it_tidies_up_once_and_leaves_what_is_pinned(scene: Scene, pad: Pad) -> None:
    keep = await pad.say("残す話")
    await pad.desk.ask("pin", message=keep, on=True)
    for number in range(CHUNK + 10):
        await pad.say(f"古い話 {number}")
    await pad.say("古い話 https://example.jp/form")
    await pad.heard()  # what the bot said goes as well
    scene.server.clock.ahead += 31 * DAY
    await pad.desk.close()
    pad.desk = await Peer.live(scene.server.ports["lgwan"], scene.token_now(scene.owner))
    await pad.say("新しい話")
    await pad.say("片付け 30")
    card = await pad.heard()
    await press(scene, card["id"], "once")
    await tidied(scene, pad)
    assert [words for words in await pad.standing() if "古い話" in words or "example.jp" in words] == []
    left = await pad.standing()
    assert "残す話" in left
    assert "新しい話" in left
    assert "古い話" not in await pad.asks("一覧")


async def test_it_tidies_up_every_day_until_told_not_to(scene: Scene, pad: Pad) -> None:
    await pad.say("一日目")
    await pad.say("片付け 7")
    await press(scene, (await pad.heard())["id"], "daily")
    await tidied(scene, pad)
    assert "一日目" in await pad.standing()
    for day, there in ((6, True), (8, False)):
        scene.server.clock.ahead += day * DAY if there else 2 * DAY
        await TidyingWorker(scene.server.app.storage).step()
        assert ("一日目" in await pad.standing()) is there, day
    await pad.desk.close()
    pad.desk = await Peer.live(scene.server.ports["lgwan"], scene.token_now(scene.owner))
    await pad.say("その後")
    assert await pad.asks("片付け しない") == "毎日の片付けをやめました。"
    scene.server.clock.ahead += 30 * DAY
    await TidyingWorker(scene.server.app.storage).step()
    assert "その後" in await pad.standing()
    async with asyncio.timeout(DEADLINE):
        while await scene.server.app.storage.read(lambda reader: tidying.due(reader, 5)):
            await TidyingWorker(scene.server.app.storage).step()


async def press(scene: Scene, message: str, key: str) -> None:
    async with scene.server.client(scene.token_now(scene.owner)) as client:
        answer = await client.post(f"/api/messages/{message}/press", json={"key": key})
        assert answer.status_code < 300, answer.text


async def tidied(scene: Scene, pad: Pad) -> None:
    """Until the bot has asked for it and it is done: the card says so in the step in which it is asked for."""
    await pad.desk.until(lambda wire: wire.get("kind") == "edit" and "片付け" in wire["message"]["text"])
    await TidyingWorker(scene.server.app.storage).step()


async def test_two_who_tidy_up_at_once_take_each_back_once(scene: Scene, pad: Pad) -> None:
    for number in range(5):
        await pad.say(f"話 {number}")
    storage = scene.server.app.storage
    row = await storage.read(lambda reader: reader.one("SELECT id, org_id FROM rooms WHERE public_id = ?", pad.room))
    assert row is not None
    before = scene.server.clock.now() + SECOND
    await storage.write(lambda tx: tidying.ask(tx, row[0], row[1], before, -1))
    await asyncio.gather(*(TidyingWorker(storage).step() for _ in range(3)))
    counted = await storage.read(
        lambda reader: reader.all(
            "SELECT count(*) FROM events e WHERE e.room_id = ? AND e.kind = 'redaction' GROUP BY e.message_id", row[0]
        )
    )
    assert {one[0] for one in counted} == {1}
    assert len(counted) >= 5
    assert await storage.read(lambda reader: tidying.due(reader, 5)) == []


async def test_whoever_stops_it_in_the_middle_keeps_the_rest(scene: Scene, pad: Pad) -> None:
    for number in range(5):
        await pad.say(f"話 {number}")
    storage = scene.server.app.storage
    row = await storage.read(lambda reader: reader.one("SELECT id, org_id FROM rooms WHERE public_id = ?", pad.room))
    assert row is not None
    await storage.write(lambda tx: tidying.ask(tx, row[0], row[1], None, 1))
    scene.server.clock.ahead += 2 * DAY
    [one] = await storage.read(lambda reader: tidying.due(reader, 5))
    assert await storage.write(lambda tx: tidying.step(tx, one, 2)) is True
    await storage.write(lambda tx: tidying.ask(tx, row[0], row[1], None, 0))
    assert await storage.write(lambda tx: tidying.step(tx, one, 2)) is False
    assert await pad.standing() == ["話 2", "話 3", "話 4"]
    await TidyingWorker(storage).step()
    assert await storage.read(lambda reader: tidying.due(reader, 5)) == []
