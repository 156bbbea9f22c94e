"""A file of the desks that may be saved outside with an approval: asked for on the phone, decided at a desk, saved on the phone; what an
administrator sees of it, and how far an organization lets its rooms go."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.axe import violations
from tests.browser.conftest import DESK, PHONE, Enter, Hand, Person, Stage
from tests.browser.photos import photo
from tests.browser.process import Server
from tests.browser.test_access import check
from tests.browser.test_approvals import shot
from tests.browser.test_dialogs import JAPANESE, written
from tests.browser.test_files import file
from tests.browser.test_ime import Trial
from tests.browser.test_layout import small_targets, sticks_out
from tests.browser.test_pages import settled
from tests.browser.test_room_settings import save, settings
from tests.browser.test_writing import conversion
from tests.unit.document_samples import pages, words

PLAN: Final = "PLAN-3.pdf"
LISTS: Final = "LISTS.zip"
DONE: Final = 30_000
"""Milliseconds for pictures of the pages, on two slow cores."""


@dataclass
class Scene:
    """A room with files of the desks: `desk` owns it, `phone` is a member on the Internet."""

    desk: Person
    phone: Person
    room: str
    plan: bytes
    lists: bytes

    def viewer(self, name: str = PLAN) -> Locator:
        """Opened on the phone."""
        self.phone.log.get_by_role("button", name=re.compile(f"{re.escape(name)}を開く|Open {re.escape(name)}")).tap()
        return viewer(self.phone.page)

    def list(self) -> Locator:
        """Of what is asked for, at the desk, from the room's details."""
        self.desk.details("メンバー").get_by_role("button", name="持ち出しの申請").click()
        found: Locator = self.desk.page.get_by_role("dialog", name="持ち出しの申請")
        return found


def viewer(page: Page) -> Locator:
    return page.get_by_role("dialog", name=re.compile("^(ファイルの表示|File viewer)$"))


Make = Callable[..., Scene]


@pytest.fixture
def scene(enter: Enter, hand: Callable[..., Hand], stage: Stage, two_zones: Server, room_name: str) -> Make:
    def make(**options: Any) -> Scene:
        base, people = two_zones.base, stage.facts["people"]
        hand("sato", base).call("PATCH", "/api/organization", {"policy": {"change_outflow": "member"}})
        room = hand("takahashi", base).room(room_name, people["tanaka"])
        hand("takahashi", base).call("PATCH", f"/api/rooms/{room}", {"outflow": "approve"})
        plan, lists = pages(words("PLAN 3")), b"PK\x03\x04 lists"
        desk = enter("takahashi", base=base, viewport=DESK, **options)
        desk.open(room_name)
        desk.attach([file(PLAN, plan), file(LISTS, lists), photo(0, 640, 480)])
        desk.write("Plan")
        expect(desk.said("Plan").locator("[data-file]")).to_have_count(2, timeout=DONE)
        expect(desk.said("Plan").get_by_role("button", name=f"{PLAN}を開く")).to_be_visible(timeout=DONE)
        outside = two_zones.base_in("internet")
        phone = enter("tanaka", base=outside, viewport=PHONE, is_mobile=True, has_touch=True, **options)
        phone.open(room_name)
        return Scene(desk, phone, room, plan, lists)

    return make


def ask(page: Page, where: Locator, reason: str) -> None:
    where.get_by_role("button", name=re.compile("^(持ち出しを申請|もう一度申請)$")).tap()
    dialog = page.get_by_role("dialog", name="持ち出しの申請")
    dialog.get_by_label("持ち出す理由").fill(reason)
    dialog.get_by_role("button", name="申請する").tap()
    expect(dialog).to_have_count(0)
    expect(where.get_by_role("status").filter(has_text="持ち出しを申請中です。")).to_be_visible()


def saved(page: Page, button: Locator) -> bytes:
    with page.expect_download() as download:
        button.tap()
    return Path(download.value.path()).read_bytes()


def is_well_made(page: Page) -> None:
    assert [*violations(page), *sticks_out(page)] == []


