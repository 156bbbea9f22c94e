"""For those who do not see the page, or do not use a mouse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE, Enter, Hand
from tests.browser.photos import photo

NAMELESS = """() => {
    const named = (one) => (one.ariaLabel
        || (one.getAttribute('aria-labelledby') ?? '').split(' ').map((id) => document.getElementById(id)?.textContent).join('')
        || [...(one.labels ?? [])].map((label) => label.textContent).join('')
        || (one.matches('input, textarea') ? '' : one.textContent)).trim()
    const wanted = 'button, a[href], input:not([type=file]), textarea, [role=log], [role=dialog], nav, img[alt]'
    return [...document.querySelectorAll(wanted)]
        .filter((one) => one.checkVisibility() && !one.closest('[aria-hidden=true]'))
        .filter((one) => !(one.matches('img') ? one.alt || one.closest('[aria-label]') : named(one)))
        .map((one) => one.outerHTML.slice(0, 100))
}"""

# WCAG 2.2, 1.4.3: the relative luminance of text against the first opaque background behind it.
FAINT = """(wanted) => {
    const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true })
    const rgba = (color) => {
        canvas.clearRect(0, 0, 1, 1)
        canvas.fillStyle = color
        canvas.fillRect(0, 0, 1, 1)
        return [...canvas.getImageData(0, 0, 1, 1).data]
    }
    const luminance = ([r, g, b]) => {
        const [x, y, z] = [r, g, b].map((v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
        return 0.2126 * x + 0.7152 * y + 0.0722 * z
    }
    const behind = (one) => {
        for (let at = one; at; at = at.parentElement) {
            const color = rgba(getComputedStyle(at).backgroundColor)
            if (color[3] === 255) return color
        }
        return rgba(getComputedStyle(document.documentElement).backgroundColor)
    }
    const found = []
    for (const one of document.querySelectorAll('body *')) {
        const own = [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim())
        if (!own || !one.checkVisibility({ visibilityProperty: true }) || one.closest('.hidden, :disabled, .photo')) continue
        const [a, b] = [luminance(rgba(getComputedStyle(one).color)), luminance(behind(one))]
        const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)
        if (ratio < wanted) found.push([one.textContent.trim().slice(0, 30), one.className, ratio.toFixed(2)])
    }
    return found
}"""


def check(page: Page, contrast: float) -> None:
    assert page.evaluate(NAMELESS) == [], "without a name"
    assert page.evaluate(FAINT, contrast) == [], f"contrast below {contrast}:1"
    assert page.evaluate("document.documentElement.lang") == "ja"
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map(({ id }) => id)")
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("viewport", "contrast"), [({"width": 1440, "height": 960}, 4.5), (PHONE, 7.0)], ids=["desk", "phone"]
)
def test_names_and_contrast(enter: Enter, scheme: Any, viewport: dict[str, int], contrast: float) -> None:
    person = enter("takahashi", viewport=viewport, color_scheme=scheme, signed_in=False)
    check(person.page, contrast)
    person.sign_in("wrong-password-0000")
    expect(person.page.get_by_role("alert")).not_to_be_empty()
    check(person.page, contrast)
    person = enter("takahashi", viewport=viewport, color_scheme=scheme)
    check(person.page, contrast)
    person.open("下水道 更新工事 3工区")
    person.attach([photo(0, 320, 240)])
    check(person.page, contrast)


def test_focus_is_seen_wherever_the_tab_key_goes(enter: Enter, hand: Callable[..., Hand], room_name: str) -> None:
    hand("takahashi").room(room_name)
    desk = enter("takahashi")
    desk.open(room_name)
    desk.attach([photo(0, 320, 240)])
    desk.write("写真を1枚")
    expect(desk.said("写真を1枚").locator("img.here")).to_have_count(1)
    desk.attach([photo(1, 320, 240)])
    desk.page.evaluate("document.activeElement?.blur()")
    seen: list[str] = []
    for _ in range(120):
        desk.page.keyboard.press("Tab")
        name, visible = desk.page.evaluate(
            """() => {
                const one = document.activeElement
                const style = getComputedStyle(one)
                const after = getComputedStyle(one, '::after')
                const outlined = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1
                const framed = one.closest('.composer') && getComputedStyle(one.closest('.composer')).borderColor
                // Past the last one, focus is in the browser's own bars.
                if (one === document.body) return ['', true]
                return [
                    one.ariaLabel ?? one.innerText.trim().slice(0, 20),
                    outlined || parseFloat(after.borderTopWidth) >= 2 || (one.matches('textarea') && Boolean(framed)),
                ]
            }"""
        )
        assert visible, f"no visible focus on {name}"
        seen.append(name)
    assert "メッセージを入力" in seen
    assert any("道路パトロール" in name for name in seen)
    assert {"写真を大きく表示", "現場2.jpgを外す", "ファイルを添付", "自分のメニュー"} <= set(seen)


def test_the_whole_way_by_keyboard(enter: Enter, stage: Any) -> None:
    visitor = enter("takahashi", signed_in=False)
    page = visitor.page
    expect(page.get_by_label("団体コード")).to_be_focused()
    for word in ("midorino", "takahashi", stage.facts["password"]):
        page.keyboard.type(word)
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    link = page.get_by_role("link", name="建設課 全体共有")
    link.wait_for()
    # However many rooms there are: into the filter, and the first that fits.
    narrow = page.get_by_role("searchbox", name="トークルームを絞り込む")
    for _ in range(20):
        page.keyboard.press("Tab")
        if narrow.evaluate("one => one === document.activeElement"):
            break
    page.keyboard.type("建設課")
    expect(page.get_by_role("navigation", name="トークルーム一覧").get_by_role("link")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="建設課 全体共有", level=1)).to_be_visible()
    for _ in range(120):
        page.keyboard.press("Tab")
        if visitor.field.evaluate("one => one === document.activeElement"):
            break
    page.keyboard.type("キーボードだけで書きました。")
    page.keyboard.press("Control+Enter")
    expect(visitor.said("キーボードだけで書きました。")).to_have_count(1)


def test_motion_ends_where_the_system_asks_for_none(enter: Enter) -> None:
    desk = enter("takahashi", reduced_motion="reduce")
    longest = desk.page.evaluate(
        """() => Math.max(...[...document.querySelectorAll('*')].map((one) =>
            Math.max(...getComputedStyle(one).transitionDuration.split(',').map(parseFloat))))"""
    )
    assert longest < 0.001
