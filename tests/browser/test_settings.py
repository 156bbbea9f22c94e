"""What a person chooses for this device and for themselves, and how the page tells of messages they do not see."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from typing import Any, Final

from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE, Enter, Hand, Person, Stage
from tests.browser.test_access import check
from tests.browser.test_layout import small_targets, sticks_out

_numbers = itertools.count(1)
SECTIONS: Final = (
    "プロフィール",
    "表示と入力",
    "通知",
    "端末を鳴らす",
    "通知を試す",
    "この端末の設定",
    "パスワード",
    "ログイン中の端末",
    "使用量",
    "このアプリについて",
)


def newcomer(hand: Callable[..., Hand], stage: Stage) -> str:
    """Somebody whose password and devices are this test's own; answers the login."""
    login = f"newcomer{next(_numbers)}"
    person = {"login": login, "name": "青木 陽子", "reading": "あおき ようこ", "password": stage.facts["password"]}
    hand("sato").call("POST", "/api/people", person)
    return login


def enter_anew(enter: Enter, login: str, password: str, **options: Any) -> Person:
    """Without rooms there is no link to wait for."""
    person = enter(login, signed_in=False, **options)
    person.sign_in(password)
    expect(person.page.get_by_role("button", name="自分のメニュー")).to_be_visible()
    return person


def menu(page: Page) -> None:
    page.get_by_role("button", name="自分のメニュー").click()


def size_of(page: Page, words: str) -> float:
    return float(page.get_by_text(words).first.evaluate("(one) => parseFloat(getComputedStyle(one).fontSize)"))


def test_text_grows_to_twice_its_size_and_the_page_stands(enter: Enter) -> None:
    desk = enter("takahashi", viewport={"width": 320, "height": 640})
    before = size_of(desk.page, "道路パトロール 現場報告")
    menu(desk.page)
    desk.page.get_by_role("group", name="文字サイズ").get_by_role("button", name="特大").click()
    assert size_of(desk.page, "道路パトロール 現場報告") == 2 * before
    for width in (320, 390, 820, 1440):
        desk.page.set_viewport_size({"width": width, "height": 800})
        assert sticks_out(desk.page) == [], f"the menu at {width}"
    desk.page.keyboard.press("Escape")
    desk.page.set_viewport_size({"width": 320, "height": 640})
    desk.open("道路パトロール 現場報告")
    expect(desk.log.get_by_role("article").first).to_be_visible()
    for width in (320, 820):
        desk.page.set_viewport_size({"width": width, "height": 640})
        assert sticks_out(desk.page) == [], f"a room at {width}"
    desk.page.goto("/#/settings")
    for width in (820, 320):
        desk.page.set_viewport_size({"width": width, "height": 640})
        assert sticks_out(desk.page) == [], f"the settings at {width}"


def test_what_belongs_to_the_device_stays_and_what_belongs_to_the_person_goes(enter: Enter, stage: Stage) -> None:
    desk = enter("takahashi")
    page = desk.page
    menu(page)
    page.get_by_role("button", name="設定", exact=True).click()
    page.get_by_role("link", name="表示と入力").click()
    page.get_by_role("group", name="配色").get_by_label("暗い").check()
    page.get_by_role("group", name="送信に使うキー").get_by_label("Enterで送信").last.check()
    desk.open("建設課 全体共有")
    desk.field.fill("Enterで送ります。")
    desk.field.press("Shift+Enter")
    expect(desk.field).to_have_value("Enterで送ります。\n")
    desk.field.press("Enter")
    expect(desk.said("Enterで送ります。").first).to_be_visible()
    page.goto("/#/settings/appearance")
    dark = page.evaluate("getComputedStyle(document.querySelector('main')).color")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    check(page, 4.5)
    page.reload()
    expect(page.get_by_role("group", name="配色").get_by_label("暗い")).to_be_checked()
    assert page.evaluate("getComputedStyle(document.querySelector('main')).color") == dark
    menu(page)
    page.get_by_role("button", name="ログアウト").click()
    desk.login = "tanaka"
    desk.sign_in(stage.facts["password"])
    page.get_by_role("navigation", name="トークルーム一覧").get_by_role("link").first.wait_for()
    page.goto("/#/settings/appearance")
    expect(page.get_by_role("group", name="配色").get_by_label("暗い")).to_be_checked()
    expect(page.get_by_role("group", name="送信に使うキー").get_by_label("Ctrl+Enterで送信")).to_be_checked()


