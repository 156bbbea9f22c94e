"""Bots that run elsewhere, by a token: the same bot both ways, one thing at a time, nothing twice (security.md, 1, 4, 5, 8, 10)."""

from __future__ import annotations

import asyncio
import itertools
import os
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
import pytest_asyncio

from chat_client import BotTasks, RenrakuError
from chat_server.bot_api import SAYS
from chat_server.domain.limits import MINUTE, SECOND
from chat_server.http.bots import _AT_ONCE, _gone
from chat_server.services import bots, operator_bots, outside_bots, rooms
from chat_server.services.operation import Deps
from chat_server.services.operator_bots import AddBot, MoveBot
from tests.protocol.test_bots import PLACE, account, invited, said, tell
from tests.support.cluster import eventually
from tests.support.patience import DEADLINE
from tests.support.peer import Peer
from tests.support.uploads import Scene

pytestmark = pytest.mark.asyncio(loop_scope="module")
BOTH_ENGINES = True
NUMBERS = itertools.count(1)


@pytest_asyncio.fixture(loop_scope="module")
async def owner(scene: Scene) -> AsyncIterator[Peer]:
    peer = await Peer.live(scene.server.ports["lgwan"], scene.owner.token)
    yield peer
    await peer.close()


def deps(scene: Scene) -> Deps:
    app = scene.server.app
    return Deps(app.storage, app.passwords, app.clock, app.keys)


@dataclass
class Outside:
    """A bot that the test plays itself. `name`: as of its folder, if it had one."""

    name: str
    token: str
    scene: Scene

    async def call(self, path: str, **body: Any) -> tuple[int, Any]:
        """(status or error's number, answer)"""
        async with self.scene.server.client(self.token) as client:
            answer = await client.post(f"/api/bot/{path}", json=body)
            told: Any = answer.json() if answer.content else {}
            return (answer.status_code, told) if answer.is_success else (told["error"]["code"], told["error"])

    async def take(self, wait: int = 10) -> tuple[str, dict[str, Any]]:
        status, given = await self.call("next", wait=wait)
        assert (status, given["id"] is None) == (200, False), given
        return given["id"], given["task"]

    async def nothing(self) -> bool:
        return bool((await self.call("next", wait=0))[1] == {"id": None, "task": None})

    async def done(self, lease: str, **did: Any) -> int:
        return (await self.call(f"tasks/{lease}", **did))[0]


@pytest_asyncio.fixture(loop_scope="module")
async def outside(scene: Scene) -> Outside:
    """In the scene's room, and the room empty of things to do."""
    name = f"weather_{next(NUMBERS)}"
    new = AddBot(scene.org.code, name, "天気係", "てんきがかり", "lgwan")
    token = (await operator_bots.add_bot(deps(scene), new))["token"]
    await invited(scene, name)
    return Outside(name, token, scene)


def post(*words: str, name: str = "") -> dict[str, Any]:
    return {"name": name, "parts": list(words)}


async def silent(peer: Peer) -> bool:
    """No bot has said anything more."""
    heard = [one["message"] for one in await peer.nothing_but() if one.get("kind") == "message"]
    return not [message for message in heard if message["author"]["kind"] == "bot"]


# The same bot both ways


@pytest_asyncio.fixture(loop_scope="module", params=["in the server", "elsewhere"])
async def polls(scene: Scene, request: pytest.FixtureRequest) -> AsyncIterator[None]:
    """The bot of bots/polls, in the room."""
    await account(scene, "polls")
    if request.param == "in the server":
        await invited(scene, "polls")
        yield
        return
    token = (await operator_bots.move_bot(deps(scene), MoveBot(scene.org.code, "polls", "lgwan")))["token"]
    await invited(scene, "polls")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "chat_server", "bot", "run", "polls", "--server", scene.server.base("lgwan"),
        env={**os.environ, "RENRAKU_BOT_TOKEN": token},
    )  # fmt: skip
    yield
    process.terminate()
    await process.wait()


