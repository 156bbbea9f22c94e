"""Connecting, and staying connected."""

from __future__ import annotations

import pytest

from chat_client import (
    Client,
)
from chat_client import events as e
from tests.client.conftest import MakeClient, pass_time, starting
from tests.client.listening import Reply
from tests.client.scripted import ScriptedServer, http_error
from tests.client.waiting import FakeClock, soon


@pytest.mark.parametrize("codec", ["msgpack", "json"])
async def test_the_first_frame_authenticates_and_the_second_resumes(
    server: ScriptedServer, make_client: MakeClient, codec: str
) -> None:
    client = make_client(codec=codec)
    await soon(client.start())
    assert [frame["op"] for _, frame in server.received] == ["auth", "resume"]
    assert server.received[0][1]["token"] == "access-1"
    assert server.peers[0].codec.subprotocol == f"renraku.v1.{codec}"
    assert client.me.name == "高橋 健"
    assert client.hello.limits["frame_bytes"] == 65536


async def test_nothing_in_the_handshake_is_secret(server: ScriptedServer, client: Client) -> None:
    await soon(client.start())
    [handshake] = server.asked("GET", "/ws")
    assert "access-1" not in str(handshake)


@pytest.mark.parametrize(
    ("code", "lived", "wait"),
    [
        (4001, 20, 0),
        (4002, 20, 0),
        (4004, 20, 0.5),
        (1006, 20, 0.5),
        (1011, 20, 0.5),
        (3999, 20, 0.5),
        # Closed as soon as it is open: at once again and again would be an attack.
        (4001, 1, 0.5),
    ],
)
async def test_every_other_end_reconnects(
    server: ScriptedServer, client: Client, clock: FakeClock, code: int, lived: float, wait: float
) -> None:
    events = client.events()
    await soon(client.start())
    assert isinstance(await soon(anext(events)), e.Connected)
    clock.advance(lived)
    if code == 1006:
        server.peers[0].drop()
    else:
        server.peers[0].close(code, "why")
    down = await soon(anext(events))
    assert isinstance(down, e.Disconnected)
    assert down.code == (None if code == 1006 else code)
    assert down.retry_in == wait
    if wait:
        await clock.sleeping(wait)
        clock.advance(wait)
    assert isinstance(await soon(anext(events)), e.Connected)


async def test_a_restarting_server_is_not_stormed(server: ScriptedServer, make_client: MakeClient) -> None:
    client = make_client(random=lambda: 0.7)
    events = client.events()
    await soon(client.start())
    server.peers[0].close(4000)
    assert isinstance(await soon(anext(events)), e.Connected)
    down = await soon(anext(events))
    assert isinstance(down, e.Disconnected)
    assert down.retry_in == pytest.approx(2.1)


async def test_back_off_doubles_until_a_connection_is_live(
    server: ScriptedServer, make_client: MakeClient, clock: FakeClock
) -> None:
    client = make_client(random=lambda: 1.0)
    for _ in range(7):
        server.instead("auth", lambda peer, frame: peer.close(4004))
    started = starting(client)
    for wait in (1, 2, 4, 8, 16, 30, 30):
        await clock.sleeping(wait)
        clock.advance(wait)
    await soon(started)


async def test_an_expired_session_is_refreshed_and_the_client_comes_back(
    server: ScriptedServer, client: Client, clock: FakeClock
) -> None:
    events = client.events()
    await soon(client.start())
    clock.advance(20)
    server.access.clear()
    server.peers[0].close(4003)
    seen = [await soon(anext(events)) for _ in range(3)]
    assert [type(event) for event in seen] == [e.Connected, e.Disconnected, e.Connected]
    assert [frame["token"] for frame in server.frames("auth")] == ["access-1", "access-2"]
    assert server.refresh == {"refresh-1": True, "refresh-2": False}


async def test_a_token_refused_at_the_door_is_refreshed_once(
    server: ScriptedServer, client: Client, clock: FakeClock
) -> None:
    server.access.clear()
    started = starting(client)
    await clock.sleeping(0.5)
    clock.advance(0.5)
    await soon(started)
    assert [frame["token"] for frame in server.frames("auth")] == ["access-1", "access-2"]


