"""A room with a hundred thousand messages: anywhere in a moment, nothing jumps, and the page stays small."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Iterator
from typing import Final

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Enter, Hand, Person, Stage
from tests.browser.deep import MINUTE, fill, text_of
from tests.browser.process import Server

COUNT: Final = 100_000
ROOM: Final = "建設課 全体共有"
MOST_ROWS: Final = 220
TOKYO: Final = datetime.timezone(datetime.timedelta(hours=9))

# Scrolls, waits until what is missing was loaded, and tells how far the first line in sight moved meanwhile.
SCROLL = """async ([by, times]) => {
    const frame = () => new Promise((done) => requestAnimationFrame(done))
    const box = document.querySelector('[role=log]')
    const top = (row) => row.getBoundingClientRect().top
    const result = { moved: 0, empty: 0 }
    for (let step = 0; step < times; step++) {
        box.scrollTop += by
        await frame()
        const edge = top(box)
        const row = [...box.querySelectorAll('article')].find((row) => top(row) >= edge && top(row) < edge + box.clientHeight)
        if (row === undefined) result.empty += 1
        // Whoever outruns what is loaded stands at its end, which moves.
        else if (box.scrollTop + box.clientHeight > box.scrollHeight - 80) await frame()
        else {
            const before = top(row)
            for (let wait = 0; wait < 4 || (box.ariaBusy === 'true' && wait < 100); wait++) await frame()
            result.moved = Math.max(result.moved, Math.abs(top(row) - before))
        }
    }
    return result
}"""
WATCH_SHIFTS = """() => {
    window.shifts = []
    new PerformanceObserver((list) => {
        for (const { hadRecentInput, value, sources } of list.getEntries()) {
            const moved = sources.map(({ node, previousRect: { y: from }, currentRect: { y: to } }) =>
                [(node?.outerHTML ?? node?.data ?? '').slice(0, 80), from, to])
            if (!hadRecentInput) window.shifts.push({ value, moved })
        }
    }).observe({ type: 'layout-shift' })
}"""


@pytest.fixture(scope="module")
def deep(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, int]]:
    folder = stage.copy_to(tmp_path_factory.mktemp("deep") / "data")
    until = int(time.time() * 1000) - MINUTE
    fill(folder, stage.facts["rooms"]["quiet"], COUNT, until=until)
    with Server(folder) as running:
        yield running, until


def rows(person: Person) -> int:
    return int(person.log.locator("[data-row]").count())


def heap(person: Person) -> int:
    session = person.page.context.new_cdp_session(person.page)
    session.send("HeapProfiler.collectGarbage")
    return int(session.send("Runtime.getHeapUsage")["usedSize"])


def scroll(person: Person, by: int, times: int) -> None:
    """What one reads stays where it is, and there is something to read on the way."""
    found = person.page.evaluate(SCROLL, [by, times])
    assert found["moved"] <= 1, found
    assert found["empty"] <= times // 10, found


def to_day(person: Person, day: str) -> None:
    person.page.get_by_title("日付へ移動").click()
    jump = person.page.get_by_role("dialog", name="日付へ移動")
    jump.get_by_label("日付").fill(day)
    jump.get_by_role("button", name="移動", exact=True).click()
    expect(jump).to_have_count(0)


def test_to_the_oldest_day_down_a_while_and_back(enter: Enter, deep: tuple[Server, int]) -> None:
    server, until = deep
    desk = enter("tanaka", base=server.base)
    desk.open(ROOM)
    # A hundred and more are unread: it begins where they begin.
    expect(desk.said(text_of(1)).first).to_be_in_viewport()
    desk.page.get_by_role("button", name="最新のメッセージへ").click()
    expect(desk.said(text_of(COUNT))).to_be_in_viewport()
    before = heap(desk)
    oldest = until - (COUNT - 1) * 5 * MINUTE
    to_day(desk, datetime.datetime.fromtimestamp(oldest / 1000, TOKYO).strftime("%Y-%m-%d"))
    first = desk.said(text_of(1)).first
    expect(first).to_be_in_viewport()
    expect(first).to_be_focused()
    # What comes next is loaded as one scrolls, and what lies behind is let go.
    scroll(desk, 1200, 60)
    seqs = desk.log.locator("article").evaluate_all("rows => rows.map((row) => Number(row.dataset.seq))")
    assert seqs == sorted(set(seqs))
    # The row with the focus stays.
    assert seqs[-1] - seqs[1] < MOST_ROWS
    assert seqs[-1] > 600
    assert rows(desk) < MOST_ROWS
    # Back up, to lines that were let go meanwhile.
    scroll(desk, -1500, 12)
    day = desk.page.get_by_title("日付へ移動")
    assert (
        str(datetime.datetime.fromtimestamp(oldest / 1000, TOKYO).year) in day.inner_text() or "月" in day.inner_text()
    )
    desk.page.get_by_role("button", name="最新のメッセージへ").click()
    expect(desk.said(text_of(COUNT))).to_be_in_viewport()
    scroll(desk, -1500, 40)
    # As people scroll, not as a bar is dragged.
    desk.page.evaluate(WATCH_SHIFTS)
    scroll(desk, -300, 20)
    scroll(desk, 300, 10)
    assert rows(desk) < MOST_ROWS
    shifts = desk.page.evaluate("window.shifts")
    assert sum(shift["value"] for shift in shifts) <= 0.01, shifts
    assert heap(desk) < before + 8_000_000
    desk.page.get_by_role("button", name="最新のメッセージへ").click()
    desk.write("ここにいます。")
    expect(desk.said("ここにいます。")).to_be_in_viewport()


def test_what_is_written_meanwhile_and_where_links_lead(
    enter: Enter, deep: tuple[Server, int], hand: Callable[..., Hand], stage: Stage
) -> None:
    server, until = deep
    desk = enter("takahashi", base=server.base)
    writer = hand("tanaka", server.base)
    room = stage.facts["rooms"]["quiet"]
    middle = until - COUNT // 2 * 5 * MINUTE
    page = writer.call("GET", f"/api/rooms/{room}/messages?at={middle}&limit=2")
    quoted = page["messages"][0]
    answer = writer.post(room, "半年前の件です。", quote=quoted["id"])
    desk.open(ROOM)
    desk.page.get_by_role("button", name="最新のメッセージへ").click()
    # From the quote to what it quotes, half of the room away, and live there.
    desk.said("半年前の件です。").locator("blockquote").get_by_role("button").click()
    found = desk.log.locator(f"[data-message='{quoted['id']}']")
    expect(found).to_be_in_viewport()
    expect(found).to_be_focused()
    place = found.evaluate("row => row.getBoundingClientRect().top")
    writer.post(room, "下に届きました。")
    expect(desk.page.get_by_role("button", name="新しいメッセージがあります")).to_be_visible()
    assert found.evaluate("row => row.getBoundingClientRect().top") == pytest.approx(place, abs=1)
    # The focus is not lost where its row is far away.
    scroll(desk, 700, 12)
    expect(found).to_be_focused()
    desk.page.keyboard.press("j")
    below = desk.log.locator(f"[data-seq='{quoted['seq'] + 1}']")
    expect(below).to_be_focused()
    expect(below).to_be_in_viewport()
    # A link in a mail, to a page that is not open yet; then one to what is not there.
    desk.open_link(f"{server.base}/#/rooms/{room}?message={quoted['seq']}")
    expect(found).to_be_in_viewport()
    desk.page.evaluate("room => { location.hash = `#/rooms/${room}?message=99999999` }", room)
    expect(desk.page.get_by_role("alert").filter(has_text="このメッセージは見つかりません。")).to_have_count(1)
    expect(desk.said("下に届きました。")).to_be_in_viewport()
    assert answer["seq"] > COUNT
