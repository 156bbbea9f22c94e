"""A file that is handed over as it came: held, found by who may approve, decided with a reason, and read at the desk with it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.axe import violations
from tests.browser.conftest import DESK, PATIENCE, PHONE, Enter, Hand, Stage
from tests.browser.process import Server
from tests.browser.test_access import check
from tests.browser.test_files import file
from tests.browser.test_handin import DISARMED, lines, link, pick
from tests.browser.test_layout import small_targets, sticks_out
from tests.unit.document_samples import sample


@pytest.fixture
def outside(browser: Browser, two_zones: Server) -> Iterator[Page]:
    """Somebody who has nothing but a link."""
    told: dict[str, Any] = {"viewport": PHONE, "locale": "ja-JP", "timezone_id": "Asia/Tokyo"}
    context: BrowserContext = browser.new_context(base_url=two_zones.base_in("internet"), **told)
    context.set_default_timeout(PATIENCE)
    yield context.new_page()
    context.close()


def shot(page: Page, name: str) -> None:
    """For whoever wants to look: RENRAKU_SHOTS names a folder."""
    if folder := os.environ.get("RENRAKU_SHOTS"):
        page.screenshot(path=f"{folder}/{name}.png")


def test_an_original_is_approved_and_another_refused(
    enter: Enter, hand: Callable[..., Hand], stage: Stage, two_zones: Server, outside: Page, room_name: str
) -> None:
    sato = hand("sato", two_zones.base)
    sato.call("PATCH", "/api/organization", {"policy": {"sanitize_documents": "approve"}})
    room = hand("takahashi", two_zones.base).room(room_name, stage.facts["people"]["tanaka"])
    outside.goto(
        link(hand("takahashi", two_zones.base), room, recipient="青葉 一郎", company="青葉測量", purpose="緑橋の数量")
    )
    macro: Any = file("橋りょう上部工数量計算書(第3回変更・最終).xlsm", sample("SimpleMacro.xlsm").read_bytes())
    pick(outside, macro, file("メモ.txt", "一行目\n".encode()))
    desk = enter("tanaka", base=two_zones.base)
    desk.open(room_name)
    for name in ("数量計算書", "メモ.txt"):
        waits = desk.page.get_by_text(re.compile(f"承認されるまでだれも開けません。(.|\n)*{name}"))
        expect(waits.first).to_be_visible(timeout=DISARMED)
    expect(lines(outside, "checking")).to_have_count(2)

    admin = enter("sato", base=two_zones.base, viewport=DESK).page
    admin.goto("/#/admin/held")
    rows = admin.locator("[data-held]")
    expect(rows).to_have_count(2, timeout=DISARMED)
    expect(admin.get_by_role("link", name="承認待ちのファイル(2)")).to_be_visible()
    first = rows.filter(has_text="数量計算書")
    expect(first).to_contain_text("マクロ1件があります")
    expect(first).to_contain_text("青葉測量 青葉 一郎 様から「緑橋の数量」")
    expect(first).to_contain_text("高橋 健")
    approve = first.get_by_role("button", name=re.compile("を承認して渡す$"))
    approve.click()
    expect(first.get_by_role("alert").filter(has_text="理由を入力してください。")).to_be_visible()
    assert [*violations(admin), *sticks_out(admin)] == []
    shot(admin, "held-desk")

    phone = enter("sato", base=two_zones.base, viewport=PHONE, is_mobile=True, has_touch=True).page
    phone.goto("/#/admin/held")
    expect(phone.locator("[data-held]")).to_have_count(2)
    check(phone, 7.0)
    assert sticks_out(phone) == []
    assert [one for one in small_targets(phone) if one[0] != ""] == []
    shot(phone, "held-phone")

    first.get_by_label("理由").fill("発注図書の原本。電話で確認した。")
    approve.click()
    expect(admin.get_by_role("status").filter(has_text="を承認しました。")).to_be_visible()
    expect(admin.get_by_role("link", name="承認待ちのファイル(1)")).to_be_visible()
    # Somebody who looks at an older list is told who was first, beside the row.
    old = phone.locator("[data-held]").filter(has_text="数量計算書")
    old.get_by_label("理由").fill("用途が不明")
    old.get_by_role("button", name=re.compile("を却下する$")).tap()
    expect(old.get_by_role("alert").filter(has_text="もう判断されています")).to_contain_text("佐藤 一")
    rows.get_by_label("理由").fill("メモは要りません。")
    rows.get_by_role("button", name=re.compile("を却下する$")).click()
    expect(admin.get_by_text("承認を待っているファイルはありません。")).to_be_visible()

    said = desk.page.get_by_text(
        re.compile("原本のまま渡しました\\(承認: 佐藤 一、.*理由: 発注図書の原本。電話で確認した。\\)")
    )
    expect(said.first).to_be_visible(timeout=DISARMED)
    expect(desk.page.get_by_text(re.compile("承認されなかったため、受け取れません。")).first).to_be_visible(
        timeout=DISARMED
    )
    row = desk.page.locator("[data-file]").filter(has_text="数量計算書")
    shot(desk.page, "room")
    with desk.page.expect_download() as download:
        row.get_by_role("button", name=re.compile("を保存$")).click()
    assert download.value.path().read_bytes() == sample("SimpleMacro.xlsm").read_bytes()
    row.get_by_role("button", name=re.compile("報告")).click()
    dialog = desk.page.get_by_role("dialog")
    expect(dialog).to_contain_text("原本のまま渡しました。作り直していません。")
    expect(dialog).to_contain_text("佐藤 一、")
    expect(dialog).not_to_contain_text(re.compile("取り除いた|作り直したもの|無害化"))
    shot(desk.page, "report")
    expect(lines(outside, "released")).to_have_count(1, timeout=DISARMED)


def test_rules_by_pair_of_networks(enter: Enter, two_zones: Server) -> None:
    page = enter("sato", base=two_zones.base).page
    page.goto("/#/admin/policy")
    rule = page.get_by_label(re.compile("外から届く図面\\(インターネット → 庁内網\\)"))
    expect(rule).to_have_value("")
    rule.select_option(label="承認を得て原本のまま受け取る")
    expect(page.get_by_role("status").filter(has_text="保存しました。")).to_be_visible()
    assert [*violations(page), *sticks_out(page)] == []
    rule.scroll_into_view_if_needed()
    shot(page, "pairs")
    page.reload()
    expect(rule).to_have_value("approve")
    with page.expect_response("**/api/organization/zone-rules"):
        rule.select_option(label="団体のルールのまま")
    page.reload()
    expect(rule).to_have_value("")


def test_administrators_see_every_link_that_is_good_and_take_one_back(
    enter: Enter, hand: Callable[..., Hand], two_zones: Server, room_name: str
) -> None:
    takahashi = hand("takahashi", two_zones.base)
    room = takahashi.room(room_name)
    for purpose in ("側溝の写真", "橋の写真"):
        link(takahashi, room, recipient="青葉 一郎", company="青葉測量株式会社", purpose=purpose)
    page = enter("sato", base=two_zones.base).page
    page.goto("/#/admin/links")
    rows = page.locator("[data-link]")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text(room_name)
    expect(rows.first).to_contain_text("高橋 健")
    page.get_by_role("button", name=re.compile("「橋の写真」を取り消す")).click()
    expect(page.get_by_role("alert").filter(has_text="もうファイルを送れなくなります")).to_be_visible()
    assert [*violations(page), *sticks_out(page)] == []
    shot(page, "links")
    page.get_by_role("button", name="取り消す", exact=True).click()
    expect(page.get_by_role("status").filter(has_text="「橋の写真」のリンクを取り消しました。")).to_be_visible()
    expect(rows).to_have_count(1)
    states = {one["purpose"]: one["state"] for one in takahashi.call("GET", f"/api/rooms/{room}/upload-links")["items"]}
    assert states == {"側溝の写真": "open", "橋の写真": "revoked"}