def test_a_file_is_asked_for_outside_approved_inside_and_saved(scene: Make, stage: Stage) -> None:
    here = scene()
    phone, desk = here.phone.page, here.desk.page
    rows = here.phone.said("Plan").locator("[data-file]")
    for row in (rows.filter(has_text=PLAN), rows.filter(has_text=LISTS)):
        expect(row).to_contain_text("保存するには、承認が必要です。開いて、「持ち出しを申請」を押してください。")
        expect(row.get_by_role("button", name=re.compile("を保存$"))).to_have_count(0)
    opened = here.viewer()
    expect(opened.get_by_role("img")).to_be_visible()
    keep = opened.get_by_role("button", name=f"{PLAN}を保存")
    expect(opened.get_by_role("status").filter(has_text="この端末に保存するには、承認が必要です。")).to_be_visible()
    expect(keep).to_have_count(0)
    shot(phone, "takeout-none-phone")
    opened.get_by_role("button", name="持ち出しを申請").tap()
    dialog = phone.get_by_role("dialog", name="持ち出しの申請")
    expect(dialog).to_contain_text("トークルームに書き込まれ、メンバー全員が読めます。")
    dialog.get_by_role("button", name="申請する").tap()
    expect(dialog.get_by_role("alert").filter(has_text="理由を入力してください。")).to_be_visible()
    shot(phone, "takeout-ask-phone")
    dialog.get_by_role("button", name="やめる").tap()
    ask(phone, opened, "現地で寸法を確かめるため。")
    shot(phone, "takeout-asked-phone")

    asked = here.desk.said("の持ち出し")
    expect(asked).to_contain_text("の持ち出し(インターネット)を申請します。")
    expect(asked).to_contain_text("理由: 現地で寸法を確かめるため。")
    expect(asked).to_contain_text("高橋 健")
    shot(desk, "takeout-message-desk")
    waiting = here.list()
    row = waiting.locator("[data-takeout]")
    expect(row).to_have_count(1)
    for said in (PLAN, "ファイル", "現地で寸法を確かめるため。", "田中 美咲", "インターネット(庁内網から)"):
        expect(row).to_contain_text(said)
    shot(desk, "takeout-list-desk")
    row.get_by_role("button", name=f"{PLAN}のあるメッセージを開く").click()
    expect(waiting).to_have_count(0)
    expect(here.desk.said("Plan").first).to_be_in_viewport()
    here.list()
    row.get_by_role("button", name=f"{PLAN}の持ち出しを承認する").click()
    expect(waiting.get_by_role("status").filter(has_text="持ち出しを承認しました。")).to_be_visible()
    expect(waiting).to_contain_text("判断を待っている申請はありません。")

    # The viewer that stayed open, by itself.
    expect(opened.get_by_role("status").filter(has_text="高橋 健さんが承認しました。")).to_be_visible()
    expect(keep).to_be_visible()
    shot(phone, "takeout-approved-phone")
    assert saved(phone, keep) == here.plan
    opened.get_by_role("button", name="閉じる").tap()
    # Another file of the same message was not approved of.
    expect(rows.filter(has_text=LISTS)).to_contain_text("承認が必要です。")
    expect(rows.filter(has_text=PLAN).get_by_role("button", name=f"{PLAN}を保存")).to_be_visible()


def test_what_was_refused_says_why_and_a_file_without_pictures_or_a_photo_is_asked_for_too(scene: Make) -> None:
    here = scene()
    phone = here.phone.page
    opened = here.viewer(LISTS)
    ask(phone, opened, "写しが要ります。")
    waiting = here.list()
    row = waiting.locator("[data-takeout]")
    refuse = row.get_by_role("button", name=f"{LISTS}の持ち出しを却下する")
    refuse.click()
    expect(row.get_by_role("alert").filter(has_text="却下する理由を入力してください。")).to_be_visible()
    row.get_by_label("申請した人への言葉").fill("個人情報を含むため。")
    refuse.click()
    expect(waiting.get_by_role("status").filter(has_text="持ち出しを却下しました。")).to_be_visible()
    refused = opened.get_by_role("status").filter(has_text="高橋 健さんが却下しました。")
    expect(refused).to_contain_text("「個人情報を含むため。」")
    expect(opened.get_by_role("button", name=f"{LISTS}を保存")).to_have_count(0)
    shot(phone, "takeout-refused-phone")
    ask(phone, opened, "黒塗りにした一覧です。")
    opened.get_by_role("button", name="閉じる").tap()

    here.phone.said("Plan").locator("button:has(img)").tap()
    album = phone.get_by_role("dialog", name="写真の表示")
    expect(album.get_by_role("button", name="持ち出しを申請")).to_be_visible()
    expect(album.get_by_role("button", name="保存", exact=True)).to_have_count(0)
    ask(phone, album, "説明会で見せるため。")
    shot(phone, "takeout-photo-phone")
    here.desk.page.keyboard.press("Escape")
    here.list()
    expect(row).to_have_count(2)
    row.filter(has_text="写真 ・").get_by_role("button", name=re.compile("を承認する$")).click()
    expect(row).to_have_count(1)
    expect(album.get_by_role("status").filter(has_text="承認しました。")).to_be_visible()
    assert saved(phone, album.get_by_role("button", name="保存", exact=True))[:2] == b"\xff\xd8"


