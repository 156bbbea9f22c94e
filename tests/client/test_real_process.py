"""Server processes that are killed, stopped and restored under a client; client processes that are killed under it."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from PIL import Image

from chat_client import Client, EventStream
from chat_client import events as e
from chat_client.token_store import FileStore
from tests.client.town import Town, built
from tests.client.waiting import FastClock, soon
from tests.support.cutting_proxy import CuttingProxy
from tests.support.patience import DEADLINE
from tests.support.process import ServerProcess, server_process

END = "終わり"


class Machine:
    """A data folder, served by one process after another behind an address that stays."""

    def __init__(self, folder: Path, scratch: Path, line: CuttingProxy) -> None:
        self.folder = folder
        self.line = line
        self._scratch = scratch

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.line.port}"

    @asynccontextmanager
    async def running(self) -> AsyncIterator[ServerProcess]:
        async with server_process(self.folder, self._scratch, ("lgwan",)) as process:
            self.line.lead_to(process.ports["lgwan"])
            yield process


@pytest.fixture
async def machine(tmp_path: Path) -> AsyncIterator[Machine]:
    async with CuttingProxy("127.0.0.1", 9) as line:
        yield Machine(tmp_path / "data", tmp_path, line)


@pytest.fixture
async def town(machine: Machine) -> Town:
    return await built(machine.folder)


@pytest.fixture
async def closing() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


async def pair(machine: Machine, town: Town, closing: AsyncExitStack) -> tuple[Client, Client, EventStream]:
    clients = [Client(machine.url, credentials=who, clock=FastClock(20)) for who in (town.takahashi, town.tanaka)]
    for client in clients:
        closing.push_async_callback(client.close)
    seen = clients[1].events()
    await soon(asyncio.gather(*(client.start() for client in clients)))
    return clients[0], clients[1], seen


async def until_end(events: EventStream) -> list[str]:
    """Texts up to END; positions without gap or repetition."""
    texts: list[str] = []
    at: int | None = None
    async with asyncio.timeout(60):
        while END not in texts:
            event = await anext(events)
            if isinstance(event, e.RoomEvent):
                assert at is None or event.seq == at + 1
                at = event.seq
            if isinstance(event, e.MessagePosted):
                # What follows counts the photos.
                texts.append(event.message.text.partition("\n")[0])
    return texts


async def test_a_server_killed_again_and_again_loses_and_doubles_nothing(
    machine: Machine, town: Town, closing: AsyncExitStack
) -> None:
    acked: list[str] = []
    several = asyncio.Condition()

    async def talk(phone: Client) -> None:
        for number in range(60):
            await phone.send(town.room, f"n{number}")
            async with several:
                acked.append(f"n{number}")
                several.notify_all()

    async def kill_after(process: ServerProcess, count: int) -> None:
        async with asyncio.timeout(DEADLINE), several:
            await several.wait_for(lambda: len(acked) >= count)
        process.process.kill()
        await process.process.wait()

    async with machine.running() as first:
        phone, desk, seen = await pair(machine, town, closing)
        talking = asyncio.create_task(talk(phone))
        await kill_after(first, 10)
    async with machine.running() as second:
        await kill_after(second, 25)
    async with machine.running():
        async with asyncio.timeout(60):
            await talking
            await desk.send(town.room, END)
        expected = [*(f"n{number}" for number in range(60)), END]
        assert await until_end(seen) == expected
        history = await soon(desk.history(town.room, limit=200))
        assert [message.text for message in history.messages] == expected


async def test_a_server_that_stops_says_so_and_the_next_one_goes_on(
    machine: Machine, town: Town, closing: AsyncExitStack
) -> None:
    async with machine.running() as first:
        phone, desk, seen = await pair(machine, town, closing)
        await soon(phone.send(town.room, "前"))
        first.process.terminate()
        sending = asyncio.create_task(phone.send(town.room, "間"))
        await soon(first.process.wait())
    async with machine.running():
        async with asyncio.timeout(DEADLINE):
            await sending
            await desk.send(town.room, END)
        assert await until_end(seen) == ["前", "間", END]


async def test_a_restored_server_is_told_and_what_was_not_acknowledged_is_sent_again(
    machine: Machine, town: Town, closing: AsyncExitStack, tmp_path: Path
) -> None:
    async with machine.running():
        phone, desk, seen = await pair(machine, town, closing)
        kept = await soon(phone.send(town.room, "控えにある"))
    backup = tmp_path / "backup"
    await asyncio.to_thread(shutil.copytree, machine.folder, backup)
    async with machine.running() as second:
        await soon(phone.send(town.room, "失われる"))
        machine.line.cut_after(down=0)
        second.process.kill()
        await second.process.wait()
    sending = asyncio.create_task(phone.send(town.room, "確認待ち"))
    await asyncio.to_thread(restore, backup, machine.folder)
    async with machine.running():
        async with asyncio.timeout(DEADLINE):
            ack = await sending
        assert ack.seq == (kept.seq or 0) + 1
        resynced: list[e.Event] = []
        async with asyncio.timeout(DEADLINE):
            while len(resynced) < 3:
                event = await anext(seen)
                if isinstance(event, e.EpochChanged | e.Resynced):
                    resynced.append(event)
        assert isinstance(resynced[0], e.EpochChanged)
        assert {event.room for event in resynced[1:] if isinstance(event, e.Resynced)} == {None, town.room}
        history = await soon(desk.history(town.room))
        assert [message.text for message in history.messages] == ["控えにある", "確認待ち"]


def restore(backup: Path, folder: Path) -> None:
    """As docs/administration.md tells the operator to: the data of then, and the command."""
    shutil.rmtree(folder)
    shutil.copytree(backup, folder)
    environment = os.environ | {"RENRAKU_DATA": str(folder)}
    subprocess.run([sys.executable, "-m", "chat_server", "restored"], check=True, env=environment)


PHONE = """
import asyncio, sys
from pathlib import Path
from chat_client import Client
from chat_client.token_store import FileStore