async def test_a_poll_goes_the_same_way_in_the_server_and_elsewhere(scene: Scene, owner: Peer, polls: None) -> None:
    await tell(owner, scene.room, "投票 昼食\n和食\n洋食")
    asked = await owner.until(lambda wire: wire.get("kind") == "message" and wire["message"]["author"]["kind"] == "bot")
    message = asked["message"]
    form = next(block for block in message["blocks"] if block["type"] == "form")
    field = form["fields"][0]["key"]
    async with scene.server.client(scene.token_now(scene.owner)) as client:
        path = f"/api/messages/{message['id']}"
        answer = await client.put(f"{path}/answer", json={"values": {field: "和食"}})
        assert answer.status_code < 300, answer.text
        changed = await owner.until(lambda wire: wire.get("kind") == "edit" and wire["message"]["id"] == message["id"])
        assert "和食: 1" in changed["message"]["text"].replace("1票", "1").replace("1人", "1"), changed["message"][
            "text"
        ]
        answer = await client.post(f"{path}/press", json={"key": "csv"})
        assert answer.status_code < 300, answer.text
    given = await owner.until(lambda wire: wire.get("kind") == "message" and wire["message"].get("attachments"))
    assert given["message"]["attachments"][0]["name"] == "昼食.csv"
    assert given["message"]["author"]["name"] == "投票・出欠"


# One thing at a time


async def test_it_gets_what_is_said_where_it_is_and_answers_there(scene: Scene, owner: Peer, outside: Outside) -> None:
    elsewhere = await scene.world.room(scene.owner)
    await tell(owner, elsewhere, "秘密")
    waiting = asyncio.create_task(outside.take())
    await tell(owner, scene.room, "明日の天気")
    lease, task = await waiting
    assert (task["message"]["text"], task["message"]["author"], task["store"]) == ("明日の天気", "高橋 健", {})
    assert await outside.done(lease, posts=[post("晴れです")], store={"asked": 1}) == 204
    assert await said(owner) == "晴れです"
    await tell(owner, scene.room, "明後日は")
    lease, task = await outside.take()
    assert task["store"] == {"asked": 1}
    assert await outside.done(lease, store=task["store"]) == 204
    assert await outside.nothing(), "the other room's is none of its business"


async def test_two_of_it_at_once_never_get_the_same_nor_the_same_rooms(
    scene: Scene, owner: Peer, outside: Outside
) -> None:
    second_room = await scene.world.room(scene.owner)
    bot = await account(scene, outside.name)
    await scene.server.app.storage.write(
        lambda tx: rooms.invite(tx, scene.owner.actor, second_room, rooms.Invitation((bot,)))
    )
    for number in range(3):
        await tell(owner, scene.room, f"こちら{number}")
        await tell(owner, second_room, f"あちら{number}")
    seen: list[str] = []

    async def work() -> None:
        while (given := (await outside.call("next", wait=1))[1])["id"] is not None:
            seen.append(given["task"]["message"]["text"])
            count = given["task"]["store"].get("count", 0)
            assert await outside.done(given["id"], store={"count": count + 1}) == 204

    await asyncio.gather(*(work() for _ in range(4)))
    assert sorted(seen) == sorted(f"{where}{number}" for where in ("こちら", "あちら") for number in range(3))
    assert [word for word in seen if "こちら" in word] == ["こちら0", "こちら1", "こちら2"], "in order"
    await tell(owner, scene.room, "何回")
    lease, task = await outside.take()
    assert task["store"] == {"count": 3}, "no count was lost"
    await outside.done(lease, store={})


async def test_what_is_brought_back_counts_once(scene: Scene, owner: Peer, outside: Outside) -> None:
    await tell(owner, scene.room, "一度だけ")
    lease, _ = await outside.take()
    both = await asyncio.gather(*(outside.done(lease, posts=[post("はい")]) for _ in range(2)))
    assert sorted(both) == [204, 4017]
    assert await said(owner) == "はい"
    assert await outside.done(lease, posts=[post("もう一度")]) == 4017
    assert await silent(owner)