def test_administrators_see_them_all_and_decide_inside_alone(
    scene: Make, enter: Enter, hand: Callable[..., Hand], two_zones: Server, room_name: str
) -> None:
    here = scene()
    opened = here.viewer()
    ask(here.phone.page, opened, "現地で寸法を確かめるため。")
    admin = enter("sato", base=two_zones.base, viewport=DESK).page
    admin.goto("/#/admin/takeouts")
    row = admin.locator("[data-takeout]")
    expect(row).to_contain_text(room_name)
    expect(admin.get_by_role("link", name="持ち出しの申請(1)")).to_be_visible()
    # Not one of the room: the file itself is not theirs to see.
    row.get_by_role("button", name=f"{PLAN}のあるメッセージを開く").click()
    expect(row.get_by_role("alert").filter(has_text="メンバーではないため、開けません。")).to_be_visible()
    shot(admin, "takeout-admin-desk")
    outside = enter("sato", base=two_zones.base_in("internet"), viewport=PHONE, is_mobile=True, has_touch=True).page
    outside.goto("/#/admin/takeouts")
    far = outside.locator("[data-takeout]")
    expect(far).to_contain_text("ここでは判断できません。庁内の端末で開いて")
    expect(far.get_by_role("button", name=re.compile("承認する|却下する"))).to_have_count(0)
    shot(outside, "takeout-admin-phone")
    # The owner's own, on their own phone: not theirs to decide about.
    own = hand("takahashi", two_zones.base_in("internet"))
    (message,) = [one for one in own.messages(here.room) if one["text"].startswith("Plan")]
    lists = next(one["id"] for one in message["attachments"] if one["name"] == LISTS)
    own.call("POST", f"/api/attachments/{lists}/takeout", {"reason": "自宅で確かめるため。"})
    theirs = here.list().locator("[data-takeout]").filter(has_text=LISTS)
    expect(theirs).to_contain_text("自分の申請です。ほかの承認者が判断します。")
    expect(theirs.get_by_role("button", name=re.compile("承認する|却下する"))).to_have_count(0)

    row.get_by_role("button", name=f"{PLAN}の持ち出しを承認する").click()
    expect(admin.get_by_role("status").filter(has_text="持ち出しを承認しました。")).to_be_visible()
    expect(opened.get_by_role("button", name=f"{PLAN}を保存")).to_be_visible()
    admin.goto("/#/admin/audit")
    admin.get_by_role("button", name="表示する").click()
    trail = admin.get_by_role("listitem")
    expect(trail.filter(has_text="ファイルの持ち出しの承認").filter(has_text="佐藤 一")).to_have_count(1)
    expect(trail.filter(has_text="ファイルの持ち出しの申請")).to_have_count(2)
    expect(trail.filter(has_text="ファイルの持ち出しの設定")).to_contain_text("to: 承認があれば保存まで")


def test_an_organization_limits_what_its_rooms_let_out(
    scene: Make, enter: Enter, two_zones: Server, room_name: str
) -> None:
    here = scene()
    dialog = settings(here.desk)
    choice = dialog.get_by_label("庁内のファイルを庁外の網")
    said = ["見せない(文字だけ)", "画像とプレビューを見せる", "承認があれば保存も許す", "保存も許す"]
    expect(choice.get_by_role("option")).to_have_text(said)
    expect(choice).to_have_value("approve")
    choice.select_option(label="保存も許す")
    save(dialog)
    phone, row = here.phone, here.phone.said("Plan").locator("[data-file]").filter(has_text=PLAN)
    phone.page.reload()
    expect(row.get_by_role("button", name=f"{PLAN}を保存")).to_be_visible()

    admin = enter("sato", base=two_zones.base).page
    admin.goto("/#/admin/policy")
    who = admin.get_by_label("ファイルの持ち出しを承認できる人")
    expect(who).to_have_value("owner")
    outward = admin.get_by_role("region", name="外側へ持ち出すファイル")
    most = outward.get_by_label("見せてよい範囲の上限(庁内網 → インターネット)")
    expect(outward.get_by_role("combobox")).to_have_count(1)
    expect(admin.get_by_role("region", name="内側へ入るファイル").get_by_role("combobox")).to_have_count(7)
    most.select_option(label="承認があれば保存まで")
    expect(admin.get_by_role("status").filter(has_text="保存しました。")).to_be_visible()
    most.scroll_into_view_if_needed()
    shot(admin, "takeout-pairs-desk")
    phone.page.reload()
    expect(row).to_contain_text("承認が必要です。")
    expect(row.get_by_role("button", name=f"{PLAN}を保存")).to_have_count(0)
    most.select_option(label="画像とプレビューまで")
    expect(admin.get_by_role("status").filter(has_text="保存しました。")).to_be_visible()
    phone.page.reload()
    opened = here.viewer()
    expect(opened.get_by_role("img")).to_be_visible()
    expect(opened.get_by_role("button", name="持ち出しを申請")).to_have_count(0)
    expect(opened.get_by_role("button", name=f"{PLAN}を保存")).to_have_count(0)


