"""Outgoing webhooks: told in order, once for each id, signed; nobody waits for them, and what is given up is told of in words."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from chat_server.domain.limits import DAY, HOOK_KEPT, HOUR
from chat_server.ports import Reader
from chat_server.services import changing, hook_deliveries, restoring, rooms, sweeping
from chat_server.services.blocks import Text
from chat_server.services.bots import Place
from chat_server.services.commands import Redact
from chat_server.services.rooms import RoomChange
from chat_server.workers.hooks import HookWorker
from tests.support.hooks import allow, call, made, messages, post, signature, state
from tests.support.patience import DEADLINE
from tests.support.receiver import Received, Receiver, receiver
from tests.support.server import RunningServer, running_server
from tests.support.uploads import Scene
from tests.support.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")
BOTH_ENGINES = True
PLACE = Place("lgwan", b"k" * 32, lambda zone: 0)
OK = b"HTTP/1.1 204 No Content\r\n\r\n"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def theirs(engine: str) -> AsyncIterator[Receiver]:
    async with receiver() as found:
        yield found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hanging(engine: str) -> AsyncIterator[Receiver]:
    """Another host."""
    async with receiver(host="127.0.0.2") as found:
        found.answer = None
        yield found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(
    engine: str, tmp_path_factory: pytest.TempPathFactory, theirs: Receiver, hanging: Receiver
) -> AsyncIterator[RunningServer]:
    hosts = (f"localhost:{theirs.port}", f"127.0.0.2:{hanging.port}", "[::1]:9")
    async with running_server(
        tmp_path_factory.mktemp("server"),
        webhook_hosts=hosts,
        webhook_private_hosts=hosts,
        webhook_plain_http=True,
    ) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def hook(scene: Scene, theirs: Receiver) -> AsyncIterator[dict[str, Any]]:
    """One that tells; whatever a test did to the receiver is undone."""
    theirs.answer = OK
    while not theirs.got.empty():
        theirs.got.get_nowait()
    found = await made(scene, f"http://localhost:{theirs.port}/renraku?to=1")
    yield found
    await call(scene, scene.owner, "DELETE", f"/api/hooks/{found['id']}")


def told(one: Received) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(one.body)["data"]
    return data


def is_signed(one: Received, secret: str) -> bool:
    headers = one.headers
    expected = signature(secret, headers["webhook-id"], headers["webhook-timestamp"], one.body)
    return expected in headers["webhook-signature"].split(" ")


async def until(scene: Scene, hook: dict[str, Any], **wanted: Any) -> dict[str, Any]:
    """The hook's state once it is this; `failed=True`: some failure."""

    def fits(found: dict[str, Any]) -> bool:
        return all(found[key] == value or (value is True and found[key]) for key, value in wanted.items())

    async with asyncio.timeout(DEADLINE):
        while not fits(found := await state(scene, hook)):  # noqa: ASYNC110 (a state, not an event)
            await asyncio.sleep(0.05)
    return found


async def failing(scene: Scene, hook: dict[str, Any], theirs: Receiver) -> Received:
    """The first try, once it is written down that it failed: the clock may go on."""
    one = await theirs.next()
    await until(scene, hook, failed=True)
    return one


async def test_a_message_is_told(scene: Scene, hook: dict[str, Any], theirs: Receiver) -> None:
    sent = await scene.world.post(scene.member, scene.room, Text("通行止めを解除"))
    one = await theirs.next()
    assert (one.method, one.path, one.headers["host"]) == ("POST", "/renraku?to=1", f"localhost:{theirs.port}")
    assert one.headers["content-type"] == "application/json"
    assert not {"cookie", "authorization", "referer", "origin"} & one.headers.keys()
    assert is_signed(one, hook["secret"])
    now = scene.server.clock.now() // 1000
    assert abs(int(one.headers["webhook-timestamp"]) - now) < 60
    assert one.headers["webhook-id"] == f"msg_{sent.id}_{hook['id']}"
    assert json.loads(one.body)["type"] == "message.created"
    assert told(one) == {
        "id": sent.id,
        "room": {"id": scene.room, "name": "道路課 現場連絡"},
        "seq": sent.seq,
        "at": sent.at,
        "author": {"name": "田中 美咲", "department": "", "kind": "member"},
        "text": "通行止めを解除",
        "attachments": 0,
    }
    await until(scene, hook, waiting=0, parked=0, failed=None)


