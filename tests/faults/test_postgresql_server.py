"""A whole server whose PostgreSQL fails: a full disk, an answer to COMMIT that never comes."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import engines
from tests.support.peer import Peer, text
from tests.support.postgresql import Cluster
from tests.support.server import RunningServer, running_server
from tests.support.world import Someone, World
from tests.unit.small_disk import small_disk


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    made = Cluster()
    made.start()
    yield made
    made.remove()


@contextlib.asynccontextmanager
async def a_room(server: RunningServer) -> AsyncIterator[tuple[Someone, str, Peer]]:
    """Somebody who writes into a room of their own."""
    world = World(server)
    org = await world.organization("midorino", "みどり野市")
    owner = await world.person(org, "高橋 健")
    room = await world.room(owner)
    peer = await Peer.live(server.ports["lgwan"], owner.token)
    yield owner, room, peer
    await peer.close()


async def texts(server: RunningServer, who: Someone, room: str) -> list[str]:
    async with server.client(who.token) as http:
        found: list[dict[str, Any]] = []
        while True:
            query = f"&before={found[0]['seq']}" if found else ""
            page = (await http.get(f"/api/rooms/{room}/messages?limit=100{query}")).json()
            found = page["messages"] + found
            if page["first"]:
                return [message["text"] for message in found]


def fill(disk: Path) -> Path:
    """A file that takes the rest of the disk."""
    path = disk / "filler"
    with path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(1 << 12))
    return path


async def test_its_full_disk_is_told_and_it_goes_on_once_there_is_room(cluster: Cluster, tmp_path: Path) -> None:
    words = "長い文" * 3000
    with small_disk("64m") as disk:
        engines.belongs(tmp_path, on_disk(cluster, disk))
        async with running_server(tmp_path) as server, a_room(server) as (owner, room, peer):
            told: list[str] = []

            async def send(number: int) -> dict[str, Any]:
                wire = text(f"{number} {words}")
                return await peer.ask("send", room=room, client_msg_id=f"full-{number:08d}", blocks=wire)

            filler = fill(disk)
            number = 0
            while (answer := await send(number))["op"] == "ack":
                told.append(f"{number} {words}")
                number += 1
            assert (answer["op"], answer["code"]) == ("error", 8002)
            async with server.client(owner.token) as http:
                new = {"kind": "private", "name": "道路"}
                while (refused := await http.post("/api/rooms", json=new)).is_success:
                    pass
                assert (refused.status_code, refused.json()["error"]["code"]) == (507, 8002)
            assert await texts(server, owner, room) == told, "reads go on, and what was refused is not there"
            filler.unlink()
            assert (await send(number))["op"] == "ack"
            assert await texts(server, owner, room) == [*told, f"{number} {words}"]


def on_disk(cluster: Cluster, disk: Path) -> str:
    """The address of a database whose tables lie there."""
    place = disk / "tables"
    place.mkdir()
    if os.geteuid() == 0:
        disk.chmod(0o755)
        os.chown(place, 65534, 65534)
    template = cluster.fresh().rpartition("/")[2]
    cluster.execute(f"CREATE TABLESPACE small LOCATION '{place}'")
    cluster.execute(f"CREATE DATABASE small TEMPLATE {template} TABLESPACE small")
    return cluster.address("small")


class CommitEater:
    """Between the server and PostgreSQL. The COMMIT after a statement that holds what it is `hungry` for goes through, and of what
    PostgreSQL answers nothing comes back: the line is cut when the answer is there, so the commit is certain. The server's
    workers commit as well, and are not meant."""

    def __init__(self, port: int) -> None:
        self._to = port
        self.hungry = b""
        self.eaten = asyncio.Event()

    async def __aenter__(self) -> CommitEater:
        self._server = await asyncio.start_server(self._pair, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _pair(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._to)
        swallowing = asyncio.Event()

        async def up() -> None:
            meant = False
            while data := await reader.read(65536):
                meant = meant or (self.hungry != b"" and self.hungry in data)
                if meant and b"COMMIT\x00" in data:
                    self.hungry = b""
                    swallowing.set()
                far_writer.write(data)

        async def down() -> None:
            while data := await far_reader.read(65536):
                if swallowing.is_set():
                    assert b"COMMIT" in data
                    self.eaten.set()
                    return
                writer.write(data)

        ways = [asyncio.create_task(up()), asyncio.create_task(down())]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            for end in (writer, far_writer):
                end.close()


async def test_a_commit_whose_answer_is_lost_is_answered_once_it_is_asked_again(
    cluster: Cluster, tmp_path: Path
) -> None:
    async with CommitEater(cluster.port) as line:
        database = cluster.fresh().rpartition("/")[2]
        engines.belongs(tmp_path, f"postgresql://renraku@127.0.0.1:{line.port}/{database}")
        async with running_server(tmp_path) as server, a_room(server) as (owner, room, peer):
            for number in range(3):
                key = f"lost-{number:08d}"
                sent = {"room": room, "client_msg_id": key, "blocks": text(f"{number}番")}
                line.eaten.clear()
                line.hungry = key.encode()
                first = await peer.ask("send", **sent)
                assert line.eaten.is_set()
                assert (first["op"], first["code"]) == ("error", 8001), "nobody knows what became of it"
                again = await asked_until_it_is_back(peer, **sent)
                assert again["op"] == "ack"
            assert await texts(server, owner, room) == ["0番", "1番", "2番"]


async def asked_until_it_is_back(peer: Peer, **sent: Any) -> dict[str, Any]:
    while (answer := await peer.ask("send", **sent))["op"] == "error":
        assert answer["code"] == 8001
        await asyncio.sleep(0.1)  # a client waits longer: `retry_after`
    return answer
