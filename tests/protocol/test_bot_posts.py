"""What bots post besides words: cards that change, buttons that people press, forms that they answer (security.md, 1, 4, 11)."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from chat_server.bot_blocks import Button, Buttons, Card, Field, Form
from chat_server.bot_runner.process import BotProcess
from chat_server.domain.actors import BOT, Actor
from chat_server.domain.errors import Problem
from chat_server.ports import Tx
from chat_server.services import bot_posts, bots, rooms
from chat_server.services.bot_posts import Post
from chat_server.services.bots import Place, Plugin
from chat_server.services.rooms import Invitation, RoomChange
from chat_server.workers.bots import BotWorker
from tests.protocol.test_bots import invited, tell
from tests.support.patience import DEADLINE
from tests.support.peer import Peer
from tests.support.uploads import Scene
from tests.support.world import Someone

pytestmark = pytest.mark.asyncio(loop_scope="module")
BOTH_ENGINES = True
PLACE = Place("lgwan", b"k" * 32, lambda zone: 0)
NUMBERS = itertools.count(1)

ASKER = """
from chat_server.bot_api import Bot, Button, Buttons, Card, Field, File, Form, Message, Press, Room

def shown(count, open=True, secret=False):
    fields = (Field("food", "食事", "choice", ("和食", "洋食"), required=True), Field("days", "日", "choices", ("月", "火")),
              Field("when", "いつ", "date"), Field("cost", "費用", "number"), Field("word", "ひとこと"))
    return (Card("昼食", rows=(("回答", str(count)),)), Form("昼食", fields, open=open, secret=secret),
            Buttons((Button("close", "締め切る"),)))

class Asker(Bot):
    title = "聞く係"
    reading = "きくかかり"

    def on_message(self, room: Room, message: Message) -> None:
        room.store["secret"] = message.text == "無記名"
        room.post(*shown(0, secret=room.store["secret"]), name="q")

    def on_press(self, room: Room, press: Press) -> None:
        room.change("q", *shown(len(press.answers), open=False, secret=room.store["secret"]))
        room.post(f"{press.by}: {press.key}", File("結果.csv", "所属,氏名".encode()))

    def on_answers(self, room: Room, post: str, answers) -> None:
        room.store["seen"] = [[one.name, one.department, one.values] for one in answers]
        room.change(post, *shown(len(answers), secret=room.store["secret"]))
"""


@pytest_asyncio.fixture(loop_scope="module")
async def owner(scene: Scene) -> AsyncIterator[Peer]:
    peer = await Peer.live(scene.server.ports["lgwan"], scene.owner.token)
    yield peer
    await peer.close()


@pytest_asyncio.fixture(loop_scope="module")
async def asker(scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[BotWorker]:
    (tmp_path / "asker_bot.py").write_text(ASKER, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    app = scene.server.app
    plugin = Plugin(f"asker_{next(NUMBERS)}", "聞く係", "きくかかり", "")
    worker = BotWorker(app.storage, app.clock, plugin, BotProcess("asker_bot"), app.blobs, PLACE)
    await app.storage.write(lambda tx: bots.ensure(tx, plugin))
    await invited(scene, plugin.name)
    yield worker
    await worker._process.close()


async def asked(scene: Scene, owner: Peer, asker: BotWorker, words: str = "聞いて") -> dict[str, Any]:
    """The bot's post."""
    await tell(owner, scene.room, words)
    await done(scene, asker)
    event = await owner.until(lambda wire: wire.get("kind") == "message" and wire["message"]["author"]["kind"] == "bot")
    message: dict[str, Any] = event["message"]
    return message


async def done(scene: Scene, asker: BotWorker) -> None:
    """Whatever there is for the bot to do, at whatever time, it has done."""
    async with asyncio.timeout(DEADLINE):
        while True:
            row = await scene.server.app.storage.read(
                lambda reader: reader.one(
                    "SELECT count(*), (SELECT count(*) FROM outbox), (SELECT count(*) FROM bot_posts WHERE waiting_at IS NOT NULL)"
                    " FROM bot_events e JOIN bots b ON b.user_id = e.bot_id WHERE b.plugin = ? AND parked_at IS NULL",
                    asker._plugin.name,
                )
            )
            assert row is not None
            if row[0] == 0 and row[2] == 0 and row[1] == 0:
                return
            if row[0] or row[2]:
                scene.server.clock.ahead += 2_000
                await asker.step()
            else:
                await asyncio.sleep(0.01)  # the outbox has no event for it


async def put(
    scene: Scene, who: Someone, message: str, zone: str = "lgwan", **values: Any
) -> tuple[int, dict[str, Any]]:
    async with scene.server.client(who.token, zone) as client:
        answer = await client.put(f"/api/messages/{message}/answer", json={"values": values})
        return answer.status_code, answer.json()


