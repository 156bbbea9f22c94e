"""The built client: a fixed table of files, read once. What is not in it does not exist, so no path is ever made up."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from starlette.types import Receive, Scope, Send

from chat_server.domain.errors import METHOD_NOT_ALLOWED, NOT_FOUND, UNKNOWN_OPERATION, Problem
from chat_server.http.body import header
from chat_server.http.replies import Headers, send_bytes
from chat_server.http.seen import seen_of

INDEX: Final = "index.html"
HANDIN: Final = "handin.html"
"""The page of those who hand in files by a link, without an account: a build of its own."""
_HASHED: Final = "/assets/"
"""The build puts a hash of the content into these names: they never change."""
_FOR_EVER: Final = b"public, max-age=31536000, immutable"
_ASK: Final = b"no-cache"
_NEVER: Final = b"no-store"
_TEXT: Final = ("text/", "application/json", "application/manifest+json", "image/svg+xml")
_TYPES: Final = {
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".css": "text/css",
    ".html": "text/html",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
    ".ico": "image/x-icon",
}
_NOT_BUILT: Final = """連絡 (Renraku)

サーバーは動いていますが、画面がまだ作られていません。
リポジトリのフォルダーで「make run」を実行すると、画面も作られます。

The server is running, but its pages have not been built yet.
Run “make run” in the repository's folder: it builds them too.
"""


@dataclass(frozen=True, slots=True)
class Page:
    """One file of the client, plain and compressed."""

    body: bytes
    packed: bytes | None
    media_type: bytes
    cache: bytes
    etag: bytes


class Pages:
    """Answers every address that no route has."""

    def __init__(self, folder: Path) -> None:
        self._pages = _load(folder)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        if path.startswith("/api/"):
            raise Problem(UNKNOWN_OPERATION)
        page = self._pages.get(path)
        if page is None:
            raise Problem(NOT_FOUND)
        seen_of(scope).route = path if path in ("/", "/handin") else "/assets"
        if scope["method"] not in ("GET", "HEAD"):
            raise Problem(METHOD_NOT_ALLOWED)
        await _send_page(scope, send, page)


async def _send_page(scope: Scope, send: Send, page: Page) -> None:
    headers: Headers = [(b"cache-control", page.cache), (b"etag", page.etag), (b"vary", b"accept-encoding")]
    if header(scope, b"if-none-match") == page.etag.decode() and page.cache != _NEVER:
        await send({"type": "http.response.start", "status": 304, "headers": headers})
        await send({"type": "http.response.body", "body": b""})
        return
    body = page.body
    if page.packed is not None and "gzip" in (header(scope, b"accept-encoding") or ""):
        body = page.packed
        headers.append((b"content-encoding", b"gzip"))
    await send_bytes(send, 200, body, page.media_type, headers)


def _load(folder: Path) -> dict[str, Page]:
    pages: dict[str, Page] = {}
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        name = path.relative_to(folder).as_posix()
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.is_file() and not path.is_symlink() and not hidden:
            pages["/" + name] = _page("/" + name, path.read_bytes(), _media_type(path))
    unbuilt = _page("/", _NOT_BUILT.encode("utf-8"), "text/plain")
    for address, name in (("/", INDEX), ("/handin", HANDIN)):
        pages[address] = pages.pop("/" + name, unbuilt)
    return pages


def _page(name: str, body: bytes, media_type: str) -> Page:
    text = media_type.startswith(_TEXT)
    packed = gzip.compress(body, 9, mtime=0) if text and len(body) > 1024 else None
    if name.startswith(_HASHED):
        cache = _FOR_EVER
    elif name in ("/", "/" + INDEX, "/" + HANDIN):
        cache = _NEVER
    else:
        cache = _ASK
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    full_type = f"{media_type}; charset=utf-8" if text else media_type
    return Page(body, packed, full_type.encode("ascii"), cache, etag.encode("ascii"))


def _media_type(path: Path) -> str:
    return _TYPES.get(path.suffix.lower()) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