async def main(url, folder, room, photos):
    client = Client(url, store=FileStore(folder / "session.json"), outbox=folder / "outbox")
    await client.start()
    sending = [
        asyncio.ensure_future(client.send(room, "一枚目", photos=photos[:1])),
        asyncio.ensure_future(client.send(room, "残り", photos=photos[1:])),
        asyncio.ensure_future(client.send(room, "以上です")),
    ]
    # Photos are kept before the line of the journal that promises their message.
    while (folder / "outbox" / "journal").read_bytes().count(b'"put"') < len(sending):
        await asyncio.sleep(0.01)
    print("written", flush=True)
    await asyncio.gather(*sending)
    print("sent", flush=True)
    await asyncio.Event().wait()

url, folder, room, *photos = sys.argv[1:]
asyncio.run(main(url, Path(folder), room, [Path(photo) for photo in photos]))
"""


@pytest.mark.parametrize("upto", [2_000, 60_000, 150_000])
async def test_a_phone_killed_while_it_sends_sends_the_rest_when_it_runs_again(
    machine: Machine, town: Town, closing: AsyncExitStack, tmp_path: Path, upto: int
) -> None:
    """Killed without warning after so many bytes have left it; the photos' originals are gone as well."""
    photos = []
    for number in range(4):
        path = tmp_path / f"{number}.jpg"
        Image.effect_noise((300, 300 + number), 90).convert("RGB").save(path, quality=80)
        photos.append(path)
    async with machine.running():
        _, desk, seen = await pair(machine, town, closing)
        store = FileStore(tmp_path / "phone" / "session.json")
        async with Client(machine.url, store=store) as once:
            await soon(once.sign_in("midorino", "takahashi", town.takahashi.password, "携帯"))
        machine.line.throttle(800_000)
        began = machine.line.up
        phone = await asyncio.create_subprocess_exec(
            sys.executable, "-c", PHONE, machine.url, str(tmp_path / "phone"), town.room, *map(str, photos),
            stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[2], env={**os.environ},
        )  # fmt: skip
        assert phone.stdout is not None
        assert await soon(phone.stdout.readline()) == b"written\n"
        await soon(machine.line.passed(up=began + upto))
        phone.kill()
        await phone.wait()
        machine.line.throttle(None)
        for path in photos:
            path.unlink()
        again = Client(machine.url, store=store, outbox=tmp_path / "phone" / "outbox", clock=FastClock(20))
        closing.push_async_callback(again.close)
        told = again.events()
        await soon(again.start())
        await soon(again.send(town.room, END))
        assert await until_end(seen) == ["一枚目", "残り", "以上です", END]
        history = await soon(desk.history(town.room))
        assert [[photo.height for photo in message.attachments] for message in history.messages] == [
            [300], [301, 302, 303], [], [],
        ]  # fmt: skip
        await again.close()
        sent = [event async for event in told if isinstance(event, e.OutboxSent)]
        assert sent[-1].ack.seq == history.head
    assert (tmp_path / "phone" / "outbox" / "journal").read_bytes() == b""
    assert list((tmp_path / "phone" / "outbox" / "photos").iterdir()) == []
