"""The composer: the input method's Enter, sending, photos, and people from outside."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import CDPSession, expect

from tests.browser.conftest import PHONE, Enter, Hand, Person, Stage
from tests.browser.photos import photo


def conversion(person: Person) -> CDPSession:
    """The input method's side of the browser: `imeSetComposition` is what is being converted."""
    return person.page.context.new_cdp_session(person.page)


def compose(ime: CDPSession, text: str) -> None:
    ime.send("Input.imeSetComposition", {"text": text, "selectionStart": len(text), "selectionEnd": len(text)})


def confirm(ime: CDPSession, key_code: int, *, ctrl: bool = False) -> None:
    """The Enter that belongs to the input method. The browser still does with it what the page lets it do."""
    key = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": key_code, "modifiers": 2 if ctrl else 0}
    ime.send("Input.dispatchKeyEvent", {"type": "keyDown", **key} | ({} if ctrl else {"text": "\r"}))
    ime.send("Input.dispatchKeyEvent", {"type": "keyUp", **key})


ENTER = 13
TAKEN_BY_INPUT_METHOD = 229


def test_enter_during_a_conversion_sends_nothing(enter: Enter, hand: Callable[..., Hand], room_name: str) -> None:
    takahashi = hand("takahashi")
    room = takahashi.room(room_name)
    desk = enter("takahashi")
    desk.open(room_name)
    desk.field.focus()
    ime = conversion(desk)
    compose(ime, "とうぼく")
    # Chromium's and Firefox's: in the middle of the composition, by an ordinary key code.
    confirm(ime, ENTER, ctrl=True)
    ime.send("Input.insertText", {"text": "倒木"})
    # Safari's comes after the composition has ended, with nothing but its key code to tell.
    confirm(ime, TAKEN_BY_INPUT_METHOD, ctrl=True)
    expect(desk.field).to_have_value("倒木")
    expect(desk.waiting()).to_have_count(0)
    assert takahashi.messages(room) == []
    desk.page.keyboard.press("Control+Enter")
    expect(desk.said("倒木")).to_have_count(1)


def test_enter_during_a_conversion_does_not_submit_the_sign_in(enter: Enter) -> None:
    visitor = enter("たか", signed_in=False)
    asked: list[str] = []
    visitor.page.on("request", lambda request: asked.append(request.url))
    visitor.page.get_by_label("団体コード").fill("midorino")
    visitor.page.get_by_label("パスワード").fill("xxxxxxxx")
    visitor.page.get_by_label("ユーザーID").focus()
    ime = conversion(visitor)
    compose(ime, "たかはし")
    confirm(ime, ENTER)
    ime.send("Input.insertText", {"text": "takahashi"})
    confirm(ime, TAKEN_BY_INPUT_METHOD)
    expect(visitor.page.get_by_label("ユーザーID")).to_have_value("takahashi")
    assert [url for url in asked if "/api/sign-in" in url] == []
    visitor.page.keyboard.press("Enter")
    expect(visitor.page.get_by_role("alert")).to_contain_text("パスワードが違います")


def test_enter_is_a_new_line(enter: Enter, hand: Callable[..., Hand], room_name: str) -> None:
    takahashi = hand("takahashi")
    room = takahashi.room(room_name)
    desk = enter("takahashi")
    desk.open(room_name)
    desk.field.press_sequentially("一行目")
    desk.field.press("Enter")
    desk.field.press_sequentially("二行目")
    expect(desk.field).to_have_value("一行目\n二行目")
    desk.page.get_by_role("button", name="送信", exact=True).click()
    expect(desk.said("二行目")).to_have_count(1)
    assert [message["text"] for message in takahashi.messages(room)] == ["一行目\n二行目"]


def test_blank_text_is_not_sent(enter: Enter, hand: Callable[..., Hand], room_name: str) -> None:
    hand("takahashi").room(room_name)
    desk = enter("takahashi")
    desk.open(room_name)
    desk.field.fill("  \n ")
    expect(desk.page.get_by_role("button", name="送信")).to_be_disabled()
    desk.field.press("Control+Enter")
    expect(desk.waiting()).to_have_count(0)


def test_drafts_stay_with_their_rooms(enter: Enter, hand: Callable[..., Hand], room_name: str) -> None:
    hand("takahashi").room(room_name)
    desk = enter("takahashi")
    desk.open(room_name)
    desk.field.fill("書きかけ")
    desk.open("道路パトロール 現場報告")
    expect(desk.field).to_have_value("")
    desk.open(room_name)
    expect(desk.field).to_have_value("書きかけ")


