"""A browser's push service: checks VAPID, and opens what was sealed with the key of the browser (RFC 8291)."""

from __future__ import annotations

import contextlib
import json
import os
import re
import ssl
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import http_ece
import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pywebpush import WebPusher

from tests.support.push.door import Door
from tests.support.push.http import Cut, Hang, Request, Response, http_server
from tests.support.push.script import Behaviour, Book, Script, Taken


class Browser:
    """A subscription's keys."""

    def __init__(self) -> None:
        self._private = ec.generate_private_key(ec.SECP256R1())
        self._auth = os.urandom(16)
        self.p256dh = _text(self._private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))
        self.auth = _text(self._auth)

    def seal(self, payload: Any) -> bytes:
        """As the server does it."""
        keys = {"p256dh": self.p256dh, "auth": self.auth}
        found = WebPusher({"endpoint": "https://push.example/", "keys": keys}).encode(json.dumps(payload).encode())
        return bytes(found["body"])

    def open(self, sealed: bytes) -> Any:
        """Raises what the library raises where it was not sealed for this browser."""
        return json.loads(http_ece.decrypt(sealed, private_key=self._private, auth_secret=self._auth))


@dataclass
class FakeWebPush:
    """`public_key`: what the browser subscribed with; empty: any signature is taken. `browsers` by token."""

    public_key: str = ""
    script: Script = field(default_factory=Script)
    book: Book = field(default_factory=Book)
    browsers: dict[str, Browser] = field(default_factory=dict)
    port: int = 0
    door: Door | None = None

    def subscribe(self, token: str) -> Browser:
        return self.browsers.setdefault(token, Browser())

    @property
    def host(self) -> str:
        """As the settings name it."""
        return f"localhost:{self.port}"

    def endpoint(self, token: str) -> str:
        return f"https://{self.host}/wp/{token}"

    async def handle(self, request: Request) -> Response:
        self.book.requests += 1
        try:
            return self._push(request)
        finally:
            await self.book.note()

    def _push(self, request: Request) -> Response:
        token = request.path.removeprefix("/wp/")
        if request.method != "POST" or token not in self.browsers:
            return Response(404)
        if refused := self._refusal(request):
            return Response(403, refused.encode())
        behaviour = self.script.of(token)
        if self.book.reads(behaviour):
            opened = self.browsers[token].open(request.body) if request.body else None
            push = Taken(token, opened, request.headers, f"m{self.book.requests}")
            self.book.judged(push, behaviour, request.line)
        return answered(behaviour, 201, (("location", f"https://{self.host}/m/m{self.book.requests}"),))

    def _refusal(self, request: Request) -> str | None:
        if len(request.headers.get("topic", "")) > 32 or not re.fullmatch(r"\d+", request.headers.get("ttl", "")):
            self.book.wrong.append("topic or ttl")
        if request.headers.get("urgency") not in ("very-low", "low", "normal", "high"):
            self.book.wrong.append("urgency")
        if request.body and request.headers.get("content-encoding") != "aes128gcm":
            self.book.wrong.append("content-encoding")
        return vapid_refusal(request.headers.get("authorization", ""), f"https://{self.host}", self.public_key)


def vapid_refusal(authorization: str, origin: str, public_key: str) -> str | None:
    """What is wrong with a signature (RFC 8292)."""
    match = re.fullmatch(r"vapid t=([\w.-]+),k=([\w-]+)", authorization)
    if match is None:
        return "no vapid"
    token, key = match.groups()
    if public_key and key != public_key:
        return "another key"
    point = urlsafe_b64decode(key + "=" * (-len(key) % 4))
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    try:
        claims = jwt.decode(token, public, ["ES256"], audience=origin)
    except jwt.PyJWTError as error:
        return type(error).__name__
    if not str(claims.get("sub", "")).startswith("mailto:") or not claims["exp"] <= time.time() + 24 * 3600:
        return "sub or exp"
    return None


def answered(
    behaviour: Behaviour, accepted: int, headers: tuple[tuple[str, str], ...] = (), body: bytes = b""
) -> Response:
    """What a behaviour comes to in HTTP/1.1."""
    if behaviour.kind == "hang":
        raise Hang
    if behaviour.kind != "answer":
        raise Cut
    if 200 <= behaviour.status < 300:
        return Response(accepted, body if behaviour.body is None else behaviour.body, headers, behaviour.slow)
    said = behaviour.reason.encode() if behaviour.body is None else behaviour.body
    return Response(behaviour.status, said, tuple(behaviour.headers.items()), behaviour.slow)


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


@contextlib.asynccontextmanager
async def fake_web_push(tls: ssl.SSLContext, public_key: str = "", port: int = 0) -> AsyncIterator[FakeWebPush]:
    """`tls`: of a server named localhost."""
    fake = FakeWebPush(public_key)
    async with http_server(fake.handle, tls, port) as found:
        fake.port, fake.door = found.port, found
        yield fake
