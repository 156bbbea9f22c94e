"""Files of any kind between the phone and the desk: in order, over lines that break, and only where their zone lets them."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Page, Request, expect

from tests.browser.conftest import PHONE, Enter, Hand, Person, Stage
from tests.browser.line import Line
from tests.browser.photos import photo
from tests.browser.process import Server
from tests.browser.test_acts import act
from tests.unit.document_samples import pages, words

MIB: Final = 2**20


def file(name: str, content: bytes, kind: str = "application/octet-stream") -> dict[str, Any]:
    return {"name": name, "mimeType": kind, "buffer": content}


def noise(size: int) -> bytes:
    return random.Random(size).randbytes(size)


def names(person: Person, text: str) -> list[str]:
    """Of the files of the message that says `text`, in their order."""
    return list(person.said(text).locator("[data-file] .name").all_inner_texts())


def drafts(person: Person) -> Any:
    return person.page.get_by_role("list", name="添付するファイル").get_by_role("listitem")


def saved(person: Person, name: str) -> bytes:
    """What the browser has on its disk after 「保存」."""
    with person.page.expect_download() as download:
        person.log.get_by_role("button", name=f"{name}を保存").click()
    assert download.value.suggested_filename == name
    return Path(download.value.path()).read_bytes()


def offsets(page: Page) -> list[int]:
    """Grows with each piece that the page sends: where it begins."""
    seen: list[int] = []

    def heard(request: Request) -> None:
        if request.method == "PATCH" and re.search("/api/(uploads|visit/files)/", request.url):
            seen.append(int(request.headers["upload-offset"]))

    page.on("request", heard)
    return seen


def test_files_go_from_the_phone_to_the_desk_in_their_order(
    enter: Enter, hand: Callable[..., Hand], stage: Stage, room_name: str
) -> None:
    takahashi = hand("takahashi")
    room = takahashi.room(room_name, stage.facts["people"]["tanaka"])
    desk = enter("tanaka")
    desk.open(room_name)
    phone = enter("takahashi", viewport=PHONE)
    phone.open(room_name)
    drawing = noise(300_000)
    phone.attach([file("2_縦断図.dxf", drawing), photo(0), file("1_数量計算書.xlsx", b"PK\x03\x04 numbers")])
    # A photo stays a photo, and a file more can be added and taken out again.
    phone.attach([file("間違い.txt", b"not this one")])
    expect(phone.page.get_by_role("list", name="添付する写真").get_by_role("img")).to_have_count(1)
    expect(drafts(phone)).to_have_count(3)
    phone.page.get_by_role("button", name="間違い.txtを外す").click()
    phone.write("図面と数量です。")
    expect(desk.said("図面と数量です。").locator("img.here")).to_have_count(1)
    assert names(desk, "図面と数量です。") == ["2_縦断図.dxf", "1_数量計算書.xlsx"]
    expect(phone.waiting()).to_have_count(0)
    expect(drafts(phone)).to_have_count(0)
    assert saved(desk, "2_縦断図.dxf") == drawing
    (sent,) = takahashi.messages(room)
    assert [block["type"] for block in sent["blocks"]] == ["text", "photos", "files"]


def test_a_word_does_not_wait_for_a_file(enter: Enter, hand: Callable[..., Hand], line: Line, room_name: str) -> None:
    takahashi = hand("takahashi")
    takahashi.room(room_name)
    phone = enter("takahashi", base=line.base, viewport=PHONE)
    phone.open(room_name)
    phone.attach([file("動画.mp4", noise(3 * MIB))])
    line.do(lambda proxy: proxy.throttle(400_000))
    phone.page.get_by_role("button", name="動画.mp4の送信を一時停止").click()
    expect(drafts(phone)).to_contain_text("一時停止中")
    phone.write("動画を送ります。")
    expect(phone.waiting()).to_contain_text("ファイルを送っています 0/1件")
    phone.write("先に届くことば")
    expect(phone.said("先に届くことば")).to_have_count(1)
    line.do(lambda proxy: proxy.throttle(None))
    phone.page.get_by_role("button", name="動画.mp4の送信を再開").click()
    expect(phone.said("動画を送ります。").locator("[data-file]")).to_have_count(1)
    expect(phone.waiting()).to_have_count(0)


def test_a_line_that_breaks_three_times_loses_nothing(
    enter: Enter, hand: Callable[..., Hand], line: Line, room_name: str, tmp_path: Path
) -> None:
    hand("takahashi").room(room_name)
    phone = enter("takahashi", base=line.base, viewport=PHONE)
    phone.open(room_name)
    seen = offsets(phone.page)
    archive = tmp_path / "点検写真一式.zip"
    archive.write_bytes(noise(8 * MIB))
    line.do(lambda proxy: proxy.cut_after(up=2 * MIB))
    phone.attach([str(archive)])
    # At once: what is sent now must not go without the file that was just picked.
    phone.write("橋梁点検の写真です。")
    line.do(lambda proxy: proxy.was_cut(1))
    line.do(lambda proxy: proxy.cut_after(up=2 * MIB))
    line.do(lambda proxy: proxy.was_cut(2))
    line.do(lambda proxy: proxy.cut_after(up=2 * MIB))
    line.do(lambda proxy: proxy.was_cut(3))
    expect(phone.said("橋梁点検の写真です。").locator("[data-file]")).to_have_count(1)
    resumed = [offset for offset in seen if offset > 0]
    assert resumed == sorted(resumed)
    assert resumed, seen
    assert saved(phone, "点検写真一式.zip") == archive.read_bytes()


def test_a_killed_server_goes_on_at_the_offset(
    enter: Enter, hand: Callable[..., Hand], own_server: Server, room_name: str, tmp_path: Path
) -> None:
    takahashi = hand("takahashi", own_server.base)
    takahashi.room(room_name)
    drawing = tmp_path / "流域図.tif"
    drawing.write_bytes(noise(20 * MIB))
    with Line(own_server.port) as line:
        phone = enter("takahashi", base=line.base, viewport=PHONE)
        phone.open(room_name)
        seen = offsets(phone.page)
        with phone.page.expect_response(lambda response: response.request.method == "PATCH"):
            phone.attach([str(drawing)])
            phone.write("流域図です。")
        # The first piece of 16 MiB was answered, so it is on the disk.
        line.do(lambda proxy: proxy.refuse())
        line.do(lambda proxy: proxy.drop())
        own_server.kill()
        own_server.start()
        line.do(lambda proxy: proxy.accept())
        expect(phone.said("流域図です。").locator("[data-file]")).to_have_count(1)
        assert [offset for offset in seen if offset == 0] == [0], seen
        assert seen[-1] >= 16 * MIB
        assert saved(phone, "流域図.tif") == drawing.read_bytes()


def test_a_closed_page_goes_on_by_itself_or_asks_for_the_same_file(
    enter: Enter, hand: Callable[..., Hand], line: Line, room_name: str, tmp_path: Path
) -> None:
    takahashi = hand("takahashi")
    takahashi.room(room_name)
    phone = enter("takahashi", base=line.base, viewport=PHONE)
    phone.open(room_name)
    small, large = tmp_path / "小さな表.csv", tmp_path / "大きな図面.zip"
    small.write_bytes(noise(2 * MIB))
    large.write_bytes(noise(26 * MIB))
    line.do(lambda proxy: proxy.cut_after(up=18 * MIB))
    phone.attach([str(large)])
    line.do(lambda proxy: proxy.was_cut())
    line.do(lambda proxy: proxy.stall())
    phone.attach([str(small)])
    expect(drafts(phone)).to_have_count(2)
    phone.page.wait_for_function(STORED, arg=2)
    page = phone.page.context.new_page()
    phone.page.close()
    line.do(lambda proxy: proxy.drop())
    line.do(lambda proxy: proxy.flow())
    phone.page = page
    seen = offsets(page)
    page.goto("/")
    phone.open(room_name)
    expect(drafts(phone).filter(has_text="小さな表.csv")).to_contain_text("準備できました")
    missing = drafts(phone).filter(has_text="大きな図面.zip")
    expect(missing).to_contain_text("同じファイルを選び直すと、途中から送ります。")
    phone.write("二つ送ります。")
    expect(page.locator(".composer").get_by_role("alert")).to_contain_text("「大きな図面.zip」はまだ送れません。")
    missing.locator("input[data-pick=again]").set_input_files(str(small))
    expect(missing).to_contain_text("別のファイルです。")
    missing.locator("input[data-pick=again]").set_input_files(str(large))
    phone.page.get_by_role("button", name="送信", exact=True).click()
    expect(phone.said("二つ送ります。").locator("[data-file]")).to_have_count(2)
    # The small one may begin anew; the large one went on.
    assert seen.count(0) <= 1, seen
    assert seen[-1] >= 16 * MIB
    assert saved(phone, "大きな図面.zip") == large.read_bytes()


STORED = """(files) => new Promise((resolve) => {
    const opening = indexedDB.open('renraku')
    opening.onsuccess = () => {
        const request = opening.result.transaction('files').objectStore('files').count()
        request.onsuccess = () => { opening.result.close(); resolve(request.result === files) }
    }
})"""


HOLD = """() => new Promise((held) => {
    const opening = indexedDB.open('renraku')
    opening.onsuccess = () => {
        const files = opening.result.transaction('files', 'readwrite').objectStore('files')
        window.__held = true
        const again = () => {
            if (window.__held) files.count().onsuccess = again
            else opening.result.close()
        }
        files.count().onsuccess = () => { held(); again() }
    }
})"""
"""Nobody else writes files to the device's disk until `window.__held` is false."""


