"""Another app shares: to a room or the memo pad, also before signing in and without the server; nothing is lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import expect

from tests.browser.carrying import carried
from tests.browser.conftest import PHONE, Enter, Hand, Person, Stage
from tests.browser.device import kept, page_is_kept, stored, until
from tests.browser.photos import photo
from tests.browser.process import Server

BEING_PUT = """async () => {
    await caches.open('renraku-shared')
    await new Promise((later) => setTimeout(later, 2500))
    return caches.has('renraku-shared')
}"""


def share(person: Person, words: str, *files: dict[str, Any], to: str = "**/#/share") -> None:
    """As Android's share sheet does it: a form that is posted to the page."""
    with person.page.expect_navigation(url=to):
        person.page.evaluate(
            """({ words, all }) => {
                const form = document.createElement('form')
                Object.assign(form, { action: '/share', method: 'post', enctype: 'multipart/form-data' })
                const text = Object.assign(document.createElement('textarea'), { name: 'text' })
                text.value = words
                const input = Object.assign(document.createElement('input'), { type: 'file', name: 'files', multiple: true })
                input.files = all.files
                form.append(text, input)
                document.body.append(form)
                form.submit()
            }""",
            {"words": words, "all": carried(person.page, *files)},
        )


def test_photos_go_from_the_gallery_to_a_room_and_to_the_memo_pad(
    enter: Enter, hand: Callable[..., Hand], own_server: Server, stage: Stage, room_name: str
) -> None:
    takahashi = hand("takahashi", own_server.base)
    room = takahashi.room(room_name, stage.facts["people"]["tanaka"])
    phone = enter("takahashi", base=own_server.base, viewport=PHONE, signed_in=False, service_workers="allow")
    page_is_kept(phone.page)

    # The page looks several times while a slow phone is still putting a share there: it does not tidy that away.
    assert phone.page.evaluate(BEING_PUT)
    # Before signing in: kept, and told.
    drawing = {"name": "位置図.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.4\n%%EOF"}
    # Another site can fill this in: nobody is asked here whether all are to be called.
    share(phone, "緑町の倒木 <@everyone>", *(photo(number, 320, 240) for number in range(12)), drawing)
    told = phone.page.get_by_role("status").filter(has_text="共有された内容をこの端末に預かっています。")
    expect(told).to_be_visible()
    phone.sign_in(stage.facts["password"])
    expect(phone.page.get_by_role("heading", name="共有された内容を送る")).to_be_visible()
    expect(phone.page.get_by_role("list", name="写真12枚").get_by_role("img")).to_have_count(12)
    expect(phone.page.get_by_text("2件のメッセージに分けて送ります。")).to_be_visible()
    expect(phone.page.get_by_text("位置図.pdf")).to_be_visible()
    expect(phone.page.get_by_label("ことば")).to_have_value("緑町の倒木 <@everyone>")
    phone.page.get_by_role("searchbox", name="トークルームを探す", exact=True).fill(room_name)
    phone.page.get_by_role("radio", name=room_name).check()
    phone.page.get_by_role("button", name=f"{room_name}へ送信").click()
    expect(phone.page.get_by_role("heading", name=room_name, level=1)).to_be_visible()
    expect(phone.waiting()).to_have_count(0)
    expect(phone.log.locator("img.here")).to_have_count(12)
    sent = sorted(takahashi.messages(room), key=lambda message: len(message["attachments"]))
    assert sent[1]["text"].startswith("緑町の倒木 ＜@everyone>")
    names = [[attachment["name"] for attachment in message["attachments"]] for message in sent]
    assert names[0] == ["現場11.jpg", "現場12.jpg"]
    assert sorted(names[1]) == sorted([*(f"現場{number + 1}.jpg" for number in range(10)), "位置図.pdf"])
    until(phone.page, "async () => !(await caches.has('renraku-shared'))")

    # Without the server, to the memo pad, and then the app is closed.
    kept(phone.page, "list")
    own_server.kill()
    share(phone, "事務所で見直す", photo(3, 320, 240))
    phone.page.get_by_role("radio", name="メモ帳").check()
    phone.page.get_by_role("button", name="メモ帳(自分専用)へ送信").click()
    stored(phone.page, 1)
    page = phone.page.context.new_page()
    phone.page.close()
    own_server.start()
    page.goto("/")
    memo = next(one for one in takahashi.call("GET", "/api/rooms") if one["kind"] == "memo")
    page.goto(f"/#/rooms/{memo['id']}")
    phone.page = page
    expect(phone.said("事務所で見直す").locator("img.here")).to_have_count(1)


