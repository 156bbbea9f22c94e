"""A disk that fails under a whole server, in the middle of its work: nothing false is promised, and the server stops."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from chat_server.domain import closing
from chat_server.serving import BROKEN_STORAGE
from chat_server.storage.sqlite.checkpoints import PAGES
from tests.support.failing import failing
from tests.support.patience import DEADLINE
from tests.support.peer import Closed, Peer, text
from tests.support.served import Server, photo, whole_room


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    """Running; a test that ends it starts it again."""
    server = Server(tmp_path / "data")
    await server.prepare()
    await server.start()
    yield server
    await server.kill()


async def exit_status(server: Server) -> int:
    async with asyncio.timeout(DEADLINE):
        await server.process.communicate()
    assert server.process.returncode is not None
    return server.process.returncode


async def answered(http: httpx2.AsyncClient, method: str, path: str, **request: Any) -> int:
    """The answer's status; 0 if the server was gone first."""
    try:
        return (await http.request(method, path, **request)).status_code
    except httpx2.HTTPError:
        return 0


async def send(peer: Peer, server: Server, n: int) -> dict[str, Any]:
    return await peer.ask("send", room=server.room, client_msg_id=f"message-{n:04d}", blocks=text(f"0/{n}"))


async def test_a_failed_fsync_of_a_photo_stops_the_server(server: Server, tmp_path: Path) -> None:
    """Before, the server went on, and the next fsync of the same folder would have been believed."""
    peer = await Peer.live(server.port, server.tokens[1])
    acked = await send(peer, server, 0)
    async with server.http() as http:
        kept = (await http.post("/api/photos?name=a.jpg", content=photo(1))).json()["id"]
        async with failing(server.process, "fsync", tmp_path / "calls"):
            assert await answered(http, "POST", "/api/photos?name=b.jpg", content=photo(2)) in (503, 0)
            assert await exit_status(server) == BROKEN_STORAGE
    assert await peer.closed() == closing.RESTARTING, "whoever was connected is asked to come back"
    assert len((tmp_path / "calls").read_text().split("fsync(")) == 2, "there was another fsync after the failed one"

    await server.start()
    assert [message["id"] for message in await whole_room(server)] == [acked["id"]]
    async with server.http() as http:
        [item] = (await http.post("/api/attachments/addresses", json={"ids": [kept]})).json()["items"]
        assert (await http.get(item["addresses"]["sanitized"])).status_code == 200
        assert (await http.post("/api/photos?name=b.jpg", content=photo(2))).status_code == 200
    assert await rows(server, "attachments") == 2, "the photo that was not acknowledged left nothing behind"


async def test_a_failed_fsync_of_the_database_stops_the_server(server: Server, tmp_path: Path) -> None:
    peer = await Peer.live(server.port, server.tokens[0])
    acked = [await send(peer, server, n) for n in range(3)]
    async with failing(server.process, "fdatasync", tmp_path / "calls"):
        with pytest.raises(Closed) as closed:
            await send(peer, server, 3)
        assert closed.value.code == closing.RESTARTING
        assert await exit_status(server) == BROKEN_STORAGE
    assert len((tmp_path / "calls").read_text().split("fdatasync(")) == 2, "the fsync was tried again"

    await server.start()
    peer = await Peer.live(server.port, server.tokens[0])
    again = await send(peer, server, 3)
    assert [message["id"] for message in await whole_room(server)] == [*(ack["id"] for ack in acked), again["id"]]
    await peer.close()


async def test_a_failed_fsync_of_a_checkpoint_stops_the_server(server: Server, tmp_path: Path) -> None:
    """The log is whole and the commits in it are safe; but the file that it goes into cannot be trusted any more."""
    peer = await Peer.live(server.port, server.tokens[0])
    acked: list[str] = []

    async def many() -> None:
        while len(acked) < PAGES:
            answer = await send(peer, server, len(acked))
            if answer["op"] == "ack":
                acked.append(answer["id"])
            else:
                await asyncio.sleep(answer["params"]["retry_after"])

    async with failing(server.process, "fdatasync", tmp_path / "calls", server.folder / "renraku.db"):
        with pytest.raises(Closed) as closed:
            await many()
        assert closed.value.code == closing.RESTARTING
        assert await exit_status(server) == BROKEN_STORAGE
    assert len((tmp_path / "calls").read_text().split("fdatasync(")) == 2, "the fsync was tried again"

    await server.start()
    assert [message["id"] for message in await whole_room(server)][: len(acked)] == acked


async def test_a_database_that_cannot_be_read_stops_the_server(server: Server, tmp_path: Path) -> None:
    """What its readers cannot read, its writer will miss too: the next start looks at all of it."""
    peer = await Peer.live(server.port, server.tokens[0])
    acked = [await send(peer, server, n) for n in range(3)]
    await peer.close()
    database = server.folder / "renraku.db"
    async with (
        server.http() as http,
        failing(server.process, "pread64", tmp_path / "calls", database, database.with_name("renraku.db-wal")),
    ):
        assert await answered(http, "GET", f"/api/rooms/{server.room}/messages") in (503, 0)
        assert await exit_status(server) == BROKEN_STORAGE

    await server.start()
    assert [message["id"] for message in await whole_room(server)] == [ack["id"] for ack in acked]


async def rows(server: Server, table: str) -> int:
    """Counted in the database of a running server."""
    with contextlib.closing(sqlite3.connect(f"file:{server.folder}/renraku.db?mode=ro", uri=True)) as database:
        return int(database.execute(f"SELECT count(*) FROM {table}").fetchone()[0])