def test_a_message_is_edited_while_a_file_is_still_looked_at(
    enter: Enter, hand: Callable[..., Hand], room_name: str
) -> None:
    hand("takahashi").room(room_name)
    desk = enter("takahashi")
    desk.open(room_name)
    desk.write("9時から通行止めです。")
    expect(desk.said("9時から")).to_have_count(1)
    desk.attach([file("前の図面.pdf", b"%PDF-1.7 before")])
    expect(drafts(desk)).to_contain_text("準備できました")
    desk.page.get_by_role("button", name="前の図面.pdfを外す").click()
    desk.page.evaluate(HOLD)
    desk.attach([file("位置図.pdf", b"%PDF-1.7 where")])
    act(desk, "9時から", "編集")
    desk.field.fill("10時から通行止めです。")
    desk.field.press("Control+Enter")
    expect(desk.said("10時から通行止めです。")).to_contain_text("編集済み")
    desk.page.evaluate("window.__held = false")
    expect(drafts(desk)).to_contain_text("位置図.pdf")
    expect(drafts(desk)).to_contain_text("準備できました")


def test_outsiders_are_named_before_a_file_reaches_them(enter: Enter, hand: Callable[..., Hand], stage: Stage) -> None:
    desk = enter("takahashi")
    desk.open("下水道 更新工事 3工区")
    desk.attach([file("見積書.pdf", b"%PDF-1.7 a bid")])
    expect(drafts(desk)).to_contain_text("準備できました")
    desk.write("外部の方へ")
    question = desk.page.locator(".confirm")
    expect(question).to_contain_text("ファイル1件を外部の方(若葉 誠)にも送信します。よろしいですか。")
    desk.field.press("Control+Enter")
    expect(desk.waiting()).to_have_count(0)
    expect(desk.said("外部の方へ")).to_have_count(0)
    question.get_by_role("button", name="外部の方にも送信する").click()
    expect(desk.said("外部の方へ").locator("[data-file]")).to_have_count(1)


