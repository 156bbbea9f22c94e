"""Knowing when to stop, and saying why."""

from __future__ import annotations

import asyncio

import pytest

from chat_client import (
    AccountDisabled,
    Client,
    ClientClosed,
    DeviceBarred,
    MemoryStore,
    ProtocolFault,
    ServerRefused,
    SignedOut,
    SignInRequired,
    Unreachable,
)
from chat_client import events as e
from tests.client.conftest import MakeClient, drained, refusing, signed_in, starting
from tests.client.listening import Reply
from tests.client.scripted import ScriptedServer
from tests.client.waiting import FakeClock, soon


async def test_without_a_session_somebody_has_to_sign_in(make_client: MakeClient) -> None:
    client = make_client(store=MemoryStore())
    with pytest.raises(SignInRequired):
        await soon(client.start())


async def test_a_session_of_another_server_is_not_used(server: ScriptedServer, make_client: MakeClient) -> None:
    client = make_client(store=signed_in(server, "https://elsewhere.example"))
    with pytest.raises(SignInRequired):
        await soon(client.start())
    assert server.requests == []


@pytest.mark.parametrize(
    ("code", "stopped"),
    [(4503, SignInRequired), (4504, SignedOut), (4505, AccountDisabled), (4507, DeviceBarred), (4500, ProtocolFault), (4501, ProtocolFault),
     (4502, ProtocolFault), (4506, ProtocolFault), (4999, ProtocolFault)],
)  # fmt: skip
async def test_a_code_from_4500_stops_with_its_own_exception(
    server: ScriptedServer, client: Client, code: int, stopped: type[Exception]
) -> None:
    events = client.events()
    await soon(client.start())
    server.instead("send", lambda peer, frame: peer.close(code, "because"))
    with pytest.raises(stopped) as raised:
        await soon(client.send("r", "unanswered"))
    if isinstance(raised.value, ProtocolFault):
        assert raised.value.close_code == code
    with pytest.raises(stopped):
        await soon(drained(events))
    with pytest.raises(stopped):
        await soon(client.send("r", "later"))
    assert len(server.asked("GET", "/ws")) == 1


@pytest.mark.parametrize(("code", "kept"), [(4503, True), (4504, False), (4505, False)])
async def test_a_device_that_was_signed_out_forgets_its_tokens(
    server: ScriptedServer, make_client: MakeClient, code: int, kept: bool
) -> None:
    store = signed_in(server)
    client = make_client(store=store)
    events = client.events()
    await soon(client.start())
    server.peers[0].close(code)
    with pytest.raises((SignedOut, AccountDisabled, SignInRequired)):
        await soon(drained(events))
    assert (await store.load() is not None) is kept


async def test_a_fresh_token_refused_at_the_door_means_signing_in(
    server: ScriptedServer, client: Client, clock: FakeClock
) -> None:
    for _ in range(2):
        server.instead("auth", refusing(1004, 4503))
    started = starting(client)
    await clock.sleeping(0.5)
    clock.advance(0.5)
    with pytest.raises(SignInRequired):
        await soon(started)


async def test_a_disabled_account_at_the_door_is_told_by_the_close_code(server: ScriptedServer, client: Client) -> None:
    server.instead("auth", refusing(6009, 4505))
    with pytest.raises(AccountDisabled):
        await soon(client.start())


async def test_a_good_bye_counts_even_if_the_line_stays_open(server: ScriptedServer, client: Client) -> None:
    server.listening.lingers = True
    events = client.events()
    await soon(client.start())
    server.peers[0].close(4504)
    with pytest.raises(SignedOut):
        await soon(drained(events))


async def test_a_good_bye_counts_even_if_silence_is_noticed_first(
    server: ScriptedServer, client: Client, clock: FakeClock
) -> None:
    server.listening.lingers = True
    events = client.events()
    await soon(client.start())
    await clock.sleeping(45)
    server.peers[0].close(4504)
    await server.until(lambda: len(server.frames("close")) == 1)
    clock.advance(45)
    await clock.sleeping(10)
    clock.advance(10)
    with pytest.raises(SignedOut):
        await soon(drained(events))


@pytest.mark.parametrize("status", [200, 301, 401, 403, 404])
async def test_a_wrong_address_is_told_at_once(server: ScriptedServer, client: Client, status: int) -> None:
    headers = {"Location": "ws://127.0.0.1:9/elsewhere"} if status == 301 else {}
    server.instead_http("GET", "/ws", Reply(status, b"<html>", headers))
    with pytest.raises(ServerRefused):
        await soon(client.start())


async def test_a_proxy_page_in_the_middle_of_the_day_is_waited_out(
    server: ScriptedServer, client: Client, clock: FakeClock
) -> None:
    events = client.events()
    await soon(client.start())
    server.instead_http("GET", "/ws", Reply(403, b"<html>maintenance"))
    clock.advance(20)
    server.peers[0].close(4004)
    for wait in (0.5, 1):
        await clock.sleeping(wait)
        clock.advance(wait)
    seen = [await soon(anext(events)) for _ in range(4)]
    assert [type(event) for event in seen] == [e.Connected, e.Disconnected, e.Disconnected, e.Connected]


async def test_a_server_of_another_protocol_is_refused(server: ScriptedServer, client: Client) -> None:
    server.listening.subprotocols = []
    with pytest.raises(ServerRefused):
        await soon(client.start())


async def test_patience_ends_with_the_reason(server: ScriptedServer, make_client: MakeClient, clock: FakeClock) -> None:
    await server.listening.close()
    client = make_client(patience=20)
    started = starting(client)
    await clock.sleeping(20)
    for wait in (0.5, 1, 2, 4, 8):
        await clock.sleeping(wait)
        clock.advance(wait)
    clock.advance(5)
    with pytest.raises(Unreachable) as raised:
        await soon(started)
    assert "ConnectionRefusedError" in str(raised.value)


async def test_closing_ends_events_and_waiting_calls(server: ScriptedServer, client: Client) -> None:
    events = client.events()
    await soon(client.start())
    server.instead("send", lambda peer, frame: None)
    sending = asyncio.create_task(client.send("r", "text"))
    await server.until(lambda: len(server.frames("send")) == 1)
    await soon(client.close())
    with pytest.raises(ClientClosed):
        await soon(sending)
    await soon(drained(events))
    await soon(drained(client.events()))
    await server.until(lambda: server.peers == [])


@pytest.mark.parametrize(
    "address", ["chat.example", "ftp://chat.example", "https://a:b@chat.example", "https://x/?t=1"]
)
async def test_an_address_that_cannot_be_right_is_refused(address: str) -> None:
    with pytest.raises(ValueError):
        Client(address)
