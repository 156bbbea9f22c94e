"""What issue 3 wants to see, done once for real: `python -m tests.drill [--megabytes 500] [--seconds 60] [--people 30]`.

1. The demonstration's data folder is moved to PostgreSQL and served by two nodes behind the sample proxy of `config/`.
2. People write for a minute; in the middle one node is killed; meanwhile a backup is taken, and a drawing set goes up from
   a phone whose line breaks ten times.
3. Every message has to be acknowledged once and seen by everybody in one order; the drawing set has to come down as it
   went up; the backup has to restore in another place and be served on another port.

Says what it finds in plain words; the exit status is 1 if something is wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from chat_client import Client, Credentials, EventStream
from chat_client import events as e
from chat_server.config import load
from chat_server.demo import load as demo
from tests.support.cluster import NodeProcess, nginx
from tests.support.cutting_proxy import CuttingProxy
from tests.support.postgresql import Cluster

DEMO_PASSWORD = "midorino-demo-only"
LOGINS = ("takahashi", "tanaka")
CUTS = 10


def say(words: str) -> None:
    sys.stdout.write(f"{time.strftime('%H:%M:%S')}  {words}\n")
    sys.stdout.flush()


def renraku(*arguments: str, **environment: str) -> str:
    """A command; what it printed. Ends the drill where it fails."""
    done = subprocess.run(
        [sys.executable, "-m", "chat_server", *arguments],
        env={**os.environ, **environment}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"renraku {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


class Person:
    """Somebody who writes and reads at the proxy's port."""

    def __init__(self, number: int, port: int, login: str) -> None:
        self.number = number
        self.client = Client(f"http://127.0.0.1:{port}", credentials=Credentials("midorino", login, DEMO_PASSWORD))
        self.events: EventStream = self.client.events()
        self.longest_wait = 0.0
        self.heard: list[str] = []
        self.sent: list[str] = []

    async def write(self, room: str, pause: float, end: float) -> None:
        while time.monotonic() < end:
            words = f"訓練 {self.number}-{len(self.sent)}"
            began = time.monotonic()
            await self.client.send(room, words)
            self.longest_wait = max(self.longest_wait, time.monotonic() - began)
            self.sent.append(words)
            await asyncio.sleep(pause)

    async def read(self, room: str) -> None:
        last: int | None = None
        async for event in self.events:
            if isinstance(event, e.RoomEvent) and event.room == room:
                assert last is None or event.seq == last + 1, f"{self.number}: {last} → {event.seq}"
                last = event.seq
            if isinstance(event, e.MessagePosted) and event.room == room and event.message.text.startswith("訓練 "):
                self.heard.append(event.message.text)


async def upload(phone: Client, line: CuttingProxy, drawings: Path, megabytes: int) -> str:
    async def cut() -> None:
        step = (megabytes << 20) // (CUTS + 2)
        for time_ in range(1, CUTS + 1):
            line.cut_after(up=step)
            await line.was_cut(time_)

    cutting = asyncio.create_task(cut())
    began = time.monotonic()
    attachment = await phone.upload_file(drawings)
    await cutting
    say(
        f"the drawing set is up: {attachment.size / 1e6:,.0f} MB in {time.monotonic() - began:.0f} s over {line.cuts} breaks"
    )
    return attachment.id


def hash_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def generated(path: Path, megabytes: int) -> Path:
    with path.open("wb") as file:
        for _ in range(megabytes):
            file.write(os.urandom(1 << 20))
    return path


async def drill(folder: Path, database: Cluster, options: argparse.Namespace) -> None:
    data = folder / "demo"
    settings = load(environment={"RENRAKU_DATA": str(data), "RENRAKU_PORT": "0"})
    await asyncio.to_thread(demo.ensure, settings)
    say("the demonstration is there")

    address = database.empty()
    say(renraku("migrate-engine", "--to", address, RENRAKU_DATA=str(data)).strip().splitlines()[-1])
    shared = {"RENRAKU_DATABASE": address, "RENRAKU_BLOBS": str(data / "blobs")}
    nodes = []
    for number in range(2):
        (folder / f"node{number}").mkdir()
        nodes.append(await NodeProcess(folder / f"node{number}", shared).start())
    try:
        with nginx(*(node.port for node in nodes)) as port:
            await busy(folder, port, nodes, shared, options)
    finally:
        for node in nodes:
            if node.process is not None and node.process.returncode is None:
                await node.stop()


