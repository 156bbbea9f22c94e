"""What bots post: a poll from its first word to its table, a question before a press, words to copy, every kind of field."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.conftest import PHONE, Enter, Hand, Person, Stage
from tests.browser.test_access import check

FIELDS: list[dict[str, Any]] = [
    {"key": "lead", "label": "代表者", "kind": "line", "required": True},
    {"key": "why", "label": "理由", "kind": "lines"},
    {"key": "route", "label": "路線", "kind": "choice", "choices": [f"市道{number}号線" for number in range(1, 12)]},
    {"key": "tools", "label": "持ち物", "kind": "choices", "choices": ["看板", "発電機", "<b>縄</b>"]},
    {"key": "cars", "label": "台数", "kind": "number", "required": True},
    {"key": "day", "label": "希望日", "kind": "date"},
]


def invite_polls(hand: Hand, room: str) -> None:
    polls = next(one for one in hand.call("GET", "/api/people?q=投票")["items"] if one["kind"] == "bot")
    hand.call("POST", f"/api/rooms/{room}/members", {"users": [polls["id"]]})


def posted(page: Page, blocks: list[dict[str, Any]], text: str = "") -> None:
    """Gives the messages that are fetched from now on these blocks, as if a bot had posted them: what the bots of the server
    do not post must be shown as well."""

    def answer(route: Route) -> None:
        response = route.fetch()
        body = response.json()
        for message in body["messages"]:
            message |= {"blocks": blocks, "text": text, "author": message["author"] | {"kind": "bot"}}
        route.fulfill(response=response, body=json.dumps(body))

    page.route("**/api/rooms/*/messages?*", answer)


def sheet(person: Person, title: str) -> Locator:
    found: Locator = person.log.locator("article[data-message]").filter(
        has=person.page.get_by_role("heading", name=title)
    )
    return found


def test_a_poll_is_made_answered_changed_and_closed(
    enter: Enter, hand: Callable[..., Hand], stage: Stage, room_name: str
) -> None:
    takahashi = hand("takahashi")
    room = takahashi.room(room_name, stage.facts["people"]["tanaka"])
    desk = enter("takahashi")
    desk.open(room_name)
    desk.page.get_by_role("button", name="ボットに頼む").click()
    expect(desk.page.get_by_text("このトークルームにボットはいません。")).to_be_visible()
    desk.page.keyboard.press("Escape")
    expect(desk.page.get_by_role("button", name="ボットに頼む")).to_be_focused()
    invite_polls(takahashi, room)

    desk.page.get_by_role("button", name="ボットに頼む").click()
    desk.page.get_by_role("menuitem", name="投票をとる").first.click()
    expect(desk.field).to_be_focused()
    expect(desk.field).to_have_value("投票 ")
    desk.field.press_sequentially("昼食 和食 洋食")
    desk.field.press("Control+Enter")
    poll = sheet(desk, "昼食")
    expect(poll).to_contain_text("ボット")
    expect(poll).to_contain_text("受付中")
    expect(poll).to_contain_text("まだ回答していません。")

    # On the phone, while the answer of somebody else changes the message.
    phone = enter("tanaka", viewport=PHONE)
    phone.open(room_name)
    theirs = sheet(phone, "昼食")
    theirs.get_by_role("radio", name="洋食").check()
    expect(theirs).not_to_contain_text("まだ回答していません。")
    poll.get_by_role("radio", name="和食").check()
    poll.get_by_role("button", name="回答する").click()
    expect(poll).to_contain_text("回答しました。")
    expect(theirs).to_contain_text("1（高橋 健）")
    expect(theirs.get_by_role("radio", name="洋食")).to_be_checked()
    check(phone.page, 7.0)
    theirs.get_by_role("button", name="回答する").click()
    expect(poll).to_contain_text("1（田中 美咲）")
    poll.get_by_role("radio", name="洋食").check()
    expect(poll).to_contain_text("回答を書き換えています。")
    poll.get_by_role("button", name="回答を変える").click()
    expect(theirs).to_contain_text("2（田中 美咲、高橋 健）")
    check(desk.page, 4.5)

    # One's own answer is there again on another page.
    phone.page.reload()
    phone.page.locator("[role=log][aria-busy=false]").wait_for()
    expect(theirs.get_by_role("radio", name="洋食")).to_be_checked()
    theirs.get_by_role("radio", name="和食").check()

    # Closing is asked about; only the bot's answer closes it.
    poll.get_by_role("button", name="締め切る").click()
    question = poll.get_by_role("alertdialog", name="締め切る")
    expect(question).to_contain_text("締め切ると、回答を変えられなくなります。")
    expect(question.get_by_role("button", name="やめる")).to_be_focused()
    desk.page.keyboard.press("Escape")
    expect(question).to_have_count(0)
    expect(poll.get_by_role("button", name="締め切る")).to_be_focused()
    expect(poll).to_contain_text("受付中")
    poll.get_by_role("button", name="締め切る").click()
    question.get_by_role("button", name="締め切る").click()
    expect(poll).to_contain_text("完了")
    expect(poll).to_contain_text("受付は終わりました。 あなたの回答: 洋食")
    expect(poll.get_by_role("radio")).to_have_count(0)
    expect(theirs).to_contain_text("書きかけの回答は送られていません。")
    poll.get_by_role("button", name="結果をCSVで").click()
    expect(
        desk.log.get_by_role("button", name="昼食.csvを保存").or_(desk.log.get_by_text("昼食.csv")).first
    ).to_be_visible()


def test_every_kind_of_field_and_what_the_server_finds_wrong(
    enter: Enter, hand: Callable[..., Hand], room_name: str
) -> None:
    takahashi = hand("takahashi")
    takahashi.post(takahashi.room(room_name), "申込")
    phone = enter("takahashi", viewport=PHONE)
    form = {"type": "form", "title": "出動の申込", "fields": FIELDS, "send": "申し込む", "open": True, "secret": True}
    posted(phone.page, [{"type": "form", **form}])
    answers: list[dict[str, Any]] = []
    wrong = iter((("lead", "required"), ("cars", "a number"), None))

    def answer(route: Route) -> None:
        if route.request.method == "GET":
            route.fulfill(json={"values": None})
            return
        answers.append(json.loads(route.request.post_data or "")["values"])
        problem = next(wrong)
        if problem is None:
            route.fulfill(json={"values": answers[-1]})
            return
        field, reason = problem
        fault = {"code": 2001, "name": "invalid_field", "field": f"values.{field}", "params": {"reason": reason}}
        route.fulfill(status=422, json={"error": fault | {"ja": "値を確認してください。", "en": "Check it."}})

    phone.page.route("**/api/messages/*/answer", answer)
    phone.open(room_name)
    fields = phone.page.get_by_role("form", name="出動の申込")
    expect(fields).to_contain_text("無記名です。")
    send = fields.get_by_role("button", name="申し込む")
    send.click()
    lead = fields.get_by_role("textbox", name="代表者")
    expect(lead).to_be_focused()
    expect(lead).to_have_accessible_description("この欄に答えてください。")
    lead.fill("高橋")
    expect(fields.get_by_role("alert")).to_have_count(0)
    fields.get_by_role("textbox", name="理由").fill("倒木\n2か所")
    fields.get_by_role("combobox", name="路線").select_option("市道11号線")
    fields.get_by_role("checkbox", name="縄").check()
    fields.get_by_role("checkbox", name="看板").check()
    fields.get_by_role("textbox", name="台数").fill("数台")
    fields.get_by_label("希望日").fill("2026-12-01")
    check(phone.page, 7.0)
    assert lead.evaluate("one => parseFloat(getComputedStyle(one).fontSize)") >= 16
    send.click()
    cars = fields.get_by_role("textbox", name="台数")
    expect(cars).to_be_focused()
    expect(fields).to_contain_text("数字で入力してください。")
    cars.fill("１，２００")
    send.click()
    expect(fields).to_contain_text("回答しました。")
    assert answers[-1] == {
        "lead": "高橋", "why": "倒木\n2か所", "route": "市道11号線", "tools": ["看板", "<b>縄</b>"], "cars": "1200",
        "day": "2026-12-01",
    }  # fmt: skip
    assert phone.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_cards_words_to_copy_and_presses(enter: Enter, hand: Callable[..., Hand], room_name: str) -> None:
    takahashi = hand("takahashi")
    takahashi.post(takahashi.room(room_name), "通報")
    desk = enter("takahashi", permissions=["clipboard-read", "clipboard-write"])
    card = {"type": "card", "title": "倒木の通報", "text": "詳しくは https://example.jp/123 へ", "state": "urgent"}
    rows = [["場所", "緑町三丁目"], ["受付", "9:31"]]
    buttons = [
        {"key": "go", "label": "出動する", "style": "primary"},
        {"key": "stop", "label": "取り下げる", "style": "danger", "ask": "取り下げますか。"},
    ]
    posted(
        desk.page,
        [
            {"type": "card", **card, "rows": rows},
            {"type": "copy", "text": "緑町三丁目 12-3"},
            {"type": "buttons", "buttons": buttons},
            {"type": "text", "text": "地図はこのあと送ります。"},
        ],
    )
    presses: list[tuple[str, str]] = []
    desk.page.route("**/api/messages/*/press", lambda route: press(route, presses))
    desk.open(room_name)
    report = sheet(desk, "倒木の通報")
    expect(report).to_contain_text("緊急")
    expect(report.get_by_role("link", name="https://example.jp/123")).to_be_visible()
    expect(report.get_by_role("definition")).to_have_text(["緑町三丁目", "9:31"])
    # In the order of the blocks.
    said = report.inner_text()
    places = [said.index(one) for one in ("倒木の通報", "12-3", "取り下げる", "地図はこのあと")]
    assert places == sorted(places)

    report.get_by_role("button", name="コピー: 緑町三丁目 12-3").click()
    expect(report.get_by_role("status").filter(has_text="コピーしました")).to_be_visible()
    assert desk.page.evaluate("navigator.clipboard.readText()") == "緑町三丁目 12-3"
    desk.page.evaluate("void (navigator.clipboard.writeText = () => Promise.reject(new Error('denied')))")
    report.get_by_role("button", name="コピー: 緑町三丁目 12-3").click()
    expect(report).to_contain_text("文字を選択しました。")
    assert desk.page.evaluate("getSelection().toString()") == "緑町三丁目 12-3"

    report.get_by_role("button", name="取り下げる").click()
    report.get_by_role("alertdialog").get_by_role("button", name="やめる").click()
    assert presses == []
    report.get_by_role("button", name="出動する").click()
    expect(report.get_by_role("alert")).to_have_text("この投稿のボタンは、もう使えません。")
    report.get_by_role("button", name="出動する").click()
    expect(report).to_contain_text("ボットに伝えました。返事を待っています。")
    report.get_by_role("button", name="取り下げる").click()
    assert [key for key, _ in presses] == ["go", "go"], "what is under way is not pressed again"
    assert report.inner_text().count("緊急") == 1
    check(desk.page, 4.5)


def press(route: Route, presses: list[tuple[str, str]]) -> None:
    """The first is refused."""
    presses.append((json.loads(route.request.post_data or "")["key"], route.request.headers["idempotency-key"]))
    if len(presses) > 1:
        route.fulfill(status=204)
        return
    fault = {"code": 4011, "name": "nothing_to_press", "field": "key", "params": {}, "en": "It is gone."}
    route.fulfill(status=409, json={"error": fault | {"ja": "この投稿のボタンは、もう使えません。"}})


def test_what_a_later_version_brings_is_said_in_plain_words(
    enter: Enter, hand: Callable[..., Hand], room_name: str
) -> None:
    takahashi = hand("takahashi")
    takahashi.post(takahashi.room(room_name), "地図")
    desk = enter("takahashi")
    posted(desk.page, [{"type": "card", "title": "通報"}, {"type": "map", "v": 1}], "通報\n地図: 緑町三丁目")
    desk.open(room_name)
    expect(desk.said("地図: 緑町三丁目")).to_have_count(1)
    expect(desk.log.get_by_role("heading", name="通報")).to_have_count(0)
