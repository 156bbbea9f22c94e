"""Signing in through the page."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.conftest import Enter, Hand, Stage
from tests.browser.device import until
from tests.browser.photos import photo


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
    until(
        tanaka.page,
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
            return left.length === 0
        }""",
    )
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


def test_what_another_tab_writes_while_one_signs_out_does_not_stay(enter: Enter, stage: Stage) -> None:
    """Its timer fires between the wipe and the word about it: a channel that was opened first hears that word first."""
    tanaka = enter("tanaka")
    other = tanaka.page.context.new_page()
    other.add_init_script(
        f"""new BroadcastChannel('renraku').onmessage = ({{ data }}) => {{
            if (data !== 'signed-out') return
            for (const kind of ['note', 'draft'])
                localStorage.setItem(`renraku.${{kind}}.{stage.facts["people"]["tanaka"]}.here`, '{{"text": "書きかけ"}}')
            window.late = new Promise((resolve) => {{
                indexedDB.open('renraku-device').onsuccess = ({{ target: {{ result }} }}) => {{
                    const tx = result.transaction('kept', 'readwrite')
                    tx.objectStore('kept').put({{ place: 'room:here', user: '{stage.facts["people"]["tanaka"]}', at: 1, size: 0, type: '' }})
                    tx.oncomplete = () => resolve(result)
                }}
            }})
        }}"""
    )
    other.goto("/")
    expect(other.get_by_role("navigation", name="トークルーム一覧")).to_be_visible()
    tanaka.page.get_by_role("button", name="自分のメニュー").click()
    tanaka.page.get_by_role("button", name="ログアウト").click()
    expect(other.get_by_label("パスワード")).to_be_visible()
    assert "書きかけ" not in other.evaluate("JSON.stringify(localStorage)")
    # What is kept for reading goes by its own database, a moment later.
    until(
        other,
        """async () => {
            const kept = (await window.late).transaction('kept').objectStore('kept').count()
            return new Promise((resolve) => { kept.onsuccess = () => resolve(kept.result === 0) })
        }""",
    )


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
    expect(tanaka.log.locator("article").first).to_be_visible()
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
    sato = enter("sato", user_agent="Mozilla/5.0 (Windows NT 10.0) Chrome/130.0 Edg/130.0")
    sato.open("全庁のお知らせ")
    sato.field.fill("書きかけ")
    devices = hand("sato").call("GET", "/api/me/devices")
    (device,) = [device for device in devices["items"] if device["name"].startswith("Edge")]
    hand("sato").call("DELETE", f"/api/me/devices/{device['id']}")
    expect(sato.page.locator("#problem")).to_have_text(re.compile("ログイン"))
    expect(sato.page.get_by_label("パスワード")).to_be_visible()
    expect(sato.page.get_by_text("書きかけ")).to_have_count(0)
    sato.page.reload()
    expect(sato.page.get_by_label("パスワード")).to_be_visible()


LEFT = """async () => {
    const db = await new Promise((resolve) => {
        const opening = indexedDB.open('renraku')
        opening.onsuccess = () => resolve(opening.result)
    })
    const count = (store) => new Promise((resolve) => {
        const request = db.transaction(store).objectStore(store).count()
        request.onsuccess = () => resolve(request.result)
    })
    const left = []
    for (const store of db.objectStoreNames) if (await count(store) > 0) left.push(store)
    db.close()
    return [...left, ...Object.keys(localStorage), ...Object.keys(sessionStorage), ...await caches.keys()].sort()
}"""


