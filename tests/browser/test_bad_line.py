"""What was written arrives once, whatever the line and the server go through."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.conftest import PHONE, Enter, Hand, Stage
from tests.browser.device import kept, page_is_kept, stored
from tests.browser.line import Line
from tests.browser.photos import photo
from tests.browser.process import Server

RECONNECTED = 40_000
"""A half-open connection is given up 10 s after asking, a dial after 15 s."""


def texts(hand: Hand, room: str) -> list[str]:
    """What was written, without the plain text's words for photos."""
    return [message["blocks"][0]["text"] for message in hand.messages(room)]


def test_an_ack_lost_on_the_way_makes_one_message(
    enter: Enter, hand: Callable[..., Hand], line: Line, room_name: str
) -> None:
    takahashi = hand("takahashi")
    room = takahashi.room(room_name)
    phone = enter("takahashi", base=line.base, viewport=PHONE)
    phone.open(room_name)
    expect(phone.log).to_contain_text("まだメッセージはありません")
    line.do(lambda proxy: proxy.cut_after(down=0))
    phone.write("一度だけ届くはずです。")
    line.do(lambda proxy: proxy.was_cut())
    expect(phone.said("一度だけ届くはずです。")).to_have_count(1)
    expect(phone.waiting()).to_have_count(0)
    assert texts(takahashi, room) == ["一度だけ届くはずです。"]


def test_a_half_open_line_is_found_and_nothing_is_lost_or_doubled(
    enter: Enter, hand: Callable[..., Hand], line: Line, stage: Stage, room_name: str
) -> None:
    takahashi = hand("takahashi")
    room = takahashi.room(room_name, stage.facts["people"]["tanaka"])
    desk = enter("tanaka", base=line.base)
    desk.open(room_name)
    takahashi.post(room, "切れる前")
    expect(desk.said("切れる前")).to_have_count(1)
    line.do(lambda proxy: proxy.stall())
    for number in range(3):
        takahashi.post(room, f"切れている間 {number}")
    desk.write("こちらからも")
    expect(desk.waiting()).to_contain_text("送信しています")
    desk.page.evaluate("dispatchEvent(new Event('online'))")
    notice = desk.page.locator("main [data-connection]")
    expect(notice).to_contain_text("サーバーにつながりません。自動で接続し直します。", timeout=RECONNECTED)
    expect(desk.waiting()).to_contain_text("送信待ち・つながると自動で再開します")
    line.do(lambda proxy: proxy.flow())
    expect(desk.said("こちらからも")).to_have_count(1, timeout=RECONNECTED)
    expect(desk.waiting()).to_have_count(0)
    expect(notice).to_be_empty()
    for number in range(3):
        expect(desk.said(f"切れている間 {number}")).to_have_count(1)
    assert sorted(texts(takahashi, room)) == sorted(
        ["切れる前", *(f"切れている間 {number}" for number in range(3)), "こちらからも"]
    )


def test_offline_is_told_in_words_and_ends_by_itself(
    enter: Enter, hand: Callable[..., Hand], stage: Stage, room_name: str
) -> None:
    takahashi = hand("takahashi")
    room = takahashi.room(room_name, stage.facts["people"]["tanaka"])
    desk = enter("tanaka")
    desk.open(room_name)
    desk.page.context.set_offline(True)
    notice = desk.page.locator("main [data-connection]")
    expect(notice).to_have_text("この端末はネットワークにつながっていません。つながると自動で再開します。")
    desk.write("圏外で書きました。")
    takahashi.post(room, "その間に届きました。")
    expect(desk.waiting()).to_have_count(1)
    desk.page.context.set_offline(False)
    expect(desk.said("圏外で書きました。")).to_have_count(1, timeout=RECONNECTED)
    expect(desk.said("その間に届きました。")).to_have_count(1)
    expect(notice).to_be_empty()
    assert sorted(texts(takahashi, room)) == ["その間に届きました。", "圏外で書きました。"]


def test_photos_on_a_weak_signal_say_how_far_they_are_and_resume(
    enter: Enter, hand: Callable[..., Hand], line: Line, room_name: str
) -> None:
    takahashi = hand("takahashi")
    room = takahashi.room(room_name)
    phone = enter("takahashi", base=line.base, viewport=PHONE)
    phone.open(room_name)
    line.do(lambda proxy: proxy.throttle(1_000_000))
    phone.attach([photo(number, 2400, 1800, grain=True) for number in range(3)])
    phone.write("電波の弱い場所から")
    # The kernel takes a photo faster than the line: then it is the arrival that is waited for.
    expect(phone.waiting()).to_contain_text(re.compile("写真(を送って|の到着を確認して)います [123]枚目/3枚"))
    line.do(lambda proxy: proxy.passed(up=600_000))
    line.do(lambda proxy: proxy.refuse())
    line.do(lambda proxy: proxy.drop())
    expect(phone.waiting()).to_contain_text("送信待ち 写真3枚・つながると自動で再開します")
    line.do(lambda proxy: proxy.throttle(None))
    line.do(lambda proxy: proxy.accept())
    expect(phone.said("電波の弱い場所から").locator("img.here")).to_have_count(3, timeout=RECONNECTED)
    (sent,) = takahashi.messages(room)
    assert [attachment["name"] for attachment in sent["attachments"]] == ["現場1.jpg", "現場2.jpg", "現場3.jpg"]


