"""HTTP and WebSocket on one real socket, small enough to misbehave in every way a test needs.

It shares nothing with the real server: `websockets` without I/O, and forty lines of HTTP/1.1.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from websockets.frames import Frame, Opcode
from websockets.http11 import Request as Handshake
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from chat_client.wire import CODECS, Codec

# It logs whole frames; what a test finds in the log has to come from the client.
_QUIET = logging.getLogger("renraku-listening")
_QUIET.setLevel(logging.CRITICAL)


@dataclass(slots=True)
class Request:
    """One HTTP request; `complete` says whether the whole body came."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    complete: bool

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(slots=True)
class Reply:
    """The answer. `drop` cuts the connection instead."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    drop: bool = False

    def encoded(self, now: int) -> bytes:
        data = self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()
        if self.body is None:
            data = b""
        headers = {"Content-Length": str(len(data)), "Connection": "close", "Date": formatdate(now / 1000, usegmt=True)}
        lines = [f"HTTP/1.1 {self.status} X", *(f"{k}: {v}" for k, v in (headers | self.headers).items())]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + data


class Peer:
    """One client's WebSocket, seen from the server."""

    def __init__(self, protocol: ServerProtocol, writer: asyncio.StreamWriter, codec: Codec) -> None:
        self._protocol = protocol
        self._writer = writer
        self.codec = codec

    def send(self, *frames: dict[str, Any]) -> None:
        """All in one write: the client reads them in one go."""
        for frame in frames:
            data = self.codec.encode(frame)
            if isinstance(data, str):
                self._protocol.send_text(data.encode())
            else:
                self._protocol.send_binary(data)
        self._flush()

    def send_raw(self, data: bytes) -> None:
        """A binary message of any content."""
        self._protocol.send_binary(data)
        self._flush()

    def ping(self) -> None:
        """A WebSocket heartbeat."""
        self._protocol.send_ping(b"")
        self._flush()

    def close(self, code: int, reason: str = "") -> None:
        """The closing handshake."""
        self._protocol.send_close(code, reason)
        self._flush()

    def drop(self) -> None:
        """Without a word."""
        self._writer.transport.abort()

    def _flush(self) -> None:
        if not self._writer.is_closing():
            self._writer.write(b"".join(self._protocol.data_to_send()))


OnRequest = Callable[[Request], Awaitable[Reply]]
OnFrame = Callable[[Peer, dict[str, Any]], Awaitable[None]]


class Listening:
    """Serve until `close`. `on_end` is told of every WebSocket that ended."""

    def __init__(self, on_request: OnRequest, on_frame: OnFrame, on_end: Callable[[Peer], None]) -> None:
        self.on_request = on_request
        self._on_frame = on_frame
        self._on_end = on_end
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.failures: list[BaseException] = []
        self.subprotocols = list(CODECS.values())
        self.now = 1_763_770_000_000
        self.port = 0
        self.lingers = False
        """after a closing handshake, leave the TCP connection open"""

    async def open(self, context: ssl.SSLContext | None = None) -> None:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self.port, ssl=context)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stop serving. Raises what a handler of this server raised: a broken script is not a passing test."""
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self.failures:
            raise self.failures[0]

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            if b"upgrade: websocket" in head.lower():
                await self._websocket(head, reader, writer)
            else:
                await self._http(head, reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        except Exception as error:
            self.failures.append(error)
        finally:
            self._tasks.discard(task)
            writer.close()
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()

    async def _http(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first, *rest = head.decode().split("\r\n")
        method, target, _ = first.split(" ")
        headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in rest if line)}
        size = int(headers.get("content-length", "0"))
        try:
            body, complete = await reader.readexactly(size), True
        except asyncio.IncompleteReadError as error:
            body, complete = error.partial, False
        except OSError:
            body, complete = b"", False
        parts = urlsplit(target)
        request = Request(method, parts.path, dict(parse_qsl(parts.query)), headers, body, complete)
        reply = await self.on_request(request)
        if reply.drop:
            writer.transport.abort()
        elif complete:
            writer.write(reply.encoded(self.now))
            await writer.drain()

    async def _websocket(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        names = [Subprotocol(codec.subprotocol) for codec in self.subprotocols]
        protocol = ServerProtocol(subprotocols=names, select_subprotocol=_chosen, max_size=None, logger=_QUIET)
        protocol.receive_data(head)
        [handshake] = protocol.events_received()
        assert isinstance(handshake, Handshake)
        refused = await self.on_request(Request("GET", handshake.path, {}, dict(handshake.headers), b"", True))
        if refused.status != 101:
            writer.write(refused.encoded(self.now))
            return
        protocol.send_response(protocol.accept(handshake))
        writer.write(b"".join(protocol.data_to_send()))
        codec = next((each for each in self.subprotocols if each.subprotocol == protocol.subprotocol), None)
        if codec is None:
            return
        peer = Peer(protocol, writer, codec)
        try:
            while data := await reader.read(64 * 1024):
                protocol.receive_data(data)
                for event in protocol.events_received():
                    if isinstance(event, Frame) and event.opcode in (Opcode.TEXT, Opcode.BINARY):
                        raw = bytes(event.data)
                        await self._on_frame(peer, codec.decode(raw.decode() if event.opcode is Opcode.TEXT else raw))
                    elif isinstance(event, Frame):
                        await self._on_frame(peer, {"op": event.opcode.name.lower()})
                writer.write(b"".join(protocol.data_to_send()))
                if protocol.close_expected() and not self.lingers:
                    break
        finally:
            self._on_end(peer)


def _chosen(protocol: ServerProtocol, offered: Any) -> Subprotocol | None:
    return next((name for name in protocol.available_subprotocols or () if name in offered), None)
