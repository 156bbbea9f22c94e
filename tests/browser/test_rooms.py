"""The room list: found as one types, kept on top, made, joined and switched, by keyboard and by thumb."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Route, expect

from tests.browser.conftest import PHONE, Enter, Hand, Person, Stage
from tests.browser.test_layout import small_targets, sticks_out
from tests.browser.test_writing import ENTER, TAKEN_BY_INPUT_METHOD, compose, confirm, conversion

SCRIPT = "<img src=x onerror=alert(1)>"


def rooms(person: Person) -> Any:
    return person.page.get_by_role("navigation", name="トークルーム一覧")


def test_the_list_narrows_by_name_and_reading_and_keeps_favourites_on_top(
    enter: Enter, hand: Callable[..., Hand], stage: Stage, room_name: str
) -> None:
    people = stage.facts["people"]
    hand("sato").call("PATCH", f"/api/people/{people['tanaka']}", {"reading": "たなか みさき"})
    hand("takahashi").call("POST", "/api/rooms/direct", {"user": people["tanaka"]})
    mine = hand("takahashi").room(f"{SCRIPT} {room_name}", people["tanaka"])
    desk = enter("takahashi")
    page, listed = desk.page, rooms(desk)
    field = page.get_by_role("searchbox", name="トークルームを絞り込む")
    # Half-width katakana means the same as full-width.
    field.fill("ﾊﾟﾄﾛｰﾙ")
    expect(listed.get_by_role("link")).to_have_count(1)
    expect(listed.get_by_role("link")).to_contain_text("道路パトロール 現場報告")
    field.fill("たなか")
    expect(listed.get_by_role("link", name=re.compile("^田中 美咲"))).to_have_count(1)
    field.fill("どこにもない")
    expect(listed).to_contain_text("「どこにもない」に一致するトークルームはありません。")
    # By keyboard: down into the list, up again, and Enter opens.
    field.fill(room_name)
    expect(listed.get_by_role("link")).to_have_count(1)
    field.press("ArrowDown")
    expect(listed.get_by_role("link")).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(field).to_be_focused()
    field.press("Enter")
    expect(page.get_by_role("heading", name=f"{SCRIPT} {room_name}", level=1)).to_be_visible()
    expect(field).to_have_value("")
    # On top from now on, and quiet: this device remembers the one, the server the other.
    page.get_by_role("button", name="お気に入り").click()
    desk.details("メンバー").get_by_role("button", name="しない").click()
    page.get_by_role("link", name="建設課 全体共有").click()
    expect(page.get_by_role("heading", name="建設課 全体共有", level=1)).to_be_visible()
    hand("tanaka").post(mine, "気づかれなくてよいこと")
    page.reload()
    kept = listed.get_by_role("list").nth(1).get_by_role("link")
    expect(listed.get_by_role("heading", level=2).first).to_have_text("お気に入り")
    expect(kept).to_have_count(1)
    expect(kept).to_contain_text(SCRIPT)
    expect(kept).to_contain_text("通知なし")
    expect(kept.locator(".count.muted")).to_have_text("1")
    # The width of the column is one's own, too.
    edge = page.get_by_role("separator", name="一覧の幅")
    before = edge.evaluate("one => one.parentElement.getBoundingClientRect().width")
    edge.press("ArrowRight")
    page.reload()
    expect(edge).to_have_attribute("aria-valuenow", str(round(before) + 16))


def test_rooms_are_made_found_joined_and_left(enter: Enter, room_name: str) -> None:
    desk = enter("takahashi")
    page = desk.page
    page.get_by_role("button", name="トークルームを作る").click()
    dialog = page.get_by_role("dialog", name="トークルームを作る")
    dialog.get_by_role("button", name="作る").click()
    expect(dialog.get_by_role("alert")).to_have_text("名前を入力してください。")
    dialog.get_by_role("radio", name=re.compile("^公開")).check()
    dialog.get_by_label("名前", exact=True).fill(room_name)
    dialog.get_by_label("よみ").fill("試験")
    dialog.get_by_role("button", name="作る").click()
    expect(dialog.get_by_role("alert")).to_contain_text("ひらがな、カタカナ、英数字で")
    # However it is typed, it is found by it.
    dialog.get_by_label("よみ").fill("シケンシツ")
    members = dialog.get_by_role("combobox", name="メンバー")
    members.fill("佐藤")
    expect(dialog.get_by_role("option", name="佐藤 一")).to_be_visible()
    members.press("Enter")
    expect(dialog.get_by_role("list", name="選んだ人")).to_contain_text("佐藤 一")
    dialog.get_by_role("button", name="作る").click()
    expect(page.get_by_role("heading", name=room_name, level=1)).to_be_visible()
    expect(page.locator("main header")).to_contain_text("公開 ・ 2人")
    page.get_by_role("searchbox", name="トークルームを絞り込む").fill("しけんしつ")
    expect(rooms(desk).get_by_role("link", name=re.compile(re.escape(room_name)))).to_be_visible()
    page.get_by_role("searchbox", name="トークルームを絞り込む").fill("")

    phone = enter("tanaka", viewport=PHONE, is_mobile=True, has_touch=True)
    phone.page.get_by_role("button", name="公開トークルームを探す").click()
    found = phone.page.get_by_role("dialog", name="公開トークルームを探す")
    found.get_by_role("searchbox").fill(room_name)
    assert small_targets(phone.page) == []
    found.get_by_role("button", name=f"「{room_name}」に参加する").click()
    expect(phone.page.get_by_role("heading", name=room_name, level=1)).to_be_visible()
    phone.write("参加しました。")
    expect(desk.said("参加しました。")).to_have_count(1)
    expect(page.locator("main header")).to_contain_text("3人")
    phone.details("メンバー").get_by_role("button", name="退出する").click()
    phone.page.get_by_role("dialog", name="トークルームから退出する").get_by_role("button", name="退出する").click()
    expect(rooms(phone)).to_be_visible()
    expect(rooms(phone).get_by_role("link", name=room_name)).to_have_count(0)


def test_switching_by_keys_that_never_fire_while_one_writes(
    enter: Enter, hand: Callable[..., Hand], stage: Stage, room_name: str
) -> None:
    hand("takahashi").room(room_name)
    hand("sato").call("PATCH", f"/api/people/{stage.facts['people']['sato']}", {"reading": "さとう はじめ"})
    desk = enter("takahashi")
    page = desk.page
    desk.open("建設課 全体共有")
    desk.open(room_name)
    switcher = page.get_by_role("dialog", name="トークルームを切り替える")
    desk.field.focus()
    page.keyboard.press("Control+k")
    field = switcher.get_by_role("combobox")
    expect(field).to_be_focused()
    # What one left last is the first.
    expect(switcher.get_by_role("option").first).to_contain_text("建設課 全体共有")
    ime = conversion(desk)
    compose(ime, "さとう")
    confirm(ime, TAKEN_BY_INPUT_METHOD)
    expect(switcher).to_be_visible()
    ime.send("Input.insertText", {"text": "さとう"})
    expect(switcher.get_by_role("option", name=re.compile("佐藤 一.*個人"))).to_be_visible()
    expect(switcher.get_by_role("option", selected=True)).to_have_count(1)
    field.press("Enter")
    expect(page.get_by_role("heading", name="佐藤 一", level=1)).to_be_visible()
    expect(switcher).to_have_count(0)

    # In a field a sign is a sign, and the input method's keys are its own.
    desk.field.fill("")
    desk.field.press("?")
    desk.field.press("/")
    expect(desk.field).to_have_value("?/")
    compose(ime, "てすと")
    confirm(ime, ENTER, ctrl=True)
    page.keyboard.press("Escape")
    desk.field.fill("")
    page.get_by_role("log").focus()
    page.keyboard.press("?")
    table = page.get_by_role("dialog", name="キーの一覧")
    expect(table).to_contain_text("Ctrl+K")
    page.keyboard.press("/")
    expect(page.get_by_role("heading", name="検索", level=1)).to_have_count(0)
    page.keyboard.press("Escape")
    expect(table).to_have_count(0)
    page.get_by_role("log").focus()
    page.keyboard.press("/")
    expect(page.get_by_role("heading", name="検索", level=1)).to_be_visible()


def test_seven_hundred_and_fifty_rooms(enter: Enter) -> None:
    desk = enter("takahashi")

    def many(route: Route) -> None:
        real = route.fetch().json()
        more = [
            real[0]
            | {"id": f"room{number}", "kind": "private", "name": f"路線{number:03} 工区", "last": None, "unread": 0}
            for number in range(750)
        ]
        route.fulfill(body=json.dumps(real + more), content_type="application/json")

    desk.page.route("**/api/rooms", many)
    desk.page.reload()
    # Not by role: that asks each of the rows whether it is hidden, again and again, while they are made.
    links = desk.page.locator("nav a")
    expect(links.nth(749)).to_be_attached()
    # All of them can be found and read out; only what is near is laid out and painted.
    laid_out = "all => all.filter((one) => one.checkVisibility({ contentVisibilityAuto: true })).length"
    assert links.evaluate_all(laid_out) < 80
    field = desk.page.get_by_role("searchbox", name="トークルームを絞り込む")
    field.fill("路線７４９")
    expect(links).to_have_count(1)
    slowest = desk.page.evaluate(
        """async () => {
            const seen = []
            new PerformanceObserver((list) => seen.push(...list.getEntries().map(({ duration }) => duration)))
                .observe({ type: 'longtask' })
            const field = document.querySelector('input[type=search]')
            for (const words of ['路', '路線', '']) {
                field.value = words
                field.dispatchEvent(new Event('input', { bubbles: true }))
                await new Promise((done) => setTimeout(done, 60))
            }
            return Math.max(0, ...seen)
        }"""
    )
    assert slowest < 400, f"{slowest} ms without an answer to a key"
    assert sticks_out(desk.page) == []
