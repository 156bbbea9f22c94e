"""From the camera to the room: captions, before and after, order, and nothing lost when the phone ends the page."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

from PIL import Image
from playwright.sync_api import Locator, expect

from tests.browser.conftest import PHONE, Enter, Hand, Person, Stage
from tests.browser.device import holds
from tests.browser.photos import photo

ORIENTATION = 0x0112


def sheet(person: Person) -> Locator:
    return person.page.get_by_role("dialog", name="写真")


def few(*photos: Any) -> list[Any]:
    return list(photos)


def shoot(person: Person, *photos: Any) -> None:
    person.page.locator("input[data-pick=camera]").set_input_files(few(*photos))


def test_two_taps_send_a_photo(enter: Enter, hand: Callable[..., Hand], room_name: str) -> None:
    takahashi = hand("takahashi")
    room = takahashi.room(room_name)
    phone = enter("takahashi", viewport=PHONE, is_mobile=True, has_touch=True)
    phone.open(room_name)
    with phone.page.expect_file_chooser() as chooser:
        phone.page.get_by_role("button", name="写真を撮る").tap()
    chooser.value.set_files(few(photo(0, 320, 240)))
    phone.page.get_by_role("button", name="1枚を送信").tap()
    expect(phone.log.locator("article[data-message] img.here")).to_have_count(1)
    (sent,) = takahashi.messages(room)
    assert [block["type"] for block in sent["blocks"]] == ["photos"]


def test_captions_marks_and_order_survive_the_end_of_the_page(
    enter: Enter, hand: Callable[..., Hand], stage: Stage, room_name: str
) -> None:
    takahashi = hand("takahashi")
    room = takahashi.room(room_name, stage.facts["people"]["tanaka"])
    phone = enter("takahashi", viewport=PHONE)
    phone.open(room_name)
    shoot(phone, photo(0, 320, 240))
    expect(sheet(phone)).to_contain_text(f"送り先: {room_name}")
    sheet(phone).get_by_label("写真1の説明").fill("倒木の全景")
    sheet(phone).get_by_role("radiogroup", name="写真1の区分").get_by_text("着手前").click()
    sheet(phone).locator("input[data-pick=choose]").set_input_files(
        few(*(photo(number, 320, 240) for number in range(1, 12)))
    )
    expect(sheet(phone).get_by_role("listitem")).to_have_count(12)
    expect(sheet(phone).get_by_role("status")).to_contain_text("順番のまま2件に分けて送ります。")
    sheet(phone).get_by_label("写真12の説明").fill("撤去のあと")
    sheet(phone).get_by_role("radiogroup", name="写真12の区分").get_by_text("着手後").click()
    sheet(phone).get_by_role("button", name="写真3を前へ").click()
    # Phones end pages while their camera is open.
    holds(phone.page, "shots", 12)
    phone.page.reload()
    phone.page.get_by_text("写真12枚を準備中").wait_for()
    phone.page.get_by_role("button", name="続ける").click()
    expect(sheet(phone).get_by_label("写真1の説明")).to_have_value("倒木の全景")
    sheet(phone).get_by_label("ひとこと").fill("市道緑町12号線です。")
    sheet(phone).locator("input[data-pick=choose]").set_input_files(few(*[photo(12, 320, 240)] * 9))
    expect(sheet(phone).get_by_role("alert")).to_contain_text("20枚まで")
    for number in range(20, 12, -1):
        sheet(phone).get_by_role("button", name=f"写真{number}を外す").click()
    phone.page.get_by_role("button", name="12枚を送信").click()
    expect(sheet(phone)).to_have_count(0)
    expect(phone.log.locator("article[data-message] img.here")).to_have_count(12)
    first, second = takahashi.messages(room)
    assert first["blocks"][0]["text"] == "市道緑町12号線です。\n\n1. 【着手前】倒木の全景"
    assert second["blocks"][0]["text"] == "12. 【着手後】撤去のあと"
    names = [attachment["name"] for message in (first, second) for attachment in message["attachments"]]
    order = [1, 3, 2, *range(4, 13)]
    assert names == [f"現場{number}.jpg" for number in order]
    holds(phone.page, "shots", 0)


def test_smaller_photos_stand_upright_and_keep_their_time(
    enter: Enter, hand: Callable[..., Hand], room_name: str
) -> None:
    takahashi = hand("takahashi")
    room = takahashi.room(room_name)
    lying = photo(4, 4000, 3000)
    with Image.open(io.BytesIO(lying["buffer"])) as picture:
        exif = picture.getexif()
        exif[ORIENTATION] = 6
        target = io.BytesIO()
        picture.save(target, "JPEG", exif=exif, quality=95)
    phone = enter("takahashi", viewport=PHONE)
    phone.open(room_name)
    shoot(phone, {**lying, "buffer": target.getvalue()})
    sheet(phone).get_by_label("写真は小さくして送る").check()
    phone.page.get_by_role("button", name="1枚を送信").click()
    expect(phone.log.locator("article[data-message] img.here")).to_have_count(1)
    (sent,) = takahashi.messages(room)
    (attachment,) = sent["attachments"]
    assert (attachment["width"], attachment["height"]) == (1536, 2048)
    (address,) = takahashi.call("POST", "/api/attachments/addresses", {"ids": [attachment["id"]]})["items"]
    assert address["taken_at"] == 1_795_307_520_000
    assert round(address["place"]["latitude"], 3) == 35.681
    # What was chosen once stays chosen; a photo for people outside is a question of its own.
    phone.page.get_by_role("button", name="トークルーム一覧へ戻る").click()
    phone.open("下水道 更新工事 3工区")
    shoot(phone, photo(1, 320, 240))
    expect(sheet(phone).get_by_label("写真は小さくして送る")).to_be_checked()
    phone.page.get_by_role("button", name="1枚を送信").click()
    expect(phone.waiting()).to_have_count(0)
    expect(phone.page.get_by_role("button", name="外部の方にも1枚を送信")).to_be_visible()
    sheet(phone).get_by_role("button", name="閉じる").click()
    phone.page.get_by_role("button", name="すべて外す").click()
    phone.page.get_by_role("button", name="外す", exact=True).click()
    expect(phone.page.get_by_text("準備中")).to_have_count(0)
