"""Bots in the server: they answer where they are, once, whatever becomes of them; nobody waits for them (security.md, 8)."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from chat_server.bot_runner.process import BotProcess
from chat_server.bot_wire import Done, Task
from chat_server.domain.ids import new_id
from chat_server.ports import Tx
from chat_server.services import bot_tasks, bots, rooms
from chat_server.services.bot_posts import Post
from chat_server.services.bots import Place, Plugin
from chat_server.services.membership import Who
from chat_server.workers.bots import BotWorker
from tests.support.patience import DEADLINE
from tests.support.peer import Peer, text
from tests.support.server import RunningServer
from tests.support.uploads import Scene
from tests.support.world import Someone

pytestmark = pytest.mark.asyncio(loop_scope="module")
BOTH_ENGINES = True
PLACE = Place("lgwan", b"k" * 32, lambda zone: 0)


async def said(peer: Peer) -> str:
    """The next thing that a bot says."""
    event = await peer.until(lambda wire: wire.get("kind") == "message" and wire["message"]["author"]["kind"] == "bot")
    words: str = event["message"]["text"]
    return words


async def tell(peer: Peer, room: str, words: str) -> dict[str, Any]:
    return await peer.ask("send", room=room, client_msg_id=f"say-{new_id(0)}", blocks=text(words))


@pytest_asyncio.fixture(loop_scope="module")
async def owner(scene: Scene) -> AsyncIterator[Peer]:
    peer = await Peer.live(scene.server.ports["lgwan"], scene.owner.token)
    yield peer
    await peer.close()


async def account(scene: Scene, plugin: str) -> str:
    """The bot's public id in the scene's organization, once it has its account."""
    async with asyncio.timeout(DEADLINE):
        while True:
            row = await scene.server.app.storage.read(
                lambda reader: reader.one(
                    "SELECT u.public_id FROM bots b JOIN users u ON u.id = b.user_id WHERE b.org_id = ? AND b.plugin = ?",
                    scene.org.id,
                    plugin,
                )
            )
            if row is not None:
                return str(row[0])
            await asyncio.sleep(0.05)  # accounts come with the next look of the bot's worker


async def invited(scene: Scene, plugin: str) -> None:
    bot = await account(scene, plugin)
    invitation = rooms.Invitation((bot,))
    await scene.server.app.storage.write(lambda tx: rooms.invite(tx, scene.owner.actor, scene.room, invitation))


async def memo_of(scene: Scene, who: Someone) -> str:
    actor = who.actor
    return await scene.server.app.storage.write(
        lambda tx: rooms.ensure_memo(tx, Who(actor.user_id, actor.org_id, actor.id))
    )


async def test_the_memo_pad_is_in_everyones_memo_room_from_the_first(scene: Scene, owner: Peer) -> None:
    await account(scene, "memo_pad")
    room = await memo_of(scene, scene.owner)
    await tell(owner, room, "様式 https://example.jp/form")
    assert await said(owner) == "https://example.jp/form"
    await tell(owner, room, "一覧 URL")
    assert "様式 https://example.jp/form" in await said(owner)


async def test_a_bot_answers_where_it_is_and_sees_nothing_elsewhere(scene: Scene, owner: Peer) -> None:
    await invited(scene, "reminders")
    other = await scene.world.room(scene.owner)
    await tell(owner, other, "リマインド")
    await tell(owner, scene.room, "リマインド")
    event = await owner.until(lambda wire: wire.get("kind") == "message" and wire["message"]["author"]["kind"] == "bot")
    assert event["room"] == scene.room
    waiting = await scene.server.app.storage.read(
        lambda reader: reader.one(
            "SELECT count(*) FROM bot_events e JOIN rooms r ON r.id = e.room_id WHERE r.public_id = ?", other
        )
    )
    assert waiting is not None
    assert waiting[0] == 0
    bot = await account(scene, "reminders")
    async with scene.server.client(scene.owner.token) as client:
        assert (await client.delete(f"/api/rooms/{scene.room}/members/{bot}")).status_code < 300
    await tell(owner, scene.room, "リマインド")
    await tell(owner, scene.room, "さようなら")
    await asyncio.sleep(0.5)  # the time in which it would have answered
    assert [
        wire for wire in await owner.nothing_but() if wire.get("message", {}).get("author", {}).get("kind") == "bot"
    ] == []


async def test_a_menu_can_tell_what_the_bots_of_a_room_understand(scene: Scene, owner: Peer) -> None:
    await invited(scene, "polls")
    memo, other = await memo_of(scene, scene.owner), await scene.world.room(scene.owner)
    async with scene.server.client(scene.owner.token) as client:
        there = (await client.get(f"/api/rooms/{scene.room}/bots")).json()["items"]
        [pad] = (await client.get(f"/api/rooms/{memo}/bots")).json()["items"]
        assert (await client.get(f"/api/rooms/{other}/bots")).json() == {"items": [], "next": None}
    [polls] = [bot for bot in there if bot["name"] == "投票・出欠"]
    assert polls["user"] == await account(scene, "polls")
    assert polls["offers"][0] == {
        "label": "投票をとる",
        "text": "投票 ",
        "example": "投票 昼食 和食 洋食",
        "whole": False,
    }
    whole = next(offer["text"] for offer in pad["offers"] if offer["whole"])
    await tell(owner, memo, "見積書を取る")
    await tell(owner, memo, whole)
    assert "見積書を取る" in await said(owner)


async def test_a_timer_comes_when_its_time_has_come(scene: Scene, owner: Peer) -> None:
    await invited(scene, "reminders")
    await tell(owner, scene.room, "リマインド 1分後に電話")
    assert "にお知らせします: 電話" in await said(owner)
    scene.server.clock.ahead = 61_000
    assert await said(owner) == "⏰ 電話（高橋 健さんから）"


BAD = """
import os, sys, time
from chat_server.bot_api import Bot, Button, Buttons, Message, Room