def test_what_waits_survives_closing_the_page(
    enter: Enter, hand: Callable[..., Hand], line: Line, room_name: str
) -> None:
    takahashi = hand("takahashi")
    room = takahashi.room(room_name)
    phone = enter("takahashi", base=line.base, viewport=PHONE)
    phone.open(room_name)
    line.do(lambda proxy: proxy.stall())
    phone.attach([photo(0), photo(1)])
    phone.write("閉じても残ります。")
    expect(phone.waiting()).to_have_count(1)
    # Stored before the page is closed: that is what the person relies on.
    stored(phone.page, 1)
    page = phone.page.context.new_page()
    phone.page.close()
    line.do(lambda proxy: proxy.drop())
    line.do(lambda proxy: proxy.flow())
    phone.page = page
    phone.page.goto("/")
    phone.open(room_name)
    expect(phone.said("閉じても残ります。").locator("img.here")).to_have_count(2, timeout=RECONNECTED)
    (sent,) = takahashi.messages(room)
    assert len(sent["attachments"]) == 2


def test_a_killed_server_loses_and_doubles_nothing(
    enter: Enter, hand: Callable[..., Hand], own_server: Server, room_name: str
) -> None:
    takahashi = hand("takahashi", own_server.base)
    room = takahashi.room(room_name)
    phone = enter("takahashi", base=own_server.base, viewport=PHONE)
    phone.open(room_name)
    phone.write("止まる前に書きました。")
    expect(phone.said("止まる前に書きました。")).to_have_count(1)
    phone.attach([photo(number) for number in range(3)])
    phone.write("送っている途中で止まります。")
    own_server.kill()
    phone.write("止まっている間に書きました。")
    expect(phone.page.locator("main [data-connection]")).to_contain_text("サーバーにつながりません")
    own_server.start()
    expect(phone.said("止まっている間に書きました。")).to_have_count(1, timeout=RECONNECTED)
    expect(phone.waiting()).to_have_count(0, timeout=RECONNECTED)
    expect(phone.said("送っている途中で止まります。").locator("img.here")).to_have_count(3)
    assert texts(takahashi, room) == [
        "止まる前に書きました。",
        "送っている途中で止まります。",
        "止まっている間に書きました。",
    ]


def test_all_that_waits_stands_in_one_place_and_survives_everything(
    enter: Enter, hand: Callable[..., Hand], own_server: Server, stage: Stage, room_name: str
) -> None:
    takahashi = hand("takahashi", own_server.base)
    rooms = {name: takahashi.room(name) for name in (f"{room_name} 南", f"{room_name} 北")}
    phone = enter("takahashi", base=own_server.base, viewport=PHONE, service_workers="allow")
    page_is_kept(phone.page)
    kept(phone.page, "list")
    own_server.kill()
    for number, name in enumerate(rooms):
        if number > 0:
            phone.page.get_by_role("button", name="トークルーム一覧へ戻る").click()
        phone.open(name)
        phone.attach([photo(number, 320, 240)])
        phone.write(f"{name}の写真です。")
        phone.write(f"{name}の続きです。")
    stored(phone.page, 4)
    phone.page.locator("main").get_by_role("button", name="送信待ち4件を見る").click()
    queue = phone.page.get_by_role("list", name="送信待ち", exact=True).get_by_role("listitem")
    expect(queue).to_have_count(4)
    for place, name in enumerate(name for name in rooms for _ in range(2)):
        expect(queue.nth(place)).to_contain_text(name)
    expect(queue.first).to_contain_text("送信待ち 写真1枚・つながると自動で再開します")
    # The browser's promise, or that there is none, is told in words.
    expect(phone.page.get_by_role("group", name="送信待ち").get_by_text("このブラウザーは、")).to_be_visible()

    # Closed with a full queue, and the server is still gone.
    page = phone.page.context.new_page()
    phone.page.close()
    phone.page = page
    page.goto("/#/queue")
    queue = page.get_by_role("list", name="送信待ち", exact=True).get_by_role("listitem")
    expect(queue).to_have_count(4)
    queue.last.get_by_role("button", name="取り消す").click()
    queue.last.get_by_role("button", name="取り消す", exact=True).click()
    expect(queue).to_have_count(3)
    own_server.start()
    expect(page.get_by_text("送信待ちのものはありません。")).to_be_visible(timeout=RECONNECTED)
    expect(page.get_by_role("list", name="送信済み").get_by_role("listitem")).to_have_count(3)
    said = [texts(takahashi, room) for room in rooms.values()]
    south, north = rooms
    assert said == [[f"{south}の写真です。", f"{south}の続きです。"], [f"{north}の写真です。"]]
