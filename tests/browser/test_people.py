"""The directory, a person's card, and who is in a room: invited, given a role, taken out."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import expect

from tests.browser.conftest import PHONE, Enter, Hand, Stage
from tests.browser.test_layout import small_targets, sticks_out

SCRIPT = "<script>alert(1)</script>"


def test_people_are_found_by_department_reading_and_login_and_spoken_to(
    enter: Enter, hand: Callable[..., Hand], stage: Stage, room_name: str
) -> None:
    admin = hand("sato")
    admin.call("PATCH", f"/api/people/{stage.facts['people']['tanaka']}", {"reading": "たなか みさき"})
    login = f"kari{room_name.split()[1]}"
    admin.call("POST", "/api/people", {"login": login, "name": f"仮 {SCRIPT}", "reading": "かり たろう"})
    desk = enter("takahashi")
    page = desk.page
    page.get_by_role("button", name="名簿").click()
    tree = page.get_by_role("tree", name="所属")
    section = tree.get_by_role("treeitem", name="道路課 管理係")
    expect(section).to_contain_text("1人")
    people = page.get_by_role("group", name="人の一覧")
    section.click()
    expect(people.get_by_role("button")).to_have_count(1)
    expect(people).to_contain_text("田中 美咲")
    # By keyboard to everybody again.
    section.press("Home")
    page.keyboard.press("Enter")
    field = page.get_by_role("searchbox", name="名前、ふりがな")
    field.fill("タナカ")
    expect(people.get_by_role("button")).to_have_count(1)
    field.fill(login)
    expect(people.get_by_role("button")).to_have_text([f"仮 {SCRIPT}かり たろう"])
    field.fill("みさき")
    expect(people.get_by_role("button")).to_have_count(1)
    # Who comes is seen to come.
    expect(people).not_to_contain_text("オンライン")
    colleague = enter("tanaka")
    expect(people).to_contain_text("オンライン")
    people.get_by_role("button").click()
    card = page.get_by_role("dialog", name="田中 美咲")
    expect(card).to_contain_text("道路課 管理係 係長本務")
    expect(card).to_contain_text("たなか みさき")
    card.get_by_role("button", name="個人トークを開く").click()
    expect(page.get_by_role("heading", name="田中 美咲", level=1)).to_be_visible()
    desk.write("個人的にお願いします。")
    colleague.page.get_by_role("link", name=re.compile("^高橋 健")).click()
    # The author's name in the timeline leads to the card, too.
    expect(colleague.said("個人的にお願いします。").last).to_be_visible()
    colleague.log.locator("article:not(.continued) [data-person]").filter(has_text="高橋 健").last.click()
    author = colleague.page.get_by_role("dialog", name="高橋 健")
    expect(author).to_contain_text("道路課 維持係")
    author.get_by_role("button", name="この人の発言を探す").click()
    expect(colleague.page.get_by_role("button", name="高橋 健の指定をやめる")).to_be_visible()

    phone = enter("takahashi", viewport={"width": 320, "height": 640}, is_mobile=True, has_touch=True)
    phone.page.get_by_role("button", name="名簿").click()
    chooser = phone.page.get_by_role("combobox", name="所属を選ぶ")
    chooser.select_option(label="道路課 管理係 (1人)")
    expect(phone.page.get_by_role("group", name="人の一覧").get_by_role("button")).to_have_count(1)
    assert small_targets(phone.page) == []
    assert sticks_out(phone.page) == []


def test_members_are_invited_given_a_role_and_taken_out(
    enter: Enter, hand: Callable[..., Hand], stage: Stage, room_name: str
) -> None:
    admin = hand("sato")
    number = room_name.split()[1]
    crowd = [
        admin.call("POST", "/api/people", {"login": f"kumi{number}-{one}", "name": f"組 {one}号", "reading": "くみ"})[
            "id"
        ]
        for one in range(12)
    ]
    room = hand("takahashi").room(room_name, *crowd)
    desk = enter("takahashi")
    desk.open(room_name)
    pane = desk.details("メンバー")
    expect(pane.get_by_text("組 11号")).to_be_visible()
    pane.get_by_role("button", name="招待する").click()
    dialog: Any = desk.page.get_by_role("dialog", name="メンバーを招待する")
    expect(dialog.get_by_role("combobox", name="招待する人")).to_be_focused()
    dialog.get_by_role("button", name="招待する").click()
    expect(dialog.get_by_role("alert")).to_have_text("招待する人を選んでください。")
    # A whole department, and somebody by name.
    dialog.get_by_label("所属ごとに加える").select_option(label="道路課 管理係 (1人)")
    dialog.get_by_role("button", name="この所属の全員を加える").click()
    dialog.get_by_role("combobox", name="招待する人").fill("佐藤 一")
    dialog.get_by_role("option", name="佐藤 一").click()
    expect(dialog.get_by_role("list", name="選んだ人").get_by_role("listitem")).to_have_count(2)
    dialog.get_by_role("button", name="2人を招待する").click()
    expect(pane.get_by_text("田中 美咲")).to_be_visible()
    guest = enter("tanaka", viewport=PHONE, is_mobile=True, has_touch=True)
    guest.open(room_name)
    expect(guest.field).to_be_visible()
    # Found among the many by the server, given a role, and taken out after a question.
    pane.get_by_role("searchbox").fill("田中")
    expect(pane.get_by_text("組 11号")).to_have_count(0)
    pane.get_by_role("button", name="田中 美咲の権限").click()
    acts = desk.page.get_by_role("dialog", name="田中 美咲の権限")
    acts.get_by_role("radio", name="閲覧のみ").check()
    acts.get_by_role("button", name="保存する").click()
    expect(pane.get_by_text("閲覧のみ")).to_be_visible()
    expect(guest.page.get_by_text("このトークルームでは閲覧のみできます。")).to_be_visible()
    pane.get_by_role("button", name="設定").click()
    settings = desk.page.get_by_role("dialog", name="トークルームの設定")
    settings.get_by_label("名前", exact=True).fill(f"{room_name} {SCRIPT}")
    settings.get_by_label("よみ").fill("シケンシツ")
    settings.get_by_role("button", name="保存する").click()
    expect(settings.get_by_role("status")).to_have_text("保存しました。")
    expect(settings.get_by_label("よみ")).to_have_value("しけんしつ")
    settings.get_by_role("button", name="閉じる").click()
    expect(guest.page.get_by_role("heading", name=f"{room_name} {SCRIPT}", level=1)).to_be_visible()
    assert hand("takahashi").call("GET", f"/api/rooms/{room}")["reading"] == "しけんしつ"
    assert small_targets(guest.page) == []
    pane.get_by_role("button", name="田中 美咲の権限").click()
    acts.get_by_role("button", name="トークルームから外す").click()
    expect(acts).to_contain_text("田中 美咲さんをこのトークルームから外しますか。")
    acts.get_by_role("button", name="外す", exact=True).click()
    expect(pane.get_by_text("田中 美咲")).to_have_count(0)
    expect(guest.log).to_have_count(0)
    assert hand("takahashi").call("GET", f"/api/rooms/{room}")["members"] == 14
