"""Apple's push service: TLS and HTTP/2 by `h2`, the provider token checked, every header looked at."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import ssl
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, cast

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import ConnectionTerminated, DataReceived, Event, RequestReceived, StreamEnded, StreamReset
from h2.exceptions import H2Error
from h2.settings import SettingCodes

from tests.support.push.door import Door
from tests.support.push.script import Behaviour, Book, Line, Script, Taken, Tried

KEY_ID, TEAM, TOPIC = "ABC123DEFG", "TEAM567890", "example.city.renraku"
_HEADERS = {":method", ":scheme", ":authority", ":path", "apns-id", "apns-topic", "apns-push-type", "apns-priority",
            "apns-expiration", "apns-collapse-id", "authorization"}  # fmt: skip


@dataclass
class FakeApns:
    """`key`: text of the .p8 file that the server must use. `streams`, `window`: its SETTINGS."""

    streams: int = 1000
    window: int = 65_535
    script: Script = field(default_factory=Script)
    book: Book = field(default_factory=Book)
    port: int = 0
    door: Door | None = None
    tokens: list[str] = field(default_factory=list)
    """provider tokens, each once, in the order of their coming"""
    connections: set[_Peer] = field(default_factory=set)
    made: int = 0
    """connections so far"""
    generous: bool = True
    """gives back the window of what it read; otherwise when `give_back` is called"""
    strict: bool = True
    """whether the headers must be exactly ours"""
    before: Callable[[], Awaitable[object]] | None = None
    """waited for with a request in hand, once"""

    def __post_init__(self) -> None:
        self._private = ec.generate_private_key(ec.SECP256R1())
        self.key = self._private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()
        self._tasks: set[asyncio.Task[None]] = set()
        self._issued: int | None = None
        self._known: dict[str, dict[str, Any]] = {}

    def refusal(self, headers: dict[str, str]) -> tuple[int, str] | None:
        """What Apple itself finds wrong with a request."""
        scheme, _, token = headers.get("authorization", "").partition(" ")
        found = self._known.get(token)
        if found is None:
            try:
                found = jwt.decode(token, self._private.public_key(), ["ES256"], options={"verify_iat": False})
                if jwt.get_unverified_header(token)["kid"] != KEY_ID or found["iss"] != TEAM or scheme != "bearer":
                    found = None
            except (jwt.PyJWTError, KeyError):
                found = None
        if found is None:
            return 403, "InvalidProviderToken"
        if not time.time() - 3600 <= found["iat"] <= time.time() + 60:
            return 403, "ExpiredProviderToken"
        self._known[token] = found
        if token not in self.tokens:
            self.tokens.append(token)
            issued, self._issued = self._issued, found["iat"]
            if issued is not None and found["iat"] - issued < 20 * 60:
                return 429, "TooManyProviderTokenUpdates"
        if headers.get("apns-topic") != TOPIC:
            return 400, "TopicDisallowed"
        if self.strict and headers.keys() != _HEADERS:
            self.book.wrong.append(f"headers {sorted(headers.keys() ^ _HEADERS)}")
        if len(headers["apns-collapse-id"].encode()) > 64:
            return 400, "BadCollapseId"
        if headers["apns-priority"] not in ("1", "5", "10"):
            return 400, "BadPriority"
        if not headers["apns-expiration"].isdigit():
            return 400, "BadExpirationDate"
        if headers["apns-push-type"] not in ("alert", "background"):
            return 400, "InvalidPushType"
        if str(uuid.UUID(headers["apns-id"])) != headers["apns-id"]:
            return 400, "BadMessageId"
        if not re.fullmatch(r"/3/device/[0-9a-f]+", headers[":path"]):
            return 400, "BadDeviceToken"
        return None

    def later(self, peer: _Peer, stream: int, headers: dict[str, str], body: bytes) -> None:
        task = asyncio.get_running_loop().create_task(self._answer(peer, stream, headers, body))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, peer: _Peer, stream: int, headers: dict[str, str], body: bytes) -> None:
        self.book.requests += 1
        if (before := self.before) is not None:
            self.before = None
            await self.book.note()
            await before()
        if peer.gone:
            return  # beyond the last stream that its GOAWAY named, or cut: not looked at
        token = headers.get(":path", "").rpartition("/")[2]
        if refused := self.refusal(headers):
            behaviour = Behaviour(status=refused[0], reason=refused[1])
        elif len(body) > 4096:
            behaviour = Behaviour(status=413, reason="PayloadTooLarge")
        else:
            behaviour = self.script.of(token)
        tried: Tried | None = None
        if behaviour.taken:
            peer.last = max(peer.last, stream)
        if self.book.reads(behaviour) and not refused:
            tried = self.book.judged(Taken(token, json.loads(body), headers, headers["apns-id"]), behaviour, peer.line)
        if behaviour.slow:
            await asyncio.sleep(behaviour.slow)  # what is tested, no waiting for something
        peer.behave(stream, headers, behaviour)
        if tried is not None and behaviour.kind == "answer" and not peer.gone:
            tried.written()
        await self.book.note()


class _Peer(asyncio.Protocol):
    def __init__(self, fake: FakeApns) -> None:
        self.fake = fake
        self.conn = H2Connection(
            H2Configuration(client_side=False, header_encoding="utf-8", validate_outbound_headers=False)
        )
        self._requests: dict[int, tuple[dict[str, str], bytearray]] = {}
        self._kept: list[tuple[int, int]] = []
        self.last = 0
        """the highest stream whose push counts as taken"""
        self.gone = False
        self.line = Line()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's are of no class of asyncio's
        self.fake.connections.add(self)
        self.fake.made += 1
        self.conn.initiate_connection()
        self.conn.update_settings(
            {
                SettingCodes.MAX_CONCURRENT_STREAMS: self.fake.streams,
                SettingCodes.INITIAL_WINDOW_SIZE: self.fake.window,
            }
        )
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        self.gone = True
        self.fake.connections.discard(self)

    def data_received(self, data: bytes) -> None:
        try:
            for event in self.conn.receive_data(data):
                self._happened(event)
        except H2Error as error:
            if self.gone:  # what was on its way when we said good-bye
                return
            self.fake.book.wrong.append(f"{type(error).__name__}: {error}")
            self.transport.close()
        self._flush()

    def _happened(self, event: Event) -> None:
        if isinstance(event, RequestReceived):
            headers = {str(name): str(value) for name, value in event.headers or ()}
            self._requests[event.stream_id or 0] = headers, bytearray()
        elif isinstance(event, DataReceived):
            self._requests[event.stream_id or 0][1].extend(event.data or b"")
            self._kept.append((event.flow_controlled_length or 0, event.stream_id or 0))
            if self.fake.generous:
                self.give_back()
        elif isinstance(event, StreamEnded):
            headers, body = self._requests.pop(event.stream_id or 0)
            self.line.came += 1
            self.fake.later(self, event.stream_id or 0, headers, bytes(body))
        elif isinstance(event, StreamReset):
            self._requests.pop(event.stream_id or 0, None)
        elif isinstance(event, ConnectionTerminated):
            self.transport.close()

    def give_back(self) -> None:
        kept, self._kept = self._kept, []
        for length, stream in kept:
            with contextlib.suppress(H2Error):  # the stream may have ended
                self.conn.acknowledge_received_data(length, stream)
        self._flush()

    def behave(self, stream: int, headers: dict[str, str], behaviour: Behaviour) -> None:
        with contextlib.suppress(H2Error):  # the other side may have gone meanwhile
            match behaviour.kind:
                case "cut":
                    self.cut()
                case "goaway":
                    self.gone = True  # what it has said before is read: that line is not cut
                    self.conn.close_connection(ErrorCodes.NO_ERROR, last_stream_id=self.last)
                case "reset":
                    self.conn.reset_stream(stream, ErrorCodes.INTERNAL_ERROR)
                case "refuse_stream":
                    self.conn.reset_stream(stream, ErrorCodes.REFUSED_STREAM)
                case "answer":
                    self._answer(stream, headers, behaviour)
                case "hang":
                    pass
        self._flush()

    def cut(self) -> None:
        self.gone = self.line.cut = True
        self.transport.abort()

    def _answer(self, stream: int, headers: dict[str, str], behaviour: Behaviour) -> None:
        body = behaviour.body
        if body is None:
            found: dict[str, object] = {"reason": behaviour.reason} if behaviour.reason else {}
            if behaviour.timestamp is not None:
                found["timestamp"] = behaviour.timestamp
            body = json.dumps(found).encode() if found else b""
        own = {":status": str(behaviour.status), "apns-id": headers.get("apns-id", ""), **behaviour.headers}
        empty_frame = behaviour.body == b""
        self.conn.send_headers(stream, list(own.items()), end_stream=not body and not empty_frame)
        if body or empty_frame:
            self.conn.send_data(stream, body, end_stream=True)

    def _flush(self) -> None:
        if not self.transport.is_closing():
            self.transport.write(self.conn.data_to_send())


@contextlib.asynccontextmanager
async def fake_apns(
    tls: ssl.SSLContext, *, port: int = 0, streams: int = 1000, window: int = 65_535
) -> AsyncIterator[FakeApns]:
    """`tls`: of a server named localhost."""
    fake = FakeApns(streams=streams, window=window)
    tls.set_alpn_protocols(["h2"])

    async def listen(port: int) -> asyncio.Server:
        return await asyncio.get_running_loop().create_server(lambda: _Peer(fake), "127.0.0.1", port, ssl=tls)

    def cut() -> None:
        for peer in list(fake.connections):
            peer.cut()

    fake.door = Door(listen, cut)
    await fake.door.open(port)
    fake.port = fake.door.port
    try:
        yield fake
    finally:
        await fake.door.shut()
        await asyncio.gather(*fake._tasks, return_exceptions=True)
        await asyncio.sleep(0)