def test_a_text_is_read_and_script_in_it_is_text(enter: Enter, hand: Callable[..., Hand], room_name: str) -> None:
    hand("takahashi").room(room_name)
    desk = enter("takahashi")
    desk.open(room_name)
    desk.attach([file("<img src=x onerror=alert(1)>.txt", "聞き取り\n<script>alert(1)</script>".encode("cp932"))])
    desk.write("聞き取りメモ")
    row = desk.said("聞き取りメモ").locator("[data-file]")
    row.get_by_role("button", name="を開く").click()
    viewer = desk.page.get_by_role("dialog", name="ファイルの表示")
    expect(viewer.locator("pre")).to_have_text("聞き取り\n<script>alert(1)</script>")
    expect(viewer.get_by_role("heading")).to_contain_text("onerror=alert(1)")
    desk.page.keyboard.press("Escape")
    expect(viewer).to_have_count(0)


def test_a_documents_pages_are_had_as_pictures(enter: Enter, hand: Callable[..., Hand], room_name: str) -> None:
    hand("takahashi").room(room_name)
    desk = enter("takahashi")
    desk.open(room_name)
    content = pages(words("bearing replacement"), words("second page"))
    desk.attach([file("数量計算書.pdf", content, "application/pdf")])
    desk.write("数量計算書です。")
    desk.log.get_by_role("button", name="数量計算書.pdfを開く").click()
    viewer = desk.page.get_by_role("dialog", name="ファイルの表示")
    viewer.get_by_role("button", name="数量計算書.pdfのページを画像にしたPDFを作る").click()
    expect(viewer.get_by_role("status")).to_have_text("ページを画像にしたPDFができました。")
    with desk.page.expect_download() as download:
        viewer.get_by_role("button", name="数量計算書.pdfのページを画像にしたPDFを保存").click()
    made = Path(download.value.path()).read_bytes()
    assert made.startswith(b"%PDF")
    assert made != content


