"""What is done with a message: answering, reacting, editing, taking back, pinning; and the way to it by a link."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import expect

from tests.browser.conftest import PHONE, Enter, Hand, Person, Stage
from tests.browser.device import copied


def act(person: Person, words: str, name: str) -> None:
    """By the menu of the row with these words, as a keyboard opens it."""
    row = person.said(words).last
    row.focus()
    row.press("Shift+F10")
    person.page.get_by_role("menu").get_by_role("menuitem", name=name, exact=True).click()


def test_answering_and_reacting(enter: Enter, hand: Callable[..., Hand], stage: Stage, room_name: str) -> None:
    takahashi, tanaka = hand("takahashi"), hand("tanaka")
    room = takahashi.room(room_name, stage.facts["people"]["tanaka"])
    takahashi.post(room, "倒木です。片側をふさいでいます。")
    desk, phone = enter("tanaka"), enter("takahashi", viewport=PHONE, is_mobile=True, has_touch=True)
    desk.open(room_name)
    phone.open(room_name)
    row = desk.said("倒木です。")
    # At the desk, under the pointer.
    row.hover()
    row.get_by_role("button", name="返信").click()
    strip = desk.page.get_by_role("group", name="返信")
    expect(strip).to_contain_text("倒木です。片側をふさいでいます。")
    expect(desk.field).to_be_focused()
    strip.get_by_role("button", name="返信をやめる").click()
    expect(strip).to_have_count(0)
    act(desk, "倒木です。", "返信")
    desk.page.reload()
    expect(strip).to_contain_text("倒木です。")
    desk.write("通行止めにします。")
    expect(strip).to_have_count(0)
    expect(phone.said("通行止めにします。").locator("blockquote")).to_contain_text("倒木です。")
    assert tanaka.messages(room)[-1]["quote"]["id"] == tanaka.messages(room)[0]["id"]
    # On the phone, a thumb that rests opens the sheet, and the quick words are in it.
    answer = phone.said("通行止めにします。")
    rest(phone, answer)
    sheet = phone.page.get_by_role("menu")
    box = sheet.bounding_box()
    assert box is not None
    assert (box["x"], box["width"]) == (0, 390)
    assert box["y"] + box["height"] == 844
    sheet.get_by_role("menuitemcheckbox", name="承知しました").click()
    expect(sheet).to_have_count(0)
    reaction = desk.said("通行止めにします。").get_by_role("button", name="承知しました")
    expect(reaction).to_have_text("承知しました 1")
    reaction.hover()
    expect(desk.page.get_by_role("tooltip")).to_have_text("高橋 健")
    reaction.click()
    expect(reaction).to_have_text("承知しました 2")
    expect(reaction).to_have_attribute("aria-pressed", "true")
    reaction.click()
    expect(reaction).to_have_text("承知しました 1")
    desk.said("通行止めにします。").hover()
    desk.said("通行止めにします。").get_by_role("button", name="リアクション", exact=True).click()
    picker = desk.page.get_by_role("dialog", name="リアクションを選ぶ")
    picker.get_by_role("button", name="まる").click()
    expect(answer.get_by_role("list", name="リアクション")).to_contain_text("○ 1")
    # Rows by keys, and back to where one was.
    last = desk.said("通行止めにします。")
    last.focus()
    last.press("k")
    expect(row.first).to_be_focused()
    row.first.press("ArrowDown")
    expect(last).to_be_focused()
    last.press("Enter")
    desk.page.keyboard.press("Escape")
    expect(last).to_be_focused()


def rest(person: Person, row: Any) -> None:
    """A thumb that stays on a row."""
    box = row.bounding_box()
    point = {"x": box["x"] + 80, "y": box["y"] + box["height"] - 12}
    touch = person.page.context.new_cdp_session(person.page)
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [point]})
    person.page.get_by_role("menu").wait_for()
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_editing_and_two_devices_at_once(enter: Enter, hand: Callable[..., Hand], room_name: str) -> None:
    takahashi = hand("takahashi")
    room = takahashi.room(room_name)
    first, second = enter("takahashi"), enter("takahashi")
    first.open(room_name)
    second.open(room_name)
    first.write("9時から通行止めです。")
    expect(second.said("9時から通行止めです。")).to_have_count(1)
    first.field.fill("書きかけ")
    act(first, "9時から", "編集")
    expect(first.field).to_have_value("9時から通行止めです。")
    first.field.press("Escape")
    expect(first.field).to_have_value("書きかけ")
    first.field.fill("")
    # ↑ in an empty field, and the other device is faster.
    first.field.press("ArrowUp")
    expect(first.page.get_by_role("group", name="編集中")).to_be_visible()
    first.field.fill("10時から通行止めです。")
    second.field.press("ArrowUp")
    second.field.fill("11時から通行止めです。")
    second.page.get_by_role("button", name="保存").click()
    expect(first.said("11時から通行止めです。")).to_contain_text("編集済み")
    first.field.press("Control+Enter")
    alert = first.page.locator(".composer").get_by_role("alert").filter(has_text="別の端末で先に編集されています")
    expect(alert).to_contain_text("11時から通行止めです。")
    expect(first.field).to_have_value("10時から通行止めです。")
    alert.get_by_role("button", name="現在の内容に戻す").click()
    expect(first.field).to_have_value("11時から通行止めです。")
    first.field.fill("10時30分から通行止めです。")
    alert.get_by_role("button", name="入力した文で置き換える").click()
    expect(second.said("10時30分から通行止めです。")).to_have_count(1)
    expect(first.field).to_have_value("")
    assert [message["version"] for message in takahashi.messages(room)] == [3]


def test_taking_back(enter: Enter, hand: Callable[..., Hand], stage: Stage, room_name: str) -> None:
    takahashi = hand("takahashi")
    room = takahashi.room(room_name, stage.facts["people"]["tanaka"])
    hand("tanaka").post(room, "別の部屋に書くつもりでした。")
    takahashi.post(room, "宛先を間違えました。")
    desk, member = enter("takahashi"), enter("tanaka")
    desk.open(room_name)
    member.open(room_name)
    act(desk, "宛先を間違えました。", "送信取消")
    question = desk.page.get_by_role("dialog", name="送信取消")
    expect(question).to_contain_text("宛先を間違えました。")
    question.get_by_role("button", name="やめる").click()
    expect(question).to_have_count(0)
    act(desk, "宛先を間違えました。", "送信取消")
    question.get_by_role("button", name="送信を取り消す").click()
    expect(member.said("このメッセージは削除されました")).to_have_count(1)
    expect(desk.page.get_by_role("status").filter(has_text="送信を取り消しました。")).to_have_count(1)
    # An owner may remove what others wrote; a member may not.
    row = member.said("別の部屋に")
    row.focus()
    row.press("Shift+F10")
    items = member.page.get_by_role("menu").get_by_role("menuitem")
    expect(items.filter(has_text="送信取消")).to_have_count(1)
    expect(items.filter(has_text="削除")).to_have_count(0)
    act(desk, "別の部屋に", "削除")
    deletion = desk.page.get_by_role("dialog", name="メッセージの削除")
    expect(deletion).to_contain_text("田中 美咲さんのメッセージです。")
    deletion.get_by_role("button", name="削除する").click()
    expect(member.said("このメッセージは削除されました")).to_have_count(2)
    assert all("text" not in message for message in takahashi.messages(room))


def test_pins_bookmarks_and_links(enter: Enter, hand: Callable[..., Hand], stage: Stage, room_name: str) -> None:
    takahashi = hand("takahashi")
    room = takahashi.room(room_name, stage.facts["people"]["tanaka"])
    takahashi.post(room, "通行止めの一覧です。")
    for number in range(40):
        takahashi.post(room, f"見回り{number}件目。異常はありません。")
    desk = enter("tanaka", permissions=["clipboard-read", "clipboard-write"])
    other = enter("takahashi", viewport=PHONE)
    desk.open(room_name)
    desk.log.press("Home")
    pane = desk.details("ピン留め")
    expect(pane).to_contain_text("ピン留めはまだありません。")
    other.open(room_name)
    pinned = hand("takahashi").messages(room)[0]
    act(desk, "通行止めの一覧です。", "ピン留め")
    expect(pane.locator("[data-pin]")).to_contain_text("通行止めの一覧です。")
    expect(desk.said("通行止めの一覧です。")).to_contain_text("ピン留め")
    # On the phone the panel lies over the room, and the way to the message uncovers it.
    on_phone = other.details("ピン留め")
    on_phone.get_by_role("button", name="高橋 健のメッセージへ").click()
    expect(on_phone).to_have_count(0)
    expect(other.said("通行止めの一覧です。")).to_be_in_viewport()
    expect(other.said("通行止めの一覧です。")).to_be_focused()
    act(desk, "通行止めの一覧です。", "ブックマークに追加")
    expect(desk.page.get_by_role("status").filter(has_text="ブックマークに追加しました。")).to_have_count(1)
    assert [one["message"]["id"] for one in hand("tanaka").call("GET", "/api/me/bookmarks")["items"]] == [pinned["id"]]
    act(desk, "通行止めの一覧です。", "ブックマークから外す")
    pane.get_by_role("button", name="高橋 健のメッセージのピン留めを外す").click()
    expect(pane.locator("[data-pin]")).to_have_count(0)
    act(desk, "通行止めの一覧です。", "リンクをコピー")
    link = copied(desk.page, rf"#/rooms/{room}\?message=\d+$")
    other.open_link(link)
    expect(other.said("通行止めの一覧です。")).to_be_in_viewport()
    act(desk, "通行止めの一覧です。", "文字をコピー")
    copied(desk.page, "^通行止めの一覧です。$")