async def test_a_lost_answer_is_given_again_under_its_key(scene: Scene, owner: Peer, outside: Outside) -> None:
    await tell(owner, scene.room, "回線が切れる")
    async with scene.server.client(outside.token) as client:
        key = {"Idempotency-Key": "lost-answer"}
        first, again = [(await client.post("/api/bot/next", json={"wait": 10}, headers=key)).json() for _ in range(2)]
        assert first == again
        assert first["id"] is not None
        done = {"posts": [post("つながった")]}
        path, key = f"/api/bot/tasks/{first['id']}", {"Idempotency-Key": "lost-done"}
        both = [(await client.post(path, json=done, headers=key)).status_code for _ in range(2)]
    assert both == [204, 204]
    assert await said(owner) == "つながった"
    assert await silent(owner)


async def test_what_it_does_not_bring_back_in_time_somebody_else_gets_and_the_third_time_the_room_is_told(
    scene: Scene, owner: Peer, outside: Outside
) -> None:
    await tell(owner, scene.room, "遅い係")
    leases = []
    for _ in range(3):
        lease, task = await outside.take(wait=25)
        assert task["message"]["text"] == "遅い係"
        leases.append(lease)
        assert await outside.nothing(), "it is being done"
        scene.server.clock.ahead += outside_bots.LEASE + SECOND
        assert await outside.nothing(), "a while later"
        scene.server.clock.ahead += 21 * SECOND
    assert len(set(leases)) == 3
    assert await outside.done(leases[-1], posts=[post("遅れました")]) == 4017
    assert "処理できませんでした" in await said(owner)
    scene.server.clock.ahead += MINUTE
    assert await outside.nothing()


async def test_a_failure_is_told_in_its_words(scene: Scene, owner: Peer, outside: Outside) -> None:
    await tell(owner, scene.room, "失敗する")
    for _ in range(3):
        lease, _ = await outside.take()
        assert await outside.done(lease, failure="KeyError: 'town'") == 204
        scene.server.clock.ahead += 21 * SECOND
    assert "KeyError: 'town'" in await said(owner)


async def test_whoever_has_gone_takes_nothing_along(scene: Scene, owner: Peer, outside: Outside) -> None:
    _, gone = await asyncio.open_connection("127.0.0.1", scene.server.ports["lgwan"])
    head = f"POST /api/bot/next HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {outside.token}\r\n"
    gone.write(f"{head}Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{{}}".encode())
    await until(lambda: waiting_requests() == 1)
    gone.close()
    await until(lambda: waiting_requests() == 0)
    await tell(owner, scene.room, "誰か")
    lease, task = await outside.take()
    assert task["message"]["text"] == "誰か"
    assert await outside.done(lease) == 204


def waiting_requests() -> int:
    """How many wait for something to do: the server runs in the test's own loop."""
    names = [getattr(task.get_coro(), "__qualname__", "") for task in asyncio.all_tasks()]
    return names.count(_gone.__qualname__)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):  # far less than it would have waited
        while not true():  # noqa: ASYNC110 (a request under way has no event)
            await asyncio.sleep(0.01)


