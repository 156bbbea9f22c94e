"""The memo pad from everywhere: a photo from the phone stands in the desk's report a moment later."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import expect

from tests.browser.conftest import PHONE, Enter, Hand, Person, Stage
from tests.browser.photos import photo
from tests.browser.process import Server
from tests.browser.test_access import check

MEMO = "メモ帳"


def act(person: Person, message: Any, name: str) -> None:
    message.hover()
    message.get_by_role("button", name="メッセージの操作").click()
    person.page.get_by_role("menuitem", name=name, exact=True).click()


def test_a_photo_from_the_phone_reaches_the_desks_report(
    enter: Enter, hand: Callable[..., Hand], stage: Stage, room_name: str
) -> None:
    takahashi = hand("takahashi")
    room = takahashi.room(room_name, stage.facts["people"]["tanaka"])
    phone, desk = enter("takahashi", viewport=PHONE), enter("takahashi")
    desk.open(room_name)
    phone.page.get_by_role("button", name=MEMO).click()
    expect(phone.page.get_by_role("heading", level=1)).to_have_text(MEMO)
    check(phone.page, 7.0)
    phone.attach([photo(0, 320, 240)])
    phone.write("倒木の現場")
    expect(phone.said("倒木の現場").locator("img.here")).to_have_count(1)

    # From the pad into the room that is open at the desk.
    desk.page.get_by_role("button", name="メモから").click()
    picker = desk.page.get_by_role("dialog", name="メモから入れる")
    expect(picker.get_by_role("button", name="倒木の現場")).to_be_visible()
    check(desk.page, 4.5)
    picker.get_by_role("button", name="倒木の現場").click()
    expect(picker).to_contain_text(f"写真1枚のあるメモです。下書きには入らないため、「{room_name}」へすぐに送ります。")
    picker.get_by_role("button", name="すぐに送る").click()
    expect(desk.said("倒木の現場").locator("img.here")).to_have_count(1)
    expect(desk.page.get_by_role("status").filter(has_text=f"「{room_name}」に送りました。")).to_be_visible()

    # From the photo that is looked at.
    desk.said("倒木の現場").get_by_role("button", name="写真を大きく表示").click()
    viewer = desk.page.get_by_role("dialog", name="写真の表示")
    viewer.get_by_role("button", name="メモ帳へ").click()
    expect(viewer).to_contain_text("メモ帳に送りました。")
    expect(phone.said("倒木の現場")).to_have_count(2)
    desk.page.keyboard.press("Escape")

    # From a message to the pad, by the key, and back with it.
    takahashi.post(room, "通行止めは10時からです。看板は2枚あります。")
    act(desk, desk.said("通行止めは10時から"), "メモ帳へ")
    expect(desk.page.get_by_role("status").filter(has_text="メモ帳に送りました。")).to_be_visible()
    desk.page.keyboard.press("Control+m")
    expect(desk.page.get_by_role("heading", level=1)).to_have_text(MEMO)
    expect(desk.said("通行止めは10時から")).to_contain_text("のメッセージを転送")
    desk.page.keyboard.press("Control+m")
    expect(desk.page.get_by_role("heading", level=1)).to_have_text(room_name)

    # What is selected in a message, and by words out of the pad again.
    desk.said("看板は2枚").locator(".body p").last.evaluate(
        """(said) => {
            const text = document.createTreeWalker(said, NodeFilter.SHOW_TEXT).nextNode()
            const from = text.data.indexOf('看板')
            getSelection().setBaseAndExtent(text, from, text, from + 5)
        }"""
    )
    act(desk, desk.said("看板は2枚"), "選んだ文字をメモ帳へ")
    expect(phone.said("看板は2枚").filter(has_not_text="通行止め")).to_have_count(1)
    desk.field.fill("確認: ")
    desk.page.get_by_role("button", name="メモから").click()
    picker.get_by_role("searchbox", name="メモを言葉で探す").fill("看板")
    expect(picker).to_contain_text("見つかったメモ")
    picker.get_by_role("button", name="入れる: 看板は2枚", exact=True).click()
    expect(desk.field).to_have_value("確認: 看板は2枚")
    expect(desk.field).to_be_focused()


def test_a_memo_goes_to_a_room_and_people_from_outside_are_asked_about(
    enter: Enter, hand: Callable[..., Hand], room_name: str
) -> None:
    takahashi = hand("takahashi")
    room = takahashi.room(room_name)
    phone = enter("takahashi", viewport=PHONE)
    phone.open(room_name)
    phone.page.get_by_role("button", name=MEMO).click()
    note = f"下水道の件 {room_name}"
    phone.write(note)
    expect(phone.waiting()).to_have_count(0)
    act(phone, phone.said(note), "トークルームへ送る")
    choice = phone.page.get_by_role("dialog", name="送り先のトークルーム")
    check(phone.page, 7.0)
    choice.get_by_role("searchbox", name="トークルームの名前で絞り込む").fill("下水道")
    choice.get_by_role("button", name="下水道 更新工事 3工区").click()
    expect(choice).to_contain_text("「下水道 更新工事 3工区」には外部の方がいます: 若葉 誠。")
    choice.get_by_role("button", name="送り先を選び直す").click()
    choice.get_by_role("searchbox", name="トークルームの名前で絞り込む").fill(room_name)
    choice.get_by_role("button", name=room_name).click()
    expect(choice).to_have_count(0)
    phone.page.get_by_role("button", name="開く", exact=True).click()
    expect(phone.page.get_by_role("heading", level=1)).to_have_text(room_name)
    expect(phone.said(note)).to_have_count(1)
    assert [message["text"] for message in takahashi.messages(room)] == [note]


def test_the_pads_own_acts_stand_in_the_composers_menu(enter: Enter, hand: Callable[..., Hand]) -> None:
    desk = enter("sato")
    desk.page.get_by_role("button", name=MEMO).click()
    desk.write("様式 https://example.jp/form")
    pasted = desk.log.locator("article[data-message]").filter(has=desk.page.get_by_role("button", name="コピー"))
    expect(pasted).to_contain_text("https://example.jp/form")
    expect(pasted).to_contain_text("ボット")
    desk.page.get_by_role("button", name="ボットに頼む").click()
    desk.page.get_by_role("menuitem", name="古いメモを片付ける").click()
    expect(desk.field).to_have_value("片付け 30")
    desk.field.press("Control+Enter")
    tidying = desk.log.locator("article[data-message]").filter(has=desk.page.get_by_role("heading", name="片付け"))
    tidying.get_by_role("button", name="毎日消す").click()
    tidying.get_by_role("alertdialog").get_by_role("button", name="やめる").click()
    tidying.get_by_role("button", name="やめる").click()
    expect(tidying).to_contain_text("中止")
    expect(tidying).to_contain_text("片付けをやめました。")
    desk.page.get_by_role("button", name="ボットに頼む").click()
    desk.page.get_by_role("menuitem", name="最近のメモ").click()
    expect(desk.said("様式 https://example.jp/form").last).to_contain_text("1.")


def test_an_organization_may_keep_it_to_the_desks(enter: Enter, hand: Callable[..., Hand], two_zones: Server) -> None:
    hand("sato", two_zones.base).call("PATCH", "/api/organization", {"policy": {"memo_pad": "most_trusted"}})
    phone = enter("takahashi", base=two_zones.base_in("internet"), viewport=PHONE)
    phone.open("道路パトロール 現場報告")
    expect(phone.page.get_by_role("button", name="ファイルを添付")).to_be_visible()
    expect(phone.page.get_by_role("button", name=re.compile("メモ"))).to_have_count(0)
    phone.page.keyboard.press("Control+m")
    expect(phone.page.get_by_role("heading", level=1)).to_have_text("道路パトロール 現場報告")
    desk = enter("takahashi", base=two_zones.base)
    desk.page.get_by_role("button", name=MEMO).click()
    expect(desk.page.get_by_role("heading", level=1)).to_have_text(MEMO)
