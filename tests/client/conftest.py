"""A scripted server, a clock that stands still, and clients that are closed whatever a test does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from chat_client import Client, EventStream, MemoryStore
from chat_client.token_store import Tokens
from tests.client.listening import Peer
from tests.client.scripted import Act, ScriptedServer, error
from tests.client.waiting import FakeClock

MakeClient = Callable[..., Client]


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    async with ScriptedServer() as serving:
        yield serving


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def pass_time(server: ScriptedServer, clock: FakeClock, seconds: float) -> None:
    """On both sides."""
    server.listening.now += int(seconds * 1000)
    clock.advance(seconds)


def signed_in(server: ScriptedServer, url: str | None = None) -> MemoryStore:
    """A store with a session that the server knows."""
    session = server.session()
    return MemoryStore(
        Tokens(
            server=url or server.url,
            access_token=session["access_token"],
            access_expires=session["access_expires"],
            access_lives=server.access_lives,
            refresh_token=session["refresh_token"],
            refresh_expires=session["refresh_expires"],
            device="d1",
            user="u1",
        )
    )


def starting(client: Client) -> asyncio.Task[None]:
    """`start`, not waited for."""
    return asyncio.create_task(client.start())


async def drained(events: EventStream) -> None:
    """Until the end of the events, which raises what ended them."""
    async for _ in events:
        pass


def refusing(code: int, close_code: int) -> Act:
    """Answer a frame with an error, then close."""

    def act(peer: Peer, frame: dict[str, Any]) -> None:
        peer.send(error(frame, code))
        peer.close(close_code)

    return act


@pytest.fixture
async def make_client(server: ScriptedServer, clock: FakeClock) -> AsyncIterator[MakeClient]:
    """Clients of `server`, signed in, on the clock that stands still; jitter is at its least."""
    async with AsyncExitStack() as closing:

        def make(url: str | None = None, **options: Any) -> Client:
            options = {"clock": clock, "random": lambda: 0.0, **options}
            options["store"] = options.get("store") or signed_in(server, url)
            client = Client(url or server.url, **options)
            closing.push_async_callback(client.close)
            return client

        yield make


@pytest.fixture
async def client(make_client: MakeClient) -> Client:
    """One that is not started."""
    return make_client()