async def test_answers_that_come_while_it_is_told_of_others_are_told_of_next(
    scene: Scene, owner: Peer, outside: Outside
) -> None:
    field = {"key": "word", "label": "ことば", "kind": "line"}
    form = {"type": "form", "title": "用紙", "fields": [field]}
    await tell(owner, scene.room, "用紙をください")
    lease, _ = await outside.take()
    assert await outside.done(lease, posts=[{"name": "f", "parts": ["どうぞ", form]}]) == 204
    asked = await owner.until(lambda wire: wire.get("kind") == "message" and wire["message"]["author"]["kind"] == "bot")
    path = f"/api/messages/{asked['message']['id']}/answer"

    async def answer(who: Any, word: str) -> None:
        async with scene.server.client(scene.token_now(who)) as client:
            answered = await client.put(path, json={"values": {"word": word}})
            assert answered.status_code < 300, answered.text

    await answer(scene.owner, "一")
    lease, task = await outside.take()
    assert [one["values"] for one in task["answers"]["all"]] == [{"word": "一"}]
    await answer(scene.member, "二")
    assert await outside.done(lease, changes=[{"name": "f", "parts": ["一人", form]}]) == 204
    lease, task = await outside.take()
    assert sorted(one["values"]["word"] for one in task["answers"]["all"]) == ["一", "二"]
    assert await outside.done(lease) == 204


# Limits


@pytest.mark.parametrize(
    ("did", "field"),
    [
        ({"posts": [post("x")] * (SAYS + 1)}, "posts"),
        ({"posts": [post("x" * 4001)]}, "posts"),
        ({"posts": [post("x", name="n" * 65)]}, "posts"),
        ({"changes": [post("x")] * (SAYS + 1)}, "changes"),
        ({"changes": [post("x", name="未知")]}, "name"),
        ({"timers": [{"at": 1, "note": ""}] * 11}, "timers"),
        ({"timers": [{"at": 2**64, "note": ""}]}, "timers"),
        ({"timers": [{"at": 1, "note": "n" * 1001}]}, "timers"),
        ({"timers": [{"at": 1, "note": "\0"}]}, "timers"),
        ({"store": {"x": "y" * 70_000}}, "store"),
        ({"store": {"x": 2**70}}, "store"),
        ({"posts": [post("x", name="a\0b")]}, "posts"),
        (
            {"posts": [{"name": "", "parts": [{"type": "buttons", "buttons": [{"key": "a", "label": "\u202e"}]}]}]},
            "blocks",
        ),
        ({"posts": [{"name": "", "parts": [{"type": "card", "title": "\u0958" * 200}]}]}, "blocks"),
        ({"sends": [{"message": "x", "room": "\0"}]}, "sends"),
        ({"tidy": {"before": 2**64}}, "tidy"),
    ],
)
async def test_more_than_a_bot_may_do_is_refused_and_nothing_of_it_happens(
    scene: Scene, owner: Peer, outside: Outside, did: dict[str, Any], field: str
) -> None:
    await tell(owner, scene.room, "たくさん")
    lease, _ = await outside.take()
    status, error = await outside.call(f"tasks/{lease}", **{"posts": [post("少し")], **did})
    assert (status, error["field"]) == (2001, field)
    assert await outside.done(lease, posts=[post("これだけ")]) == 204
    assert await said(owner) == "これだけ"


async def test_it_says_no_more_than_twenty_things_a_second(scene: Scene, owner: Peer, outside: Outside) -> None:
    for words in ("一", "二"):
        await tell(owner, scene.room, words)
    lease, _ = await outside.take()
    # What is said is told to bots after its commit: the second must be there, or nothing would be no sign of rest.
    await eventually(lambda: waiting(scene, outside, 2))
    with scene.server.clock.still():
        assert await outside.done(lease, posts=[post(str(number)) for number in range(10)]) == 204
        assert await outside.nothing()
        scene.server.clock.ahead += 499
        assert await outside.nothing()
        scene.server.clock.ahead += 1
        lease, _ = await outside.take(wait=0)
    await outside.done(lease)


async def test_what_several_processes_say_at_once_is_rested_from_as_well(
    scene: Scene, owner: Peer, outside: Outside
) -> None:
    second_room = await scene.world.room(scene.owner)
    bot = await account(scene, outside.name)
    await scene.server.app.storage.write(
        lambda tx: rooms.invite(tx, scene.owner.actor, second_room, rooms.Invitation((bot,)))
    )
    await tell(owner, scene.room, "こちら")
    await tell(owner, second_room, "あちら")
    leases = [(await outside.take())[0] for _ in range(2)]
    assert await outside.done(leases[0], posts=[post(str(number)) for number in range(10)]) == 204
    first = await rest(scene, outside)
    assert await outside.done(leases[1]) == 204
    assert await rest(scene, outside) > first, "half a second for ten messages, whatever else was brought back"


