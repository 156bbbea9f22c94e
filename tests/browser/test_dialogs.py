"""Every dialog: no rule that axe knows is broken, nothing sticks out, no field takes a key of the input method, and no word of it is
left in Japanese."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pytest

from tests.browser.axe import violations
from tests.browser.conftest import DESK, PHONE, Enter, Hand, Stage
from tests.browser.dialogs import DIALOGS, House, fill
from tests.browser.process import Server
from tests.browser.test_ime import Trial
from tests.browser.test_layout import sticks_out
from tests.browser.test_pages import everywhere, settled
from tests.browser.test_writing import conversion

AT_THE_DESK: Final = {"switcher", "keys", "new room", "open rooms", "account", "memos"}
"""By the keyboard, or in the list, which a phone does not show beside a room."""
PARTS: Final = 3
"""No test walks through all of them: on a slow machine that takes minutes, and one that hangs should be told early."""
JAPANESE: Final = r"""(names) => {
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
    const found = []
    const spoken = (text) => names.reduce((rest, name) => rest.replaceAll(name, ''), text)
    const japanese = (text) => /[\u3041-\u30fa\u4e00-\u9fff]/.test(spoken(text ?? ''))
    while (walk.nextNode()) {
        const { data, parentElement: at } = walk.currentNode
        if (japanese(data) && at.checkVisibility() && at.closest('[lang=ja], .avatar, .tile, script, style') === null)
            found.push(data.trim())
    }
    for (const one of document.querySelectorAll('[aria-label], [title], [placeholder], [alt]'))
        for (const name of ['aria-label', 'title', 'placeholder', 'alt'])
            if (one.checkVisibility() && japanese(one.getAttribute(name))) found.push(`${name}: ${one.getAttribute(name)}`)
    return [...new Set(found)]
}"""


def test_every_page_is_in_english(enter: Enter, hand: Callable[..., Hand], stage: Stage, own_server: Server) -> None:
    sato = enter("sato", base=own_server.base)
    # The devices of the stage, the product, and what has to be found by those who read no English.
    names = [
        *written(hand("sato", own_server.base)),
        *written(hand("takahashi", own_server.base)),
        "端末",
        "連絡",
        "日本語",
        "言語 / Language",
    ]
    sato.page.evaluate("localStorage.setItem('renraku.language', 'en')")
    found: dict[str, Any] = {}
    for place in everywhere(sato.page, stage.facts["rooms"]["notice"]):
        if left := sato.page.evaluate(JAPANESE, names):
            found[place] = left
    assert found == {}


def written(hand: Hand) -> list[str]:
    """What people wrote: names of people, posts, departments and rooms, and the newest messages; the longest first."""
    rooms, people = hand.call("GET", "/api/rooms"), hand.call("GET", "/api/people")["items"]
    found = {room["home"] for room in rooms}
    for room in rooms:
        found |= {room["name"], room["topic"], *room["outsiders"]} - {"メモ帳"}
        found |= {room["last"]["author"], room["last"]["text"]} if room["last"] else set()
    for person in people:
        found |= {
            person["name"],
            person["reading"],
            person["post"],
            person["organization"],
            *person["department"].split(),
        }
    return sorted(found - {""}, key=len, reverse=True)


def opened(house: House, open_it: Callable[[House], None]) -> None:
    house.home()
    open_it(house)
    settled(house.page)


@pytest.mark.parametrize("part", range(PARTS), ids=[f"part {part + 1}" for part in range(PARTS)])
@pytest.mark.parametrize(
    ("viewport", "scheme"),
    [(DESK, "dark"), (PHONE, "light")],
    ids=["desk in the dark", "phone in the light"],
)
def test_every_dialog_is_accessible_and_safe_to_write_in(
    enter: Enter,
    hand: Callable[..., Hand],
    stage: Stage,
    room_name: str,
    viewport: dict[str, int],
    scheme: Any,
    part: int,
) -> None:
    takahashi = hand("takahashi")
    house = fill(
        lambda: enter("takahashi", viewport=viewport, color_scheme=scheme),
        takahashi, stage.facts["people"]["tanaka"], room_name,
    )  # fmt: skip
    names = written(takahashi)
    trial = Trial(house.page, conversion(house.person))
    found: dict[str, Any] = {}
    tried = 0
    # In Japanese on the phone, where it is narrow, and at the desk what the phone does not show; in English at the desk.
    tries = [("ja", name) for name in DIALOGS if (name in AT_THE_DESK) == (viewport == DESK)]
    tries += [("en", name) for name in DIALOGS if viewport == DESK]
    for language, name in tries[part::PARTS]:
        house.page.evaluate("(language) => localStorage.setItem('renraku.language', language)", language)
        opened(house, DIALOGS[name])
        wrong: list[Any] = [*violations(house.page), *sticks_out(house.page)]
        if language == "en":
            wrong += house.page.evaluate(JAPANESE, names)
            count, taken = trial.fields()
            tried += count
            wrong += [taken] if taken else []
        if wrong:
            found[f"{name} ({language})"] = wrong
    assert found == {}
    assert viewport == PHONE or tried > 5, "the fields are not found any more"
