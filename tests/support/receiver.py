"""Another system's server, over real sockets: it takes what webhooks tell, or misbehaves as it is told to."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from tests.support.patience import DEADLINE


@dataclass
class Received:
    """One request. `path` as it stood in its first line."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """`answer`: the bytes that it answers with; empty: it closes; None: it hangs until it is closed."""

    port: int = 0
    answer: bytes | None = b"HTTP/1.1 204 No Content\r\n\r\n"
    got: asyncio.Queue[Received] = field(default_factory=asyncio.Queue)
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    def answers(self, status: int, headers: str = "", body: bytes = b"") -> None:
        self.answer = f"HTTP/1.1 {status} X\r\ncontent-length: {len(body)}\r\n{headers}\r\n".encode() + body

    async def next(self) -> Received:
        async with asyncio.timeout(DEADLINE):
            return await self.got.get()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                await self._one(reader, writer)
        finally:
            self._open.discard(writer)
            writer.close()
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                await writer.wait_closed()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        method, path, _ = first.split(" ")
        self.got.put_nowait(Received(method, path, headers, body))
        if self.answer is None:
            await reader.read()  # until the other side gives up
        elif self.answer:
            writer.write(self.answer)
            await writer.drain()


@contextlib.asynccontextmanager
async def receiver(tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> AsyncIterator[Receiver]:
    found = Receiver()
    server = await asyncio.start_server(found._serve, host, 0, ssl=tls)
    found.port = server.sockets[0].getsockname()[1]
    try:
        yield found
    finally:
        server.close()
        for writer in list(found._open):
            writer.transport.abort()
        await server.wait_closed()
        await asyncio.sleep(0)