async def waiting(scene: Scene, outside: Outside, count: int) -> bool:
    """Whether so many things are to do for it, what it is at among them."""
    row = await scene.server.app.storage.read(
        lambda reader: reader.one(
            "SELECT count(*) FROM bot_events WHERE bot_id = (SELECT user_id FROM bots WHERE plugin = ?)", outside.name
        )
    )
    return row is not None and row[0] == count


async def rest(scene: Scene, outside: Outside) -> int:
    """Until when it is given nothing."""
    row = await scene.server.app.storage.read(
        lambda reader: reader.one("SELECT rests_until FROM bots WHERE plugin = ?", outside.name)
    )
    assert row is not None
    return int(row[0])


async def test_no_more_than_some_calls_wait_at_once(scene: Scene, outside: Outside) -> None:
    waiting = [asyncio.create_task(outside.call("next", wait=25)) for _ in range(_AT_ONCE)]
    await until(lambda: waiting_requests() == _AT_ONCE)
    assert (await outside.call("next", wait=0))[0] == 8005
    for one in waiting:
        one.cancel()
    await until(lambda: waiting_requests() == 0)
    assert await outside.nothing()


async def test_what_was_taken_back_meanwhile_is_not_answered(scene: Scene, owner: Peer, outside: Outside) -> None:
    sent = await tell(owner, scene.room, "口がすべった")
    lease, _ = await outside.take()
    await owner.ask("redact", message=sent["id"])
    assert await outside.done(lease, posts=[post("「口がすべった」とは", name="reply-1")], store={"count": 1}) == 204
    assert await silent(owner)
    lease, task = await outside.take()
    assert (task["removed"], task["store"]) == (sent["id"], {}), "all of it happens, or nothing"
    assert await outside.done(lease) == 204


async def test_who_was_taken_out_of_a_room_gets_nothing_of_it_any_more(
    scene: Scene, owner: Peer, outside: Outside
) -> None:
    await tell(owner, scene.room, "名前も秘密")
    await tell(owner, scene.room, "まだ聞いていない話")
    lease, _ = await outside.take()
    bot = await account(scene, outside.name)
    async with scene.server.client(scene.token_now(scene.owner)) as client:
        assert (await client.delete(f"/api/rooms/{scene.room}/members/{bot}")).status_code < 300
    assert await outside.done(lease, posts=[post("さようなら")], store={"kept": 1}) == 204
    scene.server.clock.ahead += SECOND  # it rests
    assert await outside.nothing()
    await invited(scene, outside.name)
    await tell(owner, scene.room, "おかえり")
    lease, task = await outside.take()
    assert (task["message"]["text"], task["store"]) == ("おかえり", {})
    assert await outside.done(lease) == 204


# Tokens


async def test_a_token_is_good_for_its_bot_in_its_network_and_nothing_else(scene: Scene, outside: Outside) -> None:
    async with scene.server.client(outside.token) as client:
        for path in ("/api/me", "/api/rooms", f"/api/rooms/{scene.room}"):
            assert (await client.get(path)).json()["error"]["code"] == 1004
    async with scene.server.client(outside.token, "internet") as client:
        assert (await client.post("/api/bot/next", json={})).json()["error"]["code"] == 1004
    async with scene.server.client(scene.owner.token) as client:
        assert (await client.post("/api/bot/next", json={})).json()["error"]["code"] == 1004
    peer = await Peer.open(scene.server.ports["lgwan"])
    await peer.send_command("auth", token=outside.token)
    assert await peer.closed() == 4503