def test_nothing_that_was_shared_stays_when_its_person_leaves(enter: Enter) -> None:
    phone = enter("tanaka", viewport=PHONE, service_workers="allow")
    page_is_kept(phone.page)
    share(phone, "まだ送らない")
    expect(phone.page.get_by_label("ことば")).to_have_value("まだ送らない")
    phone.page.get_by_role("button", name="戻る").click()
    phone.page.get_by_role("button", name="自分のメニュー").click()
    phone.page.get_by_role("button", name="ログアウト", exact=True).click()
    expect(phone.page.get_by_label("パスワード")).to_be_visible()
    until(phone.page, "async () => !(await caches.has('renraku-shared'))")
    phone.page.reload()
    expect(phone.page.get_by_text("共有された内容を")).to_have_count(0)


def test_another_sites_form_is_not_taken(enter: Enter) -> None:
    """One that hides where it is from looks like the share sheet: it is shown as foreign, and nothing goes by itself."""
    phone = enter("tanaka", viewport=PHONE, service_workers="allow")
    page_is_kept(phone.page)
    base = phone.page.url.partition("/#")[0].rstrip("/")

    def elsewhere(policy: str) -> None:
        form = f"""<meta name="referrer" content="{policy}"><form action="{base}/share" method="post"
            enctype="multipart/form-data"><textarea name="text">至急 承認してください</textarea></form>"""
        phone.page.route("http://elsewhere.invalid/", lambda route: route.fulfill(body=form, content_type="text/html"))
        phone.page.goto("http://elsewhere.invalid/")
        with phone.page.expect_navigation(url=f"{base}/**"):
            phone.page.evaluate("document.forms[0].submit()")
        phone.page.get_by_role("button", name="自分のメニュー").or_(phone.page.get_by_label("ことば")).first.wait_for()

    elsewhere("origin")
    assert not phone.page.evaluate("caches.has('renraku-shared')")
    elsewhere("no-referrer")
    expect(phone.page.get_by_text("ほかのアプリまたはサイトから渡された内容です。")).to_be_visible()
    phone.page.get_by_role("button", name="送らずに消す").click()


def test_what_is_more_than_the_device_keeps_is_said(enter: Enter) -> None:
    phone = enter("tanaka", viewport=PHONE, service_workers="allow")
    page_is_kept(phone.page)
    drawings = [{"name": f"図面{n}.txt", "mimeType": "text/plain", "buffer": b"x"} for n in range(25)]
    share(phone, "", *drawings)
    expect(phone.page.get_by_text("図面24.txt")).to_be_visible()
    share(phone, "", *drawings, to="**/#/share/cut-10-0")
    expect(phone.page.get_by_text("10件は受け取っていません。預かれるのは合わせて40件、1GBまでです。")).to_be_visible()
    expect(phone.page.locator("li.file")).to_have_count(40)
    # Words have a measure of their own, also when they come in many shares.
    share(phone, "あ" * 15_000)
    share(phone, "い" * 15_000, to="**/#/share/cut-0-10000")
    expect(phone.page.get_by_text("ことばの終わりの10000文字は受け取っていません。")).to_be_visible()
    words = "あ" * 15_000 + "\n" + "い" * 5_000
    expect(phone.page.get_by_label("ことば")).to_have_value(words)
    phone.page.get_by_role("button", name="送らずに消す").click()
    # Where nothing at all was taken, that is said, too.
    large = {"name": "動画.mp4", "mimeType": "video/mp4", "buffer": b"x"}
    phone.page.evaluate(
        """async () => {
            const headers = { 'x-size': String(1024 ** 3), 'x-name': 'large' }
            await (await caches.open('renraku-shared')).put('/shared/1/000', new Response('x', { headers }))
        }"""
    )
    share(phone, "", large, to="**/#/share/cut-1-0")
    expect(phone.page.get_by_text("1件は受け取っていません。")).to_be_visible()
    phone.page.evaluate("caches.delete('renraku-shared')")
    phone.page.reload()
    expect(phone.page.get_by_text("1件は大きすぎるため受け取っていません。")).to_be_visible()
