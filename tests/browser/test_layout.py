"""Nothing jumps, nothing is cut off, and the phone has one pane and a large camera."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any, Final

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import DESK, PHONE, Enter, Hand, Person, Stage
from tests.browser.photos import photo
from tests.support.patience import DEADLINE

LONG_NAME: Final = "市道緑町12号線災害復旧工事_数量計算書(第2回変更・最終版)_20261122_final_final_v3_checked.zip"

WATCH_SHIFTS = """() => {
    window.shifts = []
    new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) {
            // What a person's own act moves is none, as Web Vitals count: a message that one sends moves the others up.
            if (!entry.hadRecentInput) window.shifts.push({
                value: entry.value,
                at: Math.round(entry.startTime),
                nodes: entry.sources.map(({ node, previousRect, currentRect }) =>
                    [previousRect.top, currentRect.top, node?.outerHTML?.slice(0, 120) ?? '']),
            })
        }
    }).observe({ type: 'layout-shift', buffered: true })
}"""


def shifts(page: Page) -> list[Any]:
    # Two frames: an observer reports after the frame in which it happened.
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    return list(page.evaluate("window.shifts"))


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
def test_photos_keep_their_place_while_they_load(
    enter: Enter, hand: Callable[..., Hand], stage: Stage, room_name: str, viewport: dict[str, int]
) -> None:
    hand("takahashi").room(room_name, stage.facts["people"]["tanaka"])
    author = enter("takahashi")
    author.open(room_name)
    for caption, photos in (("横長", [photo(0)]), ("縦長", [photo(1, 900, 1600)]), ("組", [photo(2), photo(3)])):
        author.attach(photos)
        author.write(caption)
        expect(author.said(caption)).to_have_count(1)
    reader = enter("tanaka", viewport=viewport)
    told, sent = Gate(), Gate()
    reader.page.route("**/api/attachments/addresses", told.hold)
    reader.page.route("**/files/**", sent.hold)
    reader.open(room_name)
    expect(reader.said("組")).to_have_count(1)
    told.wait(reader.page)
    before = boxes(reader)
    reader.page.evaluate(WATCH_SHIFTS.replace("buffered: true", "buffered: false"))
    told.open()
    expect(reader.said("組").locator(".facts")).to_contain_text("撮影")
    sent.wait(reader.page)
    assert boxes(reader) == before, "when times and places became known"
    sent.open()
    expect(reader.said("組").locator("img.here")).to_have_count(2)
    assert boxes(reader) == before, "when the pictures came"
    assert shifts(reader.page) == []


class Gate:
    """Keeps answers waiting until it is opened."""

    def __init__(self) -> None:
        self._held: list[Route] | None = []

    def hold(self, route: Route) -> None:
        if self._held is None:
            route.continue_()
        else:
            self._held.append(route)

    def wait(self, page: Page) -> None:
        """Until somebody waits at it."""
        deadline = time.monotonic() + DEADLINE
        while not self._held:
            assert time.monotonic() < deadline, "nobody came to the gate"
            page.wait_for_timeout(20)

    def open(self) -> None:
        held, self._held = self._held or [], None
        for route in held:
            route.continue_()


def boxes(person: Person) -> list[Any]:
    return list(
        person.log.locator("article").evaluate_all(
            "rows => rows.map((row) => { const { y, height } = row.getBoundingClientRect(); return [y, height] })"
        )
    )


def test_the_whole_visit_shifts_nothing(enter: Enter) -> None:
    desk = enter("tanaka")
    desk.page.add_init_script(f"({WATCH_SHIFTS})()")
    desk.page.reload()
    desk.open("道路パトロール 現場報告")
    expect(desk.said("現場の状況を教えてください")).to_have_count(1)
    desk.write("ずれないはずです。")
    expect(desk.said("ずれないはずです。").first).to_be_visible()
    # Web Vitals calls 0.1 good; the list fills once when it arrives.
    assert sum(shift["value"] for shift in shifts(desk.page)) < 0.01, shifts(desk.page)


def test_nobody_is_brought_older_messages_who_reads_the_newest(
    enter: Enter, hand: Callable[..., Hand], room_name: str
) -> None:
    takahashi = hand("takahashi")
    room = takahashi.room(room_name)
    for number in range(70):
        takahashi.post(room, f"{number}件目" + ("\n路肩を見回りました。" if number % 3 == 0 else ""))
    desk = enter("takahashi")
    asked: list[str] = []
    desk.page.on("request", lambda request: asked.append(request.url) if f"{room}/messages?" in request.url else None)
    desk.open(room_name)
    expect(desk.said("69件目")).to_be_visible()
    # The page looks for what is missing once a frame.
    desk.page.evaluate("""async () => {
        for (let frame = 0; frame < 10; frame++) await new Promise(requestAnimationFrame)
    }""")
    assert len(asked) == 1
    desk.log.hover()
    desk.page.mouse.wheel(0, -200)
    desk.page.wait_for_function("() => document.querySelector('[role=log]').textContent.includes('最初')")
    assert len(asked) == 2


def test_the_lines_below_stay_when_the_first_one_turns_out_to_continue_another(
    enter: Enter, hand: Callable[..., Hand], room_name: str
) -> None:
    """Whose first line loses its author's name by what arrives above it."""
    takahashi, desk = hand("takahashi"), enter("takahashi")
    room = takahashi.room(room_name)
    for number in range(90):
        takahashi.post(room, f"{number}件目")
    older = Gate()
    desk.page.route(
        f"**/rooms/{room}/messages?*",
        lambda route: older.hold(route) if "before=" in route.request.url else route.continue_(),
    )
    desk.open(room_name)
    expect(desk.said("89件目")).to_be_visible()
    desk.log.hover()
    desk.page.mouse.wheel(0, -10_000)
    desk.page.wait_for_function("() => document.querySelector('[role=log]').scrollTop === 0")
    first = desk.log.locator("article").first
    below = desk.log.locator("article").nth(3)
    name = below.get_attribute("aria-label")
    assert "continued" not in (first.get_attribute("class") or "")
    boundary, seq = first.get_attribute("data-seq"), below.get_attribute("data-seq")
    rows = {each: desk.log.locator(f"[data-seq='{each}']") for each in (boundary, seq)}
    before = rows[seq].bounding_box()
    older.wait(desk.page)
    older.open()
    expect(rows[boundary]).to_have_class(re.compile("continued"))
    after = rows[seq].bounding_box()
    assert before is not None
    assert after is not None
    assert after["y"] == pytest.approx(before["y"], abs=1), name


