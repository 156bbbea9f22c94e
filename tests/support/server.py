"""The whole server on real sockets, in the loop of the test: its storage and its clock are at hand.

async with running_server(tmp_path) as server:
    async with server.client() as client:
        await client.get("/healthz")
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import socket
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from chat_server import serving
from chat_server.app import App
from chat_server.clock import SystemClock
from chat_server.config import Listener, Settings
from chat_server.http import openapi, pages, routes
from chat_server.http.calls import AnyCall
from chat_server.passwords import Argon2Passwords
from mobile_api.providers.port import Platform, Provider
from mobile_api.push.judging import FIRST
from tests.support.engines import database_of, furnish
from tests.support.passwords import CHEAP
from tests.support.patience import DEADLINE

_documents: dict[tuple[object, ...], tuple[Sequence[AnyCall], dict[str, Any]]] = {}


def _document(calls: Sequence[AnyCall], version: str) -> dict[str, Any]:
    key = (version, *map(id, calls))
    if key not in _documents:
        _documents[key] = (
            calls,
            openapi.document(calls, version),
        )  # with the calls, or another one could get the id of one
    return _documents[key][1]


# The same page and the same document for every server of this process: packed and written once.
pages._page = functools.cache(pages._page)
routes.document = _document  # type: ignore[attr-defined]  # imported there


@dataclass
class MovableClock:
    """The machine's time, and what a test adds to it."""

    ahead: int = 0
    _real: SystemClock = field(default_factory=SystemClock)
    _stands: int | None = None

    def now(self) -> int:
        return (self._real.now() if self._stands is None else self._stands) + self.ahead

    @contextlib.contextmanager
    def still(self) -> Iterator[None]:
        """No time passes but what a test adds: for what is over within less than a busy machine may take."""
        self._stands = self._real.now()
        try:
            yield
        finally:
            self._stands = None


@dataclass
class RunningServer:
    """`ports`: one listener a zone."""

    app: App
    clock: MovableClock
    ports: dict[str, int]

    def base(self, zone: str = "lgwan") -> str:
        return f"http://127.0.0.1:{self.ports[zone]}"

    def client(self, token: str | None = None, zone: str = "lgwan", **options: Any) -> httpx2.AsyncClient:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx2.AsyncClient(
            base_url=self.base(zone),
            headers=headers,
            timeout=DEADLINE,
            trust_env=False,
            verify=False,  # no TLS here; loading the machine's authorities takes longer than a test
            **options,
        )

    async def raw(self, data: bytes, zone: str = "lgwan", *, end: bool = False) -> bytes:
        """Send bytes as they are and read until the server closes, or until one answer without a body is whole."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.ports[zone])
        try:
            writer.write(data)
            await writer.drain()
            if end:
                writer.write_eof()
            async with asyncio.timeout(DEADLINE):
                return await read_answer(reader)
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()


async def read_answer(reader: asyncio.StreamReader) -> bytes:
    """One HTTP answer with a Content-Length, or whatever comes until the end."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        return error.partial
    length = next(
        (int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
    )
    return head + await reader.readexactly(length)


@contextlib.asynccontextmanager
async def running_server(
    folder: Path,
    *,
    zones: tuple[str, ...] = ("internet", "lgwan"),
    providers: Mapping[Platform, Provider] | None = None,
    push_again: float = FIRST,
    **settings: Any,
) -> AsyncIterator[RunningServer]:
    """Every zone gets a listener of its own on 127.0.0.1. `providers`: of pushes, and how soon one that failed
    is tried again (seconds)."""
    configured = Settings(
        data=str(folder),
        database=database_of(folder),
        zones=zones,
        listen=tuple(Listener(port=0, zone=zone) for zone in zones),
        **settings,
    )
    clock = MovableClock()
    sockets = {listener.zone: serving.bind(listener) for listener in configured.listen}
    for bound in sockets.values():
        # Connections inherit it. asyncio's loop, other than uvloop, sets it only on sockets that name their protocol.
        bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        furnish(folder)
        passwords = Argon2Passwords(hasher=CHEAP)
        app = await App.open(configured, clock=clock, passwords=passwords, providers=providers, push_again=push_again)
    except BaseException:
        for bound in sockets.values():
            bound.close()
        raise
    servers = {zone: serving._Server(serving._config(app.asgi(zone))) for zone in sockets}
    running = [asyncio.create_task(servers[zone].serve(sockets=[bound])) for zone, bound in sockets.items()]
    try:
        async with asyncio.timeout(DEADLINE):
            while not all(server.started for server in servers.values()):  # noqa: ASYNC110 (uvicorn has no event for it)
                await asyncio.sleep(0.005)
        yield RunningServer(app, clock, {zone: _port(bound) for zone, bound in sockets.items()})
    finally:
        for server in servers.values():
            server.should_exit = True
        await asyncio.gather(*running)
        await app.close()


def _port(bound: socket.socket) -> int:
    return int(bound.getsockname()[1])
