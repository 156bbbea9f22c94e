"""`renraku demo` as a visitor meets it: somebody reads, reacts and answers, and nobody talks to themselves."""

from __future__ import annotations

import asyncio
import shutil
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import pytest

from chat_client import Client, Credentials, EventStream, Message, Person, Room
from chat_client.events import Event, MessagePosted, Reacted, Receipt
from chat_server.config import Settings
from chat_server.demo import draw, load, script
from tests.support.patience import DEADLINE
from tests.support.process import ServerProcess, server_process
from tests.unit.test_demo_load import small_photographs

E = TypeVar("E", bound=Event)
PATROL = script.office().roadside.room
STOPS_WITHIN = 5.0


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo") / "data"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(draw, "photographs", small_photographs)
        load.ensure(Settings(data=str(folder)))
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "data"))


class Visitor:
    """Somebody at a printed sign-in."""

    def __init__(self, client: Client, events: EventStream) -> None:
        self.client = client
        self._events = events

    async def room(self, name: str) -> Room:
        return next(room for room in await self.client.rooms() if room.name == name)

    async def person(self, name: str) -> Person:
        return next(person for person in await self.client.api.people() if person.name == name)

    async def until(self, kind: type[E], which: Callable[[E], bool]) -> E:
        """The next event that fits; those before it are passed over."""
        async with asyncio.timeout(DEADLINE):
            async for event in self._events:
                if isinstance(event, kind) and which(event):
                    return event
        raise AssertionError("the events ended")

    async def since(self, room: str, seq: int) -> list[Message]:
        """From the message at `seq` on, without the photo from the roadside: it comes when it comes."""
        found = (await self.client.history(room, after=seq - 1)).messages
        return [message for message in found if not message.attachments]


async def logged(server: ServerProcess, words: str) -> None:
    """Until the server's log has `words`. A file tells nobody that it grew."""
    async with asyncio.timeout(DEADLINE):
        while words not in server.log:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


@asynccontextmanager
async def demo(folder: Path, *options: str, says: str = "the colleagues are at work") -> AsyncIterator[ServerProcess]:
    """Serving, once the log has what it `says`: nobody is as quick as a test, which could post before they come."""
    async with server_process(folder, folder.parent, ("lgwan",), ("demo", "--log", *options)) as process:
        await logged(process, says)
        yield process


@asynccontextmanager
async def visiting(server: ServerProcess, login: str) -> AsyncIterator[Visitor]:
    who = Credentials("midorino", login, script.cast().password)
    async with Client(f"http://127.0.0.1:{server.ports['lgwan']}", credentials=who) as client:
        events = client.events()
        await client.start()
        yield Visitor(client, events)


async def test_a_direct_message_is_answered_once_and_an_announcement_read_in_silence(folder: Path) -> None:
    async with demo(folder) as server, visiting(server, "yamazaki") as desk:
        board, room = await desk.room("全庁お知らせ"), await desk.room("小川 麻衣")
        ogawa = (await desk.person("小川 麻衣")).id
        announced = await desk.client.send(board.id, f"<@user:{ogawa}> 本日18時から点検です。ご確認をお願いします。")
        await desk.client.look(room.id)
        first = await desk.client.send(room.id, "図面の確認をお願いします。")
        assert first.seq is not None
        assert first.at is not None
        await desk.until(Receipt, lambda event: event.user == ogawa and event.upto >= (first.seq or 0))
        reacted = await desk.until(Reacted, lambda event: event.id == first.id)
        assert (reacted.user, reacted.key) == (ogawa, "対応します")
        assert reacted.at - first.at >= 1000, "nobody reads as fast as that"
        answer = await desk.until(MessagePosted, lambda event: event.by == ogawa)
        assert "承知しました" in answer.message.text
        # They take one message after the other: what they had to say to the first was said before this is answered.
        await desk.client.send(room.id, "ありがとうございます。")
        await desk.until(MessagePosted, lambda event: event.by == ogawa)
        said = await desk.since(room.id, first.seq)
        assert [message.author.id == ogawa for message in said] == [False, True, False, True]
        assert [len(message.reactions) for message in said] == [1, 0, 1, 0]
        assert announced.seq is not None
        (alone,) = await desk.since(board.id, announced.seq)
        assert alone.reactions == ()
        readers = await desk.client.api.call("GET", f"/api/messages/{announced.id}/readers")
        assert ogawa in [person["id"] for section in readers["departments"] for person in section["readers"]]