def test_the_next_user_of_a_shared_computer_finds_nothing_of_the_one_before(enter: Enter, stage: Stage) -> None:
    tanaka = enter("tanaka")
    page = tanaka.page
    page.goto("/#/settings/appearance")
    page.get_by_role("group", name="送信に使うキー").get_by_label("Enterで送信").last.check()
    page.evaluate("localStorage.setItem('renraku.draft.room', '書きかけ')")
    page.evaluate("caches.open('renraku-photos')")
    # A photo cannot go up: its message waits.
    page.route("**/api/photos**", lambda route: route.abort())
    tanaka.open("建設課 全体共有")
    tanaka.attach([photo(0, 320, 240)])
    tanaka.write("届かない写真")
    expect(tanaka.waiting()).to_have_count(1)
    tanaka.field.fill("書きかけの文")
    page.get_by_role("button", name="自分のメニュー").click()
    page.get_by_role("button", name="利用者を切り替える").click()
    warning = page.get_by_role("alert").filter(has_text="送信待ちのメッセージが1件")
    expect(warning).to_contain_text("書きかけが1件")
    page.get_by_role("button", name="やめる").click()
    expect(tanaka.waiting()).to_have_count(1)
    page.get_by_role("button", name="利用者を切り替える").click()
    page.get_by_role("button", name="消して切り替える").click()
    expect(page.get_by_label("ユーザーID")).to_be_focused()
    expect(page.get_by_label("団体コード")).to_have_value("midorino")
    expect(page.get_by_role("status").filter(has_text="前の利用者")).to_be_visible()
    assert page.evaluate(LEFT) == ["renraku.organization"]
    assert page.evaluate("location.hash") == ""
    page.keyboard.type("takahashi")
    page.keyboard.press("Tab")
    page.keyboard.type(stage.facts["password"])
    page.keyboard.press("Enter")
    page.get_by_role("link", name="建設課 全体共有").click()
    expect(tanaka.field).to_have_value("")
    expect(tanaka.waiting()).to_have_count(0)


def test_a_revocation_that_destroys_something_says_so(enter: Enter, hand: Callable[..., Hand]) -> None:
    person = enter("takahashi", user_agent="Mozilla/5.0 (X11; Linux) Firefox/130.0")
    person.page.route("**/api/photos**", lambda route: route.abort())
    person.open("建設課 全体共有")
    person.attach([photo(0, 320, 240)])
    person.write("届かない写真")
    expect(person.waiting()).to_have_count(1)
    devices = hand("takahashi").call("GET", "/api/me/devices")["items"]
    (device,) = [device for device in devices if device["name"].startswith("Firefox")]
    hand("takahashi").call("DELETE", f"/api/me/devices/{device['id']}")
    # The page's own alerts go, and the one of the sign-in comes.
    expect(person.page.locator("#problem")).to_contain_text("メッセージ1件は、送信されずに消去されました。")
    assert person.page.evaluate(LEFT) == ["renraku.organization"]


def test_a_device_that_was_signed_out_while_it_was_away_is_emptied_when_it_is_back(
    enter: Enter, hand: Callable[..., Hand]
) -> None:
    person = enter("takahashi", user_agent="Mozilla/5.0 (iPad) Safari/605")
    person.open("建設課 全体共有")
    person.page.context.set_offline(True)
    person.write("圏外で書きました")
    expect(person.waiting()).to_have_count(1)
    devices = hand("takahashi").call("GET", "/api/me/devices")["items"]
    (device,) = [device for device in devices if device["name"] == "Safari(iPad)"]
    hand("takahashi").call("DELETE", f"/api/me/devices/{device['id']}")
    person.page.context.set_offline(False)
    expect(person.page.locator("#problem")).to_contain_text("メッセージ1件は、送信されずに消去されました。")
    assert person.page.evaluate(LEFT) == ["renraku.organization"]


def test_the_password_can_be_looked_at_and_caps_lock_is_noticed(enter: Enter) -> None:
    page = enter("tanaka", signed_in=False, viewport={"width": 320, "height": 640}).page
    field = page.get_by_label("パスワード")
    field.fill("himitsu")
    page.get_by_role("button", name="表示する").click()
    expect(field).to_have_attribute("type", "text")
    expect(field).to_be_focused()
    expect(page.get_by_role("status").filter(has_text="周りから見えない")).to_be_visible()
    page.get_by_role("button", name="隠す").click()
    expect(field).to_have_attribute("type", "password")
    field.evaluate(
        "(one) => one.dispatchEvent(new KeyboardEvent('keyup', { key: 'A', modifierCapsLock: true, bubbles: true }))"
    )
    expect(page.get_by_role("status").filter(has_text="Caps Lock")).to_be_visible()
