"""Handing in files by a link: asked for in the client, done by somebody without an account, on the page that is made for it."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.axe import violations
from tests.browser.conftest import DESK, PATIENCE, PHONE, Enter, Hand, Person, listen
from tests.browser.line import Line
from tests.browser.photos import photo
from tests.browser.test_files import MIB, file, noise, offsets
from tests.browser.test_layout import sticks_out

DAY: Final = 86_400_000
DISARMED: Final = 30_000
"""Milliseconds, on two slow cores."""
NARROW: Final = {"width": 320, "height": 640}


@pytest.fixture
def visit(browser: Browser, server: Any) -> Iterator[Callable[..., Page]]:
    """Opens an address as somebody who has nothing but that: `visit("/handin#…", viewport=PHONE)`."""
    contexts: list[BrowserContext] = []
    visitors: list[Person] = []

    def come(address: str, *, base: str | None = None, **options: Any) -> Page:
        told = {"viewport": DESK, "locale": "ja-JP", "timezone_id": "Asia/Tokyo", **options}
        context = browser.new_context(base_url=base or server.base, **told)
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        visitor = Person(context.new_page(), "visitor")
        visitors.append(visitor)
        listen(visitor)
        visitor.page.goto(address)
        return visitor.page

    yield come
    for context in contexts:
        context.close()
    assert [problem for visitor in visitors for problem in visitor.problems] == [], "the browser complained"


def link(hand: Hand, room: str, **more: Any) -> str:
    """The part of an address that follows the server's name, of a link that is good."""
    wanted = {"recipient": "Aoba", "purpose": "PR-12", "ends": int(time.time() * 1000) + 3 * DAY, **more}
    made = hand.call("POST", f"/api/rooms/{room}/upload-links", wanted)
    return "/handin#" + str(hand.call("POST", f"/api/upload-links/{made['id']}/address")["token"])


def lines(page: Page, *states: str) -> Any:
    """The files on the page, in one of the states."""
    return page.locator(", ".join(f"li[data-file={state}]" for state in states) if states else "li[data-file]")


def pick(page: Page, *files: Any, way: str = "files") -> None:
    page.locator(f"input[data-pick={way}]").set_input_files(list(files))


def is_well_made(page: Page) -> None:
    assert [*violations(page), *sticks_out(page)] == []


ARRIVED: Final = ("checking", "released", "refused")


def test_what_will_be_refused_in_any_case_is_not_sent(
    hand: Callable[..., Hand], visit: Callable[..., Page], room_name: str
) -> None:
    takahashi = hand("takahashi")
    page = visit(link(takahashi, takahashi.room(room_name)))
    pick(page, file("setup.exe", noise(5_000)), photo(0))
    refused = lines(page, "failed").filter(has_text="setup.exe")
    expect(refused).to_contain_text("この種類のファイル(.exe)は受け取れません。次の種類で送り直してください: 写真、")
    expect(lines(page, "released").filter(has_text=".jpg")).to_contain_text("届きました", timeout=DISARMED)
    is_well_made(page)


