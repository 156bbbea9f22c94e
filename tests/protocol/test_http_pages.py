"""The client's pages, and what is answered while they are not built."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from prometheus_client import CollectorRegistry

from chat_server.http.routes import build_http
from tests.support.api import code_of
from tests.support.server import RunningServer

pytestmark = pytest.mark.asyncio(loop_scope="module")

SCRIPT = b"console.log('renraku');\n" * 200


def serve_pages(server: RunningServer, folder: Path) -> None:
    parts = replace(server.app.parts, web=folder, registry=CollectorRegistry())
    server.app.http = build_http(parts)


@pytest_asyncio.fixture(loop_scope="module")
async def built(server: RunningServer, tmp_path: Path) -> AsyncIterator[RunningServer]:
    web = tmp_path / "web"
    (web / "assets").mkdir(parents=True)
    (web / "index.html").write_text("<!doctype html><title>連絡</title>", encoding="utf-8")
    (web / "handin.html").write_text("<!doctype html><title>提出</title>", encoding="utf-8")
    (web / "assets" / "index-abc123.js").write_bytes(SCRIPT)
    (web / "assets" / "icon-abc123.svg").write_text("<svg/>", encoding="utf-8")
    (web / "sw.js").write_text("self.x = 1", encoding="utf-8")
    (web / ".hidden").write_text("no", encoding="utf-8")
    (tmp_path / "outside.txt").write_text("no", encoding="utf-8")
    (web / "link.txt").symlink_to(tmp_path / "outside.txt")
    before = server.app.http
    serve_pages(server, web)
    yield server
    server.app.http = before


async def test_the_page_is_never_stored_and_its_parts_for_ever(built: RunningServer) -> None:
    async with built.client() as client:
        page = await client.get("/")
        assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert page.headers["cache-control"] == "no-store"
        script = await client.get("/assets/index-abc123.js")
        assert script.headers["content-type"] == "text/javascript; charset=utf-8"
        assert script.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert script.content == SCRIPT
        assert (await client.get("/assets/icon-abc123.svg")).headers["content-type"].startswith("image/svg+xml")
        worker = await client.get("/sw.js")
        assert worker.headers["cache-control"] == "no-cache"
        known = await client.get("/sw.js", headers={"If-None-Match": worker.headers["etag"]})
        assert (known.status_code, known.content) == (304, b"")
        head = await client.head("/assets/index-abc123.js", headers={"Accept-Encoding": "identity"})
        assert (head.content, int(head.headers["content-length"])) == (b"", len(SCRIPT))


async def test_the_page_of_those_who_hand_in_stands_at_one_address_and_is_never_stored(built: RunningServer) -> None:
    async with built.client() as client:
        page = await client.get("/handin")
        assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["referrer-policy"] == "no-referrer"
        assert "提出" in page.text
        assert (await client.get("/handin.html")).status_code == 404


async def test_text_is_compressed_for_those_who_ask(built: RunningServer) -> None:
    answer = await built.raw(
        b"GET /assets/index-abc123.js HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept-Encoding: br, gzip\r\n\r\n"
    )
    head, body = answer.split(b"\r\n\r\n", 1)
    assert b"content-encoding: gzip" in head
    assert b"vary: accept-encoding" in head
    assert len(body) < len(SCRIPT) / 10
    assert gzip.decompress(body) == SCRIPT


@pytest.mark.parametrize(
    "path",
    [
        "/index.html/..", "/.hidden", "/../outside.txt", "/..%2foutside.txt", "/assets/../../outside.txt", "/assets/",
        "/assets", "//etc/passwd", "/%2e%2e/outside.txt", "/link.txt", "/index.html%00",
    ],
)  # fmt: skip
async def test_only_what_was_built_exists(built: RunningServer, path: str) -> None:
    answer = await built.raw(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
    assert answer.split(b" ", 2)[1] == b"404", answer


async def test_a_page_is_only_read(built: RunningServer) -> None:
    async with built.client() as client:
        assert code_of(await client.post("/")) == 2005


async def test_without_a_build_a_page_says_what_to_do(server: RunningServer, tmp_path: Path) -> None:
    before = server.app.http
    serve_pages(server, tmp_path / "missing")
    try:
        async with server.client() as client:
            page = await client.get("/")
    finally:
        server.app.http = before
    assert (page.status_code, page.headers["content-type"]) == (200, "text/plain; charset=utf-8")
    assert "make run" in page.text
    assert "画面がまだ作られていません" in page.text
