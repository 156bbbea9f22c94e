"""HTTP/1.1 for the fakes: kept connections, and answers that may also be none."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

from tests.support.push.door import Door
from tests.support.push.script import Line


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    line: Line = field(default_factory=Line)


@dataclass(frozen=True)
class Response:
    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    slow: float = 0.0
    """seconds before it goes out"""


class Hang(Exception):
    """No answer, until the server is closed."""


class Cut(Exception):
    """The connection ends at once."""


Handler = Callable[[Request], Awaitable[Response]]


@contextlib.asynccontextmanager
async def http_server(handler: Handler, tls: ssl.SSLContext | None = None, port: int = 0) -> AsyncIterator[Door]:
    """Where it listens, on 127.0.0.1."""
    writers: dict[asyncio.StreamWriter, Line] = {}
    tasks: set[asyncio.Task[None]] = set()
    ending = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        line = writers[writer] = Line()
        try:
            while True:
                response = await handler(await _read(reader, line))
                if response.slow:
                    await asyncio.sleep(response.slow)  # what is tested, no waiting for something
                if not line.cut and line.last is not None:
                    line.last.written()
                    line.last = None
                writer.write(_bytes(response))
                await writer.drain()
        except Hang:
            await ending.wait()
        except (Cut, ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            pass
        finally:
            writers.pop(writer, None)
            writer.transport.abort()

    def cut() -> None:
        for writer, line in list(writers.items()):
            line.cut = True
            writer.transport.abort()

    async def listen(port: int) -> asyncio.Server:
        return await asyncio.start_server(serve, "127.0.0.1", port, ssl=tls)

    door = Door(listen, cut)
    await door.open(port)
    try:
        yield door
    finally:
        ending.set()
        await door.shut()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)


async def _read(reader: asyncio.StreamReader, line: Line) -> Request:
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    method, path, _ = first.split(" ")
    line.came += 1
    return Request(method, path, headers, body, line)


def _bytes(response: Response) -> bytes:
    headers = "".join(f"{name}: {value}\r\n" for name, value in response.headers)
    head = f"HTTP/1.1 {response.status} X\r\ncontent-length: {len(response.body)}\r\n{headers}\r\n"
    return head.encode("latin-1") + response.body
