"""Calling somebody: found by reading, shown with さん, asked about where it reaches many."""

from __future__ import annotations

import time
from collections.abc import Callable

from playwright.sync_api import Route, expect

from tests.browser.conftest import PHONE, Enter, Hand, Stage
from tests.browser.photos import photo
from tests.browser.test_writing import ENTER, compose, conversion


def test_found_by_reading_and_the_input_methods_enter_chooses_nobody(
    enter: Enter, hand: Callable[..., Hand], stage: Stage, room_name: str
) -> None:
    people = stage.facts["people"]
    takahashi = hand("takahashi")
    room = takahashi.room(room_name, people["tanaka"], people["sato"])
    for login, reading in (("tanaka", "たなか みさき"), ("sato", "さとう はじめ")):
        hand("sato").call("PATCH", f"/api/people/{people[login]}", {"reading": reading})
    desk, called = enter("takahashi"), enter("tanaka", viewport=PHONE)
    desk.open(room_name)
    called.open(room_name)
    desk.field.focus()
    desk.page.keyboard.type("確認です。@")
    options = desk.page.get_by_role("listbox", name="メンションする相手").get_by_role("option")
    expect(options.filter(has_text="田中 美咲さん")).to_contain_text("道路課 管理係 係長")
    expect(options.filter(has_text="高橋")).to_have_count(0)
    # While the reading is still being converted, it finds already; its Enter confirms and chooses nobody.
    ime = conversion(desk)
    compose(ime, "たなか")
    expect(options).to_have_count(1)
    enter_key = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": ENTER}
    ime.send("Input.dispatchKeyEvent", {"type": "rawKeyDown", **enter_key})
    ime.send("Input.dispatchKeyEvent", {"type": "keyUp", **enter_key})
    expect(desk.field).to_have_value("確認です。@たなか")
    ime.send("Input.insertText", {"text": "田中"})
    expect(options).to_have_count(1)
    desk.page.keyboard.press("Enter")
    expect(desk.field).to_have_value("確認です。@田中 美咲さん ")
    expect(options).to_have_count(0)
    # It goes as a whole, and comes back by the button.
    desk.page.keyboard.press("Backspace")
    desk.page.keyboard.press("Backspace")
    expect(desk.field).to_have_value("確認です。")
    desk.page.get_by_role("button", name="メンション").click()
    options.filter(has_text="田中 美咲さん").click()
    desk.page.keyboard.type("現地へ。@道路")
    expect(options.filter(has_text="道路課 管理係")).to_contain_text("1人")
    desk.page.keyboard.press("Escape")
    expect(options).to_have_count(0)
    # An address is no call.
    desk.page.keyboard.type(" x@ta")
    expect(options).to_have_count(0)
    desk.page.reload()
    expect(desk.field).to_have_value("確認です。@田中 美咲さん 現地へ。@道路 x@ta")
    desk.field.press("Control+Enter")
    expect(called.said("確認です。").locator(".mention.me")).to_have_text("@田中 美咲さん")
    (sent,) = takahashi.messages(room)
    assert sent["blocks"][0]["text"] == f"確認です。<@user:{people['tanaka']}> 現地へ。@道路 x@ta"
    desk.field.press("ArrowUp")
    expect(desk.field).to_have_value("確認です。@田中 美咲さん 現地へ。@道路 x@ta")


