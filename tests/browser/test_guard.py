"""Before files reach people outside there is a question, whichever way they came; and no is no."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from playwright.sync_api import Locator, expect

from tests.browser.carrying import carried
from tests.browser.conftest import PHONE, Enter, Hand, Person, Stage
from tests.browser.device import page_is_kept
from tests.browser.photos import photo
from tests.browser.test_share import share

ROOM: Final = "下水道 更新工事 3工区"
"""With a guest in it."""


def paste(person: Person, *files: dict[str, Any]) -> None:
    """As Ctrl+V does with files or a screenshot in the clipboard."""
    person.field.evaluate(
        "(field, carried) => field.dispatchEvent(new ClipboardEvent('paste', {"
        " clipboardData: carried, bubbles: true, cancelable: true }))",
        carried(person.page, *files),
    )


def question(person: Person) -> Locator:
    found: Locator = person.page.locator(".composer").get_by_role("alert").filter(has_text="若葉 誠")
    return found


def test_a_question_stays_in_its_room_and_so_do_words_and_photos(
    enter: Enter, hand: Callable[..., Hand], room_name: str
) -> None:
    takahashi = hand("takahashi")
    other = takahashi.room(room_name)
    desk = enter("takahashi")
    desk.open(ROOM)
    paste(desk, photo(0, 320, 240))
    expect(desk.page.locator(".composer img")).to_have_count(1)
    desk.field.fill("別の部屋へ行ってはならない文")
    desk.field.press("Control+Enter")
    expect(question(desk)).to_be_visible()
    desk.open(room_name)
    expect(question(desk)).to_have_count(0)
    expect(desk.field).to_have_value("")
    expect(desk.page.locator(".composer img")).to_have_count(0)
    # Nor does the field remember what was written in another.
    desk.field.focus()
    desk.page.keyboard.press("Control+z")
    expect(desk.field).to_have_value("")
    desk.write("この部屋のことば")
    expect(desk.said("この部屋のことば")).to_have_count(1)
    # Choosing messages ends with the room, and the composer is there.
    row = desk.said("この部屋のことば")
    row.hover()
    row.get_by_role("button", name="のメッセージの操作").click()
    desk.page.get_by_role("menuitem", name="ノートに入れる").click()
    bar = desk.page.get_by_role("group", name="メッセージの選択")
    expect(bar).to_be_visible()
    desk.open(ROOM)
    expect(bar).to_have_count(0)
    expect(desk.field).to_have_value("別の部屋へ行ってはならない文")
    assert [message["text"] for message in takahashi.messages(other)] == ["この部屋のことば"]


def test_what_is_dropped_pasted_or_sent_later_is_asked_about(
    enter: Enter, hand: Callable[..., Hand], stage: Stage
) -> None:
    room = stage.facts["rooms"]["sewer"]
    before = len(hand("takahashi").messages(room))
    desk = enter("takahashi")
    desk.open(ROOM)
    desk.log.dispatch_event("drop", {"dataTransfer": carried(desk.page, photo(0, 320, 240))})
    paste(desk, photo(1, 320, 240), photo(2, 320, 240))
    expect(desk.page.locator(".composer img")).to_have_count(3)
    desk.field.fill("工区の写真です。")
    desk.field.press("Control+Enter")
    expect(question(desk)).to_contain_text("写真3枚を外部の方(若葉 誠)にも送信します。よろしいですか。")
    question(desk).get_by_role("button", name="やめる").click()
    # At a time to come it reaches them as well.
    desk.page.get_by_role("button", name="日時を指定").click()
    desk.page.get_by_role("dialog", name="いつ送信しますか").get_by_role("button", name="明日8時30分").click()
    expect(question(desk)).to_contain_text("写真3枚")
    question(desk).get_by_role("button", name="やめる").click()
    # Nothing went, nothing was lost, and nothing waits.
    expect(desk.field).to_have_value("工区の写真です。")
    expect(desk.page.locator(".composer img")).to_have_count(3)
    assert hand("takahashi").call("GET", "/api/me/scheduled")["items"] == []
    assert len(hand("takahashi").messages(room)) == before
    desk.field.press("Control+Enter")
    question(desk).get_by_role("button", name="外部の方にも送信する").click()
    expect(desk.said("工区の写真です。").locator("img.here")).to_have_count(3)
    sent = hand("takahashi").messages(room)[-1]
    assert [attachment["name"] for attachment in sent["attachments"]] == ["現場1.jpg", "現場2.jpg", "現場3.jpg"]


def test_what_comes_from_the_memo_pad_or_another_app_is_asked_about(enter: Enter, hand: Callable[..., Hand]) -> None:
    takahashi = hand("takahashi")
    memo = next(one["id"] for one in takahashi.call("GET", "/api/rooms") if one["kind"] == "memo")
    phone = enter("takahashi", viewport=PHONE, service_workers="allow")
    page_is_kept(phone.page)
    share(phone, "取付部", photo(0, 320, 240))
    phone.page.get_by_role("radio", name=ROOM).check()
    expect(phone.page.get_by_text("外部の方(若葉 誠)にも届きます。")).to_be_visible()
    phone.page.get_by_role("button", name=f"{ROOM}へ送信").click()
    expect(phone.page.get_by_role("button", name=f"外部の方もいる{ROOM}へ送信")).to_be_visible()
    phone.page.get_by_role("radio", name="メモ帳").check()
    phone.page.get_by_role("button", name="メモ帳(自分専用)へ送信").click()
    expect(phone.said("取付部").locator("img.here")).to_have_count(1)
    assert takahashi.messages(memo)

    desk = enter("takahashi")
    desk.open(ROOM)
    desk.page.get_by_role("button", name="メモから").click()
    picker = desk.page.get_by_role("dialog", name="メモから入れる")
    picker.get_by_role("button", name="取付部").first.click()
    expect(picker.get_by_role("alert")).to_contain_text("若葉 誠")
    picker.get_by_role("button", name="やめる").click()
    desk.page.keyboard.press("Escape")
    expect(desk.said("取付部")).to_have_count(0)
