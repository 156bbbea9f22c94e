"""What the page costs a plain office machine: how much is loaded, how soon it can be used, whether it keeps up."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Page

from bench import browser, generator, servers
from bench.plan import Plan
from bench.processes import BenchError, Server
from bench.report import Figure, figure, spread

ROOMS: Final = 12
TYPING: Final = 20.0
"""Seconds of typing into a room that receives `BUSY` messages a second."""
BUSY: Final = 20
KEYS_APART: Final = 150
"""Milliseconds between two keys: somebody who types fast."""
DAY: Final = 20_000
"""Events of a simulated day, in all rooms, while one reads and goes from room to room."""
MORNING: Final = 4_000
"""Events before the day is measured."""
SETTLED: Final = 3000
"""Milliseconds after which the page has drawn and asked for all that it wants of a room."""
DAY_RATE: Final = 25
"""Messages a second into each room."""

_SWITCH: Final = """async (address) => {
    const link = document.querySelector(`nav a[href="${address}"]`)
    const before = document.querySelector('[role=log] article[data-message]')?.dataset.message
    const begun = performance.now()
    link.click()
    for (;;) {
        await new Promise((done) => requestAnimationFrame(done))
        const log = document.querySelector('[role=log][aria-busy=false]')
        const article = log?.querySelector('article[data-message]')
        if (location.hash === address && article && article.dataset.message !== before) break
        if (performance.now() - begun > 10000) throw new Error('the room did not come')
    }
    await new Promise((done) => setTimeout(done))
    return performance.now() - begun
}"""

_BARE: Final = """async () => {
    const rows = document.querySelector('[role=log] .rows')
    const markup = rows.innerHTML
    const begun = performance.now()
    rows.innerHTML = ''
    await (await fetch('/healthz')).text()
    rows.innerHTML = markup
    await new Promise((done) => requestAnimationFrame(done))
    await new Promise((done) => setTimeout(done))
    return performance.now() - begun
}"""
"""What the browser alone takes for a screen of rows: a question to the server, the markup put in, laid out and drawn, by no script of
ours. It tells a slow machine from a slow page."""


def run(plan: Plan) -> list[Figure]:
    """`web.*`"""
    with servers.work_folder() as folder:
        data = servers.seeded(folder, "page", ROOMS)
        rooms = [line.split()[1] for line in (data / "clients.txt").read_text().splitlines()]
        with servers.renraku(data) as server:
            with browser.visitor(server) as stranger:
                first_load = _first_load(stranger)
            with browser.visitor(server) as page:
                browser.sign_in(page)
                return [
                    first_load,
                    _ready(page, rooms[0], plan),
                    _switching(page, rooms, plan),
                    _typing(page, server, data, rooms[0]),
                    _shift(page, rooms),
                    _day(page, server, data, rooms),
                ]


def _wait_ready(page: Page) -> None:
    """For the messages of the room in the address. Raises Playwright's TimeoutError."""
    page.locator("[role=log][aria-busy=false] article").last.wait_for()
    while not page.evaluate("window.__bench.ready"):
        page.wait_for_timeout(5)


def _first_load(page: Page) -> Figure:
    """All that comes before the sign-in page stands, on a browser that has never been here."""
    sizes: list[int] = []
    page.on("requestfinished", lambda request: sizes.append(request.sizes()["responseBodySize"]))
    page.goto("/", wait_until="networkidle")
    page.get_by_label("ユーザーID").wait_for()
    how = f"{len(sizes)} answers as the server sends them (gzip), on a first visit until nothing more is asked for."
    return figure("web.first_load_kb", sum(sizes) / 1024, "kB", how)


def _ready(page: Page, room: str, plan: Plan) -> Figure:
    """From the address of a room to its messages on the screen, signed in, with an empty cache of files."""
    times = []
    with browser.throttled(page):
        for _ in range(plan.rounds):
            session = browser.tools(page)
            session.send("Network.clearBrowserCache")
            session.detach()
            page.goto("about:blank")
            page.goto(f"/#/rooms/{room}")
            _wait_ready(page)
            times.append(page.evaluate("window.__bench.ready"))
    how = f"A room of 120 messages by its address, signed in, {browser.SLOWER}× slower; {spread(times, 0)} ms of {len(times)}."
    return figure("web.ready_ms", statistics.median(times), "ms", how)


def _switching(page: Page, rooms: Sequence[str], plan: Plan) -> Figure:
    """The first visit of each room: its messages are asked for; and then the way back, when they are held."""
    first, again, bare = [], [], []
    with browser.throttled(page):
        for _ in range(plan.rounds):
            page.goto("about:blank")
            page.goto(f"/#/rooms/{rooms[-1]}")
            _wait_ready(page)
            first += [page.evaluate(_SWITCH, f"#/rooms/{room}") for room in rooms[:4]]
            again += [page.evaluate(_SWITCH, f"#/rooms/{room}") for room in (rooms[2], rooms[1], rooms[0], rooms[3])]
            bare += [page.evaluate(_BARE) for _ in range(4)]
    how = (
        f"From the click to the room's messages, {browser.SLOWER}× slower: {spread(first, 0)} ms where they had to be"
        f" asked for (counted), {spread(again, 0)} ms where they were held. The browser alone, asked for the same rows as markup:"
        f" {spread(bare, 0)} ms."
    )
    return figure("web.room_switch_ms", statistics.median(first), "ms", how)


