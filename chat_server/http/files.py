"""Sending a file: in pieces, one range at most, never as something a browser would run."""

from __future__ import annotations

import asyncio
import re
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from starlette.types import Receive, Scope, Send

from chat_server.http.body import header
from chat_server.http.replies import FILE_POLICY, Headers
from chat_server.ports import BlobStore, Opened

INLINE: Final = frozenset(("image/jpeg", "image/png", "image/webp"))
"""Shown in place: pictures that this server encoded itself. Everything else is a download."""

_RANGE: Final = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")


@dataclass(frozen=True, slots=True)
class FileAnswer:
    """A file to send. `etag` names the bytes; `max_age` in seconds."""

    blobs: BlobStore
    org_id: int
    sha256: str
    media_type: str
    name: str
    etag: str
    max_age: int


async def send_file(scope: Scope, receive: Receive, send: Send, answer: FileAnswer) -> None:
    """200, 206 for one satisfiable range, 304, or 416. Raises OSError if the bytes are not there."""
    async with answer.blobs.open(answer.org_id, answer.sha256) as opened:
        headers = _headers(answer)
        if _is_known(scope, answer.etag):
            await _start(send, 304, headers)
            return
        first, length, status = _wanted(scope, answer.etag, opened.size)
        if status == 416:
            content_range = (b"content-range", f"bytes */{opened.size}".encode())
            await _start(send, 416, [*headers, content_range, (b"content-length", b"0")])
            return
        if status == 206:
            headers.append((b"content-range", f"bytes {first}-{first + length - 1}/{opened.size}".encode()))
        headers.append((b"content-length", str(length).encode()))
        if scope["method"] == "HEAD":
            await _start(send, status, headers)
            return
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await _send_pieces(receive, send, opened, first, length)


async def _start(send: Send, status: int, headers: Headers) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


async def _send_pieces(receive: Receive, send: Send, opened: Opened, first: int, length: int) -> None:
    """`send` waits while the client takes nothing, and takes everything once it is gone: then nothing more is read."""
    gone = asyncio.create_task(_gone(receive))
    try:
        async with aclosing(opened.pieces(first, length)) as pieces:
            async for piece in pieces:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
                if gone.done():
                    return
        await send({"type": "http.response.body", "body": b""})
    finally:
        gone.cancel()
        with suppress(asyncio.CancelledError):
            await gone


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _headers(answer: FileAnswer) -> Headers:
    inline = answer.media_type in INLINE
    media_type = answer.media_type if inline else "application/octet-stream"
    kind = "inline" if inline else "attachment"
    # RFC 6266 and 8187: percent-encoded UTF-8 alone, so that no name can end the header or the string.
    disposition = f"{kind}; filename*=UTF-8''{quote(answer.name, safe='')}"
    return [
        (b"content-type", media_type.encode("ascii")),
        (b"content-disposition", disposition.encode("ascii")),
        (b"content-security-policy", FILE_POLICY),
        (b"cache-control", f"private, max-age={answer.max_age}, immutable".encode("ascii")),
        (b"etag", answer.etag.encode("ascii")),
        (b"accept-ranges", b"bytes"),
    ]


def _is_known(scope: Scope, etag: str) -> bool:
    asked = header(scope, b"if-none-match")
    if asked is None:
        return False
    return asked.strip() == "*" or etag in (one.strip().removeprefix("W/") for one in asked.split(","))


def _wanted(scope: Scope, etag: str, size: int) -> tuple[int, int, int]:
    """First byte, length and status. Several ranges, or what is no range, mean the whole file (RFC 9110, 14.2): the
    lists that such servers were bombed with are never parsed (CVE-2025-62727)."""
    whole = (0, size, 200)
    asked = header(scope, b"range")
    if asked is None or len(asked) > 64:
        return whole
    match = _RANGE.fullmatch(asked.strip())
    if match is None or (not match[1] and not match[2]):
        return whole
    condition = header(scope, b"if-range")
    if condition is not None and condition.strip() != etag:
        return whole
    if not match[1]:
        length = min(int(match[2]), size)
        return (size - length, length, 206) if length else (0, 0, 416)
    first = int(match[1])
    last = min(int(match[2]), size - 1) if match[2] else size - 1
    if match[2] and int(match[2]) < first:
        return whole
    if first >= size:
        return 0, 0, 416
    return first, last - first + 1, 206