async def test_only_of_its_room_and_not_what_hooks_post(scene: Scene, hook: dict[str, Any], theirs: Receiver) -> None:
    other = await scene.world.room(scene.owner)
    await scene.world.post(scene.owner, other, Text("別の部屋"))
    await post(scene, hook, "evt", {"text": "自分の投稿"})
    await post(scene, await made(scene, name="別のWebhook"), "evt", {"text": "別のWebhookの投稿"})
    await scene.world.post(scene.owner, scene.room, Text("これだけ"))
    assert told(await theirs.next())["text"] == "これだけ"
    assert theirs.got.empty()


async def _waiting(reader: Reader) -> bool:
    return await reader.one("SELECT 1 FROM outbox WHERE parked_at IS NULL LIMIT 1") is not None


async def settled(scene: Scene) -> None:
    """Until the outbox is empty: what was said has come to the hooks that are on, and to none that is switched on afterwards."""
    async with asyncio.timeout(DEADLINE):
        while await scene.server.app.storage.read(_waiting):  # noqa: ASYNC110 (the outbox has no event for it)
            await asyncio.sleep(0.02)


async def test_what_was_said_before_it_came_is_not_told(scene: Scene, theirs: Receiver, hook: dict[str, Any]) -> None:
    await call(scene, scene.owner, "DELETE", f"/api/rooms/{scene.room}/members/{hook['user']}")
    await scene.world.post(scene.owner, scene.room, Text("いない間"))
    await settled(scene)
    await call(scene, scene.owner, "PATCH", f"/api/hooks/{hook['id']}", on=True)
    await scene.world.post(scene.owner, scene.room, Text("戻ってから"))
    assert told(await theirs.next())["text"] == "戻ってから"


async def test_while_it_fails_they_wait_in_order_under_the_same_id(
    scene: Scene, hook: dict[str, Any], theirs: Receiver
) -> None:
    theirs.answers(500, body=b"x" * 100_000)
    with scene.server.clock.still():
        for n in range(3):
            await scene.world.post(scene.owner, scene.room, Text(f"順に{n}"))
        first = await failing(scene, hook, theirs)
        found = await until(scene, hook, waiting=3)
        assert (found["failed"]["code"], found["failed"]["params"]) == (7015, {"status": 500})
        assert "HTTP 500" in found["failed"]["ja"]
        assert theirs.got.empty()
    theirs.answer = OK
    scene.server.clock.ahead += 10_000
    got = [await theirs.next() for _ in range(3)]
    assert [told(one)["text"] for one in got] == ["順に0", "順に1", "順に2"]
    assert got[0].headers["webhook-id"] == first.headers["webhook-id"]
    assert got[0].headers["webhook-timestamp"] != first.headers["webhook-timestamp"]
    assert is_signed(got[0], hook["secret"])
    assert len({one.headers["webhook-id"] for one in got}) == 3
    await until(scene, hook, waiting=0, failed=None)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (b"", 7014),
        (b"HTTP/1.1 200", 7014),
        (b"nonsense\r\n\r\n", 7014),
        (b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n", 7015),
        (b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.2:1/\r\ncontent-length: 0\r\n\r\n", 7015),
        (b"HTTP/1.1 307 Temporary Redirect\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n", 7015),
    ],
)
async def test_what_is_given_up_is_told_of_in_words_and_can_be_told_again(
    scene: Scene, hook: dict[str, Any], theirs: Receiver, answer: bytes, code: int
) -> None:
    theirs.answer = answer
    await scene.world.post(scene.owner, scene.room, Text("一"))
    await scene.world.post(scene.owner, scene.room, Text("二"))
    first = await failing(scene, hook, theirs)
    scene.server.clock.ahead += DAY
    found = await until(scene, hook, waiting=0, parked=2)
    assert (found["failed"]["code"], bool(found["failed"]["ja"])) == (code, True)
    words = [one["text"] for one in await messages(scene, scene.member) if one["author"]["id"] == hook["user"]]
    assert len(words) == 1, "told once, not for each message"
    assert words[0].startswith("「水位計」が送信先に届けられませんでした: ")
    assert "localhost" not in words[0]
    while not theirs.got.empty():
        theirs.got.get_nowait()
    theirs.answer = OK
    assert (await call(scene, scene.owner, "POST", f"/api/hooks/{hook['id']}/retry"))[1]["parked"] == 0
    got = [await theirs.next() for _ in range(2)]
    assert [told(one)["text"] for one in got] == ["一", "二"]
    assert got[0].headers["webhook-id"] == first.headers["webhook-id"]
    await until(scene, hook, waiting=0, parked=0, failed=None)
    assert await scene.world.recorded(scene.org, "hook.retry") == [
        (scene.owner.id, hook["id"], {"room": scene.room, "count": 2})
    ]


