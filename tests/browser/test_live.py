"""Text and photos between two people, as they happen."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.conftest import PHONE, Enter, Hand, Person, Stage
from tests.browser.photos import photo


def test_text_both_ways(enter: Enter, hand: Callable[..., Hand], stage: Stage, room_name: str) -> None:
    hand("takahashi").room(room_name, stage.facts["people"]["tanaka"])
    desk, phone = enter("tanaka"), enter("takahashi", viewport=PHONE)
    desk.open(room_name)
    phone.open(room_name)
    phone.write("倒木です。\n片側をふさいでいます。")
    expect(desk.said("片側をふさいでいます。")).to_have_count(1)
    expect(desk.said("片側をふさいでいます。")).to_contain_text("道路課 維持係 主事")
    desk.write("通行止めの手配をします。")
    expect(phone.said("通行止めの手配をします。")).to_have_count(1)
    expect(desk.waiting()).to_have_count(0)
    expect(desk.field).to_have_value("")


def test_the_list_moves_and_counts_while_another_room_is_open(
    enter: Enter, hand: Callable[..., Hand], stage: Stage, room_name: str
) -> None:
    takahashi = hand("takahashi")
    room = takahashi.room(room_name, stage.facts["people"]["tanaka"])
    desk = enter("tanaka")
    desk.open("道路パトロール 現場報告")
    row = desk.page.get_by_role("link", name=room_name)
    takahashi.post(room, "看板を設置しました。")
    expect(row).to_contain_text("看板を設置しました。")
    expect(row).to_contain_text("未読1件")
    takahashi.post(room, f"<@user:{stage.facts['people']['tanaka']}> 確認をお願いします。")
    expect(row).to_contain_text("未読2件、自分へのメンションがあります")
    expect(row.locator(".count")).to_have_text("@2")


def test_reading_tells_the_server_and_clears_the_count_on_every_page(
    enter: Enter, hand: Callable[..., Hand], stage: Stage, room_name: str
) -> None:
    takahashi = hand("takahashi")
    room = takahashi.room(room_name, stage.facts["people"]["tanaka"])
    takahashi.post(room, "一つ目")
    takahashi.post(room, "二つ目")
    here, elsewhere = enter("tanaka"), enter("tanaka")
    row = elsewhere.page.get_by_role("link", name=room_name)
    expect(row).to_contain_text("未読2件")
    here.open(room_name)
    expect(here.log.locator("[data-unread]")).to_have_count(1)
    expect(row).not_to_contain_text("未読")
    seen = hand("tanaka").call("GET", f"/api/rooms/{room}")
    assert (seen["unread"], seen["read"]) == (0, seen["head"])


def test_what_is_not_seen_is_not_read(enter: Enter, hand: Callable[..., Hand], stage: Stage, room_name: str) -> None:
    takahashi = hand("takahashi")
    room = takahashi.room(room_name, stage.facts["people"]["tanaka"])
    for number in range(60):
        takahashi.post(room, f"長い報告の{number}行目です。")
    desk = enter("tanaka")
    row = desk.page.get_by_role("link", name=room_name)
    expect(row).to_contain_text("未読60件")
    desk.open(room_name)
    expect(desk.log.locator("[data-unread]")).to_be_in_viewport()
    expect(row).not_to_contain_text("未読60件")
    left = hand("tanaka").call("GET", f"/api/rooms/{room}")["unread"]
    assert 0 < left < 60, "the unread line stands at the first unread message, with the rest below the screen"
    desk.log.press("End")
    expect(row).not_to_contain_text("未読")


def test_photos_posted_on_the_phone_appear_at_the_desk(
    enter: Enter, hand: Callable[..., Hand], stage: Stage, room_name: str
) -> None:
    room = hand("takahashi").room(room_name, stage.facts["people"]["tanaka"])
    desk, phone = enter("tanaka"), enter("takahashi", viewport=PHONE)
    desk.open(room_name)
    phone.open(room_name)
    phone.attach([photo(number) for number in range(10)])
    phone.write("緑町12号線です。")
    message = desk.said("緑町12号線です。")
    expect(message.locator("img.here")).to_have_count(10)
    expect(message.locator(".facts")).to_contain_text("9:28–9:37 撮影")
    expect(message.locator(".facts")).to_contain_text("位置 35.6812, 139.7670")
    (sent,) = hand("tanaka").messages(room)
    assert [attachment["name"] for attachment in sent["attachments"]] == [
        f"現場{number + 1}.jpg" for number in range(10)
    ]
    expect(phone.said("緑町12号線です。").locator("img.here")).to_have_count(10)
    expect(phone.waiting()).to_have_count(0)


def test_a_photo_opens_large_and_the_keyboard_leads_through_and_back(
    enter: Enter, hand: Callable[..., Hand], room_name: str
) -> None:
    hand("takahashi").room(room_name)
    desk = enter("takahashi")
    desk.open(room_name)
    desk.attach([photo(0), photo(1, 900, 1200)])
    desk.write("確認用です。")
    thumbnails = desk.said("確認用です。").get_by_role("button", name="写真")
    expect(desk.said("確認用です。").locator("img.here")).to_have_count(2)
    thumbnails.first.focus()
    thumbnails.first.press("Enter")
    viewer = desk.page.get_by_role("dialog", name="写真の表示")
    expect(viewer).to_contain_text("1 / 2")
    expect(viewer).to_contain_text("9:28 撮影")
    large = viewer.get_by_role("img")
    # The preview, not the thumbnail.
    desk.page.wait_for_function("image => image.complete && image.naturalWidth > 320", arg=large.element_handle())
    desk.page.keyboard.press("ArrowRight")
    expect(viewer).to_contain_text("2 / 2")
    expect(viewer.get_by_role("button", name="次の写真")).to_be_disabled()
    desk.page.keyboard.press("Escape")
    expect(viewer).to_have_count(0)
    expect(thumbnails.first).to_be_focused()


def test_edits_redactions_and_reactions_arrive(
    enter: Enter, hand: Callable[..., Hand], stage: Stage, room_name: str
) -> None:
    room = hand("takahashi").room(room_name, stage.facts["people"]["tanaka"])
    desk, phone = enter("tanaka"), enter("takahashi")
    desk.open(room_name)
    phone.open(room_name)
    phone.write("通行止めは9時からです。")
    expect(desk.said("通行止めは9時からです。")).to_have_count(1)
    message = hand("takahashi").messages(room)[0]
    change(phone, {"op": "edit", "message": message["id"], "version": 1, "blocks": [text("通行止めは10時からです。")]})
    expect(desk.said("通行止めは10時からです。")).to_contain_text("編集済み")
    expect(desk.said("通行止めは9時からです。")).to_have_count(0)
    change(phone, {"op": "react", "message": message["id"], "key": "承知しました", "on": True})
    expect(desk.said("通行止めは10時からです。").get_by_role("list", name="リアクション")).to_have_text(
        "承知しました 1"
    )
    change(phone, {"op": "redact", "message": message["id"], "how": "redacted"})
    expect(desk.said("このメッセージは削除されました")).to_have_count(1)
    expect(desk.said("通行止めは10時からです。")).to_have_count(0)


def test_a_quote_shows_what_it_quotes_until_that_is_redacted(
    enter: Enter, hand: Callable[..., Hand], room_name: str
) -> None:
    takahashi = hand("takahashi")
    room = takahashi.room(room_name)
    asked = takahashi.post(room, "工事はいつまでですか。")
    takahashi.post(room, "来週の金曜日までです。", quote=asked["id"])
    desk = enter("takahashi")
    desk.open(room_name)
    quote = desk.said("来週の金曜日までです。").locator("blockquote")
    expect(quote).to_contain_text("工事はいつまでですか。")
    change(desk, {"op": "redact", "message": asked["id"], "how": "redacted"})
    expect(quote).to_contain_text("このメッセージは削除されました")
    expect(desk.page.get_by_text("工事はいつまでですか。")).to_have_count(0)


def test_rooms_come_and_go_as_one_is_invited_and_removed(
    enter: Enter, hand: Callable[..., Hand], stage: Stage, room_name: str
) -> None:
    desk = enter("tanaka")
    takahashi = hand("takahashi")
    room = takahashi.room(room_name, stage.facts["people"]["tanaka"])
    desk.open(room_name)
    takahashi.post(room, "ようこそ。")
    expect(desk.said("ようこそ。")).to_have_count(1)
    takahashi.call("DELETE", f"/api/rooms/{room}/members/{stage.facts['people']['tanaka']}")
    expect(desk.page.get_by_role("link", name=room_name)).to_have_count(0)
    expect(desk.page.get_by_text("このトークルームは見つかりません。")).to_be_visible()
    expect(desk.page.get_by_text("ようこそ。")).to_have_count(0)


def text(words: str) -> dict[str, str]:
    return {"type": "text", "text": words}


def change(person: Person, command: dict[str, object]) -> None:
    """A command that this page has no button for yet, over a socket of the same person's own."""
    person.page.evaluate(
        """async (command) => {
            const db = await new Promise((resolve) => {
                const opening = indexedDB.open('renraku')
                opening.onsuccess = () => resolve(opening.result)
            })
            const session = await new Promise((resolve) => {
                const request = db.transaction('session').objectStore('session').get('current')
                request.onsuccess = () => resolve(request.result)
            })
            db.close()
            const socket = new WebSocket(location.origin.replace('http', 'ws') + '/ws', 'renraku.v1.json')
            const answer = (frame) => new Promise((resolve, reject) => {
                socket.onmessage = ({ data }) => {
                    const got = JSON.parse(data)
                    if (got.ref === frame.ref) got.op === 'error' ? reject(new Error(data)) : resolve(got)
                }
                socket.send(JSON.stringify(frame))
            })
            await new Promise((resolve) => { socket.onopen = resolve })
            await answer({ op: 'auth', ref: 1, token: session.access_token })
            await answer({ op: 'resume', ref: 2, epoch: null, me: 0, rooms: {} })
            await answer({ ...command, ref: 3 })
            socket.close()
        }""",
        command,
    )