def _typing(page: Page, server: Server, data: Path, room: str) -> Figure:
    """The longest task within each key's time: what that key may have had to wait for."""
    page.goto(f"/#/rooms/{room}")
    _wait_ready(page)
    line = data / "busy.txt"
    line.write_text((data / "clients.txt").read_text().splitlines()[0] + "\n")
    with browser.throttled(page), generator.Running(server, line, "--rate", BUSY):
        field = page.get_by_role("textbox", name="メッセージを入力")
        field.focus()
        tracing = browser.tools(page)
        chunks: list[Any] = []
        ended: list[bool] = []
        tracing.on("Tracing.dataCollected", lambda found: chunks.extend(found["value"]))
        tracing.on("Tracing.tracingComplete", lambda _: ended.append(True))
        tracing.send("Tracing.start", {"categories": "toplevel,disabled-by-default-devtools.timeline"})
        for number in range(int(TYPING * 1000 / KEYS_APART)):
            page.keyboard.insert_text("道路の確認をしました。"[number % 11])
            page.wait_for_timeout(KEYS_APART)
        tracing.send("Tracing.end")
        while not ended:
            page.wait_for_timeout(50)
        tracing.detach()
    longest = _longest_each(chunks)
    longest.sort()
    late = longest[int(len(longest) * 0.95)]
    how = (
        f"{BUSY} messages a second into the open room, {browser.SLOWER}× slower, a key every {KEYS_APART} ms for"
        f" {TYPING:.0f} s: the longest task of the page within each key's time, 95th percentile (median"
        f" {statistics.median(longest):.0f}, longest {longest[-1]:.0f} ms)."
    )
    return figure("web.long_task_ms", late, "ms", how)


def _longest_each(events: list[Any]) -> list[float]:
    """Milliseconds of the longest task of the page's main thread in each stretch of `KEYS_APART`."""
    main = {
        (event["pid"], event["tid"])
        for event in events
        if event.get("name") == "thread_name" and event.get("args", {}).get("name") == "CrRendererMain"
    }
    tasks = [
        (event["ts"] / 1000, event["dur"] / 1000)
        for event in events
        if event.get("name", "").endswith("RunTask") and "dur" in event and (event["pid"], event["tid"]) in main
    ]
    if not tasks:
        raise BenchError("the browser told of no tasks")
    begin = min(at for at, _ in tasks)
    stretches: dict[int, float] = {}
    for at, took in tasks:
        index = int((at - begin) / KEYS_APART)
        stretches[index] = max(stretches.get(index, 0.0), took)
    return list(stretches.values())


def _day(page: Page, server: Server, data: Path, rooms: Sequence[str]) -> Figure:
    """Heap after a day against heap before it, the same room open. Before: when the rooms hold messages of the same kind,
    and the page has seen each of its acts, so that what grows is not the browser's own compiled code."""

    def visit_rooms() -> None:
        for room in (*rooms[1:8], rooms[0]):
            page.evaluate(_SWITCH, f"#/rooms/{room}")

    def busy(events: int) -> int:
        """Messages that were written meanwhile."""
        quarter = events / (DAY_RATE * len(rooms)) * 1000 / 4
        with generator.Running(server, data / "clients.txt", "--rate", DAY_RATE) as load:
            for _ in range(4):
                page.wait_for_timeout(quarter)
                visit_rooms()
        page.wait_for_timeout(SETTLED)
        written: float = load.result["deliveries"] / load.result["clients"]
        return round(written)

    page.goto("about:blank")
    page.goto(f"/#/rooms/{rooms[0]}")
    _wait_ready(page)
    visit_rooms()
    page.wait_for_timeout(SETTLED)
    fresh = browser.heap_bytes(page)
    busy(MORNING)
    before = browser.heap_bytes(page)
    written = busy(DAY)
    after = browser.heap_bytes(page)
    how = (
        f"{written:,} messages in {len(rooms)} rooms, four times around eight of them: JavaScript's heap"
        f" {fresh / 1e6:.1f} MB when just opened, {before / 1e6:.1f} MB after the first {MORNING:,} messages (counted),"
        f" {after / 1e6:.1f} MB after the day, each after collecting."
    )
    return figure("web.memory_growth", after / before, "×", how)


def _shift(page: Page, rooms: Sequence[str]) -> Figure:
    """Chromium's own measure: opening, reading back four screens' worth of pages, going to other rooms."""
    page.goto("about:blank")
    page.goto(f"/#/rooms/{rooms[0]}")
    _wait_ready(page)
    log = page.get_by_role("log")
    for _ in range(20):
        log.evaluate("(box) => box.scrollBy(0, -600)")
        page.wait_for_timeout(120)
    for room in rooms[1:4]:
        page.evaluate(_SWITCH, f"#/rooms/{room}")
        page.wait_for_timeout(300)
    shift = page.evaluate("window.__bench.shift")
    how = "Opening a room, reading back through its history, going to three others; shifts without a hand's own act."
    return figure("web.layout_shift", shift, "", how)