async def test_another_bots_thing_is_none_of_its_own(scene: Scene, owner: Peer, outside: Outside) -> None:
    new = AddBot(scene.org.code, f"rival_{next(NUMBERS)}", "別の係", "べつのかかり", "lgwan")
    other = Outside(new.name, (await operator_bots.add_bot(deps(scene), new))["token"], scene)
    await tell(owner, scene.room, "どちらに")
    lease, _ = await outside.take()
    assert await other.nothing()
    assert await other.done(lease, posts=[post("横取り")]) == 4017
    assert await outside.done(lease) == 204


async def test_a_new_token_ends_the_old_one_and_what_was_under_way(scene: Scene, owner: Peer, outside: Outside) -> None:
    await tell(owner, scene.room, "交代")
    lease, _ = await outside.take()
    move = MoveBot(scene.org.code, outside.name, "lgwan")
    new = Outside(outside.name, (await operator_bots.move_bot(deps(scene), move))["token"], scene)
    assert await outside.done(lease) == 1004
    assert await new.done(lease) == 4017
    lease, task = await new.take(wait=0)
    assert task["message"]["text"] == "交代"
    assert await new.done(lease) == 204
    await operator_bots.move_bot(deps(scene), MoveBot(scene.org.code, outside.name))
    assert (await new.call("next", wait=0))[0] == 1004


async def test_what_fails_in_the_server_after_it_was_moved_elsewhere_takes_nothing_from_there(
    scene: Scene, owner: Peer, outside: Outside
) -> None:
    storage = scene.server.app.storage
    await operator_bots.move_bot(deps(scene), MoveBot(scene.org.code, outside.name))
    await tell(owner, scene.room, "引っ越し")
    async with asyncio.timeout(DEADLINE):
        while not (here := await storage.read(lambda reader: bots.due(reader, outside.name, 2))):  # noqa: ASYNC110
            await asyncio.sleep(0.02)  # the outbox has no event for it
    move = MoveBot(scene.org.code, outside.name, "lgwan")
    there = Outside(outside.name, (await operator_bots.move_bot(deps(scene), move))["token"], scene)
    lease, _ = await there.take()
    late = replace(here[0], due=replace(here[0].due, tries=bots.TRIES - 1))
    await storage.write(lambda tx: bots.failed(tx, late, "落ちました", "it ended", PLACE))
    assert await silent(owner)
    assert await there.done(lease, posts=[post("着きました")]) == 204
    assert await said(owner) == "着きました"


async def test_a_bot_that_was_shut_out_gets_nothing_more(scene: Scene, owner: Peer, outside: Outside) -> None:
    await tell(owner, scene.room, "最後")
    bot = await account(scene, outside.name)
    storage = scene.server.app.storage
    await storage.write(lambda tx: tx.run("UPDATE users SET disabled_at = ? WHERE public_id = ?", tx.now, bot))
    assert (await outside.call("next", wait=0))[0] == 1004


async def test_what_it_kept_is_not_in_the_database_in_the_clear(scene: Scene, outside: Outside) -> None:
    row = await scene.server.app.storage.read(
        lambda reader: reader.one("SELECT token_hash FROM bots WHERE plugin = ?", outside.name)
    )
    assert row is not None
    assert outside.token.encode() not in bytes(row[0])
    assert bytes(row[0]) == outside_bots.digest(outside.token)


async def test_the_client_library_repeats_until_it_is_refused_for_good(
    scene: Scene, owner: Peer, outside: Outside
) -> None:
    async with BotTasks(scene.server.base("lgwan"), outside.token) as tasks:
        assert await tasks.next(wait=0) is None
        await tell(owner, scene.room, "図書館から")
        given = await tasks.next()
        assert given is not None
        await tasks.done(given[0], {"posts": [post("はい")]})
        assert await said(owner) == "はい"
        with pytest.raises(RenrakuError) as refused:
            await tasks.done(given[0], {})
        assert refused.value.code == 4017