def test_password_and_devices(enter: Enter, hand: Callable[..., Hand], stage: Stage) -> None:
    login, first, second = newcomer(hand, stage), stage.facts["password"], "atarashii-aikotoba-1127"
    desk = enter_anew(enter, login, first)
    phone = enter_anew(enter, login, first, viewport=PHONE, user_agent="Mozilla/5.0 (iPhone) Safari/605")
    page = desk.page
    page.goto("/#/settings/devices")
    rows = page.get_by_role("region", name="ログイン中の端末").get_by_role("listitem")
    expect(rows).to_have_count(2)
    expect(rows.filter(has_text="この端末")).to_have_count(2)  # the mark, and the other one's button
    expect(rows.filter(has_text="いま使っている端末です").get_by_role("button")).to_have_count(0)
    rows.get_by_role("button", name="この端末をログアウト").click()
    page.get_by_role("dialog").get_by_role("button", name="ログアウトする").click()
    expect(page.get_by_role("status").filter(has_text="Safari(iPhone)")).to_be_visible()
    expect(rows).to_have_count(1)
    expect(phone.page.get_by_label("パスワード")).to_be_visible()

    page.get_by_role("link", name="パスワード").click()

    def change(old: str, new: str, again: str | None = None) -> None:
        page.get_by_label("現在のパスワード").fill(old)
        page.get_by_label("新しいパスワード", exact=True).fill(new)
        page.get_by_label("新しいパスワード(もう一度)").fill(again or new)
        page.get_by_role("button", name="変更する").click()

    change(first, second, "chigau-aikotoba-1127")
    expect(page.get_by_label("新しいパスワード(もう一度)")).to_have_accessible_description(
        re.compile("2つの欄で違います")
    )
    change("sore-dewa-nai-0000", second)
    expect(page.get_by_label("現在のパスワード")).to_have_accessible_description("現在のパスワードが違います。")
    change(first, "mijikai")
    expect(page.get_by_label("新しいパスワード", exact=True)).to_be_focused()
    expect(page.get_by_label("新しいパスワード", exact=True)).to_have_attribute("aria-invalid", "true")
    change(first, second)
    expect(page.get_by_text("パスワードを変更しました。")).to_be_visible()
    phone.sign_in(first)
    expect(phone.page.get_by_role("alert")).to_contain_text("パスワードが違います")
    phone.sign_in(second)
    expect(phone.page.get_by_role("button", name="自分のメニュー")).to_be_visible()


def test_every_section_is_named_readable_and_fits_a_thumb(enter: Enter) -> None:
    phone = enter("tanaka", viewport=PHONE, is_mobile=True, has_touch=True)
    page = phone.page
    menu(page)
    page.get_by_role("button", name="設定", exact=True).tap()
    for section in SECTIONS:
        page.get_by_role("navigation", name="設定").get_by_role("link", name=section, exact=True).tap()
        expect(page.get_by_role("heading", name=section, level=2)).to_be_focused()
        expect(page.get_by_text("読み込んでいます")).to_have_count(0)
        check(page, 7.0)
        small = [one for one in small_targets(page) if one[0] != ""]  # boxes to tick are as large as their label
        assert small == []
        assert sticks_out(page) == []
        page.get_by_role("button", name="戻る").tap()
    page.go_back()
    expect(page.get_by_role("navigation", name="トークルーム一覧")).to_be_visible()


RINGING: Final = """
window.rung = []
window.Notification = class {
    static permission = 'granted'
    static async requestPermission() { return 'granted' }
    constructor(title, { body }) { rung.push([title, body, this]) }
    close() {}
}
"""


