"""What becomes of a push that does not go through at once, on a running server with a provider that is told how to answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from chat_server.ports import PushDecided
from chat_server.services import changing
from chat_server.services.blocks import Text
from chat_server.services.commands import Redact
from chat_server.storage.queries import messages
from tests.support.patience import DEADLINE
from tests.support.peer import Peer
from tests.support.push.lines import CUT, LineProvider, LineServer, Wire, line_server
from tests.support.push.phones import Phone, give_phone
from tests.support.server import running_server
from tests.support.world import Org, Someone, World

BOTH_ENGINES = True
OK: Wire = {"outcome": "accepted", "reason": "200", "receipt": "r"}
LATER: Wire = {"outcome": "later", "reason": "503"}


@dataclass
class Script:
    """Answers one after the other, then OK. `hold`: wait for it before answering."""

    answers: list[Wire] = field(default_factory=list)
    hold: asyncio.Event | None = None

    async def answer(self, parcel: Wire) -> Wire:
        parcel["at"] = time.monotonic()
        answer = self.answers.pop(0) if self.answers else OK
        if self.hold is not None:
            await self.hold.wait()
        return answer


@dataclass
class Scene:
    script: Script
    provider: LineServer
    world: World
    org: Org
    author: Someone
    reader: Someone
    phone: Phone
    room: str

    async def call(self, words: str = "") -> str:
        """The message's id; it rings the reader."""
        ack = await self.world.post(self.author, self.room, Text(f"<@user:{self.reader.id}> {words}"))
        assert ack.id is not None
        return ack.id

    async def until(self, message: str, fits: Callable[[PushDecided], bool], who: Someone | None = None) -> PushDecided:
        """What the ledger says of the reader, or of `who`, once it says that."""
        app = self.world.server.app
        assert app.ledger is not None
        stored = await app.storage.read(lambda reader: messages.by_public_id(reader, message))
        assert stored is not None
        async with asyncio.timeout(DEADLINE):
            while True:
                found = await app.ledger.decided(stored.id, (who or self.reader).actor.user_id)
                if found is not None and fits(found):
                    return found
                await asyncio.sleep(0.01)

    async def ended(self, message: str, state: str) -> PushDecided:
        return await self.until(message, lambda found: bool(found.entries) and found.entries[0].state == state)

    async def read(self) -> None:
        """Everything, at the desk."""
        desk = await Peer.live(self.world.server.ports["lgwan"], self.reader.token)
        await desk.ask("read", room=self.room, upto=1_000)
        await desk.connection.close()

    async def live_tokens(self) -> list[tuple[str, str]]:
        rows = await self.world.server.app.storage.read(
            lambda reader: reader.all("SELECT token, dropped_why FROM push_tokens WHERE dropped_at IS NULL")
        )
        return [(str(row[0]), str(row[1])) for row in rows]


@pytest.fixture
async def scene(engine: str, tmp_path: Path) -> AsyncIterator[Scene]:
    script = Script()
    async with line_server(script.answer) as provider:
        providers: Any = {"fcm": LineProvider("fcm", provider.port)}
        async with running_server(tmp_path, providers=providers, push_again=0.02) as server:
            world = World(server)
            org = await world.organization("midorino", "みどり野市")
            author, reader = await world.person(org), await world.person(org)
            phone = Phone("reader")
            await give_phone(world, reader, phone)
            room = await world.room(author, reader)
            yield Scene(script, provider, world, org, author, reader, phone, room)


async def test_what_failed_is_tried_again_under_the_same_id_until_it_goes_through(scene: Scene) -> None:
    scene.script.answers = [LATER, CUT, LATER]
    message = await scene.call()
    found = await scene.ended(message, "accepted")
    assert (found.entries[0].tries, len(scene.provider.received)) == (4, 4)
    assert len({one["id"] for one in scene.provider.received}) == 1
    assert len({one["collapse"] for one in scene.provider.received}) == 1


async def test_retry_after_is_kept_to(scene: Scene) -> None:
    scene.script.answers = [{"outcome": "later", "reason": "429", "retry_after": 0.6}]
    await scene.ended(await scene.call(), "accepted")
    first, second = scene.provider.received
    assert second["at"] - first["at"] >= 0.6