@pytest.mark.parametrize("anchoring", ["auto", "none"], ids=["chromium", "as-in-safari"])
def test_older_messages_come_on_scrolling_without_moving_the_line_one_reads(enter: Enter, anchoring: str) -> None:
    desk = enter("takahashi")
    desk.open("道路パトロール 現場報告")
    expect(desk.said("(178件目)")).to_have_count(1)
    desk.log.evaluate("(box, anchoring) => { box.style.overflowAnchor = anchoring }", anchoring)
    desk.log.hover()
    seen: set[int] = set()
    for _ in range(60):
        anchor = desk.page.evaluate(
            """() => {
                const box = document.querySelector('[role=log]')
                const edge = box.getBoundingClientRect().top
                const rows = [...box.querySelectorAll('article')]
                const row = rows.find((row) => row.getBoundingClientRect().top >= edge)
                const seqs = rows.map((row) => Number(row.dataset.seq))
                return [row.dataset.message, Math.round(row.getBoundingClientRect().top), seqs, box.scrollTop]
            }"""
        )
        message, top, seqs, scrolled = anchor
        assert seqs == sorted(set(seqs))
        seen |= set(seqs)
        if desk.said("(1件目)").count():
            break
        if scrolled < 800:
            # Older ones are on their way: nobody scrolls, so nothing may move.
            desk.page.locator("[role=log][aria-busy=false]").wait_for()
            row = desk.log.locator(f"[data-message='{message}']")
            moved = round(row.evaluate("row => row.getBoundingClientRect().top")) - top
            assert abs(moved) <= 1, f"the row moved by {moved} px"
        # The wheel turns in the browser's own time: what it moves late would look as if the row had moved by itself.
        scrolled = desk.log.evaluate("box => box.scrollTop")
        desk.page.mouse.wheel(0, -700)
        desk.page.wait_for_function(
            "was => was === 0 || document.querySelector('[role=log]').scrollTop !== was", arg=scrolled
        )
        desk.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert len(seen) >= 181