def test_what_staff_ask_for_is_handed_in_and_a_receipt_given(
    enter: Enter, hand: Callable[..., Hand], visit: Callable[..., Page], room_name: str
) -> None:
    takahashi = hand("takahashi")
    takahashi.room(room_name)
    desk = enter("takahashi")
    desk.open(room_name)
    desk.details("メンバー").get_by_role("button", name="ファイルを受け取る").click()
    dialog = desk.page.get_by_role("dialog", name="ファイルを受け取るリンク")
    expect(dialog).to_contain_text("まだ依頼はありません。")
    dialog.get_by_role("button", name="新しく依頼する").click()
    dialog.get_by_role("button", name="リンクを作る").click()
    expect(dialog.get_by_label("相手の氏名")).to_be_focused()
    expect(dialog.get_by_text("入力してください。")).to_have_count(2)
    dialog.get_by_label("会社・団体名").fill("青葉測量株式会社")
    dialog.get_by_label("相手の氏名").fill("青葉 一郎")
    dialog.get_by_label("目的").fill("緑橋の点検報告")
    is_well_made(desk.page)
    dialog.get_by_role("button", name="リンクを作る").click()
    address = dialog.get_by_text(re.compile(r"^http://[^/]+/handin#\S{43}$")).inner_text()
    expect(dialog.get_by_text("青葉 一郎 様")).to_contain_text(address)
    is_well_made(desk.page)
    dialog.get_by_role("button", name="一覧に戻る").click()
    assert address.split("#")[1] not in desk.page.content()

    page = visit(address)
    expect(page.get_by_role("heading", name="みどり野市")).to_be_visible()
    expect(page.locator("main")).to_contain_text("高橋 健より、ファイルの提出をお願いしています。")
    assert page.url.endswith("/handin"), "the address bar gives nothing away"
    finish = page.get_by_role("button", name="これで全部です")
    expect(finish).to_have_attribute("aria-disabled", "true")
    is_well_made(page)
    drawing = noise(300_000)
    program = file("設定.pdf", b"MZ" + noise(5_000))
    table = file("数量表.csv", "品名,数量\n側溝,=1+1\n".encode())
    pick(page, file("縦断図.dxf", drawing), photo(0), program, file("空.txt", b""), table)
    expect(page.get_by_role("alert").filter(has_text="空.txt")).to_contain_text("中身が空です。")
    expect(lines(page, *ARRIVED)).to_have_count(4)
    # What the room does not get is told with the reason, and what to send in its place; the photo is on its way to the room.
    refused = lines(page, "refused").filter(has_text="設定.pdf")
    expect(refused).to_contain_text("受け取れませんでした", timeout=DISARMED)
    expect(refused).to_contain_text("代わりに")
    expect(lines(page, "released").filter(has_text=".jpg")).to_contain_text("届きました", timeout=DISARMED)
    # By mistake once more: it is not sent twice.
    pick(page, photo(0))
    expect(page.get_by_role("alert").filter(has_text="すでに一覧にあります。")).to_contain_text(photo(0)["name"])
    is_well_made(page)
    finish.click()
    receipt = page.get_by_role("article")
    expect(receipt.get_by_role("heading", name="受領書")).to_be_focused()
    expect(page.get_by_text("このページを閉じてもかまいません。", exact=True)).to_be_visible()
    expect(receipt).to_contain_text("青葉測量株式会社 青葉 一郎 様")
    expect(lines(page).filter(has_text="縦断図.dxf")).to_contain_text(hashlib.sha256(drawing).hexdigest())
    is_well_made(page)
    expect(page.get_by_text("受け取れなかったファイルがあります。担当者にご連絡ください。")).to_be_visible()
    page.reload()
    expect(lines(page)).to_have_count(4)

    # Used up for everybody else; the one who has it keeps the receipt.
    other = visit(address)
    expect(other.get_by_role("heading", name="このリンクは使えません")).to_be_visible()
    is_well_made(other)
    desk.page.keyboard.press("Escape")
    desk.details("メンバー").get_by_role("button", name="ファイルを受け取る").click()
    expect(dialog.locator("[data-link=done]")).to_contain_text("4件を受領")
    dialog.get_by_role("button", name="届いたファイル(青葉測量株式会社 青葉 一郎 様)").click()
    expect(dialog.get_by_text("縦断図.dxf")).to_be_visible()
    dialog.get_by_role("button", name="再依頼(青葉測量株式会社 青葉 一郎 様)").click()
    is_well_made(desk.page)
    dialog.get_by_role("group", name="同じ内容で").get_by_role("button", name="再依頼").click()
    expect(dialog.get_by_text(re.compile("^http://")).first).not_to_have_text(address)

    # One tap from the message: what was done with a file.
    desk.page.keyboard.press("Escape")
    desk.page.get_by_role("button", name="数量表.csvの報告").click(timeout=DISARMED)
    told = desk.page.get_by_role("dialog", name="受け取りの報告")
    expect(told).to_contain_text("数式に見えるセルは文字として残しました。")
    is_well_made(desk.page)