async def test_an_angry_provider_is_left_alone_altogether(scene: Scene) -> None:
    """Three refusals for their number in a row, and what is new waits, too."""
    scene.script.answers = [{"outcome": "later", "reason": "429", "retry_after": 0.05}] * 2 + [
        {"outcome": "later", "reason": "429", "retry_after": 1.0}
    ]
    await scene.call()
    await scene.provider.until(3)
    third = scene.provider.received[2]["at"]
    another = await scene.world.person(scene.org)
    await give_phone(scene.world, another, Phone("another"))
    room = await scene.world.room(scene.author, another)
    await scene.world.post(scene.author, room, Text(f"<@user:{another.id}>"))
    late = await scene.provider.until(5)
    assert {one["token"] for one in late[3:]} == {"reader", "another"}
    assert min(one["at"] for one in late[3:]) - third >= 1.0


async def test_a_dead_token_is_dropped_and_a_refused_push_leaves_it(scene: Scene) -> None:
    scene.script.answers = [
        {"outcome": "refused", "reason": "413"},
        {"outcome": "invalid", "reason": "404 UNREGISTERED"},
    ]
    found = await scene.ended(await scene.call(), "refused")
    assert found.entries[0].answer == "413"
    assert await scene.live_tokens() == [("reader", "")]
    await scene.ended(await scene.call(), "invalid")
    assert await scene.live_tokens() == []
    found = await scene.until(await scene.call(), lambda found: found.why == "no_device")
    assert not found.entries
    assert len(scene.provider.received) == 2


async def test_a_token_that_was_registered_since_it_died_stays(scene: Scene) -> None:
    """APNs says when it died (410 with a timestamp)."""
    scene.script.answers = [{"outcome": "invalid", "reason": "410 Unregistered", "gone_at": 1_000}]
    found = await scene.ended(await scene.call(), "accepted")
    assert found.entries[0].tries == 2
    assert await scene.live_tokens() == [("reader", "")]


async def test_a_token_that_is_renewed_meanwhile_is_the_one_that_is_rung(scene: Scene) -> None:
    scene.script.answers, scene.script.hold = [LATER], asyncio.Event()
    message = await scene.call()
    await scene.provider.until_seen(1)
    await give_phone(scene.world, scene.reader, Phone("renewed"))
    scene.script.hold.set()
    await scene.ended(message, "accepted")
    assert [one["token"] for one in scene.provider.received] == ["reader", "renewed"]


async def test_what_is_taken_back_while_it_waits_does_not_ring(scene: Scene) -> None:
    scene.script.answers = [{"outcome": "later", "reason": "503", "retry_after": 0.8}]
    message = await scene.call("秘密")
    await scene.provider.until(1)
    author = scene.author.actor
    await scene.world.server.app.storage.write(lambda tx: changing.redact(tx, author, Redact(ref=1, message=message)))
    found = await scene.ended(message, "withdrawn")
    assert "taken back" in found.entries[0].answer
    assert len(scene.provider.received) == 1


async def test_what_is_read_while_it_waits_does_not_ring(scene: Scene) -> None:
    scene.script.answers = [{"outcome": "later", "reason": "503", "retry_after": 30}]
    message = await scene.call()
    await scene.until(message, lambda found: bool(found.entries) and found.entries[0].due_at is not None)
    await scene.provider.until(1)
    await scene.read()
    await scene.ended(message, "read")
    assert len(scene.provider.received) == 1


async def test_a_newer_message_takes_the_place_of_one_that_waits(scene: Scene) -> None:
    scene.script.answers = [{"outcome": "later", "reason": "503", "retry_after": 30}]
    first = await scene.call()
    await scene.provider.until(1)
    await scene.until(first, lambda found: found.entries[0].due_at is not None and found.entries[0].tries == 1)
    second = await scene.call()
    await scene.ended(second, "accepted")
    await scene.ended(first, "replaced")
    one, two = scene.provider.received
    assert one["id"] != two["id"]
    assert one["collapse"] == two["collapse"]


async def test_of_one_device_and_room_nothing_overtakes_what_is_under_way(scene: Scene) -> None:
    scene.script.hold = asyncio.Event()
    first = await scene.call()
    await scene.provider.until_seen(1)
    second = await scene.call()
    await scene.until(second, lambda found: bool(found.entries))
    assert len(scene.provider.received) == 1
    scene.script.hold.set()
    for message in (first, second):
        await scene.ended(message, "accepted")
    assert [scene.phone.read(one)["message"] for one in scene.provider.received] == [first, second]


