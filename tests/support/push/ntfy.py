"""ntfy: topics that take a text, or what an app of UnifiedPush opens by itself."""

from __future__ import annotations

import contextlib
import json
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from tests.support.push.door import Door
from tests.support.push.http import Request, Response, http_server
from tests.support.push.script import Book, Script, Taken
from tests.support.push.web_push import Browser, answered, vapid_refusal


@dataclass
class FakeNtfy:
    """`devices`: topics behind which an app of UnifiedPush sits, with its keys; any other topic is a person's."""

    script: Script = field(default_factory=Script)
    book: Book = field(default_factory=Book)
    devices: dict[str, Browser] = field(default_factory=dict)
    port: int = 0
    door: Door | None = None

    def subscribe(self, topic: str) -> Browser:
        return self.devices.setdefault(topic, Browser())

    @property
    def host(self) -> str:
        return f"localhost:{self.port}"

    def endpoint(self, topic: str) -> str:
        return f"https://{self.host}/{topic}?up=1"

    async def handle(self, request: Request) -> Response:
        self.book.requests += 1
        try:
            return self._publish(request)
        finally:
            await self.book.note()

    def _publish(self, request: Request) -> Response:
        topic = request.path.removeprefix("/").partition("?")[0]
        if request.method not in ("POST", "PUT"):
            return Response(405)
        if len(request.body) > 4096:
            return Response(413, b'{"code":41301,"http":413,"error":"message too large"}')
        if request.headers.get("priority") not in tuple("12345"):
            self.book.wrong.append("priority")
        behaviour = self.script.of(topic)
        message = {"id": f"n{self.book.requests}", "event": "message", "topic": topic}
        if self.book.reads(behaviour):
            push = Taken(topic, self._opened(topic, request), request.headers, message["id"])
            self.book.judged(push, behaviour, request.line)
        return answered(behaviour, 200, body=json.dumps(message).encode())

    def _opened(self, topic: str, request: Request) -> Any:
        if topic not in self.devices:
            return request.body.decode()
        if request.headers.get("content-encoding") != "aes128gcm":
            self.book.wrong.append("content-encoding")
        if wrong := vapid_refusal(request.headers.get("authorization", ""), f"https://{self.host}", ""):
            self.book.wrong.append(wrong)
        return self.devices[topic].open(request.body)


@contextlib.asynccontextmanager
async def fake_ntfy(tls: ssl.SSLContext, port: int = 0) -> AsyncIterator[FakeNtfy]:
    fake = FakeNtfy()
    async with http_server(fake.handle, tls, port) as found:
        fake.port, fake.door = found.port, found
        yield fake