class Bad(Bot):
    title = "困ったボット"
    reading = "こまったぼっと"

    def on_message(self, room: Room, message: Message) -> None:
        if message.text == "落ちる":
            os._exit(3)
        if message.text == "止まる":
            while True:
                pass
        if message.text.endswith("間違える"):
            raise ValueError(message.text)
        if message.text == "あふれる":
            for n in range(1000):
                room.say("x")
        if message.text == "抱え込む":
            room.store["x"] = "x" * 100_000
        if message.text == "見えない札":
            room.post(Buttons((Button("a", "\u202e"),)))
        if message.text == "消えない覚書":
            room.remind(room.now, "\\0")
        if message.text == "食べる":
            x = bytearray(2 << 30)
        room.say(message.text + "ました")
"""


class Impatient(BotProcess):
    """Half a second for what never ends, and for everything else what a bot has: a busy machine takes half a second of its own."""

    async def ask(self, task: Task, seconds: float | None = None) -> Done:
        return await super().ask(task, 0.5 if "止まる" in repr(task) else seconds)


@pytest_asyncio.fixture(loop_scope="module")
async def bad(scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[BotWorker]:
    """A bot with faults, in the scene's room; its worker is the test's to step."""
    (tmp_path / "bad_bot.py").write_text(BAD, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    app = scene.server.app
    plugin = Plugin(f"bad_{scene.world.made}", "困ったボット", "こまったぼっと", "")
    worker = BotWorker(app.storage, app.clock, plugin, Impatient("bad_bot"), app.blobs, PLACE)
    await app.storage.write(lambda tx: bots.ensure(tx, plugin))
    await invited(scene, plugin.name)
    yield worker
    await worker._process.close()


async def test_the_log_does_not_tell_what_was_written(
    scene: Scene, owner: Peer, bad: BotWorker, capsys: pytest.CaptureFixture[str]
) -> None:
    await tell(owner, scene.room, "名前を間違える")
    await expected(scene, 1)
    await bad.step()
    logged = capsys.readouterr()
    assert "a bot failed" in logged.out + logged.err
    assert "名前" not in logged.out + logged.err


@pytest.mark.parametrize(
    "fault", ["落ちる", "止まる", "間違える", "あふれる", "抱え込む", "見えない札", "消えない覚書", "食べる"]
)
async def test_a_bot_that_fails_is_told_of_in_words_and_goes_on(
    scene: Scene, owner: Peer, bad: BotWorker, fault: str
) -> None:
    await tell(owner, scene.room, fault)
    await tell(owner, scene.room, "続け")
    await expected(scene, 2)
    clock = scene.server.clock
    for _ in range(3):
        await bad.step()
        clock.ahead += 30_000
    assert await said(owner) == "続けました", "what came after it did not wait"
    assert (await said(owner)).startswith("「困ったボット」がこの投稿や操作を処理できませんでした: ")
    parked = await scene.server.app.storage.read(
        lambda reader: reader.all(
            "SELECT tries, reason FROM bot_events WHERE parked_at IS NOT NULL ORDER BY id DESC LIMIT 1"
        )
    )
    assert parked[0][0] == bots.TRIES
    assert parked[0][1]


async def test_who_floods_one_room_waits_behind_themselves(scene: Scene, owner: Peer, bad: BotWorker) -> None:
    quiet = await scene.world.room(scene.owner)
    bot = await account(scene, f"bad_{scene.world.made}")
    await scene.server.app.storage.write(
        lambda tx: rooms.invite(tx, scene.owner.actor, quiet, rooms.Invitation((bot,)))
    )
    for number in range(6):
        await tell(owner, scene.room, f"波{number}が来")
    await tell(owner, quiet, "一言言い")
    await tell(owner, quiet, "もう一言言い")
    await expected(scene, 8)
    for _ in range(2):
        await bad.step()
    words = [await said(owner) for _ in range(8)]
    assert words[:4] == ["波0が来ました", "一言言いました", "波1が来ました", "もう一言言いました"]
    assert words[4:] == [f"波{number}が来ました" for number in range(2, 6)]


async def test_what_the_server_cannot_take_down_is_parked_and_holds_up_nothing(
    scene: Scene, owner: Peer, bad: BotWorker, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = bot_tasks.kept

    async def mistaken(blobs: Any, org_id: int, done: Done) -> bots.Did:
        if done.posts[0].parts == ("難しいました",):
            raise KeyError(done.posts[0].parts)
        return await kept(blobs, org_id, done)

    monkeypatch.setattr(bot_tasks, "kept", mistaken)
    await tell(owner, scene.room, "難しい")
    await tell(owner, scene.room, "続け")
    await expected(scene, 2)
    for _ in range(3):
        await bad.step()
        scene.server.clock.ahead += 30_000
    assert await said(owner) == "続けました"
    assert "サーバーで扱えませんでした（KeyError）" in await said(owner)
    logged = capsys.readouterr()
    assert "could not be taken down" in logged.out + logged.err
    assert "難しい" not in logged.out + logged.err


async def expected(scene: Scene, count: int) -> None:
    """Until so many things wait for the scene's own bot."""
    async with asyncio.timeout(DEADLINE):
        while True:
            row = await scene.server.app.storage.read(
                lambda reader: reader.one(
                    "SELECT count(*) FROM bot_events e JOIN bots b ON b.user_id = e.bot_id WHERE b.plugin = ?"
                    " AND e.parked_at IS NULL",
                    f"bad_{scene.world.made}",
                )
            )
            if row is not None and row[0] == count:
                return
            await asyncio.sleep(0.02)  # the outbox has no event for it


