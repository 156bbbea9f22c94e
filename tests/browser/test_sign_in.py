"""Signing in through the page."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.conftest import Enter, Hand, Stage


def test_a_person_signs_in_and_sees_their_rooms(enter: Enter) -> None:
    tanaka = enter("tanaka")
    rooms = tanaka.page.get_by_role("navigation", name="トークルーム一覧")
    expect(rooms.get_by_role("link", name="道路パトロール 現場報告")).to_be_visible()
    expect(rooms.get_by_role("heading", name="お知らせ")).to_be_visible()
    expect(rooms.get_by_role("link", name="下水道 更新工事 3工区")).to_contain_text("外部")


def test_the_session_outlives_a_reload(enter: Enter) -> None:
    tanaka = enter("tanaka")
    tanaka.open("道路パトロール 現場報告")
    tanaka.page.reload()
    expect(tanaka.page.get_by_role("heading", name="道路パトロール 現場報告", level=1)).to_be_visible()


def test_a_wrong_password_says_what_to_do_and_keeps_what_was_typed(enter: Enter) -> None:
    tanaka = enter("tanaka", signed_in=False)
    tanaka.sign_in("wrong-password-0000")
    alert = tanaka.page.get_by_role("alert")
    expect(alert).to_have_text("団体、ユーザーIDまたはパスワードが違います。もう一度入力してください。")
    expect(tanaka.page.get_by_label("ユーザーID")).to_have_value("tanaka")
    expect(tanaka.page.get_by_label("パスワード")).to_have_value("")
    expect(tanaka.page.get_by_label("パスワード")).to_be_focused()


def test_an_unknown_organization_says_the_same(enter: Enter) -> None:
    tanaka = enter("nobody-of-that-name", signed_in=False)
    tanaka.sign_in("wrong-password-0000")
    expect(tanaka.page.get_by_role("alert")).to_contain_text("団体、ユーザーIDまたはパスワードが違います")


def test_empty_fields_are_named_before_anything_is_sent(enter: Enter) -> None:
    tanaka = enter("tanaka", signed_in=False)
    tanaka.page.get_by_role("button", name="ログイン").click()
    expect(tanaka.page.get_by_role("alert")).to_have_text("団体コード、ユーザーID、パスワードを入力してください。")


def test_signing_out_leaves_nothing_behind(enter: Enter) -> None:
    tanaka = enter("tanaka")
    tanaka.page.get_by_role("button", name="自分のメニュー").click()
    tanaka.page.get_by_role("button", name="ログアウト").click()
    expect(tanaka.page.get_by_label("パスワード")).to_be_visible()
    left = tanaka.page.evaluate(
        """async () => {
            const db = await new Promise((resolve, reject) => {
                const opening = indexedDB.open('renraku')
                opening.onsuccess = () => resolve(opening.result)
                opening.onerror = () => reject(opening.error)
            })
            const all = (store) => new Promise((resolve) => {
                const request = db.transaction(store).objectStore(store).getAll()
                request.onsuccess = () => resolve(request.result)
            })
            const left = [...await all('session'), ...await all('sends')]
            db.close()
            return left
        }"""
    )
    assert left == []
    tanaka.page.reload()
    expect(tanaka.page.get_by_label("パスワード")).to_be_visible()


def test_signing_out_in_one_tab_ends_the_others(enter: Enter) -> None:
    tanaka = enter("tanaka")
    other = tanaka.page.context.new_page()
    other.goto("/")
    expect(other.get_by_role("navigation", name="トークルーム一覧")).to_be_visible()
    tanaka.page.get_by_role("button", name="自分のメニュー").click()
    tanaka.page.get_by_role("button", name="ログアウト").click()
    expect(other.get_by_label("パスワード")).to_be_visible()


def test_english_is_a_switch_away_and_stays(enter: Enter) -> None:
    tanaka = enter("tanaka", signed_in=False)
    tanaka.page.get_by_role("button", name="English").click()
    expect(tanaka.page.get_by_label("Organization code")).to_be_visible()
    assert tanaka.page.evaluate("document.documentElement.lang") == "en"
    tanaka.page.reload()
    expect(tanaka.page.get_by_role("button", name="Sign in")).to_be_visible()


def test_nothing_is_asked_of_any_other_host(enter: Enter, stage: Stage) -> None:
    tanaka = enter("tanaka", signed_in=False)
    asked: list[str] = []
    tanaka.page.on("request", lambda request: asked.append(request.url))
    tanaka.page.reload()
    tanaka.sign_in(stage.facts["password"])
    tanaka.open("道路パトロール 現場報告")
    expect(tanaka.said("現場の状況を教えてください").first).to_be_visible()
    own = tanaka.page.evaluate("location.origin")
    assert asked
    assert [url for url in asked if not url.startswith((own, "blob:", own.replace("http", "ws")))] == []


def test_tabs_that_wake_with_an_expired_token_refresh_it_once(enter: Enter) -> None:
    tanaka = enter("tanaka")
    pages = [tanaka.page, tanaka.page.context.new_page(), tanaka.page.context.new_page()]
    refreshed: list[str] = []
    tanaka.page.context.on(
        "request", lambda request: refreshed.append(request.url) if "/sessions/refresh" in request.url else None
    )
    tanaka.page.evaluate(
        """async () => {
            const db = await new Promise((resolve) => {
                const opening = indexedDB.open('renraku')
                opening.onsuccess = () => resolve(opening.result)
            })
            await new Promise((resolve) => {
                const store = db.transaction('session', 'readwrite').objectStore('session')
                const request = store.get('current')
                request.onsuccess = () => {
                    const session = { ...request.result, access_token: 'expired', access_expires: 0 }
                    store.put(session, 'current').onsuccess = resolve
                }
            })
            db.close()
        }"""
    )
    address = tanaka.page.evaluate("location.origin + '/'")
    for page in pages:
        page.evaluate("address => { location.href = address }", address)
    for page in pages:
        expect(page.get_by_role("link", name="道路パトロール 現場報告")).to_be_visible()
    assert len(refreshed) == 1, "a refresh token works once: the second use would end the session"


def test_a_device_signed_out_elsewhere_is_emptied_at_once(enter: Enter, hand: Callable[..., Hand]) -> None:
    sato = enter("sato")
    sato.open("全庁のお知らせ")
    sato.field.fill("書きかけ")
    devices = hand("sato").call("GET", "/api/me/devices")
    (device,) = [device for device in devices["items"] if device["name"].startswith("Chrome")]
    hand("sato").call("DELETE", f"/api/me/devices/{device['id']}")
    expect(sato.page.get_by_role("alert")).to_have_text(re.compile("ログイン"))
    expect(sato.page.get_by_label("パスワード")).to_be_visible()
    expect(sato.page.get_by_text("書きかけ")).to_have_count(0)
    sato.page.reload()
    expect(sato.page.get_by_label("パスワード")).to_be_visible()
