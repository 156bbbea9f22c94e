"""The pages of administrators and auditors."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from typing import Any, Final

from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE, Enter, Hand
from tests.browser.test_access import check
from tests.browser.test_layout import small_targets, sticks_out

_numbers = itertools.count(1)
SECTIONS: Final = (
    "職員とゲスト",
    "職員名簿の取り込み",
    "端末",
    "なぜ鳴らなかったか",
    "トークルーム",
    "承認待ちのファイル",
    "受け取りリンク",
    "容量と稼働状況",
    "団体のルール",
    "監査記録",
)
HEADER: Final = "ログイン名,氏名,ふりがな,所属,職"


def choose(page: Page, name: str, rows: str, encoding: str = "cp932") -> None:
    file: Any = {"name": name, "mimeType": "text/csv", "buffer": f"{HEADER}\n{rows}\n".encode(encoding)}
    page.locator("input[data-pick=staff]").set_input_files([file])
    expect(page.get_by_text(re.compile(f"^{name}"))).to_be_visible()
    page.get_by_role("button", name="差分を表示する").click()


def known(hand: Callable[..., Hand], words: str) -> list[str]:
    return [person["name"] for person in hand("sato").call("GET", "/api/people", params={"q": words})["items"]]


def test_people_come_change_and_go(enter: Enter, hand: Callable[..., Hand]) -> None:
    login = f"admin{next(_numbers)}"
    page = enter("sato").page
    page.get_by_role("button", name="自分のメニュー").click()
    page.get_by_role("button", name="管理").click()
    page.get_by_role("button", name="人を追加").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("ユーザーID").fill("takahashi")
    dialog.get_by_label("氏名").fill("<b>中川</b> 梓")
    dialog.get_by_label("ふりがな").fill("なかがわ あずさ")
    dialog.get_by_role("button", name="追加する").click()
    expect(dialog.get_by_label("ユーザーID")).to_have_accessible_description(re.compile("takahashi"))
    dialog.get_by_label("ユーザーID").fill(login)
    dialog.get_by_role("button", name="追加する").click()
    expect(page.get_by_role("status").filter(has_text="追加しました")).to_be_visible()

    search = page.get_by_label("氏名・ふりがな・ユーザーIDで探す")
    search.fill("なかがわ")
    rows = page.get_by_role("region", name="職員とゲスト").get_by_role("listitem")
    expect(rows).to_have_count(1)
    rows.get_by_role("button", name="<b>中川</b> 梓を変更").click()
    dialog.get_by_label("氏名").fill("中川 梓")
    dialog.get_by_role("button", name="保存する").click()
    expect(rows).to_contain_text("中川 梓")

    rows.get_by_role("button", name="中川 梓を変更").click()
    dialog.get_by_role("button", name="利用を停止する").click()
    expect(dialog.get_by_role("alert").filter(has_text="停止しますか")).to_be_visible()
    assert known(hand, "なかがわ") == ["中川 梓"], "a question is no act"
    dialog.get_by_role("button", name="停止する", exact=True).click()
    expect(page.get_by_text("当てはまる人はいません。")).to_be_visible()
    assert known(hand, "なかがわ") == []
    page.get_by_label("停止中・期限切れ").check()
    rows.get_by_role("button", name="中川 梓を変更").click()
    dialog.get_by_role("button", name="利用を再開する").click()
    dialog.get_by_role("button", name="再開する", exact=True).click()
    expect(page.get_by_text("当てはまる人はいません。")).to_be_visible()
    assert known(hand, "なかがわ") == ["中川 梓"]

    # A guest needs somebody who answers for them, and an end.
    search.fill("")
    page.get_by_label("在籍中").check()
    page.get_by_role("button", name="人を追加").click()
    dialog.get_by_label("ゲスト(外部の方)").check()
    dialog.get_by_label("ユーザーID").fill(f"{login}-guest")
    dialog.get_by_label("氏名").fill("大野 剛")
    dialog.get_by_role("button", name="追加する").click()
    expect(dialog.get_by_text("受け入れ担当の職員を選んでください。")).to_be_visible()
    dialog.get_by_label("受け入れ担当の職員").fill("田中")
    dialog.get_by_role("list", name="受け入れ担当の職員").get_by_role("button", name="田中 美咲").click()
    dialog.get_by_label("利用できる最後の日").fill("2099-03-31")
    dialog.get_by_role("button", name="追加する").click()
    expect(page.get_by_role("status").filter(has_text="大野 剛さんを追加しました")).to_be_visible()
    search.fill("大野")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("受け入れ担当 田中 美咲")


def test_the_staff_list_changes_nothing_before_its_difference_was_seen(enter: Enter, hand: Callable[..., Hand]) -> None:
    number = next(_numbers)
    page = enter("sato").page
    page.goto("/#/admin/staff")
    choose(page, "meibo-wrong.csv", f"import{number},能登 圭,能登,土木課,主事")
    expect(page.get_by_role("alert").filter(has_text="直すところが1件")).to_be_visible()
    expect(page.get_by_role("row").last).to_contain_text("ふりがな")
    rows = f"import{number},能登 圭,のと けい,土木課{number},主事\nimport{number}b,表 孝一,おもて こういち,土木課{number},係長"
    choose(page, "meibo.csv", rows)
    changes = page.get_by_role("list", name="変わること").get_by_role("listitem")
    expect(changes.filter(has_text=f"import{number} 能登 圭(のと けい)")).to_contain_text("追加")
    expect(changes.filter(has_text="sato 佐藤 一")).to_contain_text("そのままにします")
    assert known(hand, f"import{number}") == []
    # Somebody else is at it, too: what was seen is not what would happen.
    hand("sato").call(
        "POST", "/api/people", {"login": f"import{number}b", "name": "表 孝一", "reading": "おもて こういち"}
    )
    page.get_by_role("button", name=re.compile("件を取り込む")).click()
    expect(page.get_by_role("alert").filter(has_text="もう一度表示して")).to_be_visible()
    assert known(hand, f"import{number}") == ["表 孝一"]
    page.get_by_role("button", name="差分を表示する").click()
    page.get_by_role("button", name=re.compile("件を取り込む")).click()
    expect(page.get_by_role("status").filter(has_text="取り込みました。")).to_be_visible()
    assert sorted(known(hand, f"import{number}")) == ["能登 圭", "表 孝一"]


def test_rooms_health_rules_and_the_trail(enter: Enter) -> None:
    page = enter("sato").page
    page.goto("/#/admin/rooms")
    rows = page.get_by_role("region", name="トークルーム").get_by_role("listitem")
    page.get_by_label("この一覧から名前で絞り込む").fill("パトロール")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("メンバー 3人")
    expect(rows).to_contain_text("管理者 高橋 健")
    page.get_by_role("link", name="容量と稼働状況").click()
    expect(page.get_by_text("1台で動いています")).to_be_visible()
    page.get_by_role("link", name="団体のルール").click()
    rule = page.get_by_label("ほかの団体とトークルームを共有できる人")
    rule.select_option(label="所属の管理者以上")
    expect(page.get_by_role("status").filter(has_text="保存しました。")).to_be_visible()
    with page.expect_response("**/api/organization"):
        rule.select_option(label="団体の管理者だけ")
    page.reload()
    expect(rule).to_have_value("organization_admin")
    page.get_by_role("link", name="監査記録").click()
    page.get_by_label("操作の種類").select_option(label="ルールの変更")
    page.get_by_role("button", name="表示する").click()
    entry = page.get_by_role("region", name="監査記録").get_by_role("listitem").first
    expect(entry).to_contain_text("佐藤 一")
    expect(entry).to_contain_text("share_rooms")
    page.get_by_label("この日まで").fill("2001-01-01")
    page.get_by_role("button", name="表示する").click()
    expect(page.get_by_text("条件に合う記録はありません。")).to_be_visible()


def test_who_holds_no_role_finds_nothing_there(enter: Enter) -> None:
    page = enter("tanaka").page
    page.get_by_role("button", name="自分のメニュー").click()
    expect(page.get_by_role("button", name="設定", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="管理", exact=True)).to_have_count(0)
    page.goto("/#/admin/people")
    expect(page.get_by_text("この画面で行える管理の役割がありません。")).to_be_visible()


def test_every_section_on_the_phone(enter: Enter) -> None:
    page = enter("sato", viewport=PHONE, is_mobile=True, has_touch=True).page
    page.goto("/#/admin")
    for section in SECTIONS:
        page.get_by_role("navigation", name="管理").get_by_role("link", name=section).tap()
        expect(page.get_by_role("heading", name=section, level=2)).to_be_focused()
        expect(page.get_by_text("読み込んでいます")).to_have_count(0)
        check(page, 7.0)
        assert sticks_out(page) == []
        assert [one for one in small_targets(page) if one[0] != ""] == []
        page.get_by_role("button", name="戻る").tap()