def test_a_call_to_many_is_asked_about(enter: Enter, hand: Callable[..., Hand], stage: Stage, room_name: str) -> None:
    sato, takahashi = hand("sato"), hand("takahashi")
    members = [
        sato.call(
            "POST",
            "/api/people",
            {"login": f"many{number}-{time.time_ns()}", "name": f"応援 {number}", "reading": "おうえん"},
        )["id"]
        for number in range(50)
    ]
    room = takahashi.room(room_name, *members)
    takahashi.call("POST", f"/api/rooms/{room}/members", {"users": [stage.facts["people"]["tanaka"]]})
    desk = enter("takahashi")
    desk.open(room_name)
    desk.page.get_by_role("button", name="メンション").click()
    desk.page.keyboard.type("全員")
    desk.page.get_by_role("option", name="全員").click()
    desk.page.keyboard.type("集合してください。")
    desk.field.press("Control+Enter")
    question = desk.page.locator(".composer").get_by_role("alert").filter(has_text="51人に通知されます。")
    expect(question).to_be_visible()
    # A second Ctrl+Enter is no answer.
    desk.field.press("Control+Enter")
    question.get_by_role("button", name="やめる").click()
    expect(question).to_have_count(0)
    expect(desk.field).to_have_value("@全員 集合してください。")
    assert takahashi.messages(room) == []
    desk.field.press("Control+Enter")
    question.get_by_role("button", name="51人に通知して送信する").click()
    expect(desk.said("集合してください。")).to_have_count(1)
    assert takahashi.messages(room)[0]["blocks"][0]["text"] == "<@everyone> 集合してください。"

    # Nor is what waits for its time changed into a call unasked; whom it called already has a name, and stays called.
    words = f"<@user:{stage.facts['people']['tanaka']}> 明朝集合です。"
    ahead = {"at": int(time.time() * 1000) + 3_600_000, "blocks": [{"type": "text", "text": words}]}
    takahashi.call("POST", f"/api/rooms/{room}/scheduled", ahead)
    desk.page.get_by_role("link", name="送信予約").click()
    row = desk.page.get_by_role("list", name="送信予約").get_by_role("listitem")
    expect(row).to_contain_text("@田中 美咲さん 明朝集合です。")
    row.get_by_role("button", name="直す").click()
    row.get_by_role("textbox").fill("@田中 美咲さん 明朝7時集合です。 <@everyone>")
    row.get_by_role("textbox").press("Control+Enter")
    question = row.get_by_role("alert").filter(has_text="51人に通知されます。")
    question.get_by_role("button", name="やめる").click()
    row.get_by_role("textbox").fill("@田中 美咲さん 明朝7時集合です。")
    row.get_by_role("textbox").press("Control+Enter")
    expect(row).to_contain_text("@田中 美咲さん 明朝7時集合です。")
    expect(row.get_by_role("textbox")).to_have_count(0)
    (waits,) = takahashi.call("GET", "/api/me/scheduled")["items"]
    assert waits["blocks"][0]["text"] == words.replace("明朝", "明朝7時")
    takahashi.call("DELETE", f"/api/scheduled/{waits['id']}")


def test_what_is_dropped_while_the_called_are_counted_is_asked_about_too(enter: Enter) -> None:
    desk = enter("takahashi")
    desk.open("下水道 更新工事 3工区")
    held: list[Route] = []
    desk.page.route("**/assets/reach-*.js", lambda route: held.append(route))
    desk.field.fill("<@everyone> 図面です。")
    with desk.page.expect_request("**/assets/reach-*.js"):
        desk.field.press("Control+Enter")
    desk.attach([photo(0, 320, 240)])
    expect(desk.page.locator(".composer img")).to_have_count(1)
    held[0].continue_()
    question = desk.page.locator(".composer").get_by_role("alert")
    expect(question.filter(has_text="写真1枚を外部の方(若葉 誠)にも送信します。")).to_be_visible()
    expect(desk.waiting()).to_have_count(0)
    expect(desk.said("図面です。")).to_have_count(0)


def test_what_is_left_or_written_on_while_the_called_are_counted_is_not_saved_unasked(
    enter: Enter, hand: Callable[..., Hand], room_name: str
) -> None:
    takahashi = hand("takahashi")
    room = takahashi.room(room_name)
    ahead = {"at": int(time.time() * 1000) + 3_600_000, "blocks": [{"type": "text", "text": "明朝集合です。"}]}
    waits = takahashi.call("POST", f"/api/rooms/{room}/scheduled", ahead)
    desk = enter("takahashi")
    held: list[Route] = []
    desk.page.route("**/assets/reach-*.js", lambda route: held.append(route))
    desk.page.get_by_role("link", name="送信予約").click()
    row = desk.page.get_by_role("list", name="送信予約").get_by_role("listitem").filter(has_text=room_name)
    field = row.get_by_role("textbox")

    def call_everybody() -> None:
        row.get_by_role("button", name="直す").click()
        expect(field).to_have_value("明朝集合です。")
        field.fill("<@everyone> 明朝集合です。")
        with desk.page.expect_request("**/assets/reach-*.js"):
            field.press("Control+Enter")

    call_everybody()
    field.press("Escape")
    expect(field).to_have_count(0)
    held.pop().continue_()
    row.get_by_role("button", name="直す").click()
    expect(field).to_have_value("明朝集合です。")

    # What it weighs is what stands there in the end: here nothing.
    desk.page.reload()
    call_everybody()
    field.fill("")
    held.pop().continue_()
    expect(row.get_by_role("alert")).to_have_text("本文を入力してください。")
    (one,) = [one for one in takahashi.call("GET", "/api/me/scheduled")["items"] if one["id"] == waits["id"]]
    assert one["blocks"][0]["text"] == "明朝集合です。"
    takahashi.call("DELETE", f"/api/scheduled/{waits['id']}")
