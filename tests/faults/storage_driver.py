"""A process that writes until it is killed: messages by four senders, blobs by one, each ack on a line of its own.

    python -m tests.faults.storage_driver FOLDER ROUNDS

It says `ready` and begins at a line of its standard input: strace is attached in between (`run`).

Before it sends, it sends again what the last process may not have had answered, with the same key, as a client does.
Lines: `ack SENDER NUMBER SEQ ID`, `blob SHA256`, `end`. A line is written only after the use case has answered.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import subprocess
import sys
from pathlib import Path

from chat_server.blobs.filesystem import FileBlobs
from chat_server.clock import SystemClock
from chat_server.domain.actors import Actor
from chat_server.domain.errors import Problem
from chat_server.ports import Tx
from chat_server.services import keys as keyring
from chat_server.services import messages, rooms
from chat_server.services.blocks import Text
from chat_server.services.commands import Send
from chat_server.services.drafts import draft
from chat_server.services.keys import SENDS, Keys
from chat_server.serving import BROKEN_STORAGE
from chat_server.storage.sqlite import checkpoints
from chat_server.storage.sqlite.storage import SqliteStorage
from tests.support.people import add_people

SENDERS = 4
TEXT = "市道緑町12号線で倒木です。片側をふさいでいます。" * 4
LOG_PAGES = 100
"""So few that the log goes back into the database several times in a run, and the process is killed there too."""


def tell(line: str) -> None:
    """One write, so that a line is whole or not there."""
    os.write(1, (line + "\n").encode())


def run(folder: Path, rounds: int, *strace: str) -> subprocess.CompletedProcess[str]:
    """The driver to its end, under strace with these options.

    strace stops a process at each call of the system, also at those that it does nothing to: the thousands that a start
    of Python makes would take longer than what is tested."""
    driver = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.storage_driver", str(folder), str(rounds)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    with driver:
        assert driver.stdout is not None
        assert driver.stdout.readline() == "ready\n"
        tracer = subprocess.Popen(
            ["strace", "-f", "-o", "/dev/null", *strace, "-p", str(driver.pid)], stderr=subprocess.PIPE, text=True
        )
        with tracer:
            assert tracer.stderr is not None
            while "attached" not in (line := tracer.stderr.readline()):
                assert line, "strace could not be attached"
            try:
                output, errors = driver.communicate("go\n", timeout=60)
            finally:
                driver.kill()  # one that hangs: strace ends with it
            tracer.communicate()
    return subprocess.CompletedProcess(driver.args, driver.returncode, output, errors)


async def prepare(folder: Path) -> None:
    """Organization, people, one room: once, without being killed."""
    storage = await SqliteStorage.open(folder, SystemClock())
    people = await add_people(storage, SENDERS)
    new = rooms.NewRoom(kind="private", name="道路", members=tuple(person.id for person in people[1:]))
    await storage.write(lambda tx: rooms.create(tx, people[0], new))
    await storage.close()


async def who_and_where(storage: SqliteStorage) -> tuple[list[Actor], str, list[int]]:
    """The senders, the room, and how many messages of each are there."""

    async def find(tx: Tx) -> tuple[list[Actor], str, list[int]]:
        actors, counts = [], []
        for row in await tx.all("SELECT id, org_id, public_id, name FROM users ORDER BY id"):
            actors.append(Actor(row[0], row[1], 1, row[2], "device", "member", row[3], "lgwan", ""))
            count = await tx.one("SELECT count(*) FROM sends WHERE sender_id = ?", row[0])
            assert count is not None
            counts.append(int(count[0]))
        room = await tx.one("SELECT public_id FROM rooms")
        assert room is not None
        return actors, str(room[0]), counts

    return await storage.write(find)


async def main(folder: Path, rounds: int) -> None:
    checkpoints.PAGES = checkpoints.PAGES_MOST = LOG_PAGES  # type: ignore[misc]
    storage = await SqliteStorage.open(folder, SystemClock())
    blobs = FileBlobs(folder / "blobs")
    keys = Keys()
    await keyring.prepare(storage, keys)
    body_key = keys.current(SENDS).secret
    actors, room, counts = await who_and_where(storage)

    async def send(number: int, actor: Actor, first: int) -> None:
        for n in range(max(0, first - 1), first + rounds):
            command = Send(
                ref=1, room=room, client_msg_id=f"sender-{number}-{n:06d}", blocks=(Text(f"{number}/{n} {TEXT}"),)
            )
            ack = await storage.write(lambda tx, c=command: messages.send(tx, actor, draft(c), body_key))  # type: ignore[misc]
            tell(f"ack {number} {n} {ack.seq} {ack.id}")

    async def keep(first: int) -> None:
        for n in range(first, first + rounds // 4):
            data = f"写真 {n}".encode() * 200
            blob = await blobs.keep_bytes(1, data)
            assert blob.sha256 == hashlib.sha256(data).hexdigest()

            async def record(tx: Tx, sha256: str = blob.sha256, size: int = blob.size) -> None:
                await tx.run(
                    "INSERT INTO blobs (org_id, sha256, size, origin_zone, created_at) VALUES (1, ?, ?, 'lgwan', ?)"
                    " ON CONFLICT DO NOTHING",
                    sha256, size, tx.now,
                )  # fmt: skip

            await storage.write(record)
            tell(f"blob {blob.sha256}")

    work = [send(number, actor, counts[number]) for number, actor in enumerate(actors)]
    try:
        await asyncio.gather(*work, keep(sum(counts)))
    except Problem as problem:
        # As the server does: end without an orderly close, which would touch the disk again.
        os.write(2, f"{problem}\n".encode())
        os._exit(BROKEN_STORAGE)
    tell("end")
    await storage.close()
    await blobs.close()


if __name__ == "__main__":
    tell("ready")
    sys.stdin.readline()
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