@pytest.mark.parametrize(("language", "scheme"), [("ja", "light"), ("en", "dark")])
def test_all_of_it_is_accessible_in_either_language(
    scene: Make, enter: Enter, hand: Callable[..., Hand], two_zones: Server, language: str, scheme: Any
) -> None:
    here = scene(color_scheme=scheme)
    names = [*written(hand("takahashi", two_zones.base)), "現場1"]
    found: dict[str, Any] = {}

    def look(page: Page, name: str, *, contrast: float) -> None:
        settled(page)
        wrong: list[Any] = [*violations(page), *sticks_out(page)]
        if language == "en":
            # What the server writes into the room is one message for all who read there.
            wrong += [left for left in page.evaluate(JAPANESE, names) if "の持ち出し(" not in left]
        else:
            check(page, contrast)
        if contrast > 5:
            # A link within a sentence is as high as its line.
            inline = ("", "端末を鳴らす設定", "How devices ring")
            wrong += [one for one in small_targets(page) if one[0] not in inline]
        if wrong:
            found[name] = wrong
        shot(page, f"takeout-{name}-{scheme}-{'phone' if contrast > 5 else 'desk'}")

    for person in (here.desk, here.phone):
        person.page.evaluate("(language) => localStorage.setItem('renraku.language', language)", language)
        person.page.reload()
    phone, desk = here.phone.page, here.desk.page
    opened = here.viewer()
    want = opened.get_by_role("button", name=re.compile("^(持ち出しを申請|Ask to take it out)$"))
    expect(want).to_be_visible()
    look(phone, "none", contrast=7.0)
    phone.set_viewport_size(DESK)  # type: ignore[arg-type]
    look(phone, "none", contrast=4.5)
    phone.set_viewport_size(PHONE)  # type: ignore[arg-type]
    want.tap()
    expect(phone.locator("textarea:visible").last).to_be_visible()
    look(phone, "ask", contrast=7.0)
    count, taken = Trial(phone, conversion(here.phone)).fields()
    assert (count > 0, taken) == (True, {})
    phone.locator("dialog[open] textarea").last.fill("Site visit")
    phone.locator("dialog[open] form .primary").tap()
    expect(opened.locator("[data-takeout=asked]")).to_be_visible()
    look(phone, "asked", contrast=7.0)

    desk.set_viewport_size(PHONE)  # type: ignore[arg-type]
    desk.goto(f"/#/rooms/{here.room}/members")
    desk.get_by_role("button", name=re.compile("^(持ち出しの申請|Requests to take files out)$")).click()
    row = desk.locator("li[data-takeout]")
    expect(row).to_be_visible()
    look(desk, "list", contrast=7.0)
    desk.set_viewport_size(DESK)  # type: ignore[arg-type]
    look(desk, "list", contrast=4.5)
    row.locator("textarea").fill("No")
    row.get_by_role("button", name=re.compile("却下する$|^Refuse ")).click()
    expect(row).to_have_count(0)
    look(desk, "decided", contrast=4.5)
    expect(opened.locator("[data-takeout=refused]")).to_be_visible()
    look(phone, "refused", contrast=7.0)

    opened.get_by_role("button", name=re.compile("^(閉じる|Close)$")).tap()
    here.phone.said("Plan").locator("button:has(img)").first.tap()
    expect(phone.locator("[data-takeout=none]")).to_be_visible()
    look(phone, "photo", contrast=4.5)
    assert found == {}