def test_files_are_dropped_on_the_room(enter: Enter, hand: Callable[..., Hand], room_name: str) -> None:
    hand("takahashi").room(room_name)
    desk = enter("takahashi")
    desk.open(room_name)
    carried = desk.page.evaluate_handle(
        """() => {
            const carried = new DataTransfer()
            carried.items.add(new File(['a'], '一.pdf'))
            carried.items.add(new File(['b'], '二.pdf'))
            return carried
        }"""
    )
    desk.log.dispatch_event("dragenter", {"dataTransfer": carried})
    expect(desk.page.get_by_text("ここで放すと添付します")).to_be_visible()
    desk.log.dispatch_event("drop", {"dataTransfer": carried})
    expect(drafts(desk).locator(".name")).to_have_text(["一.pdf", "二.pdf"])
    expect(desk.page.get_by_text("ここで放すと添付します")).to_have_count(0)


def test_a_file_is_withdrawn_from_everybody_after_a_question(
    enter: Enter, hand: Callable[..., Hand], stage: Stage, room_name: str
) -> None:
    hand("takahashi").room(room_name, stage.facts["people"]["tanaka"])
    author, reader = enter("takahashi", viewport=PHONE), enter("tanaka")
    author.open(room_name)
    reader.open(room_name)
    author.attach(
        [file("間違えた名簿.xlsx", b"PK\x03\x04 names"), file("正しい名簿.xlsx", b"PK\x03\x04 right"), photo(0)]
    )
    author.write("名簿です。")
    expect(reader.said("名簿です。").locator("[data-file]")).to_have_count(2)
    expect(reader.said("名簿です。").get_by_role("button", name="取り消す")).to_have_count(0)
    author.log.get_by_role("button", name="間違えた名簿.xlsxを取り消す").click()
    question = author.log.get_by_role("alertdialog")
    expect(question.get_by_role("button", name="やめる")).to_be_focused()
    author.page.keyboard.press("Escape")
    expect(question).to_have_count(0)
    author.log.get_by_role("button", name="間違えた名簿.xlsxを取り消す").click()
    question.get_by_role("button", name="添付を取り消す").click()
    for person in (author, reader):
        withdrawn = person.said("名簿です。").locator("[data-file]").first
        expect(withdrawn).to_contain_text("この添付は取り消されました")
        expect(withdrawn).not_to_contain_text("名簿.xlsx")
        expect(withdrawn.get_by_role("button")).to_have_count(0)
    expect(reader.said("名簿です。").get_by_role("button", name="正しい名簿.xlsxを保存")).to_be_visible()
    author.said("名簿です。").get_by_role("button", name="写真を大きく表示").click()
    viewer = author.page.get_by_role("dialog", name="写真の表示")
    viewer.get_by_role("button", name="現場1.jpgを取り消す").click()
    viewer.get_by_role("button", name="添付を取り消す").click()
    expect(viewer).to_contain_text("取り消されました")
    expect(reader.said("名簿です。").locator(".album")).to_contain_text("取り消されました")


