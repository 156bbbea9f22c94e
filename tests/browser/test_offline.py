"""What was read stays readable without a line, is replaced when there is one, and goes when it must."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Route, WebSocketRoute, expect

from tests.browser.conftest import PHONE, Enter, Hand, Person, Stage
from tests.browser.device import holds, kept, page_is_kept, rows, stored, until
from tests.browser.photos import photo
from tests.browser.process import Server
from tests.browser.test_live import change

PATROL = "道路パトロール 現場報告"
PIN = "271828"


def test_the_list_the_messages_and_the_pictures_are_there_without_a_server(
    enter: Enter, hand: Callable[..., Hand], own_server: Server, stage: Stage, room_name: str
) -> None:
    takahashi = hand("takahashi", own_server.base)
    room = takahashi.room(room_name, stage.facts["people"]["tanaka"])
    phone = enter("tanaka", base=own_server.base, viewport=PHONE, service_workers="allow")
    page_is_kept(phone.page)
    phone.open(room_name)
    phone.attach([photo(0, 320, 240)])
    phone.write("倒木の写真です。")
    expect(phone.said("倒木の写真です。").locator("img.here")).to_have_count(1)
    kept(phone.page, "list", f"room:{room}", "picture:")
    own_server.kill()

    phone.page.close()
    phone.page = phone.page.context.new_page()
    phone.page.goto("/")
    notice = phone.page.get_by_role("status").filter(has_text="オフラインです。最後に更新: ")
    expect(notice.first).to_be_visible()
    phone.open(room_name)
    expect(phone.page.locator("main").get_by_text("オフラインです。最後に更新: ")).to_be_visible()
    expect(phone.said("倒木の写真です。").locator("img.here")).to_have_count(1)
    phone.write("圏外で書きました。")
    expect(phone.waiting()).to_have_count(1)
    stored(phone.page, 1)

    own_server.start()
    expect(phone.said("圏外で書きました。")).to_have_count(1)
    expect(phone.page.get_by_text("オフラインです。")).to_have_count(0)
    takahashi.post(room, "つながりました。")
    expect(phone.said("つながりました。")).to_have_count(1)
    assert [message["blocks"][0]["text"] for message in takahashi.messages(room)] == [
        "倒木の写真です。",
        "圏外で書きました。",
        "つながりました。",
    ]

    # A question, and then nothing of it is left.
    phone.page.get_by_role("button", name="トークルーム一覧へ戻る").click()
    phone.page.get_by_role("button", name="自分のメニュー").click()
    phone.page.get_by_role("button", name="ログアウト", exact=True).click()
    expect(phone.page.get_by_label("パスワード")).to_be_visible()
    holds(phone.page, "kept", 0)


def test_what_changed_meanwhile_takes_the_place_of_what_was_kept(
    enter: Enter, hand: Callable[..., Hand], own_server: Server, stage: Stage, room_name: str
) -> None:
    takahashi = hand("takahashi", own_server.base)
    room = takahashi.room(room_name, stage.facts["people"]["tanaka"])
    gone = takahashi.post(room, "まちがえて書きました。")
    takahashi.post(room, "正しい内容です。")
    phone = enter("tanaka", base=own_server.base, viewport=PHONE)
    phone.open(room_name)
    kept(phone.page, "list", f"room:{room}")
    phone.page.route("**/api/**", lambda route: route.abort())
    phone.page.reload()
    expect(phone.said("まちがえて書きました。")).to_have_count(1)
    change(enter("takahashi", base=own_server.base), {"op": "redact", "message": gone["id"], "how": "redacted"})
    phone.page.unroute("**/api/**")
    phone.page.evaluate("dispatchEvent(new Event('online'))")
    expect(phone.said("まちがえて書きました。")).to_have_count(0)
    expect(phone.said("正しい内容です。")).to_have_count(1)


def test_it_is_kept_also_where_its_part_is_loaded_before_the_streams_are_resumed(enter: Enter, stage: Stage) -> None:
    phone = enter("tanaka", viewport=PHONE, signed_in=False)
    parts: list[Route] = []
    lines: list[WebSocketRoute] = []
    frames: list[str | bytes] = []

    def hold_all_but_hello(line: WebSocketRoute) -> None:
        def heard(frame: str | bytes) -> None:
            frames.append(frame)
            if len(frames) == 1:
                line.send(frame)

        line.connect_to_server().on_message(heard)
        lines.append(line)

    phone.page.route("**/assets/keeper*.js", lambda route: parts.append(route))
    phone.page.route_web_socket(re.compile("/ws$"), hold_all_but_hello)
    phone.sign_in(stage.facts["password"])
    while not (parts and len(frames) > 1):  # what answers hello was asked for: hello is taken
        phone.page.wait_for_timeout(20)
    parts[0].continue_()
    phone.page.evaluate("(part) => import(part)", parts[0].request.url)
    lines[0].send(frames[1])
    kept(phone.page, "list")


def test_an_organization_may_forbid_it(enter: Enter, hand: Callable[..., Hand]) -> None:
    phone = enter("tanaka", viewport=PHONE)
    phone.open(PATROL)
    kept(phone.page, "list", "room:")
    sato = hand("sato")
    sato.call("PATCH", "/api/organization", {"policy": {"device_cache": "off"}})
    try:
        phone.page.reload()
        holds(phone.page, "kept", 0)
        settings(phone)
        expect(phone.page.get_by_text("団体の決まりにより、この端末には閲覧用の内容を保存しません。")).to_be_visible()
    finally:
        sato.call("PATCH", "/api/organization", {"policy": {"device_cache": None}})


def settings(phone: Person) -> None:
    phone.page.goto("/#/device")
    expect(phone.page.get_by_role("heading", name="この端末の設定")).to_be_visible()


def test_a_number_locks_the_page_and_seals_what_is_kept(enter: Enter, own_server: Server) -> None:
    phone = enter("tanaka", base=own_server.base, viewport=PHONE)
    phone.open(PATROL)
    kept(phone.page, "list", "room:")
    assert any("道路パトロール" in (row["plain"] or "") for row in rows(phone.page, "kept"))
    settings(phone)
    number, again = phone.page.get_by_label("番号(6桁以上の数字)"), phone.page.get_by_label("番号(確認)")
    for given, repeated, said in (
        ("1234", "1234", "6桁以上"),
        ("123456", "123456", "続き番号"),
        (PIN, "271829", "一致しません"),
    ):
        number.fill(given)
        again.fill(repeated)
        phone.page.get_by_role("button", name="画面ロックを使う").click()
        expect(phone.page.get_by_role("alert").filter(has_text=said)).to_be_visible()
    again.fill(PIN)
    again.press("Enter")
    expect(phone.page.get_by_text("画面ロックを使っています。")).to_be_visible()
    phone.page.goto("/#/")
    phone.page.reload()

    entry = phone.page.get_by_label("番号", exact=True)
    expect(entry).to_be_focused()
    # Before it was opened once, nothing of the page is there at all.
    assert "道路パトロール" not in phone.page.content()
    entry.fill("000000")
    entry.press("Enter")
    expect(phone.page.get_by_role("alert").filter(has_text="あと9回")).to_be_visible()
    phone.page.reload()
    expect(phone.page.get_by_role("alert").filter(has_text="あと9回")).to_be_visible()
    entry.fill(PIN)
    entry.press("Enter")
    phone.open(PATROL)
    kept(phone.page, "list", "room:", sealed=True)
    assert not any("道路パトロール" in (row["plain"] or "") + (row["sealed"] or "") for row in rows(phone.page, "kept"))

    # What waits is named before the last wrong number takes it.
    phone.page.context.set_offline(True)
    phone.write("まだ送れません。")
    stored(phone.page, 1)
    settings(phone)
    phone.page.get_by_role("button", name="今すぐロック").click()
    expect(phone.page.get_by_text("送信待ち1件は、ロック中も送信を続けます。")).to_be_visible()
    expect(phone.page.get_by_role("heading", name="この端末の設定")).to_be_hidden()
    for left in range(9, 0, -1):
        entry.fill("999999")
        entry.press("Enter")
        expect(phone.page.get_by_role("alert").filter(has_text=f"あと{left}回")).to_be_visible()
    expect(phone.page.get_by_role("alert")).to_contain_text("送信待ちのメッセージ1件も消えます。")
    entry.fill("999999")
    entry.press("Enter")
    expect(phone.page.get_by_label("パスワード")).to_be_visible()
    expect(phone.page.get_by_role("alert")).to_contain_text("番号を10回まちがえたため")
    expect(phone.page.get_by_role("alert")).to_contain_text("送信待ちのメッセージ1件も消えました。")
    holds(phone.page, "kept", 0)
    holds(phone.page, "sends", 0, "renraku")
    until(phone.page, "async () => localStorage.getItem('renraku.lock') === null")