async def press(scene: Scene, who: Someone, message: str, key: str) -> int:
    async with scene.server.client(who.token) as client:
        answer = await client.post(f"/api/messages/{message}/press", json={"key": key})
        return answer.status_code if answer.status_code < 300 else int(answer.json()["error"]["code"])


async def shown(scene: Scene, who: Someone, message: str) -> dict[str, Any]:
    async with scene.server.client(who.token) as client:
        got: dict[str, Any] = (await client.get(f"/api/messages/{message}")).json()["message"]
        return got


def rows(message: dict[str, Any]) -> list[list[str]]:
    found: list[list[str]] = message["blocks"][0]["rows"]
    return found


async def test_a_form_is_answered_changed_and_counted(scene: Scene, owner: Peer, asker: BotWorker) -> None:
    message = await asked(scene, owner, asker)
    assert [block["type"] for block in message["blocks"]] == ["card", "form", "buttons"]
    assert message["text"].startswith("昼食\n回答: 0")
    assert (await put(scene, scene.member, message["id"], food="和食", days=["火", "月"], when="2026-12-01"))[0] == 200
    assert (await put(scene, scene.owner, message["id"], food="和食", word=" よろしく "))[1] == {
        "values": {"food": "和食", "word": "よろしく"}
    }
    assert (await put(scene, scene.member, message["id"], food="洋食"))[0] == 200
    await done(scene, asker)
    now = await shown(scene, scene.member, message["id"])
    assert rows(now) == [["回答", "2"]]
    async with scene.server.client(scene.member.token) as client:
        assert (await client.get(f"/api/messages/{message['id']}/answer")).json() == {"values": {"food": "洋食"}}


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("food", {}),
        ("food", {"food": "中華"}),
        ("food", {"food": ["和食"]}),
        ("days", {"food": "和食", "days": ["水"]}),
        ("when", {"food": "和食", "when": "12月1日"}),
        ("when", {"food": "和食", "when": "20261201"}),
        ("cost", {"food": "和食", "cost": "１２円"}),
        ("word", {"food": "和食", "word": "一\n二"}),
        ("word", {"food": "和食", "word": "長" * 2001}),
        ("other", {"food": "和食", "other": "x"}),
    ],
)
async def test_what_is_no_answer_is_refused_by_its_field(
    scene: Scene, owner: Peer, asker: BotWorker, field: str, values: dict[str, Any]
) -> None:
    message = await asked(scene, owner, asker)
    status, answer = await put(scene, scene.member, message["id"], **values)
    assert (status, answer["error"]["code"], answer["error"]["field"]) == (422, 2001, f"values.{field}")
    assert (
        await asker._storage.read(lambda reader: reader.one("SELECT 1 FROM bot_events WHERE kind = 'answers'")) is None
    )


async def test_a_button_is_pressed_and_a_closed_form_takes_nothing(scene: Scene, owner: Peer, asker: BotWorker) -> None:
    message = await asked(scene, owner, asker)
    assert await press(scene, scene.member, message["id"], "open") == 4011
    assert await press(scene, scene.member, message["id"], "close") == 204
    await done(scene, asker)
    event = await owner.until(lambda wire: wire.get("kind") == "message" and wire["message"]["author"]["kind"] == "bot")
    assert event["message"]["text"] == "田中 美咲: close\nファイル 1件"
    assert event["message"]["attachments"][0]["name"] == "結果.csv"
    assert (await put(scene, scene.member, message["id"], food="和食"))[1]["error"]["code"] == 4012
    said = (await scene.world.post(scene.member, scene.room)).id
    assert said is not None
    assert await press(scene, scene.member, said, "close") == 4011, "nobody's own words have buttons"


async def test_who_may_not_read_it_cannot_press_or_answer(scene: Scene, owner: Peer, asker: BotWorker) -> None:
    """Nor who left, nor anybody in an archived room (security.md, 4, 11); who is read-only may."""
    message = (await asked(scene, owner, asker))["id"]
    stranger = await scene.world.person(scene.org, "無関係 な人")
    assert await press(scene, stranger, message, "close") == 4001
    assert (await put(scene, stranger, message, food="和食"))[0] == 404
    storage, actor = scene.server.app.storage, scene.owner.actor
    await storage.write(lambda tx: rooms.invite(tx, actor, scene.room, Invitation((stranger.id,), "read_only")))
    assert (await put(scene, stranger, message, food="和食"))[0] == 200
    await storage.write(lambda tx: rooms.change(tx, actor, scene.room, RoomChange(archived=True)))
    assert await press(scene, scene.member, message, "close") == 3002
    assert (await put(scene, scene.member, message, food="和食"))[1]["error"]["code"] == 3002


