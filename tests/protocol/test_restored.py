"""`renraku restored`: after it, no client goes on from a position of the time before."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chat_server.domain import closing
from tests.protocol.test_command_line import Terminal
from tests.support.peer import Peer, text
from tests.support.served import Server


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    server = Server(tmp_path / "data")
    await server.prepare()
    await server.start()
    yield server
    if server.process.returncode is None:
        await server.kill()


async def epoch(server: Server) -> str:
    peer = await Peer.open(server.port)
    hello = await peer.ask("auth", token=server.tokens[0])
    await peer.close()
    return str(hello["epoch"])


async def test_a_stopped_server_begins_a_new_epoch(server: Server, tmp_path: Path) -> None:
    operator = Terminal(tmp_path, server.folder)
    before = await epoch(server)
    await server.kill()
    trail = int((await operator.run("audit", "head")).split()[0])
    said = await operator.run("restored")
    assert "epoch" in said
    assert "3 devices" in said
    await server.start()
    refused = await Peer.open(server.port)
    assert (await refused.ask("auth", token=server.tokens[0]))["code"] == 1004, "a session of then must not live on"
    await refused.close()
    await server.kill()
    await server.sign_in_again()
    await server.start()
    after = await epoch(server)
    assert after != before
    await server.kill()
    await server.start()
    assert await epoch(server) == after, "it changes when it is told to, not with a restart"
    assert await operator.run("audit", "verify") == f"{trail + 1} rows, whole\n", "and it is on record"


async def test_a_running_server_sends_everybody_back_to_begin_anew(server: Server, tmp_path: Path) -> None:
    before = await epoch(server)
    peer = await Peer.live(server.port, server.tokens[0])
    held = await peer.ask("send", room=server.room, client_msg_id="before-1", blocks=text("控えのあと"))
    await Terminal(tmp_path, server.folder).run("restored")
    assert await peer.closed() == closing.RESTARTING
    await server.kill()
    await server.sign_in_again()
    await server.start()
    peer = await Peer.open(server.port)
    hello = await peer.ask("auth", token=server.tokens[0])
    assert hello["epoch"] != before
    resumed = await peer.ask("resume", epoch=before, me=0, rooms={server.room: held["seq"]})
    assert resumed["epoch"] == hello["epoch"]
    assert resumed["me"]["state"] == resumed["rooms"][server.room]["state"] == "resync"
    await peer.close()


async def test_a_folder_without_a_database_is_not_taken_for_the_restored_one(tmp_path: Path) -> None:
    refused = await Terminal(tmp_path, tmp_path / "elsewhere").run("restored", fails=True)
    assert "RENRAKU_DATA" in refused
    assert not (tmp_path / "elsewhere").exists()
