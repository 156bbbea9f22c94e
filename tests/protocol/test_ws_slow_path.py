"""Any ASGI server will do: the same protocol through plain `receive` and `send`, on uvicorn's own WebSocket class."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import uvicorn

from chat_server.app import App
from chat_server.config import Settings
from chat_server.domain import closing
from chat_server.services import rooms
from tests.support.peer import JSON, Peer, text
from tests.support.people import add_people


async def test_everything_live_works_without_the_fast_path(tmp_path: Path) -> None:
    app = await App.open(Settings(data=str(tmp_path)))
    people = await add_people(app.storage, 2)
    org = await app.storage.read(lambda tx: tx.one("SELECT public_id FROM organizations"))
    assert org is not None
    tokens = [app.tokens.issue(person.id, person.device, org[0], person.zone)[0] for person in people]
    new = rooms.NewRoom(kind="private", name="道路", members=(people[1].id,))
    room = await app.storage.write(lambda tx: rooms.create(tx, people[0], new))

    bound = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(
        uvicorn.Config(app.asgi("lgwan"), ws="websockets-sansio", lifespan="off", log_config=None, access_log=False)
    )
    serving = asyncio.create_task(server.serve(sockets=[bound]))
    port = bound.getsockname()[1]
    try:
        one, other = await Peer.live(port, tokens[0]), await Peer.live(port, tokens[1], codec=JSON)
        for n in range(20):
            ack = await one.ask("send", room=room, client_msg_id=f"message-{n}", blocks=text(f"{n}件目"))
            assert (await other.event("message"))["seq"] == ack["seq"]
        page = await other.ask("pull", room=room, after=0)
        assert [event["seq"] for event in page["events"]] == list(range(1, 23))
        await one.connection.send(b"\xc1")
        assert await one.closed() == closing.MALFORMED
        await app.drain()
        assert await other.closed() == closing.RESTARTING
    finally:
        server.should_exit = True
        await serving
        await app.close()
