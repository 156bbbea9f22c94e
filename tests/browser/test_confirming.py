"""要確認: asked for at the desk, confirmed on the phone, followed up by name; and who has read."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from playwright.sync_api import Locator, Route, expect

from tests.browser.conftest import PHONE, Enter, Hand, Person, Stage
from tests.browser.test_access import check

HOUR = 3_600_000


def strip(person: Person, words: str) -> Locator:
    found: Locator = person.said(words).get_by_role("group", name="要確認")
    return found


def act(person: Person, words: str, name: str) -> None:
    """Chooses from the menu of a message."""
    row = person.said(words)
    row.hover()
    row.get_by_role("button", name="メッセージの操作").click()
    person.page.get_by_role("menuitem", name=name).click()


def test_asked_at_the_desk_confirmed_on_the_phone_and_followed_up(
    enter: Enter, hand: Callable[..., Hand], stage: Stage, room_name: str
) -> None:
    people = stage.facts["people"]
    hand("takahashi").room(room_name, people["tanaka"], people["sato"])
    desk, phone = enter("takahashi"), enter("tanaka", viewport=PHONE, has_touch=True)
    desk.open(room_name)
    desk.field.fill("避難所の鍵を確かめてください。")
    desk.page.get_by_role("button", name="要確認にして送る").click()
    desk.page.get_by_role("dialog").get_by_role("button", name="3日後17時").click()
    expect(desk.page.get_by_role("button", name=re.compile(r"要確認 .*17:00まで"))).to_be_visible()
    desk.field.press("Control+Enter")
    asked = strip(desk, "避難所の鍵")
    expect(asked).to_contain_text("17:00まで")
    expect(asked).to_contain_text("2人中0人が確認済み")
    expect(asked.get_by_role("button", name="確認しました")).to_have_count(0)
    expect(desk.page.get_by_role("button", name="要確認にして送る")).to_be_visible()

    link = phone.page.get_by_role("link", name=re.compile("^要確認"))
    expect(link).to_contain_text("確認待ち1件")
    link.click()
    waiting = phone.page.get_by_role("list", name="要確認").get_by_role("listitem").filter(has_text="避難所の鍵")
    expect(waiting).to_contain_text("高橋 健")
    check(phone.page, 7.0)
    waiting.get_by_role("button", name="メッセージへ").click()
    mine = strip(phone, "避難所の鍵")
    expect(mine).to_be_in_viewport()
    mine.get_by_role("button", name="確認しました").click()
    expect(mine).to_contain_text("確認済み")
    expect(mine.get_by_role("button", name="確認しました")).to_have_count(0)
    expect(asked).to_contain_text("2人中1人が確認済み")

    asked.get_by_role("button", name="2人中1人が確認済み").click()
    state = desk.page.get_by_role("dialog", name="確認状況")
    expect(state).to_contain_text("佐藤 一")
    check(desk.page, 4.5)
    expect(state).not_to_contain_text("田中 美咲")
    state.get_by_role("button", name="全員 2人").click()
    expect(state.get_by_role("listitem").filter(has_text="田中 美咲")).to_contain_text(re.compile(r"\d+:\d\d 確認"))
    with desk.page.expect_download() as saving:
        state.get_by_role("button", name="CSVで保存").click()
    table = saving.value.path().read_text(encoding="utf-8-sig")
    assert "佐藤 一,未" in table
    state.get_by_role("button", name="期限を変える").click()
    desk.page.get_by_role("dialog", name="いつまで").get_by_role("button", name="明日17時").click()
    expect(asked).to_contain_text("17:00まで")
    state.get_by_role("button", name="依頼を終える").click()
    state.get_by_role("button", name="終える", exact=True).click()
    expect(asked).to_have_count(0)
    expect(mine).to_have_count(0)

    act(desk, "避難所の鍵", "要確認にする")
    dialog = desk.page.get_by_role("dialog", name="いつまで")
    dialog.get_by_label("日にち").fill("2020-01-01")
    dialog.get_by_role("button", name="この日時にする").click()
    expect(dialog.get_by_role("alert")).to_have_text("1分より後の日時を選んでください。")
    dialog.get_by_role("button", name="3日後17時").click()
    # What was confirmed once stays so.
    expect(asked).to_contain_text("2人中1人が確認済み")
    expect(mine).to_contain_text("確認済み")


def test_what_is_overdue_says_so_and_may_still_be_confirmed(
    enter: Enter, hand: Callable[..., Hand], stage: Stage, room_name: str
) -> None:
    takahashi = hand("takahashi")
    room = takahashi.room(room_name, stage.facts["people"]["tanaka"])
    now = int(time.time() * 1000)
    takahashi.post(room, "期限つきの連絡", confirm=now + HOUR)
    desk = enter("tanaka")

    # The server takes no time that has passed, and nobody waits for one: the page is given another.
    def overdue(route: Route) -> None:
        response = route.fetch()
        page = response.json()
        for message in page["messages"]:
            message["confirm"] = {"by": now - HOUR}
        route.fulfill(response=response, json=page)

    desk.page.route(f"**/api/rooms/{room}/messages*", overdue)
    desk.open(room_name)
    late = strip(desk, "期限つきの連絡")
    expect(late).to_contain_text("を過ぎました")
    expect(late).to_have_class(re.compile("over"))
    check(desk.page, 4.5)
    late.get_by_role("button", name="確認しました").click()
    expect(late).to_contain_text("1人全員が確認済み")
    expect(late).to_have_class(re.compile("done"))


def test_who_has_read(enter: Enter, hand: Callable[..., Hand], stage: Stage, room_name: str) -> None:
    people = stage.facts["people"]
    hand("takahashi").room(room_name, people["tanaka"], people["sato"])
    desk = enter("takahashi")
    desk.open(room_name)
    desk.write("一つ目です。")
    desk.write("続けて二つ目です。")
    # A run of one's own says it once.
    counts = desk.log.get_by_role("button", name=re.compile("既読"))
    expect(counts).to_have_count(1)
    expect(counts).to_have_text("既読 0/2")
    phone = enter("tanaka", viewport=PHONE)
    phone.open(room_name)
    expect(counts).to_have_text("既読 1/2")
    counts.click()
    readers = desk.page.get_by_role("dialog", name="既読")
    expect(readers).to_contain_text("2人中1人が既読")
    expect(readers).to_contain_text("佐藤 一")
    readers.get_by_role("button", name="既読 1人").click()
    expect(readers).to_contain_text("田中 美咲")
    # Names are the author's and the owners'; figures are everybody's.
    act(phone, "二つ目", "既読を見る")
    figures = phone.page.get_by_role("dialog", name="既読")
    expect(figures).to_contain_text("2人中1人が既読")
    expect(figures).not_to_contain_text("佐藤 一")