async def test_a_worker_killed_after_its_answer_says_it_once(scene: Scene, owner: Peer, bad: BotWorker) -> None:
    """Between the bot's answer and the commit: it is asked again, and its words are there once."""
    await tell(owner, scene.room, "続け")
    await expected(scene, 1)
    app = scene.server.app
    [asked] = await app.storage.read(lambda reader: bots.due(reader, f"bad_{scene.world.made}", 10))
    done = await bad._process.ask(bot_tasks.task(asked, app.clock.now()))
    assert [post.parts for post in done.posts] == [("続けました",)]
    await bad.step()  # another worker, or the same one after a restart
    did = bots.Did([Post("", ("続けました",))], store=done.store)

    async def late(tx: Tx) -> bool:
        return await bots.finish(tx, asked, did, PLACE)

    assert await app.storage.write(late) is False
    assert await said(owner) == "続けました"
    assert [wire for wire in await owner.nothing_but() if wire.get("message", {}).get("text") == "続けました"] == []


async def test_its_process_is_killed_and_comes_back(scene: Scene, owner: Peer, bad: BotWorker) -> None:
    await tell(owner, scene.room, "続け")
    await expected(scene, 1)
    await bad.step()
    assert await said(owner) == "続けました"
    assert bad._process._process is not None
    os.kill(bad._process._process.pid, signal.SIGKILL)
    await bad._process._process.wait()
    await tell(owner, scene.room, "続け")
    await expected(scene, 1)
    await bad.step()
    assert await said(owner) == "続けました"


async def test_a_person_whose_login_looks_like_a_bots_stands_in_no_bots_way(scene: Scene) -> None:
    storage, plugin = scene.server.app.storage, Plugin(f"late_{scene.world.made}", "遅い係", "おそいかかり", "")
    login = f"bot.late.{scene.world.made}"
    await storage.write(lambda tx: tx.run("UPDATE users SET login = ? WHERE id = ?", login, scene.member.actor.user_id))
    assert await storage.write(lambda tx: bots.ensure(tx, plugin)) > 0
    assert await account(scene, plugin.name) != scene.member.id
    assert await storage.write(lambda tx: bots.ensure(tx, plugin)) == 0


async def test_bots_do_not_hear_each_other(scene: Scene, server: RunningServer, owner: Peer) -> None:
    await invited(scene, "reminders")
    await tell(owner, scene.room, "リマインド 一覧")
    await said(owner)
    row = await server.app.storage.read(
        lambda reader: reader.one(
            "SELECT count(*) FROM bot_events e JOIN messages m ON m.room_id = e.room_id AND m.seq = e.seq"
            " JOIN users u ON u.id = m.author_id WHERE u.kind = 'bot'"
        )
    )
    assert row is not None
    assert row[0] == 0