def test_an_eleventh_photo_is_told(enter: Enter, hand: Callable[..., Hand], room_name: str) -> None:
    hand("takahashi").room(room_name)
    desk = enter("takahashi")
    desk.open(room_name)
    desk.attach([photo(0, 320, 240) for _ in range(11)])
    # More than a message takes: the sheet makes two of them.
    expect(desk.page.get_by_role("dialog", name="写真11枚を送る").get_by_role("img")).to_have_count(11)


def test_a_refused_photo_is_told_and_can_be_given_up(enter: Enter, hand: Callable[..., Hand], room_name: str) -> None:
    room = hand("takahashi").room(room_name)
    desk = enter("takahashi")
    desk.open(room_name)
    desk.attach([{"name": "壊れた.jpg", "mimeType": "image/jpeg", "buffer": b"\xff\xd8\xff\xe0 broken"}])
    desk.write("見えますか。")
    refused = desk.waiting().filter(has_text="「壊れた.jpg」を送信できませんでした。")
    expect(refused).to_contain_text("番号500")
    desk.write("文字だけ送ります。")
    expect(desk.said("文字だけ送ります。")).to_have_count(1)
    refused.get_by_role("button", name="取り消す").click()
    expect(desk.waiting()).to_have_count(0)
    assert [message["text"] for message in hand("takahashi").messages(room)] == ["文字だけ送ります。"]


def test_nine_good_photos_are_not_lost_for_a_broken_one(
    enter: Enter, hand: Callable[..., Hand], room_name: str
) -> None:
    takahashi = hand("takahashi")
    room = takahashi.room(room_name)
    desk = enter("takahashi")
    desk.open(room_name)
    broken = {"name": "壊れた.jpg", "mimeType": "image/jpeg", "buffer": b"\xff\xd8\xff\xe0 broken"}
    good = [photo(number, 320, 240) for number in range(9)]
    desk.attach([*good[:4], broken, *good[4:]])
    desk.write("十枚あります。")
    expect(desk.waiting()).to_contain_text("写真5枚目「壊れた.jpg」を送信できませんでした。")
    desk.waiting().get_by_role("button", name="この写真を外して送信").click()
    expect(desk.said("十枚あります。").locator("img.here")).to_have_count(9)
    (sent,) = takahashi.messages(room)
    assert [attachment["name"] for attachment in sent["attachments"]] == [one["name"] for one in good]


def test_outsiders_are_named_and_photos_for_them_are_asked_about(enter: Enter, stage: Stage) -> None:
    phone = enter("takahashi", viewport=PHONE)
    phone.open("下水道 更新工事 3工区")
    expect(phone.page.get_by_role("banner").or_(phone.page.locator("main header"))).to_contain_text(
        "外部の方がいます: 若葉 誠"
    )
    expect(phone.page.locator(".composer")).to_contain_text("外部の方にも届きます: 若葉 誠")
    phone.attach([photo(0, 320, 240)])
    phone.field.press("Control+Enter")
    question = phone.page.get_by_role("alert").filter(has_text="写真1枚を外部の方(若葉 誠)にも送信します。")
    expect(question).to_be_visible()
    phone.field.press("Control+Enter")
    expect(phone.waiting()).to_have_count(0)
    expect(question).to_be_visible()
    phone.page.get_by_role("button", name="外部の方にも送信する").click()
    expect(phone.log.locator("article[data-message] img.here").first).to_be_visible()


def test_a_room_to_read_only_has_no_composer(enter: Enter) -> None:
    desk = enter("tanaka")
    desk.open("全庁のお知らせ")
    expect(desk.page.get_by_text("このトークルームでは閲覧のみできます。")).to_be_visible()
    expect(desk.field).to_have_count(0)


def test_a_room_that_was_left_and_opened_again_can_be_written_into(
    enter: Enter, hand: Callable[..., Hand], room_name: str
) -> None:
    takahashi = hand("takahashi")
    room = takahashi.room(room_name)
    phone = enter("takahashi", viewport=PHONE, is_mobile=True, has_touch=True)
    for number in range(3):
        phone.open(room_name)
        phone.field.fill(f"{number}回目")
        phone.page.get_by_role("button", name="送信").tap()
        expect(phone.said(f"{number}回目")).to_have_count(1)
        expect(phone.page.get_by_role("button", name="写真を撮る")).to_be_visible()
        phone.page.get_by_role("button", name="トークルーム一覧へ戻る").tap()
    desk = enter("takahashi")
    desk.open(room_name)
    desk.page.get_by_role("button", name="検索").click()
    desk.page.go_back()
    desk.write("机から")
    expect(desk.said("机から")).to_have_count(1)
    # A search that was left goes on being one.
    desk.page.get_by_role("button", name="検索").click()
    desk.page.get_by_role("combobox", name="トークルーム", exact=True).select_option(label=room_name)
    expect(desk.page.get_by_role("button", name="絞り込みをやめる")).to_be_visible()
    assert len(takahashi.messages(room)) == 4