async def busy(
    folder: Path, port: int, nodes: list[NodeProcess], shared: dict[str, str], options: argparse.Namespace
) -> None:  # fmt: skip
    people = [Person(number, port, LOGINS[number % len(LOGINS)]) for number in range(options.people)]
    for some in range(0, len(people), 8):  # attempts under way count: more at once for one account would be a guesser's
        await asyncio.gather(*(person.client.start() for person in people[some : some + 8]))
    rooms = [{room.id: room for room in await person.client.rooms()} for person in people[: len(LOGINS)]]
    common = set.intersection(*(set(each) for each in rooms))
    room = next(each for each in rooms[0].values() if each.id in common and not each.archived and each.can["post"])
    say(f"{len(people)} clients of {len(LOGINS)} people are in {room.name}, through the proxy")

    reading = [asyncio.create_task(person.read(room.id)) for person in people]
    end = time.monotonic() + options.seconds
    writing = [asyncio.create_task(person.write(room.id, len(people) / 20, end)) for person in people]
    async with CuttingProxy("127.0.0.1", port) as line:
        phone = Client(f"http://127.0.0.1:{line.port}", credentials=Credentials("midorino", LOGINS[0], DEMO_PASSWORD))
        await phone.start()
        drawings = await asyncio.to_thread(generated, folder / "図面一式.zip", options.megabytes)
        uploading = asyncio.create_task(upload(phone, line, drawings, options.megabytes))
        await asyncio.sleep(options.seconds / 3)
        backup = asyncio.create_task(
            asyncio.to_thread(renraku, "backup", str(folder / "backup"), RENRAKU_DATA=str(nodes[1].folder), **shared)
        )
        await asyncio.sleep(options.seconds / 6)
        await nodes[0].kill()
        say("one node is killed")
        await asyncio.gather(*writing)
        say("a backup was taken meanwhile: " + " ".join((await backup).split()))
        attachment = await uploading
        await phone.send(room.id, "図面一式です", blocks=[{"type": "files", "ids": [attachment]}])
        await phone.close()

    sent = [words for person in people for words in person.sent]
    async with asyncio.timeout(30):
        while any(len(person.heard) < len(sent) for person in people):  # noqa: ASYNC110 (thirty streams)
            await asyncio.sleep(0.1)
    for task in reading:
        task.cancel()
    for person in people:
        assert person.heard == people[0].heard, f"client {person.number} heard something else"
    assert sorted(people[0].heard) == sorted(sent), "lost or doubled"
    longest = max(person.longest_wait for person in people)
    say(f"{len(sent)} messages, each once, by everybody in one order; the longest wait for an ack was {longest:.1f} s")

    target = folder / "down.zip"
    await people[1].client.download(attachment, target)
    assert await asyncio.to_thread(hash_of, target) == await asyncio.to_thread(hash_of, drawings)
    say("the drawing set came down as it went up")
    await asyncio.gather(*(person.client.close() for person in people))

    restored = folder / "restored"
    words = await asyncio.to_thread(
        renraku, "restore", str(folder / "backup"), "--data", str(restored), "--database", "sqlite", RENRAKU_DATA=str(restored),
    )  # fmt: skip
    say(words.strip().splitlines()[-1])
    other = await NodeProcess(restored, {}).start()
    try:
        client = Client(f"http://127.0.0.1:{other.port}", credentials=Credentials("midorino", LOGINS[0], DEMO_PASSWORD))
        await client.start()
        page = await client.history(room.id, limit=200)
        there = [message.text for message in page.messages if message.text.startswith("訓練 ")]
        assert there
        at = people[0].heard.index(there[0])
        assert there == people[0].heard[at : at + len(there)], "the restored room is not a beginning of the real one"
        photos = [one for message in page.messages for one in message.attachments if one.kind == "photo"]
        for photo in photos[:3]:
            assert await client.photo(photo.id)
        say(f"restored and served on port {other.port}: its room is a beginning of the real one, up to {there[-1]}")
        await client.close()
    finally:
        await other.stop()


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--megabytes", type=int, default=500)
    arguments.add_argument("--seconds", type=float, default=60)
    arguments.add_argument("--people", type=int, default=30)
    options = arguments.parse_args()
    database = Cluster("fsync=on")
    database.start()
    try:
        with tempfile.TemporaryDirectory(prefix="renraku-drill-") as folder:
            asyncio.run(drill(Path(folder), database, options))
        say("all as it should be")
    finally:
        database.remove()


if __name__ == "__main__":
    main()
