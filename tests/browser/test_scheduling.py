"""Sending at a time to come: chosen beside 送信, kept by the server, changed, taken back, sent now."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from playwright.sync_api import Locator, expect

from tests.browser.conftest import PHONE, Enter, Hand, Person, Stage
from tests.browser.photos import photo
from tests.browser.test_access import check

HOUR = 3_600_000


def later(person: Person, choice: str) -> None:
    person.page.get_by_role("button", name="日時を指定").click()
    person.page.get_by_role("dialog", name="いつ送信しますか").get_by_role("button", name=choice).click()


def waiting(person: Person, words: str) -> Locator:
    found: Locator = person.page.get_by_role("list", name="送信予約").get_by_role("listitem").filter(has_text=words)
    return found


def test_written_now_changed_and_sent_later(
    enter: Enter, hand: Callable[..., Hand], stage: Stage, room_name: str
) -> None:
    room = hand("takahashi").room(room_name, stage.facts["people"]["tanaka"])
    desk, reader = enter("takahashi"), enter("tanaka", viewport=PHONE)
    reader.open(room_name)
    desk.open(room_name)
    desk.attach([photo(0, 320, 240)])
    desk.field.fill("明朝、点検に入ります。")
    later(desk, "明日8時30分")
    expect(desk.waiting()).to_have_count(0)
    expect(desk.field).to_have_value("")
    link = desk.page.get_by_role("link", name=re.compile("送信予約"))
    expect(link).to_contain_text("送信予約1件")
    assert hand("tanaka").messages(room) == []
    link.click()
    one = waiting(desk, "点検に入ります")
    expect(one).to_contain_text(re.compile(r"8:30 に送信.*写真1枚", re.S))
    one.get_by_role("button", name="直す").click()
    one = desk.page.get_by_role("list", name="送信予約").locator("> li")
    one.get_by_role("textbox").fill("明朝、橋の点検に入ります。")
    one.get_by_role("textbox").press("Control+Enter")
    expect(one.get_by_text("橋の点検")).to_be_visible()
    one.get_by_role("button", name="日時を変える").click()
    dialog = desk.page.get_by_role("dialog", name="いつ送信しますか")
    dialog.get_by_label("時刻").fill("07:15")
    dialog.get_by_role("button", name="この日時にする").click()
    expect(one).to_contain_text("7:15 に送信")
    one.get_by_role("button", name="今すぐ送信").click()
    expect(reader.said("明朝、橋の点検に入ります。").locator("img.here")).to_have_count(1)
    expect(desk.page.get_by_text("送信予約はありません。")).to_be_visible()
    expect(link).to_have_count(0)


def test_what_cannot_be_sent_says_why(enter: Enter, hand: Callable[..., Hand], stage: Stage, room_name: str) -> None:
    takahashi = hand("takahashi")
    room = takahashi.room(room_name, stage.facts["people"]["tanaka"])
    phone = enter("tanaka", viewport=PHONE)
    phone.open(room_name)
    phone.field.fill("夕方に送ります。")
    later(phone, "明日8時30分")
    phone.page.get_by_role("button", name="トークルーム一覧へ戻る").click()
    phone.page.get_by_role("link", name=re.compile("送信予約")).click()
    one = waiting(phone, "夕方に送ります")
    expect(one).to_contain_text(room_name)
    check(phone.page, 7.0)
    takahashi.call("PATCH", f"/api/rooms/{room}", {"archived": True})
    one.get_by_role("button", name="今すぐ送信").click()
    expect(one.get_by_role("alert")).to_contain_text("保管済み")
    takahashi.call("PATCH", f"/api/rooms/{room}", {"archived": False})
    one.get_by_role("button", name="取り消す").click()
    one.get_by_role("button", name="予約を取り消す").click()
    expect(phone.page.get_by_text("送信予約はありません。")).to_be_visible()

    # Its time came while its author was out of the room.
    at = int(time.time() * 1000) + 2 * HOUR
    blocks = [{"type": "text", "text": "退出の後"}]
    hand("tanaka").call("POST", f"/api/rooms/{room}/scheduled", {"at": at, "blocks": blocks})
    one = waiting(phone, "退出の後")
    expect(one).to_contain_text("に送信")
    [made] = hand("tanaka").call("GET", "/api/me/scheduled")["items"]
    takahashi.call("DELETE", f"/api/rooms/{room}/members/{stage.facts['people']['tanaka']}")
    expect(one).to_contain_text("参加していないトークルーム")
    made["failed"] = {
        "code": 3001,
        "name": "room_not_found",
        "field": None,
        "params": {},
        "ja": "ルームなし。",
        "en": "",
    }
    phone.page.route("**/api/me/scheduled", lambda route: route.fulfill(json={"items": [made], "next": None}))
    phone.page.reload()
    expect(one).to_contain_text("に送信できませんでした。 ルームなし。(番号3001)")
    phone.page.get_by_role("button", name="戻る").click()
    expect(phone.page.get_by_role("group", name="自分の用件")).to_contain_text("送信できなかったものがあります")
    phone.page.unroute("**/api/me/scheduled")
    hand("tanaka").call("DELETE", f"/api/scheduled/{made['id']}")
    expect(phone.page.get_by_role("link", name=re.compile("送信予約"))).to_have_count(0)