async def test_secret_answers_are_nobodys(scene: Scene, owner: Peer, asker: BotWorker) -> None:
    """Neither the bot nor the table says whose they are; one's own is one's own, and it stays so when the form changes."""
    message = (await asked(scene, owner, asker, "無記名"))["id"]
    await put(scene, scene.member, message, food="和食")
    await put(scene, scene.owner, message, food="洋食")
    await put(scene, scene.owner, message, food="和食")
    await done(scene, asker)
    storage = scene.server.app.storage
    kept = await storage.read(
        lambda reader: reader.all(
            "SELECT f.user_id, f.department, f.at FROM form_answers f JOIN messages m ON m.id = f.message_id"
            " WHERE m.public_id = ?",
            message,
        )
    )
    assert [tuple(row) for row in kept] == [(None, "", None)] * 2
    [store] = await storage.read(
        lambda reader: reader.all(
            "SELECT s.value FROM bot_stores s JOIN bots b ON b.user_id = s.bot_id WHERE b.plugin = ?",
            asker._plugin.name,
        )
    )
    assert "田中".encode() not in bytes(store[0])
    assert rows(await shown(scene, scene.owner, message)) == [["回答", "2"]]

    async def unveil(tx: Tx) -> None:
        row = await tx.one(
            "SELECT p.bot_id, p.room_id, p.org_id, u.public_id FROM bot_posts p JOIN users u ON u.id = p.bot_id"
            " JOIN messages m ON m.id = p.message_id WHERE m.public_id = ?",
            message,
        )
        assert row is not None
        bot_id, room_id, org_id, account = row
        bot = Actor(bot_id, org_id, 0, account, "", BOT, "聞く係", "lgwan", "")
        await bot_posts.change(tx, bot, room_id, Post("q", (Form("x", (Field("food", "食事"),)),)))

    with pytest.raises(Problem, match="secret"):
        await storage.write(unveil)


async def test_a_storm_of_answers_is_shown_once_a_second_and_wholly(
    scene: Scene, owner: Peer, asker: BotWorker
) -> None:
    """The bot is told of many together, everybody sees few edits, and the last one counts them all."""
    message = (await asked(scene, owner, asker))["id"]
    people = [await scene.world.person(scene.org, f"回答 {number}") for number in range(12)]
    storage, actor = scene.server.app.storage, scene.owner.actor
    invitation = Invitation(tuple(one.id for one in people))
    await storage.write(lambda tx: rooms.invite(tx, actor, scene.room, invitation))
    for one in people[:6]:
        assert (await put(scene, one, message, food="和食"))[0] == 200
    scene.server.clock.ahead += 2_000
    [due] = await storage.read(lambda reader: bots.due(reader, asker._plugin.name, 9))
    assert len(due.answers) == 6
    for one in people[6:]:
        assert (await put(scene, one, message, food="洋食"))[0] == 200, "while the bot is being told of the others"
    await asker._do(due)
    await done(scene, asker)
    now = await shown(scene, scene.owner, message)
    assert rows(now) == [["回答", "12"]]
    assert now["version"] <= 4


async def test_people_cannot_write_cards(scene: Scene) -> None:
    """Nobody looks like a bot by what they send."""
    blocks: list[dict[str, Any]] = [
        {"type": "card", "title": "当選"},
        {"type": "buttons", "buttons": [{"key": "ok", "label": "OK"}]},
        {"type": "form", "title": "x", "fields": [{"key": "pin", "label": "暗証番号"}]},
    ]
    async with scene.server.client(scene.member.token) as client:
        for block in blocks:
            body = {"client_msg_id": f"card-{block['type']}", "blocks": [block]}
            answer = await client.post(f"/api/rooms/{scene.room}/messages", json=body)
            assert answer.status_code == 422, answer.text


async def test_what_a_bot_writes_is_cleaned_as_peoples_words_are(scene: Scene) -> None:
    bot = await scene.world.person(scene.org, "係", kind="bot")
    storage, actor = scene.server.app.storage, scene.owner.actor
    await storage.write(lambda tx: rooms.invite(tx, actor, scene.room, Invitation((bot.id,))))
    card = Card("題\u202e\0名", "か\u3099", rows=(("\u2066a", "b\x07"),))
    button = Buttons((Button("go", "進\u202eむ"),))
    await storage.write(
        lambda tx: bot_posts.write(
            tx, bot.actor, scene.room, Post("", (card, button)), "clean-card", b"k" * 32, lambda zone: 0
        )
    )
    async with scene.server.client(scene.member.token) as client:
        page = (await client.get(f"/api/rooms/{scene.room}/messages")).json()["messages"]
    assert page[-1]["text"] == "題名\nが\na: b\n［進む］"


async def test_a_forwarded_card_goes_on_as_words(scene: Scene, owner: Peer, asker: BotWorker) -> None:
    message = (await asked(scene, owner, asker))["id"]
    other = await scene.world.room(scene.owner)
    ack = await owner.ask("send", room=other, client_msg_id="forward-card", forward=message)
    assert ack["op"] == "ack"
    forwarded = await shown(scene, scene.owner, ack["id"])
    assert {block["type"] for block in forwarded["blocks"]} == {"text"}
    assert await press(scene, scene.owner, ack["id"], "close") == 4011
