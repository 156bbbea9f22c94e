"""Answers on their way out: small ASGI senders, and the headers that every answer carries."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final
from urllib.parse import quote

import msgspec
from starlette.types import Send

from chat_server.domain.errors import Problem

Headers = list[tuple[bytes, bytes]]

_PIECE: Final = 256 * 1024
JSON: Final = b"application/json; charset=utf-8"

PAGE_POLICY: Final = (
    b"default-src 'self'; img-src 'self' blob: data:; style-src 'self'; script-src 'self'; connect-src 'self'; "
    b"worker-src 'self'; manifest-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
)
FILE_POLICY: Final = b"sandbox; default-src 'none'"
"""What users sent is inert, whatever it claims to be (GHSA-5crw-6j7v-xc72)."""

_ALWAYS: Final[Mapping[bytes, bytes]] = {
    b"content-security-policy": PAGE_POLICY,
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"permissions-policy": b"camera=(self), geolocation=(self), microphone=(), payment=(), usb=()",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"x-frame-options": b"DENY",
    b"cache-control": b"no-store",
}
_HSTS: Final = b"max-age=31536000"


def with_security_headers(headers: Headers, *, https: bool) -> Headers:
    """`headers` and those of every answer; what an endpoint set itself stays as it is."""
    present = {name.lower() for name, _ in headers}
    added = [(name, value) for name, value in _ALWAYS.items() if name not in present]
    if https:
        # Only then: a site that is not on TLS would lock its own people out.
        added.append((b"strict-transport-security", _HSTS))
    return headers + added


@dataclass(frozen=True, slots=True)
class Bare:
    """An answer that says everything in its headers, as another protocol wants it."""

    status: int
    headers: Headers


def _inert(name: str) -> Headers:
    disposition = f"attachment; filename*=UTF-8''{quote(name, safe='')}"
    return [(b"content-disposition", disposition.encode()), (b"content-security-policy", FILE_POLICY)]


async def _nothing() -> None:
    """What is to be done after most answers."""


After = Callable[[], Awaitable[None]]
"""Done once the answer was sent, or could not be."""


@dataclass(frozen=True, slots=True)
class Download:
    """A file that is made for this answer."""

    name: str
    media_type: str
    body: bytes
    after: After = _nothing

    @property
    def headers(self) -> Headers:
        return _inert(self.name)


@dataclass(frozen=True, slots=True)
class Encoded:
    """An answer in another form than JSON, or compressed."""

    media_type: bytes
    body: bytes
    headers: Headers


@dataclass(frozen=True, slots=True)
class Made:
    """A large file that was made for this answer; it loses its name when it is opened to be sent."""

    name: str
    media_type: str
    path: Path
    after: After = _nothing


encode: Final = msgspec.json.Encoder().encode


async def send_bytes(send: Send, status: int, body: bytes, content_type: bytes, headers: Headers | None = None) -> None:
    """A whole answer. A 204 has neither body nor type."""
    start: Headers = list(headers or [])
    if status != 204:
        start += [(b"content-type", content_type), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": start})
    await send({"type": "http.response.body", "body": b"" if status == 204 else body})


async def send_made(send: Send, made: Made) -> None:
    """The whole of it, piece by piece. It has no name any more before the first byte goes: whatever happens, nothing stays."""
    source = await asyncio.to_thread(_opened_for_good, made.path)
    with source:
        size = os.fstat(source.fileno()).st_size
        headers = [
            *_inert(made.name),
            (b"content-type", made.media_type.encode()),
            (b"content-length", str(size).encode()),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        while piece := await asyncio.to_thread(source.read, _PIECE):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


def _opened_for_good(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    finally:
        path.unlink(missing_ok=True)


async def send_bare(send: Send, answer: Bare) -> None:
    length = [] if answer.status == 204 else [(b"content-length", b"0")]
    await send({"type": "http.response.start", "status": answer.status, "headers": [*answer.headers, *length]})
    await send({"type": "http.response.body", "body": b""})


async def send_json(send: Send, status: int, value: Any, headers: Headers | None = None) -> None:
    await send_bytes(send, status, encode(value), JSON, headers)


async def send_problem(send: Send, problem: Problem, headers: Headers | None = None) -> None:
    """`{"error": {…}}` with the status of the fault (docs/protocol.md, section 5)."""
    extra: Headers = list(headers or [])
    if problem.fault.status == 401:
        extra.append((b"www-authenticate", b"Bearer"))
    retry_after = problem.params.get("retry_after")
    if isinstance(retry_after, int):
        extra.append((b"retry-after", str(retry_after).encode()))
    await send_json(send, problem.fault.status, {"error": problem.as_dict()}, extra)
