"""A site's outgoing proxy: HTTP CONNECT, and nothing else. It knows every name by itself."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field


@dataclass
class ConnectProxy:
    """`names`: where they really are. `authorization`: what it asks for; empty: nothing. `status`: what it says."""

    names: dict[str, tuple[str, int]] = field(default_factory=dict)
    authorization: str = ""
    status: int = 200
    port: int = 0
    asked: list[str] = field(default_factory=list)
    silent: bool = False
    """takes requests and never answers"""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far: asyncio.StreamWriter | None = None
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            method, place, _ = head.split("\r\n")[0].split(" ")
            self.asked.append(place)
            if self.silent:
                await reader.read()
                return
            allowed = not self.authorization or f"proxy-authorization: {self.authorization}".lower() in head.lower()
            status = (self.status if allowed else 407) if method == "CONNECT" else 405
            if status == 200 and place not in self.names:
                status = 502
            writer.write(f"HTTP/1.1 {status} Whatever\r\n\r\n".encode())
            if status != 200:
                return
            far_reader, far = await asyncio.open_connection(*self.names[place])
            await asyncio.gather(_pump(reader, far), _pump(far_reader, writer))
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            for each in (writer, far):
                if each is not None:
                    each.transport.abort()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(32_768):
            writer.write(data)
            await writer.drain()
    finally:
        writer.transport.abort()


@contextlib.asynccontextmanager
async def connect_proxy() -> AsyncIterator[ConnectProxy]:
    proxy = ConnectProxy()
    tasks: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        with contextlib.suppress(asyncio.CancelledError):
            await proxy.serve(reader, writer)

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()
        await asyncio.sleep(0)
