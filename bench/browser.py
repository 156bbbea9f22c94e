"""Chromium with the page in it: the reader of `seed.page`, throttled as a slow office machine is."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import CDPSession, Page, sync_playwright

from bench.processes import LOAD_CORE, BenchError, Server, on_core
from bench.seed import READER_PASSWORD

CHROMIUM: Final = os.environ.get("RENRAKU_CHROMIUM", "/usr/bin/chromium")
SLOWER: Final = 4
"""The processor is throttled to this part of its speed, as Chromium's own tools do for a plain machine."""
_WATCHING: Final = """(() => {
    const seen = { shift: 0, tasks: [], ready: 0 }
    window.__bench = seen
    new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) if (!entry.hadRecentInput) seen.shift += entry.value
    }).observe({ type: 'layout-shift', buffered: true })
    const ready = () => {
        if (!seen.ready && document.querySelector('[role=log][aria-busy=false] article')) {
            requestAnimationFrame(() => setTimeout(() => (seen.ready ||= performance.now())))
        }
    }
    new MutationObserver(ready).observe(document, { childList: true, subtree: true, attributes: true })
})()"""


@contextlib.contextmanager
def visitor(server: Server) -> Iterator[Page]:
    """Somebody who has never been here, on a page with nothing on it; on the load's core, beside the load. In a profile of its own
    on the disk, as at a desk: a private window asks for the page's icon again with every address. Raises `BenchError`."""
    if not Path(CHROMIUM).exists():
        raise BenchError(f"there is no browser at {CHROMIUM}; RENRAKU_CHROMIUM tells another place")
    arguments = ["--js-flags=--expose-gc", "--enable-precise-memory-info", "--disable-background-networking"]
    with tempfile.TemporaryDirectory() as profile, sync_playwright() as playwright, on_core(LOAD_CORE):
        context = playwright.chromium.launch_persistent_context(
            profile,
            executable_path=CHROMIUM,
            args=[*arguments, *(["--no-sandbox"] if os.geteuid() == 0 else [])],
            base_url=f"http://127.0.0.1:{server.port}",
            viewport={"width": 1440, "height": 960},
            locale="ja-JP",
            timezone_id="Asia/Tokyo",
        )
        try:
            context.add_init_script(_WATCHING)
            yield context.pages[0]
        finally:
            context.close()


def sign_in(page: Page) -> None:
    """Until the list is on the screen."""
    page.goto("/")
    page.get_by_label("団体コード").fill("bench")
    page.get_by_label("ユーザーID").fill("user1")
    page.get_by_label("パスワード").fill(READER_PASSWORD)
    page.get_by_role("button", name="ログイン").click()
    page.get_by_role("navigation", name="トークルーム一覧").get_by_role("link").first.wait_for()


def tools(page: Page) -> CDPSession:
    """Chromium's own tools for this page."""
    return page.context.new_cdp_session(page)


@contextlib.contextmanager
def throttled(page: Page) -> Iterator[None]:
    """The page is `SLOWER` times slower within the block."""
    session = tools(page)
    session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    try:
        yield
    finally:
        session.send("Emulation.setCPUThrottlingRate", {"rate": 1})
        session.detach()


def heap_bytes(page: Page) -> float:
    """What JavaScript holds, after everything that nobody holds was thrown away."""
    session = tools(page)
    for _ in range(3):
        session.send("HeapProfiler.collectGarbage")
    used: dict[str, Any] = session.send("Runtime.getHeapUsage")
    session.detach()
    return float(used["usedSize"])