async def test_in_a_room_all_react_one_who_is_named_answers_and_nobody_the_other(folder: Path) -> None:
    async with demo(folder) as server, visiting(server, "tanaka") as desk:
        room = (await desk.room(PATROL)).id
        matsumoto, ogawa = [(await desk.person(name)).id for name in ("松本 義男", "小川 麻衣")]
        named = await desk.client.send(room, f"<@user:{ogawa}> <@user:{matsumoto}> 何時に戻りますか。")
        answer = await desk.until(MessagePosted, lambda event: event.message.quote is not None)
        assert answer.by == matsumoto
        assert answer.message.quote is not None
        assert answer.message.quote.id == named.id
        assert f"user:{desk.client.me.id}" in answer.message.mentions
        last = await desk.client.send(room, "以上です。")
        reacted = [await desk.until(Reacted, lambda event: event.target == last.seq) for _ in range(2)]
        assert {event.user for event in reacted} == {matsumoto, ogawa}
        assert named.seq is not None
        said = await desk.since(room, named.seq)
        assert [message.seq for message in said] == [named.seq, answer.seq, last.seq]
        given = [[reaction.count for reaction in message.reactions] for message in said]
        assert given == [[2], [], [2]], "both to the visitor's, none to their own"


async def test_a_photo_comes_from_the_roadside_once_a_day_and_a_stop_waits_for_nobody(folder: Path) -> None:
    async with demo(folder) as server, visiting(server, "tanaka") as desk:
        room = (await desk.room(PATROL)).id
        came = await desk.until(MessagePosted, lambda event: event.room == room and bool(event.message.attachments))
        assert came.message.author.name == "松本 義男"
        (photo,) = await desk.client.api.addresses([came.message.attachments[0].id])
        assert photo.taken_at is not None
        assert 0 < came.at - photo.taken_at < 10 * 60_000
        assert photo.latitude == pytest.approx(37.0557, abs=1e-3)
        # In the middle of somebody's pause before reading.
        await desk.client.send((await desk.room("小川 麻衣")).id, "まだいらっしゃいますか。")
        began = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(DEADLINE):
            assert await server.process.wait() == 0, server.log
        assert time.monotonic() - began < STOPS_WITHIN
        assert "Traceback" not in server.log
    async with demo(folder) as server, visiting(server, "takahashi") as phone:
        await logged(server, "today's photo is there already")
        said = (await phone.client.history(room, after=came.seq - 1)).messages
        assert [message.id for message in said] == [came.message.id]


async def test_they_can_be_told_to_stay_away(folder: Path) -> None:
    async with demo(folder, "--quiet-colleagues", says="") as server, visiting(server, "tanaka") as desk:
        ids = [(await desk.person(name)).id for name in ("松本 義男", "小川 麻衣")]
        assert await desk.client.watch(ids) == dict.fromkeys(ids, "offline")
    assert "at work" not in server.log


async def test_one_who_is_disabled_leaves_and_does_not_come_back_and_the_server_does_not_mind(folder: Path) -> None:
    async with demo(folder) as server, visiting(server, "yamazaki") as admin:
        ogawa = await admin.person("小川 麻衣")
        own = await admin.room("小川 麻衣")
        await admin.client.look(own.id)
        await admin.client.api.call("PATCH", f"/api/people/{ogawa.id}", json={"disabled": True})
        await logged(server, "a colleague leaves")
        await admin.client.send(own.id, "届きますか。")
        assert "Traceback" not in server.log
    async with demo(folder, says="the colleagues stay away") as server, visiting(server, "yamazaki") as admin:
        await admin.client.send(own.id, "もう届きませんか。")
        assert "Traceback" not in server.log