def test_a_message_from_below_does_not_move_what_one_reads_above(
    enter: Enter, hand: Callable[..., Hand], stage: Stage
) -> None:
    desk = enter("tanaka")
    desk.open("道路パトロール 現場報告")
    expect(desk.said("現場の状況を教えてください")).to_have_count(1)
    desk.log.evaluate("box => { box.scrollTop -= 600 }")
    row = desk.said("(170件目)")
    row.scroll_into_view_if_needed()
    before = row.evaluate("row => row.getBoundingClientRect().top")
    hand("takahashi").post(stage.facts["rooms"]["patrol"], "下に届きました。")
    desk.page.get_by_role("button", name="新しいメッセージがあります").wait_for()
    assert row.evaluate("row => row.getBoundingClientRect().top") == pytest.approx(before, abs=1)
    desk.page.get_by_role("button", name="新しいメッセージがあります").click()
    expect(desk.said("下に届きました。").last).to_be_in_viewport()


def test_who_is_at_the_newest_message_stays_there_when_the_window_changes(enter: Enter) -> None:
    person = enter("takahashi")
    person.open("道路パトロール 現場報告")
    last = person.log.locator("article").last
    person.log.press("End")
    expect(last).to_be_in_viewport(ratio=1)
    # A smaller window, a phone, its keyboard, the phone turned, and back.
    for width, height in ((860, 700), (390, 844), (390, 460), (844, 390), (1440, 960)):
        person.page.set_viewport_size({"width": width, "height": height})
        person.page.evaluate("() => new Promise((done) => setTimeout(() => requestAnimationFrame(done), 100))")
        expect(last).to_be_in_viewport(ratio=1)
    person.field.fill("一行\n" * 6)
    expect(last).to_be_in_viewport(ratio=1)


def test_the_phone_has_one_pane_and_one_way_back(enter: Enter) -> None:
    phone = enter("takahashi", viewport=PHONE, is_mobile=True, has_touch=True)
    rooms = phone.page.get_by_role("navigation", name="トークルーム一覧")
    expect(phone.log).to_have_count(0)
    phone.open("道路パトロール 現場報告")
    expect(rooms).to_be_hidden()
    phone.page.get_by_role("button", name="トークルーム一覧へ戻る").tap()
    expect(rooms).to_be_visible()
    phone.open("道路パトロール 現場報告")
    phone.page.go_back()
    expect(rooms).to_be_visible()
    expect(phone.log).to_have_count(0)


def test_the_camera_is_the_largest_button_and_everything_fits_a_thumb(enter: Enter) -> None:
    phone = enter("takahashi", viewport=PHONE, is_mobile=True, has_touch=True)
    small = small_targets(phone.page)
    phone.open("道路パトロール 現場報告")
    expect(phone.said("現場の状況を教えてください").first).to_be_visible()
    assert small + small_targets(phone.page) == []
    areas = {
        button["name"]: button["width"] * button["height"]
        for button in phone.page.get_by_role("button").evaluate_all(
            """buttons => buttons.map((button) => {
                const { width, height } = button.getBoundingClientRect()
                return { name: button.ariaLabel ?? button.textContent.trim(), said: button.closest('header, .composer') === null, width, height }
            })"""
        )
        # Of the header and the composer: what stands among the messages is as long as its words.
        if "メッセージ" not in button["name"] and not button["said"]
    }
    assert max(areas, key=areas.__getitem__) == "写真を撮る", areas
    assert phone.page.locator("input[data-pick=camera]").get_attribute("capture") == "environment"