async def test_what_is_given_up_a_second_time_for_another_reason_is_told_of_and_let_go(
    scene: Scene, hook: dict[str, Any], theirs: Receiver
) -> None:
    """The second notice is another one than the first: refused as a repeat it would be tried for ever, every second."""
    theirs.answers(500)
    await scene.world.post(scene.owner, scene.room, Text("一"))
    await failing(scene, hook, theirs)
    scene.server.clock.ahead += DAY
    await until(scene, hook, parked=1)
    theirs.answer = OK
    await scene.world.post(scene.owner, scene.room, Text("間に届く"))
    while told(await theirs.next())["text"] != "間に届く":
        pass
    await until(scene, hook, waiting=0)
    theirs.answers(410)
    await call(scene, scene.owner, "POST", f"/api/hooks/{hook['id']}/retry")
    await theirs.next()
    scene.server.clock.ahead += DAY
    await until(scene, hook, parked=1, waiting=0)
    words = [one["text"] for one in await messages(scene, scene.member) if one["author"]["id"] == hook["user"]]
    assert ["HTTP 500" in words[0], "HTTP 410" in words[1]] == [True, True]


async def test_one_that_hangs_delays_no_message_and_no_other_hook(
    scene: Scene, hook: dict[str, Any], theirs: Receiver, hanging: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = 6.0
    monkeypatch.setattr("chat_server.webhooks.client.SECONDS", given)
    stuck = [await made(scene, f"http://127.0.0.2:{hanging.port}/{n}", f"止まる{n}") for n in range(4)]
    loop = asyncio.get_running_loop()
    begun = loop.time()
    for n in range(5):
        await scene.world.post(scene.owner, scene.room, Text(f"待たない{n}"))
    assert [told(await theirs.next())["text"] for _ in range(5)] == [f"待たない{n}" for n in range(5)]
    assert loop.time() - begun < given, "all of it before the first of those that hang was given up"
    assert hanging.got.qsize() <= 2, "of one host two at once"
    await until(scene, stuck[0], failed=True)
    assert (await state(scene, stuck[0]))["failed"]["code"] == 7013
    for one in stuck:
        await call(scene, scene.owner, "DELETE", f"/api/hooks/{one['id']}")


async def test_killed_after_the_other_side_took_it_it_is_told_again_under_the_same_id(
    scene: Scene, hook: dict[str, Any], theirs: Receiver
) -> None:
    """Between the answer and the commit."""
    app = scene.server.app
    theirs.answers(500)
    await scene.world.post(scene.owner, scene.room, Text("一度でも二度でも"))
    await failing(scene, hook, theirs)
    theirs.answer = OK

    class Killed(Exception):
        pass

    class Cut:
        """The storage of a worker that dies before it can write what came of its delivery."""

        async def read(self, use_case: Any) -> Any:
            return await app.storage.read(use_case)

        async def write(self, use_case: Any, *, org_id: int = 0) -> Any:
            raise Killed

    scene.server.clock.ahead += 10_000
    letter = await app.storage.read(lambda reader: hook_deliveries.next_letter(reader, hook["id"]))
    assert letter is not None
    dying = HookWorker(Cut(), app.clock, app.webhooks, app.keys, PLACE)
    with pytest.raises(Killed):
        await dying._deliver(letter)
    again = [await theirs.next() for _ in range(2)]
    assert len({one.headers["webhook-id"] for one in again}) == 1
    assert again[0].body == again[1].body
    await until(scene, hook, waiting=0)
    assert theirs.got.empty()


async def test_a_mistake_of_the_server_does_not_tell_it_again_and_again(scene: Scene) -> None:
    """What came of it cannot be written down: the other side must not hear it every second."""

    class Mistaken:
        async def read(self, use_case: Any) -> Any:
            if use_case.func is hook_deliveries.ready:
                return [("hook", "http://localhost/")]
            raise KeyError

        async def write(self, use_case: Any, *, org_id: int = 0) -> Any:
            raise KeyError

    app = scene.server.app
    worker = HookWorker(Mistaken(), app.clock, app.webhooks, app.keys, PLACE)
    begun = []
    for _ in range(3):
        begun.append(await worker.begin())
        await worker.idle()
    assert begun == [1, 0, 0]


async def test_what_was_taken_back_is_not_told(scene: Scene, hook: dict[str, Any], theirs: Receiver) -> None:
    theirs.answers(503)
    sent = await scene.world.post(scene.owner, scene.room, Text("間違い"))
    await scene.world.post(scene.owner, scene.room, Text("正しい"))
    await failing(scene, hook, theirs)
    assert sent.id is not None
    redact = Redact(ref=1, message=sent.id)
    await scene.server.app.storage.write(lambda tx: changing.redact(tx, scene.owner.actor, redact))
    theirs.answer = OK
    scene.server.clock.ahead += 10_000
    assert told(await theirs.next())["text"] == "正しい"
    await until(scene, hook, waiting=0)


async def test_both_secrets_sign_while_both_are_good(scene: Scene, hook: dict[str, Any], theirs: Receiver) -> None:
    new = (await call(scene, scene.owner, "POST", f"/api/hooks/{hook['id']}/secret"))[1]
    await scene.world.post(scene.owner, scene.room)
    one = await theirs.next()
    assert (is_signed(one, hook["secret"]), is_signed(one, new["secret"])) == (True, True)
    scene.server.clock.ahead += DAY + HOUR
    await scene.world.post(scene.owner, scene.room)
    one = await theirs.next()
    assert (is_signed(one, hook["secret"]), is_signed(one, new["secret"])) == (False, True)


async def test_its_own_signature_does_not_come_back_as_a_post(
    scene: Scene, hook: dict[str, Any], theirs: Receiver
) -> None:
    await scene.world.post(scene.owner, scene.room, Text("反射"))
    one = await theirs.next()
    names = ("webhook-id", "webhook-timestamp", "webhook-signature")
    async with scene.server.client() as client:
        answer = await client.post(
            f"/api/hooks/{hook['id']}",
            content=one.body,
            headers={"content-type": "application/json", **{name: one.headers[name] for name in names}},
        )
    assert answer.status_code >= 400
    assert [said["text"] for said in await messages(scene)].count("反射") == 1


async def test_off_by_its_owner_or_by_the_organization_nothing_is_told(
    scene: Scene, hook: dict[str, Any], theirs: Receiver
) -> None:
    await call(scene, scene.owner, "PATCH", f"/api/hooks/{hook['id']}", on=False)
    await scene.world.post(scene.owner, scene.room, Text("切の間"))
    await settled(scene)
    await call(scene, scene.owner, "PATCH", f"/api/hooks/{hook['id']}", on=True)
    await allow(scene, rule="off")
    await scene.world.post(scene.owner, scene.room, Text("団体の切の間"))
    await settled(scene)
    await allow(scene)
    await scene.world.post(scene.owner, scene.room, Text("入"))
    assert told(await theirs.next())["text"] == "入"


async def test_an_organization_that_switches_it_off_stops_what_waits(
    scene: Scene, hook: dict[str, Any], theirs: Receiver
) -> None:
    theirs.answers(500)
    await scene.world.post(scene.owner, scene.room, Text("待つ"))
    await failing(scene, hook, theirs)
    await allow(scene, rule="off")
    theirs.answer = OK
    scene.server.clock.ahead += DAY
    found = await until(scene, hook, parked=1)
    assert found["failed"]["code"] == 7002
    assert theirs.got.empty()


async def test_an_archived_room_tells_what_was_said_before(
    scene: Scene, hook: dict[str, Any], theirs: Receiver
) -> None:
    theirs.answers(500)
    await scene.world.post(scene.owner, scene.room, Text("保管前"))
    await failing(scene, hook, theirs)
    archive = RoomChange(archived=True)
    await scene.server.app.storage.write(lambda tx: rooms.change(tx, scene.owner.actor, scene.room, archive))
    scene.server.clock.ahead += DAY
    await until(scene, hook, parked=1)
    await theirs.next()  # the last try
    theirs.answer = OK
    await call(scene, scene.owner, "POST", f"/api/hooks/{hook['id']}/retry")
    assert told(await theirs.next())["text"] == "保管前"
    await until(scene, hook, parked=0, waiting=0)


async def test_a_removed_one_tells_nothing_more(scene: Scene, hook: dict[str, Any], theirs: Receiver) -> None:
    theirs.answers(500)
    await scene.world.post(scene.owner, scene.room, Text("消える前"))
    await failing(scene, hook, theirs)
    await call(scene, scene.owner, "DELETE", f"/api/hooks/{hook['id']}")
    theirs.answer = OK
    scene.server.clock.ahead += DAY
    other = await made(scene, f"http://localhost:{theirs.port}/")
    await scene.world.post(scene.owner, scene.room, Text("後"))
    assert told(await theirs.next())["text"] == "後"
    await call(scene, scene.owner, "DELETE", f"/api/hooks/{other['id']}")


@pytest.mark.parametrize(
    "url",
    [
        "https://example.jp/",
        "http://localhost/",
        "http://user:pass@localhost:{port}/",
        "http://127.0.0.1:{port}/",
        "http://2130706433:{port}/",
        "http://0x7f000001:{port}/",
        "http://[::ffff:127.0.0.1]:{port}/",
        "http://localhost:{port}/#x",
        "http://localhost:{port}\\@example.jp/",
        "file:///etc/passwd",
    ],
)
async def test_addresses_that_are_not_listed_are_refused(scene: Scene, theirs: Receiver, url: str) -> None:
    await allow(scene)
    asked = {"name": "x", "url": url.format(port=theirs.port)}
    code, error = await call(scene, scene.owner, "POST", f"/api/rooms/{scene.room}/hooks", **asked)
    assert (code, error["field"]) == (7004, "url")
    hook = await made(scene)
    assert (await call(scene, scene.owner, "PATCH", f"/api/hooks/{hook['id']}", url=asked["url"]))[0] == 7004


async def test_after_a_restore_nothing_is_told_twice(tmp_path: Path, theirs: Receiver) -> None:
    """What waits in the copy may have been told since: its owner decides."""
    theirs.answers(500)
    while not theirs.got.empty():
        theirs.got.get_nowait()
    hosts = (f"localhost:{theirs.port}",)
    async with running_server(
        tmp_path, webhook_hosts=hosts, webhook_private_hosts=hosts, webhook_plain_http=True
    ) as server:
        world = World(server)
        org = await world.organization("midorino", "みどり野市")
        owner = await world.person(org)
        scene = Scene(world, {}, org, owner, owner, owner, await world.room(owner))
        hook = await made(scene, f"http://localhost:{theirs.port}/")
        await world.post(owner, scene.room, Text("控えの前"))
        await failing(scene, hook, theirs)
        theirs.answer = OK

        assert (await server.app.storage.write(restoring.restored)).parked >= 1
        owner = await world.another_device(org, owner, "lgwan")  # sessions of then are over
        scene.owner = owner
        server.clock.ahead += HOUR
        found = await state(scene, hook)
        assert (found["waiting"], found["parked"], found["failed"]["code"]) == (0, 1, 7016)
        # Nor is anything told at all: the hook may have been removed since.
        assert found["on"] is False
        await world.post(owner, scene.room, Text("戻したあと"))
        await settled(scene)
        await call(scene, owner, "PATCH", f"/api/hooks/{hook['id']}", on=True)
        await call(scene, owner, "POST", f"/api/hooks/{hook['id']}/retry")
        assert told(await theirs.next())["text"] == "控えの前"


async def test_where_nobody_is_there_all_that_is_a_day_old_is_given_up_at_one_try(
    scene: Scene, hook: dict[str, Any], theirs: Receiver
) -> None:
    theirs.answer = b""
    for n in range(5):
        await scene.world.post(scene.owner, scene.room, Text(f"{n}"))
    await failing(scene, hook, theirs)
    await until(scene, hook, waiting=5)
    scene.server.clock.ahead += DAY
    found = await until(scene, hook, waiting=0, parked=5)
    assert found["failed"]["code"] == 7014
    await theirs.next()
    assert theirs.got.empty()


async def test_what_was_given_up_is_kept_for_a_month(scene: Scene, hook: dict[str, Any], theirs: Receiver) -> None:
    theirs.answer = b""
    await scene.world.post(scene.owner, scene.room, Text("古い"))
    await failing(scene, hook, theirs)
    scene.server.clock.ahead += DAY
    await until(scene, hook, parked=1)
    scene.server.clock.ahead += HOOK_KEPT - HOUR
    await scene.server.app.storage.write(sweeping.sweep)
    assert (await state(scene, hook))["parked"] == 1
    scene.server.clock.ahead += 2 * HOUR
    await scene.server.app.storage.write(sweeping.sweep)
    assert (await state(scene, hook))["parked"] == 0


async def test_a_host_that_is_listed_no_more_is_told_of_in_words(
    scene: Scene, hook: dict[str, Any], theirs: Receiver
) -> None:
    """The operator's list counts at every delivery, not only when the address was written down."""
    await scene.server.app.storage.write(
        lambda tx: tx.run("UPDATE hooks SET url = 'https://gone.example/' WHERE public_id = ?", hook["id"])
    )
    await scene.world.post(scene.owner, scene.room, Text("行き先なし"))
    found = await until(scene, hook, failed=True)
    assert found["failed"]["code"] == 7004
    assert "…" not in found["failed"]["ja"]
    assert theirs.got.empty()