def test_a_file_goes_on_over_a_line_that_breaks_and_after_the_page_was_closed(
    hand: Callable[..., Hand], line: Line, visit: Callable[..., Page], room_name: str
) -> None:
    takahashi = hand("takahashi")
    address = link(takahashi, takahashi.room(room_name))
    page = visit(
        address, base=line.base, viewport=NARROW, locale="en-US", color_scheme="dark", has_touch=True, is_mobile=True
    )
    expect(page.get_by_role("button", name="Take a photo")).to_be_visible()
    is_well_made(page)
    going_on = offsets(page)
    line.do(lambda proxy: proxy.throttle(1_500_000))
    large, taken = noise(6 * MIB), noise(300_000)
    pick(page, file("drawing.dxf", large))
    pick(page, file("image.jpg", taken), way="camera")
    line.do(lambda proxy: proxy.passed(up=2_000_000))
    line.do(lambda proxy: proxy.refuse())
    line.do(lambda proxy: proxy.drop())
    expect(page.get_by_role("alert").filter(has_text="The line is cut.")).to_be_visible()
    is_well_made(page)
    line.do(lambda proxy: proxy.accept())
    expect(page.get_by_role("alert").filter(has_text="The line is cut.")).to_have_count(0)
    # Small enough to be kept here: a phone may close the page by itself, and nobody has to choose them again.
    page.reload()
    row = lines(page).filter(has_text="drawing.dxf")
    row.get_by_role("button", name="Pause drawing.dxf").click()
    expect(row).to_contain_text("Paused")
    expect(lines(page, *ARRIVED)).to_have_count(1)
    page.get_by_role("button", name="That is all").click()
    expect(page.get_by_role("alert").filter(has_text="1 did not arrive.")).to_be_visible()
    page.get_by_role("button", name="Back").click()
    line.do(lambda proxy: proxy.throttle(None))
    row.get_by_role("button", name="Resume drawing.dxf").click()
    expect(lines(page, *ARRIVED)).to_have_count(2)
    assert max(going_on) > 0, "from where it stopped"
    # A camera gives all its photos one name.
    expect(lines(page).filter(has_text=re.compile(r"\d{8}_\d{6}\.jpg"))).to_have_count(1)
    page.get_by_role("button", name="That is all").click()
    for content in (large, taken):
        expect(page.get_by_role("article")).to_contain_text(hashlib.sha256(content).hexdigest())
    is_well_made(page)


def test_a_pin_is_asked_for_first_and_what_was_taken_back_is_told_at_once(
    enter: Enter, hand: Callable[..., Hand], visit: Callable[..., Page], room_name: str
) -> None:
    takahashi = hand("takahashi")
    address = link(takahashi, takahashi.room(room_name), pin="4711", once=False, most_files=1)
    page = visit(address, viewport=PHONE)
    expect(page.locator("input[data-pick=files]")).to_have_count(0)
    page.get_by_label("暗証番号").fill("0000")
    page.get_by_role("button", name="はじめる").click()
    expect(page.get_by_role("alert").filter(has_text="暗証番号が違います。")).to_be_visible()
    is_well_made(page)
    # As a Japanese keyboard writes it.
    page.get_by_label("暗証番号").fill("４７１１")
    page.get_by_role("button", name="はじめる").click()
    pick(page, file("1.txt", b"one"), file("2.txt", b"two more"))
    expect(page.get_by_role("alert").filter(has_text="2.txt")).to_contain_text("件数の上限を超えます。")
    expect(lines(page, *ARRIVED)).to_have_count(1)

    desk = enter("takahashi")
    desk.open(room_name)
    desk.details("メンバー").get_by_role("button", name="ファイルを受け取る").click()
    dialog = desk.page.get_by_role("dialog", name="ファイルを受け取るリンク")
    dialog.get_by_role("button", name="取り消す(Aoba 様)").click()
    dialog.get_by_role("group", name="相手はすぐに").get_by_role("button", name="取り消す").click()
    expect(dialog.locator("[data-link=revoked]")).to_have_count(1)
    page.get_by_role("button", name="これで全部です").click()
    expect(page.get_by_role("heading", name="このリンクは使えません")).to_be_visible()
