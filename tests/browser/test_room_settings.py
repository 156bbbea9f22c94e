"""What an owner decides about a room in its settings is so at other people's pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Locator, expect

from tests.browser.conftest import PHONE, Enter, Hand, Person, Stage
from tests.browser.photos import photo
from tests.browser.process import Server


def settings(person: Person) -> Locator:
    person.details("メンバー").get_by_role("button", name="設定").click()
    found: Locator = person.page.get_by_role("dialog", name="トークルームの設定")
    return found


def save(dialog: Locator) -> None:
    dialog.get_by_role("button", name="保存する").click()
    expect(dialog.get_by_role("status")).to_have_text("保存しました。")


def test_an_archived_room_is_read_and_not_written_until_it_is_reopened(
    enter: Enter, hand: Callable[..., Hand], stage: Stage, room_name: str
) -> None:
    room = hand("takahashi").room(room_name, stage.facts["people"]["tanaka"])
    hand("takahashi").post(room, "工事は終わりました。")
    owner, reader = enter("takahashi"), enter("tanaka", viewport=PHONE)
    owner.open(room_name)
    reader.open(room_name)
    dialog = settings(owner)
    dialog.get_by_role("button", name="保管する").click()
    expect(dialog.get_by_role("alert").filter(has_text=room_name)).to_contain_text("だれも書き込めなくなります。")
    dialog.get_by_role("button", name="保管する").click()
    expect(dialog).to_contain_text("このトークルームは保管済みです。")
    expect(reader.field).to_have_count(0)
    expect(reader.said("工事は終わりました。")).to_have_count(1)
    dialog.get_by_role("button", name="元に戻す").click()
    expect(reader.field).to_be_visible()
    owner.page.keyboard.press("Escape")
    reader.write("もう一度書けます。")
    expect(owner.said("もう一度書けます。")).to_have_count(1)


def test_who_comes_later_sees_what_the_settings_say(
    enter: Enter, hand: Callable[..., Hand], stage: Stage, room_name: str
) -> None:
    room = hand("takahashi").room(room_name)
    hand("takahashi").post(room, "入る前の話")
    owner = enter("takahashi")
    owner.open(room_name)
    dialog = settings(owner)
    dialog.get_by_role("radio", name="入った後のメッセージだけ見せる").check()
    save(dialog)
    people = stage.facts["people"]
    hand("takahashi").call("POST", f"/api/rooms/{room}/members", {"users": [people["tanaka"]]})
    hand("takahashi").post(room, "入った後の話")
    newcomer = enter("tanaka")
    newcomer.open(room_name)
    expect(newcomer.said("入った後の話")).to_have_count(1)
    expect(newcomer.said("入る前の話")).to_have_count(0)


def test_what_leaves_for_the_internet_is_the_rooms_to_say(
    enter: Enter, hand: Callable[..., Hand], stage: Stage, two_zones: Server, room_name: str
) -> None:
    # Whoever may change it: an administrator of the organization who owns the room.
    hand("sato", two_zones.base).room(room_name, stage.facts["people"]["takahashi"])
    desk = enter("sato", base=two_zones.base)
    desk.open(room_name)
    desk.attach([photo(0, 320, 240)])
    desk.write("庁内の写真")
    phone = enter("takahashi", base=two_zones.base_in("internet"), viewport=PHONE)
    phone.open(room_name)
    expect(phone.said("庁内の写真").locator("img.here")).to_have_count(1)
    dialog = settings(desk)
    dialog.get_by_label("庁内のファイルを庁外の網").select_option(label="見せない(文字だけ)")
    save(dialog)
    phone.page.reload()
    expect(phone.said("庁内の写真")).to_be_visible()
    expect(phone.said("庁内の写真").locator("img.here")).to_have_count(0)


def test_another_organization_is_let_in_and_shut_out(
    enter: Enter, hand: Callable[..., Hand], stage: Stage, room_name: str
) -> None:
    room = hand("sato").room(room_name)
    desk = enter("sato")
    desk.open(room_name)
    dialog: Any = settings(desk).get_by_role("region", name="ほかの団体との共有")
    dialog.get_by_role("textbox").fill("asahi")
    dialog.get_by_role("button", name="招待する").click()
    expect(dialog.get_by_role("listitem")).to_contain_text("あさひ町招待中(まだ入っていません)")

    guest = enter("yamamoto", viewport=PHONE, signed_in=False)
    guest.sign_in(stage.facts["password"], "asahi")
    guest.page.get_by_role("button", name="公開トークルームを探す").click()
    guest.page.get_by_role("button", name=f"「{room_name}」の招待を受ける").click()
    expect(guest.page.get_by_role("heading", name=room_name, level=1)).to_be_visible()
    guest.write("あさひ町の山本です。")
    desk.page.keyboard.press("Escape")
    expect(desk.said("あさひ町の山本です。")).to_have_count(1)
    # Who is from outside is named where one writes.
    expect(desk.page.locator(".composer .outsiders")).to_contain_text("あさひ町")
    dialog = settings(desk).get_by_role("region", name="ほかの団体との共有")
    expect(dialog.get_by_role("listitem")).to_contain_text("あさひ町共有中")
    dialog.get_by_role("button", name="あさひ町との共有をやめる").click()
    dialog.get_by_role("button", name="共有をやめる", exact=True).click()
    expect(guest.log).to_have_count(0)
    assert hand("sato").call("GET", f"/api/rooms/{room}")["outsiders"] == []