def small_targets(page: Page) -> list[Any]:
    return list(
        page.locator("button:visible, a:visible, input:visible, textarea:visible").evaluate_all(
            """all => all.map((one) => {
                const { width, height } = one.getBoundingClientRect()
                return [one.ariaLabel ?? one.textContent.trim().slice(0, 30), width, height]
            }).filter(([, width, height]) => width > 1 && (width < 44 || height < 44))"""
        )
    )


# A small phone, a folded one, a usual one, an unfolded one, the narrowest desk, a usual one, and 4K.
@pytest.mark.parametrize("width", [320, 344, 390, 673, 701, 1440, 3840])
def test_nothing_sticks_out(enter: Enter, width: int) -> None:
    person = enter("takahashi", viewport={"width": width, "height": 800})
    assert sticks_out(person.page) == []
    for room in ("下水道 更新工事 3工区", "道路パトロール 現場報告"):
        if width <= 700 and person.log.count():
            person.page.get_by_role("button", name="トークルーム一覧へ戻る").click()
        person.open(room)
        person.attach([photo(number, 320, 240) for number in range(3)])
        person.attach([{"name": LONG_NAME, "mimeType": "application/zip", "buffer": b"PK\x03\x04"}])
        expect(person.page.locator(".composer [data-file=ready]")).to_have_count(1)
        assert sticks_out(person.page) == []
    words = f"長い名前のファイル、幅{width}"
    person.write(words)
    expect(person.said(words).locator("[data-file]")).to_have_count(1)
    person.log.get_by_role("button", name="を取り消す").last.click()
    assert sticks_out(person.page) == []
    person.details("メンバー")
    assert sticks_out(person.page) == []
    person.details("添付")
    expect(person.page.locator("[data-listed]").first).to_be_visible()
    assert sticks_out(person.page) == []


def sticks_out(page: Page) -> list[Any]:
    return list(
        page.evaluate(
            """() => {
                const scrolls = (one) => /auto|scroll|hidden/.test(getComputedStyle(one).overflowX)
                const found = []
                for (const one of document.querySelectorAll('body *')) {
                    const box = one.getBoundingClientRect()
                    if (box.width <= 1 || (box.right <= innerWidth + 0.5 && box.left >= -0.5)) continue
                    let above = one.parentElement
                    while (above && above !== document.body && !scrolls(above)) above = above.parentElement
                    if (!above || above === document.body) found.push(one.outerHTML.slice(0, 100))
                }
                return found
            }"""
        )
    )


def test_the_list_is_grouped_and_the_newest_is_first(
    enter: Enter, hand: Callable[..., Hand], stage: Stage, room_name: str
) -> None:
    takahashi = hand("takahashi")
    room = takahashi.room(room_name, stage.facts["people"]["tanaka"])
    desk = enter("tanaka")
    takahashi.post(room, "いちばん新しい")
    rows = desk.page.get_by_role("navigation", name="トークルーム一覧").get_by_role("list").last.get_by_role("link")
    expect(rows.first).to_have_text(re.compile(re.escape(room_name)))


def test_a_person_has_one_colour_in_the_list_and_in_the_timeline(
    enter: Enter, hand: Callable[..., Hand], stage: Stage
) -> None:
    writer = hand("takahashi")
    room = writer.call("POST", "/api/rooms/direct", {"user": stage.facts["people"]["tanaka"]})["id"]
    writer.post(room, "ご相談があります。")
    reader = enter("tanaka")
    link = reader.page.get_by_role("link", name=re.compile("^高橋 健"))
    listed = colour(link.locator(".tile"))
    link.click()
    assert colour(reader.said("ご相談").locator(".tile")) == listed


def colour(tile: Any) -> str:
    return str(tile.evaluate("(node) => getComputedStyle(node).backgroundColor"))