def test_an_owner_takes_back_what_somebody_else_sent(
    enter: Enter, hand: Callable[..., Hand], stage: Stage, room_name: str
) -> None:
    hand("takahashi").room(room_name, stage.facts["people"]["tanaka"])
    owner, author = enter("takahashi"), enter("tanaka")
    owner.open(room_name)
    author.open(room_name)
    author.attach([file("間違えた名簿.xlsx", b"PK\x03\x04 names")])
    author.write("名簿です。")
    owner.log.get_by_role("button", name="間違えた名簿.xlsxを取り消す").click()
    owner.log.get_by_role("alertdialog").get_by_role("button", name="添付を取り消す").click()
    for person in (owner, author):
        expect(person.said("名簿です。").locator("[data-file]")).to_contain_text("この添付は取り消されました")


def test_the_rooms_list_finds_files_by_kind_and_person_and_leads_to_the_message(
    enter: Enter, hand: Callable[..., Hand], stage: Stage, room_name: str
) -> None:
    takahashi = hand("takahashi")
    room = takahashi.room(room_name, stage.facts["people"]["tanaka"])
    phone = enter("takahashi", viewport=PHONE)
    phone.open(room_name)
    phone.attach([photo(0), file("古い図面.pdf", b"%PDF-1.7 old")])
    phone.write("最初に送った図面")
    expect(phone.said("最初に送った図面")).to_have_count(1)
    for number in range(60):
        takahashi.post(room, f"その後の話 {number}")
    desk = enter("tanaka", viewport={"width": 1280, "height": 800})
    desk.open(room_name)
    desk.attach([file("新しい表.xlsx", b"PK\x03\x04")])
    desk.write("表です。")
    expect(desk.said("表です。")).to_have_count(1)
    for person in (desk, phone):
        listing = person.details("添付")
        rows = listing.locator("[data-listed] .name")
        expect(rows).to_have_text(["新しい表.xlsx", "古い図面.pdf", "現場1.jpg"])
        listing.get_by_role("button", name="写真", exact=True).click()
        expect(rows).to_have_text(["現場1.jpg"])
        listing.get_by_role("button", name="ファイル", exact=True).click()
        expect(rows).to_have_text(["新しい表.xlsx", "古い図面.pdf"])
        listing.get_by_label("送った人").select_option(label="高橋 健")
        expect(rows).to_have_text(["古い図面.pdf"])
        listing.get_by_role("button", name="古い図面.pdfのメッセージへ").click()
        expect(person.said("最初に送った図面")).to_be_focused()
        expect(person.said("最初に送った図面")).to_be_in_viewport()
    # On the phone it covered the messages, and has gone; at the desk it stands beside them.
    expect(phone.page.get_by_role("dialog", name="トークルームの詳細")).to_have_count(0)
    listing = desk.page.get_by_role("dialog", name="トークルームの詳細")
    listing.get_by_label("送った人").select_option(label="全員")
    desk.attach([file("今の表.csv", b"a,b")])
    desk.write("今の表です。")
    expect(listing.locator("[data-listed] .name").first).to_have_text("今の表.csv")
    listing.get_by_role("button", name="閉じる").click()
    expect(listing).to_have_count(0)


def test_a_file_from_the_internet_is_not_opened_inside_and_says_why(
    enter: Enter, hand: Callable[..., Hand], stage: Stage, two_zones: Server, room_name: str
) -> None:
    hand("takahashi", two_zones.base).room(room_name, stage.facts["people"]["tanaka"])
    phone = enter("takahashi", base=two_zones.base_in("internet"), viewport=PHONE)
    phone.open(room_name)
    phone.attach([file("業者の図面.zip", b"PK\x03\x04 from outside")])
    phone.write("外から送ります。")
    expect(phone.said("外から送ります。").get_by_role("button", name="業者の図面.zipを保存")).to_be_visible()
    desk = enter("tanaka", base=two_zones.base)
    desk.open(room_name)
    row = desk.said("外から送ります。").locator("[data-file]")
    expect(row).to_contain_text(re.compile("信頼度の低いネットワークから届いたため、無害化が済むまで"))
    # Nothing of it but why it is not here.
    expect(row.get_by_role("button")).to_have_count(1)
    expect(row.get_by_role("button", name="業者の図面.zipの報告")).to_be_visible()
