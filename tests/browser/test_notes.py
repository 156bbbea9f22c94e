"""ノート: the course of a repair becomes a page that several people write, and photos that leave the screen."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Page, expect

from tests.browser.axe import violations
from tests.browser.conftest import PHONE, Enter, Hand, Person, Stage
from tests.browser.photos import photo

WRITTEN = """## 経過

- [x] 通行止めの手配
- [ ] 報告書

| 時刻 | 内容 |
|---|---|
| 9:31 | **倒木**の通報 |

<script>document.title = 'x'</script> [押す](javascript:alert(1)) [通知](https://example.jp/tsuchi)"""


PANE: Final = "[aria-label=トークルームの詳細][open]"
FORGOTTEN: Final = """(words) => new Promise((done, fail) => {
    const until = Date.now() + 5000
    const look = () => {
        if (!JSON.stringify(localStorage).includes(words)) done()
        else if (Date.now() > until) fail(new Error('still on this device'))
        else setTimeout(look, 20)
    }
    look()
})"""


def act(person: Person, text: str, name: str) -> None:
    """Does something with the message that says `text`, from its menu."""
    row = person.said(text)
    row.hover()
    row.get_by_role("button", name=re.compile("のメッセージの操作$")).click()
    person.page.get_by_role("menuitem", name=name).click()


def button(where: Any, name: str) -> Any:
    return where.get_by_role("button", name=name, exact=True)


def put_photos(hand: Hand, room: str, text: str, *numbers: int) -> None:
    ids = []
    for number in numbers:
        taken = photo(number, 400, 300)
        headers = {"Authorization": f"Bearer {hand.token}", "Content-Type": "image/jpeg"}
        put = hand.http.post("/api/photos", params={"name": taken["name"]}, content=taken["buffer"], headers=headers)
        ids.append(put.json()["id"])
    blocks = [{"type": "text", "text": text}, {"type": "photos", "ids": ids}]
    hand.call("POST", f"/api/rooms/{room}/messages", {"client_msg_id": f"notes-{room}-{numbers[0]}", "blocks": blocks})


def open_note(person: Person, title: str) -> Any:
    pane = person.details("ノート")
    pane.get_by_role("list", name="ノート一覧").get_by_role("button", name=title).click()
    expect(pane.get_by_role("heading", name=title)).to_be_visible()
    return pane


def edit(pane: Any) -> Any:
    """The fields of Markdown, in order."""
    button(pane, "編集").click()
    return pane.locator("textarea")


def save(pane: Any) -> None:
    button(pane, "保存").click()
    expect(button(pane, "編集")).to_be_visible()


def test_the_course_of_a_repair_becomes_a_note(
    enter: Enter, hand: Callable[..., Hand], stage: Stage, room_name: str
) -> None:
    takahashi, tanaka = hand("takahashi"), hand("tanaka")
    room = takahashi.room(room_name, stage.facts["people"]["tanaka"])
    put_photos(takahashi, room, "倒木です。片側をふさいでいます。", 0, 1)
    tanaka.post(room, "業者へ連絡しました。")
    takahashi.post(room, "昼食に出ます。")
    put_photos(takahashi, room, "撤去が終わりました。", 2)
    desk = enter("tanaka")
    desk.open(room_name)

    # Chosen by range, by key, and one taken out again.
    act(desk, "倒木です。", "ノートに入れる")
    bar = desk.page.get_by_role("group", name="メッセージの選択")
    boxes = desk.log.get_by_role("checkbox")
    expect(boxes.first).to_be_focused()
    boxes.nth(2).click(modifiers=["Shift"])
    expect(bar).to_contain_text("3件のメッセージを選びました")
    desk.page.keyboard.press("Shift+ArrowDown")
    expect(boxes.nth(3)).to_be_checked()
    boxes.nth(2).click()
    expect(bar).to_contain_text("3件のメッセージを選びました")
    assert violations(desk.page, "[aria-label=メッセージの選択]") == []
    button(bar, "ノートに入れる").click()
    dialog = desk.page.get_by_role("dialog", name="3件のメッセージをノートに入れる")
    dialog.get_by_label("新しいノートの題名").fill("倒木対応の記録")
    dialog.get_by_label("新しいノートの題名").press("Enter")
    pane = desk.page.get_by_role("dialog", name="トークルームの詳細")
    entries = pane.get_by_role("article")
    expect(entries).to_have_count(3)
    expect(entries.nth(1)).to_contain_text("業者へ連絡しました。")
    expect(entries.nth(1)).to_contain_text("田中 美咲")
    expect(entries.locator("img.here")).to_have_count(3)
    expect(bar).to_have_count(0)
    expect(desk.field).to_be_visible()

    # A pair of its photos, and words above them; the words are moved to the top by keys.
    fields = edit(pane)
    assert violations(desk.page, PANE) == []
    button(pane, "4番目に追加").click()
    button(pane, "着手前・着手後").click()
    for side, choice in (("着手前", 0), ("着手後", 2)):
        button(pane, f"{side}の写真を選ぶ").click()
        picker = desk.page.get_by_role("dialog", name="写真を選ぶ")
        picker.get_by_role("button", name=f"現場{choice + 1}.jpg").first.click()
    pane.get_by_label("着手後の説明").fill("同じ位置から")
    button(pane, "2番目に追加").click()
    button(pane, "文章").click()
    expect(fields).to_be_focused()
    fields.fill(WRITTEN)
    fields.press("Alt+ArrowUp")
    expect(pane.get_by_role("group", name="1 文章")).to_be_visible()
    expect(fields).to_be_focused()
    # What was not saved outlives the page.
    desk.page.reload()
    expect(pane).to_contain_text("書きかけが、この端末に残っています。")
    button(pane, "続きを書く").click()
    expect(fields).to_have_value(WRITTEN)
    save(pane)

    # On the phone, live, with everything that Markdown shows and nothing that it could do.
    phone = enter("takahashi", viewport=PHONE, has_touch=True, is_mobile=True)
    phone.open(room_name)
    read = open_note(phone, "倒木対応の記録")
    expect(read.get_by_role("heading", name="経過")).to_be_visible()
    expect(read.get_by_role("img", name="済み")).to_have_count(1)
    expect(read.get_by_role("cell", name="倒木の通報").locator("strong")).to_have_text("倒木")
    expect(read.locator(".markdown")).to_contain_text(
        "<script>document.title = 'x'</script> [押す](javascript:alert(1))"
    )
    assert (
        read.locator(".markdown").get_by_role("link").count()
        + read.get_by_role("button", name="リンクをコピー").count()
        == 1
    )
    pair = read.get_by_role("group", name="着手前と着手後")
    expect(pair.locator("img.here")).to_have_count(2)
    expect(pair.locator("figure").nth(1)).to_contain_text("着手後同じ位置から")
    assert violations(phone.page, PANE) == []
    wide = phone.page.evaluate("document.documentElement.scrollWidth")
    assert wide == PHONE["width"]

    # Signing out leaves nothing of what was written.
    edit(pane).fill("この端末だけの書きかけ")
    button(pane, "編集をやめる").click()
    button(pane, "書きかけを残して閉じる").click()
    expect(pane).to_contain_text("書きかけが、この端末に残っています。")
    button(pane, "続きを書く").click()
    desk.page.get_by_role("button", name="自分のメニュー").click()
    desk.page.get_by_role("button", name="ログアウト").click()
    desk.page.get_by_label("団体コード").wait_for()
    desk.page.evaluate(FORGOTTEN, "この端末だけの書きかけ")


def test_two_write_at_once_and_nothing_is_lost(
    enter: Enter, hand: Callable[..., Hand], stage: Stage, room_name: str
) -> None:
    takahashi = hand("takahashi")
    room = takahashi.room(room_name, stage.facts["people"]["tanaka"])
    words = {"type": "markdown", "text": "一行目\n\n二行目\n\n三行目"}
    note = takahashi.call("POST", f"/api/rooms/{room}/notes", {"title": "引継ぎ", "blocks": [words]})["id"]
    desk, phone = enter("tanaka"), enter("takahashi", viewport=PHONE)
    panes = []
    for person in (desk, phone):
        person.open(room_name)
        panes.append(open_note(person, "引継ぎ"))
    mine, theirs = panes

    # Different lines: both are there, and each is told.
    edit(mine).fill("一行目(田中)\n\n二行目\n\n三行目")
    edit(theirs).fill("一行目\n\n二行目\n\n三行目(高橋)")
    save(theirs)
    expect(mine).to_contain_text("高橋 健さんが")
    save(mine)
    expect(mine.get_by_role("status").filter(has_text="両方の変更を合わせて保存しました")).to_contain_text("1か所")
    expect(mine).to_contain_text("ほかの方の変更")
    for pane in panes:
        expect(pane).to_contain_text("一行目(田中)")
        expect(pane).to_contain_text("三行目(高橋)")

    # The same line: both stand there, and the way to them is one press.
    button(mine, "確認しました").click()
    edit(mine).fill("一行目(田中)\n\n10時に着手\n\n三行目(高橋)")
    edit(theirs).fill("一行目(田中)\n\n11時に着手\n\n三行目(高橋)")
    save(mine)
    save(theirs)
    expect(theirs).to_contain_text("どちらも消さずに並べてあります")
    button(theirs, "その箇所へ").click()
    expect(theirs.locator("[data-conflict]").first).to_be_focused()
    for pane in panes:
        expect(pane.locator(".markdown")).to_contain_text("10時に着手")
        expect(pane.locator(".markdown")).to_contain_text("11時に着手")

    # Without a line nothing is lost either; and what was deleted meanwhile can be taken along.
    edit(theirs).fill("電波のないところで")
    phone.page.route("**/api/notes/**", lambda route: route.abort())
    button(theirs, "保存").click()
    expect(theirs.get_by_role("alert")).to_contain_text("書いた内容はこの端末に残っています")
    phone.page.unroute("**/api/notes/**")
    takahashi.call("DELETE", f"/api/notes/{note}")
    expect(mine).to_contain_text("このノートは見つかりません")
    expect(button(theirs, "文章をコピー")).to_be_visible()
    expect(theirs.locator("textarea")).to_have_value("電波のないところで")


def test_history_strike_delete_and_export(
    enter: Enter, hand: Callable[..., Hand], stage: Stage, room_name: str
) -> None:
    takahashi = hand("takahashi")
    room = takahashi.room(room_name, stage.facts["people"]["tanaka"])
    put_photos(takahashi, room, "電話は012-345-678です。", 0)
    (message,) = takahashi.messages(room)
    first = {"title": "点検", "blocks": [{"type": "markdown", "text": "異常なし"}], "messages": [message["id"]]}
    note = takahashi.call("POST", f"/api/rooms/{room}/notes", first)
    changed = [{"type": "markdown", "text": "ひび割れ1か所"}]
    takahashi.call(
        "PATCH", f"/api/notes/{note['id']}", {"version": note["version"], "title": "橋の点検", "blocks": changed}
    )
    desk = enter("takahashi")
    desk.open(room_name)
    pane = open_note(desk, "橋の点検")
    button(pane, "広く表示").click()
    button(pane, "履歴").click()
    versions = pane.get_by_role("list", name="履歴").get_by_role("button")
    expect(versions).to_have_count(2)
    versions.first.click()
    for said in ("異常なし", "投稿: 高橋 健", "点検"):
        expect(pane.locator("del").filter(has_text=said).first).to_be_visible()
    expect(pane.locator("ins").filter(has_text="ひび割れ1か所")).to_be_visible()
    assert violations(desk.page, PANE) == []
    button(pane, "履歴へ戻る").click()
    versions.last.click()
    button(pane, "全体").click()
    expect(pane.get_by_role("article")).to_contain_text("012-345-678")
    button(pane, "この版に戻す").click()
    button(pane, "戻す").click()
    expect(pane.get_by_role("heading", name="点検", level=2)).to_have_text("点検")

    # Out of the house: said while it is made, kept, and an error in words.
    button(pane, "その他").click()
    with desk.page.expect_download() as download:
        button(pane, "ZIPで保存").click()
    kept = zipfile.ZipFile(io.BytesIO(Path(download.value.path()).read_bytes()))
    assert "SHA256SUMS.txt" in kept.namelist()
    assert download.value.suggested_filename.endswith(".zip")
    expect(pane.get_by_role("status").filter(has_text="を保存しました。")).to_be_visible()
    busy = {"code": 8008, "name": "printer_busy", "params": {}, "ja": "PDFの作成が混み合っています。", "en": "busy"}
    desk.page.route("**/export.pdf", lambda route: route.fulfill(status=503, json={"error": busy}))
    button(pane, "PDFで保存").click()
    expect(pane.get_by_role("alert").filter(has_text="PDFの作成が混み合っています。")).to_be_visible()
    desk.page.unroute("**/export.pdf")

    # A citizen's number goes from every version.
    pane.get_by_role("button", name=re.compile("の投稿の操作$")).click()
    button(pane, "抹消").click()
    button(pane, "投稿を抹消する").click()
    expect(pane.get_by_role("article")).to_contain_text("抹消されました")
    expect(pane).not_to_contain_text("012-345-678")

    # Deleted, and brought back by whoever made it.
    button(pane, "削除").click()
    button(pane, "ノートを削除する").click()
    expect(pane).to_contain_text("ノートはまだありません。")
    button(pane, "削除したノート").click()
    button(pane, "「点検」を元に戻す").click()
    expect(pane.get_by_role("heading", name="点検")).to_be_visible()
    expect(button(pane, "編集")).to_be_visible()


def test_photos_are_turned_saved_printed_and_taken_over(
    enter: Enter, hand: Callable[..., Hand], stage: Stage, room_name: str
) -> None:
    takahashi = hand("takahashi")
    room = takahashi.room(room_name)
    put_photos(takahashi, room, "現場の写真です。", 0, 1)
    takahashi.call("POST", f"/api/rooms/{room}/notes", {"title": "現場", "blocks": []})
    phone = enter("takahashi", viewport=PHONE, has_touch=True, is_mobile=True)
    phone.open(room_name)
    button(phone.log, "写真1/2を大きく表示").tap()
    viewer = phone.page.get_by_role("dialog", name="写真の表示")
    expect(viewer).to_contain_text("1 / 2")
    swipe(phone.page, 300, 80)
    expect(viewer).to_contain_text("2 / 2")
    swipe(phone.page, 80, 300)
    expect(viewer).to_contain_text("1 / 2")
    phone.page.keyboard.press("ArrowRight")
    expect(viewer).to_contain_text("現場2.jpg")
    expect(button(viewer, "印刷")).to_be_visible()
    assert violations(phone.page, "[aria-label=写真の表示]") == []

    names: list[str] = []
    phone.page.on("download", lambda download: names.append(download.suggested_filename))
    with phone.page.expect_event("download", lambda download: download.suggested_filename == "現場2.jpg"):
        button(viewer, "2枚すべて保存").click()
    expect(viewer).to_contain_text("2枚を保存しました。")
    assert sorted(names) == ["現場1.jpg", "現場2.jpg"]

    # One photo a page, with when, where and by whom.
    phone.page.evaluate("window.print = () => { document.body.dataset.printed = 'yes' }")
    button(viewer, "印刷").click()
    expect(phone.page.locator("body")).to_have_attribute("data-printed", "yes")
    phone.page.emulate_media(media="print")
    expect(phone.page.locator(".sheets figcaption").first).to_contain_text("令和8年11月22日(日) 9:28")
    expect(phone.page.locator(".sheets figcaption").last).to_contain_text("高橋 健 道路課 維持係 主事")
    expect(viewer).to_be_hidden()
    assert len(re.findall(rb"/Type /Page\b", phone.page.pdf(prefer_css_page_size=True))) == 2
    phone.page.emulate_media(media="screen")
    phone.page.evaluate("dispatchEvent(new Event('afterprint'))")
    expect(phone.page.locator(".sheets")).to_have_count(0)

    button(viewer, "ノートに入れる").click()
    choice = phone.page.get_by_role("dialog", name="1件のメッセージをノートに入れる")
    # A title is written over the photo: its keys are its own.
    choice.get_by_label("新しいノートの題名").fill("橋の点検")
    for key in ("ArrowLeft", "Home"):
        choice.get_by_label("新しいノートの題名").press(key)
    expect(viewer).to_contain_text("2 / 2")
    choice.get_by_role("button", name=re.compile("^現場")).click()
    pane = phone.page.get_by_role("dialog", name="トークルームの詳細")
    expect(pane.get_by_role("article")).to_contain_text("現場の写真です。")
    expect(viewer).to_have_count(0)


def swipe(page: Page, start: int, end: int) -> None:
    page.locator(".stage").evaluate(
        """(stage, [from, to]) => {
            const at = (x) => new Touch({ identifier: 1, target: stage, clientX: x, clientY: 300 })
            const fire = (name, touches, x) => stage.dispatchEvent(
                new TouchEvent(name, { touches, changedTouches: [at(x)], bubbles: true }))
            fire('touchstart', [at(from)], from)
            fire('touchend', [], to)
        }""",
        [start, end],
    )
