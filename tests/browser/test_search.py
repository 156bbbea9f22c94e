"""What was said is found as one types, narrowed, and leads to its message and back."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Route, expect

from tests.browser.conftest import PHONE, Enter, Hand, Stage
from tests.browser.photos import photo
from tests.browser.test_layout import small_targets, sticks_out
from tests.support.patience import DEADLINE
from tests.unit.document_samples import pages, words

WORD = "楢の倒木"
SCRIPT = "<b>太字</b>"
WIDTH_OF_A_PAGE = 30


def indexed(hand: Hand, words: str, count: int) -> None:
    """The index may be a second behind: until it is not, asking again is all one can do."""
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        if len(hand.call("POST", "/api/search", {"words": words, "limit": 100})["items"]) >= count:
            return
    raise AssertionError(f"{words} is not found")


def test_words_are_found_narrowed_and_lead_to_their_message_and_back(
    enter: Enter, hand: Callable[..., Hand], stage: Stage, room_name: str
) -> None:
    people = stage.facts["people"]
    room = hand("takahashi").room(room_name, people["tanaka"])
    other = hand("takahashi").room(f"{room_name} {SCRIPT}", people["tanaka"])
    hand("takahashi").post(room, f"{WORD}を見つけました。{SCRIPT} 片側をふさいでいます。")
    for number in range(WIDTH_OF_A_PAGE + 5):
        hand("tanaka").post(room, f"{WORD}の続報{number}です。")
    hand("tanaka").post(other, f"別の{WORD}")
    indexed(hand("takahashi"), WORD, WIDTH_OF_A_PAGE + 7)
    desk = enter("takahashi")
    page = desk.page
    page.get_by_role("button", name="検索").click()
    field = page.get_by_role("searchbox", name="検索する言葉")
    hits = page.get_by_role("list", name="検索結果").get_by_role("link")
    expect(field).to_be_focused()
    # An older answer that comes late is dropped: that of 「別の」 is held until the next one was shown.
    held: list[Route] = []

    def hold(route: Route) -> None:
        if json.loads(route.request.post_data or "{}")["words"] == "別の":
            held.append(route)
        else:
            route.continue_()

    page.route("**/api/search", hold)
    with page.expect_request("**/api/search"):
        field.fill("別の")
    field.fill(WORD)
    expect(hits).to_have_count(WIDTH_OF_A_PAGE)
    held[0].continue_()
    # The newest first, the hit marked, what was written shown as it was written.
    expect(hits.first).to_contain_text(f"{room_name} {SCRIPT}")
    expect(hits.first.locator("mark")).to_have_text(WORD)
    expect(page.get_by_role("status").filter(has_text="件以上見つかりました")).to_be_attached()
    hits.last.scroll_into_view_if_needed()
    expect(hits).to_have_count(WIDTH_OF_A_PAGE + 7)
    # Narrowed: by author, by room; and wide again.
    author = page.get_by_role("combobox", name="書いた人")
    author.fill("高橋")
    page.get_by_role("option", name="高橋 健").click()
    expect(hits).to_have_count(1)
    expect(hits).to_contain_text(SCRIPT)
    page.get_by_role("button", name="高橋 健の指定をやめる").click()
    page.get_by_role("combobox", name="トークルーム", exact=True).select_option(label=f"{room_name} {SCRIPT}")
    expect(hits).to_have_count(1)
    page.get_by_label("この日まで").fill("2001-01-01")
    expect(page.get_by_text("この絞り込みでは")).to_be_visible()
    page.get_by_role("button", name="絞り込みをやめる").first.click()
    expect(hits).to_have_count(WIDTH_OF_A_PAGE)
    assert sticks_out(page) == []
    # The oldest one is far above what the room shows at first. And back, where everything stands as it was.
    hits.last.scroll_into_view_if_needed()
    expect(hits).to_have_count(WIDTH_OF_A_PAGE + 7)
    hits.last.click()
    expect(page.get_by_role("heading", name=room_name, level=1)).to_be_visible()
    expect(desk.said("片側をふさいでいます")).to_be_in_viewport()
    page.go_back()
    expect(field).to_have_value(WORD)
    expect(hits).to_have_count(WIDTH_OF_A_PAGE + 7)
    expect(hits.last).to_be_in_viewport()
    # Nothing, and no answer, in words.
    field.fill("どこにもない言葉")
    expect(page.get_by_text("「どこにもない言葉」は見つかりませんでした。")).to_be_visible()
    page.unroute("**/api/search")
    page.route("**/api/search", lambda route: route.abort())
    field.fill(WORD)
    expect(page.get_by_text("検索できませんでした。")).to_be_visible()
    page.unroute("**/api/search")
    page.get_by_role("button", name="もう一度検索する").click()
    expect(hits).to_have_count(WIDTH_OF_A_PAGE)


def test_on_the_phone_in_one_room_with_its_photos(
    enter: Enter, hand: Callable[..., Hand], stage: Stage, room_name: str
) -> None:
    room = hand("takahashi").room(room_name)
    picture: dict[str, Any] = photo(0, 320, 240)
    made = hand("takahashi").http.post(
        f"/api/photos?name={room_name.replace(' ', '')}側溝.jpg",
        content=picture["buffer"],
        headers={"Authorization": f"Bearer {hand('takahashi').token}", "Idempotency-Key": f"photo-{room}"},
    )
    hand("takahashi").call(
        "POST",
        f"/api/rooms/{room}/messages",
        {"client_msg_id": f"sokkou-{room}"[:60], "blocks": [{"type": "photos", "ids": [made.json()["id"]]}]},
    )
    hand("takahashi").post(room, "側溝の写真です。")
    phone = enter("takahashi", viewport=PHONE, is_mobile=True, has_touch=True)
    page = phone.page
    low = page.get_by_role("button", name="検索").bounding_box()
    assert low is not None
    assert low["y"] > PHONE["height"] * 0.8, "out of the thumb's reach"
    phone.open(room_name)
    page.get_by_role("button", name="このトークルームの中を探す").click()
    expect(page.get_by_role("button", name=f"「{room_name}」の指定をやめる")).to_be_visible()
    assert small_targets(page) == []
    hits = page.get_by_role("list", name="検索結果").get_by_role("link")
    indexed(hand("takahashi"), f"{room_name.replace(' ', '')}側溝", 1)
    page.get_by_role("searchbox", name="検索する言葉").fill("側溝")
    expect(hits).to_have_count(2)
    expect(hits.filter(has_text="写真の名前")).to_have_count(1)
    assert small_targets(page) == []
    assert sticks_out(page) == []
    hits.filter(has_text="写真の名前").click()
    expect(page.get_by_role("heading", name=room_name, level=1)).to_be_visible()
    page.get_by_role("button", name="検索結果へ戻る").click()
    expect(hits).to_have_count(2)
    # The way back leads to where one came from, step by step.
    page.get_by_role("button", name="戻る", exact=True).click()
    expect(page.get_by_role("heading", name=room_name, level=1)).to_be_visible()
    page.get_by_role("button", name="トークルーム一覧へ戻る").click()
    expect(page.get_by_role("button", name="検索")).to_be_visible()


def test_a_note_and_the_words_of_a_document_are_a_click_away(
    enter: Enter, hand: Callable[..., Hand], stage: Stage, room_name: str
) -> None:
    takahashi = hand("takahashi")
    room = takahashi.room(room_name, stage.facts["people"]["tanaka"])
    note = {"title": "擁壁の点検", "blocks": [{"type": "markdown", "text": "水抜き穴は異常なし"}]}
    takahashi.call("POST", f"/api/rooms/{room}/notes", note)
    writer = enter("takahashi", viewport=PHONE)
    writer.open(room_name)
    pdf: Any = {"name": "擁壁.pdf", "mimeType": "application/pdf", "buffer": pages(words("YOHEKI77"))}
    writer.attach([pdf])
    writer.write("図面を送ります。")
    expect(writer.waiting()).to_have_count(0)
    for number in range(WIDTH_OF_A_PAGE):
        takahashi.post(room, f"その後の連絡{number}")
    indexed(takahashi, "YOHEKI77", 1)
    indexed(takahashi, "水抜き穴", 1)
    desk = enter("tanaka")
    page = desk.page
    page.get_by_role("button", name="検索").click()
    field = page.get_by_role("searchbox", name="検索する言葉")
    hits = page.get_by_role("list", name="検索結果").get_by_role("link")
    field.fill("YOHEKI77")
    expect(hits).to_have_count(1)
    expect(hits).to_contain_text("擁壁.pdf")
    hits.click()
    expect(page.get_by_role("heading", name=room_name, level=1)).to_be_visible()
    expect(desk.said("図面を送ります。")).to_be_in_viewport()
    page.go_back()
    field.fill("水抜き穴")
    expect(hits).to_have_count(1)
    expect(hits).to_contain_text("擁壁の点検")
    hits.click()
    pane = page.get_by_role("dialog", name="トークルームの詳細")
    expect(pane.get_by_role("heading", name="擁壁の点検")).to_be_visible()
    expect(pane).to_contain_text("水抜き穴は異常なし")
