"""The morning of a road section, from the report of a fallen tree to the note that its chief would sign.

Two zones, two people, three pages: a phone at the roadside on a bad line, its owner's colleague at the desk, and that
colleague's own phone. What the other modules try one by one has to hold together here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pypdfium2
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE, Enter, Hand, Person, Stage
from tests.browser.line import Line
from tests.browser.photos import photo
from tests.browser.process import Server
from tests.browser.test_camera import few, sheet, shoot
from tests.browser.test_memo import act
from tests.browser.test_notes import button, edit, save
from tests.browser.test_search import indexed

WHOLE_BROWSER = True

SHOWN: Final = 30_000
"""Milliseconds for what has to come over a line that was broken."""
LAST_YEAR: Final = "昨年の倒木（市道緑町8号線）は、造園業者への連絡から開通まで2時間でした。"


@pytest.fixture
def roadside(two_zones: Server) -> Iterator[Line]:
    with Line(int(two_zones.base_in("internet").rpartition(":")[2])) as line:
        yield line


def photos(where: Person, words: str) -> Any:
    return where.said(words).locator("img.here")


def test_the_morning_of_a_road_section(
    enter: Enter, hand: Callable[..., Hand], stage: Stage, two_zones: Server, roadside: Line, room_name: str
) -> None:
    people = stage.facts["people"]
    hand("takahashi", two_zones.base).room(room_name, people["tanaka"])
    archive = hand("tanaka", two_zones.base).room(f"昨年度 {room_name[::-1]}", people["takahashi"])
    hand("tanaka", two_zones.base).post(archive, LAST_YEAR)
    phone = enter("takahashi", base=roadside.base, viewport=PHONE, is_mobile=True, has_touch=True)
    desk = enter("tanaka", base=two_zones.base)
    phone.open(room_name)
    desk.open(room_name)

    # A fallen tree is reported, with photos over a line that breaks in the middle of them.
    roadside.do(lambda proxy: proxy.throttle(1_000_000))
    shoot(phone, photo(0, 2400, 1800, grain=True))
    sheet(phone).locator("input[data-pick=choose]").set_input_files(few(photo(1, 2400, 1800, grain=True)))
    sheet(phone).get_by_label("写真1の説明").fill("倒木の全景")
    sheet(phone).get_by_role("radiogroup", name="写真1の区分").get_by_text("着手前").tap()
    sheet(phone).get_by_label("ひとこと").fill("倒木です。市道緑町12号線の片側をふさいでいます。")
    phone.page.get_by_role("button", name="2枚を送信").tap()
    roadside.do(lambda proxy: proxy.passed(up=600_000))
    roadside.do(lambda proxy: proxy.refuse())
    roadside.do(lambda proxy: proxy.drop())
    expect(phone.waiting()).to_contain_text("つながると自動で再開します")
    roadside.do(lambda proxy: proxy.throttle(None))
    roadside.do(lambda proxy: proxy.accept())
    expect(photos(phone, "倒木です。")).to_have_count(2, timeout=SHOWN)
    expect(photos(desk, "倒木です。")).to_have_count(2, timeout=SHOWN)
    expect(desk.said("倒木です。")).to_contain_text("1. 【着手前】倒木の全景")

    # The desk answers, with the message in sight, and asks for a confirmation.
    act(desk, desk.said("倒木です。"), "返信")
    desk.write("確認しました。業者に連絡します。")
    expect(phone.said("業者に連絡します。")).to_contain_text("倒木です。")
    desk.field.fill("10時まで、片側通行の誘導をお願いします。")
    desk.page.get_by_role("button", name="要確認にして送る").click()
    desk.page.get_by_role("dialog").get_by_role("button", name="明日17時").click()
    desk.field.press("Control+Enter")
    asked = desk.said("片側通行の誘導").get_by_role("group", name="要確認")
    expect(asked).to_contain_text("1人中0人が確認済み")
    phone.said("片側通行の誘導").get_by_role("button", name="確認しました").tap()
    expect(asked).to_contain_text("1人全員が確認済み")

    # What was done last year is looked up, and the way leads back.
    indexed(hand("tanaka", two_zones.base), "倒木", 2)
    desk.page.get_by_role("button", name="検索").click()
    desk.page.get_by_role("searchbox", name="検索する言葉").fill("倒木")
    hits = desk.page.get_by_role("list", name="検索結果").get_by_role("link")
    hits.filter(has_text="昨年度").click()
    expect(desk.said("開通まで2時間")).to_be_in_viewport()
    desk.page.go_back()
    expect(hits).to_have_count(2)
    desk.page.go_back()
    expect(desk.page.get_by_role("heading", level=1)).to_have_text(room_name)

    # From the desk's own phone, by way of the memo pad, into the report.
    own = enter("tanaka", base=two_zones.base_in("internet"), viewport=PHONE, is_mobile=True, has_touch=True)
    own.page.get_by_role("button", name="メモ帳").tap()
    own.attach([photo(2, 640, 480)])
    own.write("道路の迂回路の看板 https://example.jp/ukairo")
    expect(photos(own, "迂回路の看板")).to_have_count(1)
    desk.page.get_by_role("button", name="メモから").click()
    picker = desk.page.get_by_role("dialog", name="メモから入れる")
    picker.get_by_role("searchbox", name="メモを言葉で探す").fill("道路")
    expect(picker).to_contain_text("見つかったメモ")
    picker.get_by_role("button", name="迂回路の看板").first.click()
    picker.get_by_role("button", name="すぐに送る").click()
    expect(photos(phone, "迂回路の看板")).to_have_count(1, timeout=SHOWN)

    # The tree is gone.
    shoot(phone, photo(3, 640, 480))
    sheet(phone).get_by_role("radiogroup", name="写真1の区分").get_by_text("着手後").tap()
    sheet(phone).get_by_label("写真1の説明").fill("撤去が終わり、開通しました")
    phone.page.get_by_role("button", name="1枚を送信").tap()
    expect(photos(desk, "撤去が終わり")).to_have_count(1, timeout=SHOWN)

    _make_the_note(desk)
    _sign_it(desk)


def _make_the_note(desk: Person) -> None:
    """Of all of the morning's messages, with a pair of photos and what is to be said about it."""
    act(desk, desk.said("倒木です。").first, "ノートに入れる")
    boxes = desk.log.get_by_role("checkbox")
    boxes.last.click(modifiers=["Shift"])
    bar = desk.page.get_by_role("group", name="メッセージの選択")
    expect(bar).to_contain_text("5件のメッセージを選びました")
    button(bar, "ノートに入れる").click()
    dialog = desk.page.get_by_role("dialog", name="5件のメッセージをノートに入れる")
    dialog.get_by_label("新しいノートの題名").fill("市道緑町12号線 倒木対応")
    dialog.get_by_label("新しいノートの題名").press("Enter")
    pane = desk.page.get_by_role("dialog", name="トークルームの詳細")
    expect(pane.get_by_role("article")).to_have_count(5)
    expect(pane.locator("img.here")).to_have_count(4)
    fields = edit(pane)
    button(pane, "1番目に追加").click()
    button(pane, "文章").click()
    fields.fill("## 経過\n\n- 9:28 倒木の通報\n- 10:00 撤去、開通")
    button(pane, "7番目に追加").click()
    button(pane, "着手前・着手後").click()
    for side, name in (("着手前", "現場1.jpg"), ("着手後", "現場4.jpg")):
        button(pane, f"{side}の写真を選ぶ").click()
        desk.page.get_by_role("dialog", name="写真を選ぶ").get_by_role("button", name=name).first.click()
    save(pane)


def _sign_it(desk: Person) -> None:
    """As the server prints it: two pages, with the dates and names that a section chief looks for."""
    pane = desk.page.get_by_role("dialog", name="トークルームの詳細")
    button(pane, "その他").click()
    with desk.page.expect_download() as download:
        button(pane, "PDFで保存").click()
    paper = pypdfium2.PdfDocument(Path(download.value.path()).read_bytes())
    text = re.sub(r"\s", "", "".join(page.get_textpage().get_text_range() for page in paper))
    assert len(paper) == 2
    for words in (
        "市道緑町12号線倒木対応",
        "経過",
        "令和",
        "高橋健",
        "田中美咲",
        "係長",
        "着手前写真5",
        "着手後写真6",
        "撤去が終わり",
    ):
        assert words in text
    pictures = [one for page in paper for one in page.get_objects() if one.type == pypdfium2.raw.FPDF_PAGEOBJ_IMAGE]
    assert len(pictures) == 6
