"""Whom the client believes, and what it never tells."""

from __future__ import annotations

import logging
import socket
import ssl
from pathlib import Path

import pytest

from chat_client import Client, MemoryStore, ServerUntrusted
from tests.client.conftest import MakeClient, signed_in
from tests.client.listening import Reply
from tests.client.scripted import ScriptedServer
from tests.client.waiting import FakeClock, soon

TLS = Path(__file__).parent / "tls"
"""A certificate for 127.0.0.1 with its key, and the authority that signed it: made for these tests, good for nothing."""


def serving() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(TLS / "server.pem")
    return context


async def test_the_organizations_own_authority_is_believed(clock: FakeClock) -> None:
    async with ScriptedServer(context=serving()) as server:
        client = Client(server.url, store=signed_in(server), ca_file=TLS / "ca.pem", clock=clock)
        await soon(client.start())
        assert [room.id for room in await soon(client.rooms())] == ["r"]
        await client.close()


async def test_an_unknown_authority_is_not_and_hears_no_token(clock: FakeClock) -> None:
    async with ScriptedServer(context=serving()) as server:
        client = Client(server.url, store=signed_in(server), clock=clock)
        with pytest.raises(ServerUntrusted):
            await soon(client.start())
        with pytest.raises(ServerUntrusted):
            await soon(client.rooms())
        await client.close()
        assert server.requests == []
        assert server.received == []


async def test_a_certificate_for_another_name_is_not(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    resolve = socket.getaddrinfo
    monkeypatch.setattr("socket.getaddrinfo", lambda host, *rest, **more: resolve("127.0.0.1", *rest, **more))
    async with ScriptedServer(context=serving()) as server:
        url = server.url.replace("127.0.0.1", "chat.midorino.example")
        client = Client(url, store=signed_in(server, url), ca_file=TLS / "ca.pem", clock=clock)
        with pytest.raises(ServerUntrusted, match=r"chat\.midorino\.example"):
            await soon(client.start())
        await client.close()


async def test_an_untrusted_server_does_not_cost_the_session(clock: FakeClock) -> None:
    async with ScriptedServer(context=serving()) as server:
        store = signed_in(server)
        client = Client(server.url, store=store, clock=clock)
        clock.advance(590)
        with pytest.raises(ServerUntrusted):
            await soon(client.rooms())
        await client.close()
        tokens = await store.load()
        assert tokens is not None
        assert tokens.refresh_token == "refresh-1"
        assert server.requests == []


async def test_a_proxy_of_the_environment_gets_nothing(
    server: ScriptedServer, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "ws_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    await soon(client.start())
    assert len(await soon(client.rooms())) == 1


async def test_a_redirect_does_not_carry_the_token_away(server: ScriptedServer, client: Client) -> None:
    async with ScriptedServer() as elsewhere:
        away = Reply(307, b"", {"Location": f"{elsewhere.url}/api/rooms"})
        server.instead_http("GET", "/api/rooms", away)
        with pytest.raises(Exception, match="307"):
            await soon(client.rooms())
        assert elsewhere.requests == []


async def test_nothing_secret_is_logged_or_shown_in_an_error(
    server: ScriptedServer, make_client: MakeClient, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """At level DEBUG, with every library's logger open."""
    caplog.set_level(logging.DEBUG)
    for name in ("websockets", "websockets.client", "httpx2", "httpcore2", "asyncio"):
        logging.getLogger(name).setLevel(logging.DEBUG)
    client = make_client(store=MemoryStore(), codec="json")
    with pytest.raises(Exception, match="1001") as wrong:
        await soon(client.sign_in("midorino", "takahashi", "wrong-password"))
    await soon(client.sign_in("midorino", "takahashi", "correct horse"))
    await soon(client.start())
    await soon(client.send("r", "nobody's business"))
    clock.advance(590)
    await soon(client.rooms())
    address = {"id": "a1", "addresses": {"preview": "/files/c4pability"}, "expires": 5}
    server.instead_http("POST", "/api/attachments/addresses", Reply(200, {"items": [address]}))
    server.instead_http("GET", "/files/c4pability", Reply(200, b"bytes"))
    await soon(client.photo("a1"))
    await client.close()
    told = caplog.text + str(wrong.value) + repr(vars(wrong.value)) + repr(client.session.tokens)
    assert "connect_tcp" in caplog.text, "the libraries did log"
    for secret in ("access-", "refresh-", "correct horse", "wrong-password", "c4pability", "nobody's business"):
        assert secret not in told
    assert not [request for request in server.requests if "token" in str(request.query)]