async def test_a_refusal_while_the_refresh_fails_is_not_the_last_word(
    server: ScriptedServer, client: Client, clock: FakeClock
) -> None:
    server.access.clear()
    for _ in range(2):
        server.instead_http("POST", "/api/sessions/refresh", http_error(503, 8001))
    started = starting(client)
    for wait in (0.5, 1, 2):
        await clock.sleeping(wait)
        clock.advance(wait)
    await soon(started)
    assert [frame["token"] for frame in server.frames("auth")] == ["access-1"] * 3 + ["access-2"]


async def test_the_session_is_renewed_before_it_expires(
    server: ScriptedServer, client: Client, clock: FakeClock
) -> None:
    await soon(client.start())
    await clock.sleeping(540)
    pass_time(server, clock, 540)
    await server.until(lambda: len(server.frames("renew")) == 1)
    assert server.frames("renew")[0]["token"] == "access-2"
    # And again: the answer's `expires` counts, not the first one's.
    await clock.sleeping(540)
    assert len(server.peers) == 1


async def test_a_clock_that_is_a_day_wrong_changes_nothing(server: ScriptedServer, make_client: MakeClient) -> None:
    wrong = FakeClock()
    wrong.set_wall(server.listening.now - 86_400_000)
    client = make_client(clock=wrong)
    await soon(client.start())
    await wrong.sleeping(540)
    assert len(server.asked("POST", "/api/sessions/refresh")) == 0


async def test_an_hour_heard_from_the_server_is_believed(server: ScriptedServer, make_client: MakeClient) -> None:
    late = FakeClock()
    client = make_client(clock=late)
    late.set_wall(server.listening.now + 86_400_000)
    # By the local clock the token expired yesterday: it is refreshed for nothing once, and never again.
    for _ in range(3):
        await soon(client.rooms())
    assert len(server.asked("POST", "/api/sessions/refresh")) == 1


async def test_a_silent_server_is_asked_and_then_left(server: ScriptedServer, client: Client, clock: FakeClock) -> None:
    events = client.events()
    await soon(client.start())
    server.instead("ping", lambda peer, frame: None)
    await clock.sleeping(45)
    clock.advance(45)
    await server.until(lambda: len(server.frames("ping")) == 1)
    await clock.sleeping(10)
    clock.advance(10)
    assert isinstance(await soon(anext(events)), e.Connected)
    down = await soon(anext(events))
    assert isinstance(down, e.Disconnected)
    assert (down.code, down.reason) == (None, "silent")


async def test_a_quiet_server_that_answers_is_kept(server: ScriptedServer, client: Client, clock: FakeClock) -> None:
    await soon(client.start())
    for asked in (1, 2):
        await clock.sleeping(45)
        clock.advance(45)
        await server.until(lambda asked=asked: len(server.frames("ping")) == asked)  # type: ignore[misc]
    await clock.sleeping(45)
    assert len(server.asked("GET", "/ws")) == 1


async def test_the_servers_heartbeat_is_enough(server: ScriptedServer, client: Client, clock: FakeClock) -> None:
    await soon(client.start())
    await clock.sleeping(45)
    clock.advance(40)
    server.peers[0].ping()
    await server.until(lambda: len(server.frames("pong")) == 1)
    clock.advance(5)
    await clock.sleeping(40)
    assert server.frames("ping") == []


async def test_a_server_that_greets_nobody_is_left(server: ScriptedServer, client: Client, clock: FakeClock) -> None:
    server.instead("auth", lambda peer, frame: None)
    started = starting(client)
    await server.until(lambda: len(server.frames("auth")) == 1)
    await clock.sleeping(15)
    clock.advance(15)
    await clock.sleeping(0.5)
    clock.advance(0.5)
    await soon(started)


async def test_bytes_that_are_no_frame_end_the_connection_and_not_the_client(
    server: ScriptedServer, client: Client, clock: FakeClock
) -> None:
    events = client.events()
    await soon(client.start())
    server.peers[0].send_raw(b"\xc1\xff\x00")
    await soon(anext(events))
    down = await soon(anext(events))
    assert isinstance(down, e.Disconnected)
    assert "could not be read" in down.reason


@pytest.mark.parametrize("status", [429, 500, 502, 503])
async def test_a_handshake_refused_for_now_is_tried_again(
    server: ScriptedServer, client: Client, clock: FakeClock, status: int
) -> None:
    server.instead_http("GET", "/ws", Reply(status, b"busy", {"Retry-After": "9"}))
    started = starting(client)
    await clock.sleeping(9)
    clock.advance(9)
    await soon(started)