def rung(pages: list[Page]) -> list[Any]:
    return [told for page in pages for told in page.evaluate("rung.map(([title, body]) => [title, body])")]


def test_one_tab_tells_of_what_is_not_seen(
    enter: Enter, hand: Callable[..., Hand], stage: Stage, room_name: str
) -> None:
    takahashi, tanaka = hand("takahashi"), stage.facts["people"]["tanaka"]
    room, other = takahashi.room(room_name, tanaka), takahashi.room(f"{room_name}の隣", tanaka)
    desk = enter("tanaka", signed_in=False)
    desk.page.context.add_init_script(RINGING)
    desk.page.reload()
    desk.sign_in(stage.facts["password"])
    page = desk.page
    page.get_by_role("link", name=room_name, exact=False).first.wait_for()
    second = page.context.new_page()
    second.goto("/")
    expect(second.get_by_role("link", name=re.compile(f"^{room_name}の隣"))).to_be_visible()
    page.bring_to_front()
    page.goto("/#/settings/notifications")
    page.get_by_role("button", name="通知を使う").click()
    expect(page.get_by_role("button", name="通知をやめる")).to_be_visible()

    page.get_by_label("時間を決めて通知を止める").check()
    page.get_by_label("始まり").fill("00:00")
    page.get_by_label("終わり").fill("23:59")
    takahashi.post(other, "夜中の知らせ")
    link = page.get_by_role("link", name=re.compile(f"^{room_name}の隣"))
    expect(link).to_contain_text("夜中の知らせ")
    expect(page).to_have_title(re.compile(r"^\([0-9+]+\) 連絡$"))
    expect(page.locator("link[rel=icon]")).to_have_attribute("href", re.compile("unread"))
    page.get_by_label("時間を決めて通知を止める").uncheck()

    takahashi.post(other, "朝の知らせ")
    page.wait_for_function("() => rung.length > 0")
    page.get_by_label("本文のはじめも出す").check()
    takahashi.post(room, "<@everyone> 倒木です")
    page.wait_for_function("() => rung.length > 1")
    assert rung([page, second]) == [
        [f"{room_name}の隣", "高橋 健さんから新しいメッセージがあります"],
        [room_name, "高橋 健: @全員 倒木です"],
    ]
    # A click leads to the room; what is said there then rings no more, in no tab.
    page.evaluate("rung[1][2].onclick()")
    expect(page.get_by_role("heading", name=room_name, level=1)).to_be_visible()
    takahashi.post(room, "見えている知らせ")
    expect(desk.said("見えている知らせ")).to_have_count(1)
    takahashi.post(other, "隣の知らせ")
    page.wait_for_function("() => rung.length > 2")
    assert [title for title, _ in rung([page, second])][2:] == [f"{room_name}の隣"]
    # Whoever wants nothing of a room hears nothing of it, and no call to everybody either.
    page.goto(f"/#/rooms/{other}/members")
    pane = page.get_by_role("dialog", name="トークルームの詳細")
    pane.get_by_role("button", name="しない").click()
    expect(pane.get_by_role("button", name="しない")).to_have_attribute("aria-pressed", "true")
    page.goto("/#/settings/notifications")
    takahashi.post(other, "<@everyone> 鳴らない知らせ")
    expect(link).to_contain_text("鳴らない知らせ")
    takahashi.post(room, "鳴る知らせ")
    page.wait_for_function("() => rung.length > 3")
    assert rung([page, second])[3:] == [[room_name, "高橋 健: 鳴る知らせ"]]


def test_a_browser_that_blocks_notifications_is_told_how_to_be_helped(enter: Enter) -> None:
    desk = enter("tanaka")
    desk.page.add_init_script("Object.defineProperty(Notification, 'permission', { value: 'denied' })")
    desk.page.goto("/#/settings/notifications")
    desk.page.reload()
    expect(desk.page.get_by_role("alert").filter(has_text="通知を止めています")).to_contain_text("許可")
    expect(desk.page.get_by_role("button", name="通知を使う")).to_have_count(0)
