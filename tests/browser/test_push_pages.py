"""The pages about being rung: how one wants it, what a room's choice does to it, and why somebody's phone stayed silent."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import violations
from tests.browser.conftest import DESK, PHONE, Enter, Hand, Stage
from tests.browser.process import Server
from tests.browser.test_layout import sticks_out
from tests.browser.test_settings import enter_anew, newcomer

WHOLE_BROWSER = True


def kept(hand: Hand) -> Any:
    return hand.call("GET", "/api/me/notifications")


def save(page: Page) -> None:
    page.get_by_role("button", name="保存する").click()


def test_how_one_is_rung_is_kept_for_all_devices(enter: Enter, hand: Callable[..., Hand], stage: Stage) -> None:
    login = newcomer(hand, stage)
    page = enter_anew(enter, login, stage.facts["password"], timezone_id="Europe/Berlin").page
    page.goto("/#/settings/notifications")
    page.get_by_role("link", name="端末を鳴らす").last.click()
    expect(page.get_by_text("ログインしているすべての端末に共通です")).to_be_visible()
    expect(page.get_by_role("button", name="保存する")).to_be_disabled()
    page.get_by_label("すべてのメッセージ", exact=True).check()
    page.get_by_label("休み(緊急のお知らせのほかは鳴りません)").check()
    page.get_by_label("毎日、時間を決めて鳴らさない").check()
    page.get_by_label("始まり").fill("21:30")
    page.get_by_label("終わり").fill("06:15")
    expect(page.get_by_text("時刻の地域はEurope/Berlinです。")).to_be_visible()
    expect(page.get_by_text("保存していない変更があります。")).to_be_visible()
    assert kept(hand(login))["push"] == "mentions_and_direct", "nothing is kept before it is saved"
    save(page)
    expect(page.get_by_role("status").filter(has_text="保存しました。")).to_be_visible()
    assert kept(hand(login)) == {
        "push": "all", "duty": "off", "quiet": {"from": "21:30", "to": "06:15"}, "time_zone": "Europe/Berlin", "rooms": [],
    }  # fmt: skip

    # Another device, elsewhere: the same, and the clock may be either one's.
    other = enter_anew(enter, login, stage.facts["password"]).page
    other.goto("/#/settings/ringing")
    expect(other.get_by_label("すべてのメッセージ", exact=True)).to_be_checked()
    expect(other.get_by_label("始まり")).to_have_value("21:30")
    other.get_by_label("時刻の地域").select_option("Asia/Tokyo")
    other.get_by_label("勤務中・当番").check()
    save(other)
    expect(other.get_by_role("status").filter(has_text="保存しました。")).to_be_visible()
    assert (kept(hand(login))["time_zone"], kept(hand(login))["duty"]) == ("Asia/Tokyo", "on")


def test_what_cannot_be_kept_is_said_at_its_field(enter: Enter, hand: Callable[..., Hand], stage: Stage) -> None:
    login = newcomer(hand, stage)
    page = enter_anew(enter, login, stage.facts["password"]).page
    page.goto("/#/settings/ringing")
    page.get_by_label("鳴らさない", exact=True).check()
    page.get_by_label("毎日、時間を決めて鳴らさない").check()
    page.get_by_label("始まり").fill("07:00")
    page.get_by_label("終わり").fill("07:00")
    save(page)
    expect(page.get_by_role("alert").filter(has_text="違う時刻")).to_be_visible()
    expect(page.get_by_label("終わり")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("終わり").fill("08:00")
    page.context.set_offline(True)
    save(page)
    expect(page.get_by_role("alert").filter(has_text="サーバーにつながりません")).to_be_visible()
    expect(page.get_by_text("保存していない変更があります。")).to_be_visible()
    assert (kept(hand(login))["push"], kept(hand(login))["quiet"]) == ("mentions_and_direct", None)
    page.context.set_offline(False)
    save(page)
    expect(page.get_by_role("status").filter(has_text="保存しました。")).to_be_visible()
    assert kept(hand(login))["quiet"] == {"from": "07:00", "to": "08:00"}


def test_a_rooms_choice_is_the_phones_too_and_is_taken_back(
    enter: Enter, hand: Callable[..., Hand], stage: Stage, room_name: str
) -> None:
    takahashi = hand("takahashi")
    room = takahashi.room(room_name, stage.facts["people"]["tanaka"])
    desk = enter("takahashi")
    desk.open(room_name)
    pane = desk.details("メンバー")
    expect(pane.locator("[data-rings=usual]")).to_be_visible()
    pane.get_by_role("button", name="しない", exact=True).click()
    expect(pane.get_by_text("スマートフォンなどは鳴りません。")).to_be_visible()
    expect(pane.get_by_role("button", name="しない", exact=True)).to_have_attribute("aria-pressed", "true")
    assert {"room": room, "level": "none"} in kept(takahashi)["rooms"]

    # What a phone said of the room is what the desk shows.
    takahashi.call("PUT", f"/api/rooms/{room}/notifications", {"level": "all"})
    desk.page.reload()
    # The pane is open again by itself.
    expect(pane.locator("[data-rings=all]")).to_be_visible()

    desk.page.goto("/#/settings/ringing")
    row = (
        desk.page.get_by_role("list", name="ふだんと違うトークルーム")
        .get_by_role("listitem")
        .filter(has_text=room_name)
    )
    expect(row).to_contain_text("すべてのメッセージで鳴ります")
    row.get_by_role("button", name="ふだんどおりに戻す").click()
    expect(desk.page.get_by_role("status").filter(has_text="ふだんどおりに戻しました。")).to_be_visible()
    expect(row).to_have_count(0)
    assert room not in [one["room"] for one in kept(takahashi)["rooms"]]
    assert takahashi.call("GET", f"/api/rooms/{room}")["involvement"] == "everything"


def test_a_rooms_choice_that_the_server_did_not_take_is_none(
    enter: Enter, hand: Callable[..., Hand], stage: Stage, room_name: str
) -> None:
    takahashi = hand("takahashi")
    room = takahashi.room(room_name, stage.facts["people"]["tanaka"])
    desk = enter("takahashi")
    desk.open(room_name)
    pane = desk.details("メンバー")
    expect(pane.locator("[data-rings=usual]")).to_be_visible()
    desk.page.route("**/notifications", lambda route: route.abort())
    pane.get_by_role("button", name="しない", exact=True).click()
    expect(pane.get_by_role("alert").filter(has_text="変更できませんでした。")).to_be_visible()
    expect(pane.get_by_role("button", name="すべて", exact=True)).to_have_attribute("aria-pressed", "true")
    assert room not in [one["room"] for one in kept(takahashi)["rooms"]]
    assert takahashi.call("GET", f"/api/rooms/{room}")["involvement"] == "everything"


@pytest.fixture
def pushing(stage: Stage, tmp_path: Path) -> Iterator[tuple[Server, str]]:
    """A server that pushes to a push service which does not answer; and an address there."""
    with socket.socket() as bound:  # taken, and nobody listens
        bound.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{bound.getsockname()[1]}"
        settings = f'push = "direct"\npush_contact = "mailto:it@city.example"\npush_unified_hosts = ["{place}"]\npush_private_hosts = ["{place}"]\n'
        with Server(stage.copy_to(tmp_path / "data"), settings=settings) as server:
            yield server, f"https://{place}/phone?up=1"


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
def test_an_administrator_reads_why_nothing_rang(
    enter: Enter, hand: Callable[..., Hand], stage: Stage, pushing: tuple[Server, str], viewport: Any
) -> None:
    server, address = pushing
    tanaka, takahashi = hand("tanaka", server.base), hand("takahashi", server.base)
    tanaka.call("PUT", "/api/devices/me/push", {"platform": "unified", "token": address})
    room = takahashi.room("橋りょう点検", stage.facts["people"]["tanaka"])
    called = takahashi.post(room, f"<@user:{stage.facts['people']['tanaka']}> 写真をお願いします。")
    takahashi.post(room, "点検の予定です。")

    writer = enter("takahashi", base=server.base, permissions=["clipboard-read", "clipboard-write"])
    writer.open("橋りょう点検")
    writer.said("写真をお願いします。").hover()
    writer.said("写真をお願いします。").get_by_role("button", name=re.compile("のメッセージの操作$")).click()
    writer.page.get_by_role("menuitem", name="リンクをコピー").click()
    expect(writer.page.get_by_text("メッセージへのリンクをコピーしました。")).to_be_visible()
    link = writer.page.evaluate("navigator.clipboard.readText()")

    # sato is not in that room.
    page = enter("sato", base=server.base, viewport=viewport).page
    page.goto("/#/admin/silence")
    expect(page.get_by_text("監査記録に残ります")).to_be_visible()
    ask = page.get_by_role("button", name="調べる")
    ask.click()
    expect(page.get_by_role("alert").filter(has_text="人を選んでください。")).to_be_visible()
    page.get_by_label("鳴らなかった人").fill("田中")
    page.get_by_role("button", name=re.compile("田中 美咲")).click()
    field = page.get_by_label("メッセージのリンク")
    field.fill("https://example.com/")
    ask.click()
    expect(page.get_by_role("alert").filter(has_text="メッセージのリンクではないようです。")).to_be_visible()
    field.fill(link)
    ask.click()
    row = page.get_by_role("table", name="端末ごとの結果").get_by_role("row").last
    expect(page.get_by_role("heading", name="田中 美咲 通知しました")).to_be_visible()
    expect(row).to_contain_text("メンションのため")
    while "送信待ち" not in row.inner_text():  # it is tried at this very moment
        ask.click()
        expect(row).to_contain_text("受付")
    expect(row).to_contain_text(re.compile(r"[1-9]回"))
    expect(row).to_contain_text("次の送信")
    assert (violations(page), sticks_out(page)) == ([], [])

    # What was found about one message does not stand beside a question about another.
    field.fill("https://example.com/")
    ask.click()
    expect(page.get_by_role("alert").filter(has_text="メッセージのリンクではないようです。")).to_be_visible()
    expect(page.get_by_role("table")).to_have_count(0)

    # By its id, and one that rang nobody.
    quiet = next(one for one in tanaka.messages(room) if one["seq"] == called["seq"] + 1)
    field.fill(quiet["id"])
    ask.click()
    expect(page.get_by_text("本人宛てのメッセージ、メンション、返信ではないため")).to_be_visible()
    field.fill(f"{server.base}/#/rooms/{room}?message=999")
    ask.click()
    expect(page.get_by_role("alert").filter(has_text="メッセージ")).to_be_visible()
    expect(page.get_by_text("本人宛てのメッセージ、メンション、返信ではないため")).to_have_count(0)
    entries = hand("sato", server.base).call("GET", "/api/audit", params={"act": "push.why"})["items"]
    assert {one["detail"]["message"] for one in entries} == {called["id"], quiet["id"]}
    assert "写真をお願いします" not in page.content()