async def test_who_left_the_room_is_not_rung_and_what_rang_goes(scene: Scene) -> None:
    await scene.ended(await scene.call(), "accepted")
    async with scene.world.server.client(scene.reader.token) as client:
        assert (await client.post(f"/api/rooms/{scene.room}/leave")).status_code == 204
    (_, cleared) = await scene.provider.until(2)
    assert cleared["clears"]


async def test_what_no_provider_is_set_up_for_waits_and_says_why(scene: Scene) -> None:
    await give_phone(scene.world, scene.reader, Phone("apple", platform="apns"))
    message = await scene.call()
    found = await scene.until(message, lambda found: bool(found.entries) and found.entries[0].tries > 1)
    assert found.entries[0].lane == "apns"
    assert "no provider" in found.entries[0].answer
    assert scene.provider.received == []


async def test_addresses_that_clients_bring_leave_nothing_behind(scene: Scene) -> None:
    """Each other host is a lane of its own."""
    for number in range(5):
        await give_phone(scene.world, scene.reader, Phone(f"https://host-{number}.example/x", platform="unified"))
        await scene.until(await scene.call(), lambda found: bool(found.entries) and found.entries[0].tries > 0)
    pushing = scene.world.server.app.pushing
    assert pushing is not None
    async with asyncio.timeout(20):
        while pushing.engine._busy:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.01)
    assert not pushing.engine._judge._refused


async def test_what_one_message_stumbles_over_holds_up_no_other(scene: Scene) -> None:
    """Rules that cannot be read, of another organization: its messages stand first, in the outbox and in the queue."""
    world = scene.world
    other = await world.organization("kawabe", "川辺町")
    people = [await world.person(other), await world.person(other)]
    await give_phone(world, people[1], Phone("other"))
    theirs = await world.room(*people)
    rules = "UPDATE organizations SET policy = ? WHERE id = ?"
    write = world.server.app.storage.write
    in_a_minute = LATER | {"retry_after": 60.0}
    scene.script.answers = [in_a_minute, in_a_minute]
    ack = await world.post(people[0], theirs, Text(f"<@user:{people[1].id}>"))
    assert ack.id is not None
    first = await scene.call()
    for message, who in ((ack.id, people[1]), (first, scene.reader)):
        await scene.until(message, lambda found: bool(found.entries) and found.entries[0].answer == "503", who)
    await write(lambda tx: tx.run(rules, "{", other.id))
    world.server.clock.ahead += 61_000  # both are due at once
    assert world.server.app.pushing is not None
    world.server.app.pushing.engine.wake()
    assert (await scene.ended(first, "accepted")).entries[0].tries == 2
    await world.post(people[0], theirs, Text(f"<@user:{people[1].id}> もう一度"))
    await scene.ended(await scene.call(), "accepted")
    assert [one["token"] for one in scene.provider.received].count("other") == 1
    await write(lambda tx: tx.run(rules, "{}", other.id))
    async with asyncio.timeout(30):
        while [one["token"] for one in scene.provider.received].count("other") < 2:  # noqa: ASYNC110 - rules tell nobody
            await asyncio.sleep(0.05)


async def test_an_orderly_stop_leaves_nothing_unknown(engine: str, tmp_path: Path) -> None:
    """What was under way is waited for a moment, so the next process rings nobody again."""
    held = asyncio.Event()
    script = Script(hold=held)
    async with line_server(script.answer) as provider:

        async def rings() -> Any:
            return running_server(tmp_path, providers={"fcm": LineProvider("fcm", provider.port)})

        async with await rings() as server:
            world = World(server)
            org = await world.organization("midorino", "みどり野市")
            author, reader = await world.person(org), await world.person(org)
            await give_phone(world, reader, Phone("reader"))
            await world.post(author, await world.room(author, reader), Text(f"<@user:{reader.id}>"))
            await provider.until_seen(1)
            asyncio.get_running_loop().call_later(0.3, held.set)
        async with await rings() as server:
            assert server.app.ledger is not None
            assert await server.app.ledger.waiting() == (0, None)
    assert len(provider.received) == 1
