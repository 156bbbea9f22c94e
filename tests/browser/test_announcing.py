"""Announcements: posted with a level, on top of everybody's page until they are read, and how far they have come."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.conftest import PHONE, Enter, Hand, Stage
from tests.browser.test_access import check

ROOM = "全庁のお知らせ"


def test_what_is_urgent_comes_first_and_goes_when_read(enter: Enter, hand: Callable[..., Hand], stage: Stage) -> None:
    author, desk, phone = enter("sato"), enter("takahashi"), enter("tanaka", viewport=PHONE)
    author.open(ROOM)
    levels = author.page.get_by_role("group", name="お知らせの重要度")
    levels.get_by_role("button", name="重要").click()
    author.write("明日の午前、庁舎の停電があります。")
    expect(author.said("庁舎の停電")).to_contain_text("重要")
    # Back to the lowest, so that nothing is urgent by oversight.
    expect(levels.get_by_role("button", name="お知らせ")).to_have_attribute("aria-pressed", "true")
    bar = desk.page.get_by_role("region", name="未読のお知らせ")
    expect(bar.get_by_role("status")).to_contain_text("庁舎の停電")
    expect(bar.get_by_role("alert").first).to_be_empty()
    levels.get_by_role("button", name="緊急").click()
    author.write("市役所前の道路が冠水しています。")
    expect(bar.get_by_role("alert").first).to_contain_text("道路が冠水")
    expect(bar.get_by_role("listitem")).to_have_count(1)
    bar.get_by_role("button", name="ほか1件").click()
    expect(bar.get_by_role("listitem")).to_contain_text(["道路が冠水", "庁舎の停電"])

    urgent = phone.page.get_by_role("region", name="未読のお知らせ")
    expect(urgent.get_by_role("listitem")).to_contain_text("道路が冠水")
    check(phone.page, 7.0)
    urgent.get_by_role("button", name=f"{ROOM}の緊急を開く").click()
    expect(phone.said("道路が冠水")).to_be_in_viewport()
    expect(phone.said("道路が冠水")).to_contain_text("緊急")
    expect(urgent.get_by_role("listitem")).to_have_count(0)

    count = author.said("道路が冠水").get_by_role("button", name="既読")
    expect(count).to_have_text("既読 1/2")
    count.click()
    rollup = author.page.get_by_role("dialog", name="既読")
    department = rollup.get_by_role("listitem").filter(has_text="道路課 管理係")
    expect(department).to_contain_text("1/1")
    expect(rollup.get_by_role("listitem").filter(has_text="道路課 維持係")).to_contain_text("0/1")
    expect(rollup).not_to_contain_text("高橋 健")
    check(author.page, 4.5)
    rollup.get_by_role("button", name="お名前を見る").click()
    expect(rollup).to_contain_text("高橋 健")

    bar.get_by_role("button", name=f"{ROOM}の重要を開く").click()
    expect(desk.said("庁舎の停電")).to_be_in_viewport()
    expect(bar.get_by_role("listitem")).to_have_count(0)


def test_whoever_may_not_be_urgent_is_offered_less(
    enter: Enter, hand: Callable[..., Hand], stage: Stage, room_name: str
) -> None:
    sato, people = hand("sato"), stage.facts["people"]
    made = sato.call(
        "POST", "/api/rooms", {"kind": "announcement", "name": room_name, "members": [people["takahashi"]]}
    )
    sato.call("PATCH", f"/api/rooms/{made['id']}/members/{people['takahashi']}", {"role": "owner"})
    desk = enter("takahashi")
    desk.open(room_name)
    levels = desk.page.get_by_role("group", name="お知らせの重要度")
    expect(levels.get_by_role("button")).to_have_text(["お知らせ", "重要"])
    levels.get_by_role("button", name="重要").click()
    desk.write("断水します。")
    expect(desk.said("断水します。")).to_contain_text("重要")
