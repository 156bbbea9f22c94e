"""Every page of the client, at the desk and on the phone: no rule that axe knows is broken, nothing sticks out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import violations
from tests.browser.conftest import DESK, PHONE, Enter, Stage
from tests.browser.test_layout import sticks_out

PANELS: Final = ("members", "files", "pins", "notes")
PAGES: Final = ("search", "people", "confirmations", "scheduled", "queue", "device", "share")


def settled(page: Page) -> None:
    """Whatever is loaded later has come."""
    page.wait_for_load_state("networkidle")
    # But for what stands above and below the messages, out of sight, until one scrolls there.
    expect(page.locator("p:not([role=log] p)").filter(has_text="読み込んでいます")).to_have_count(0)


@pytest.mark.parametrize(
    ("viewport", "scheme"), [(DESK, "light"), (PHONE, "dark")], ids=["desk in the light", "phone in the dark"]
)
def test_every_page_is_accessible(enter: Enter, stage: Stage, viewport: dict[str, int], scheme: Any) -> None:
    person = enter("sato", viewport=viewport, color_scheme=scheme)
    found: dict[str, Any] = {}
    for place in everywhere(person.page, stage.facts["rooms"]["patrol"]):
        if wrong := [*violations(person.page), *sticks_out(person.page)]:
            found[place] = wrong
    assert found == {}


def everywhere(page: Page, room: str) -> Iterator[str]:
    """Goes to one page after the other, as somebody who may see them all; tells where it is."""
    places = ["/", f"/#/rooms/{room}", *(f"/#/rooms/{room}/{panel}" for panel in PANELS)]
    places += [f"/#/{page}" for page in PAGES] + ["/#/settings", "/#/admin"]
    for place in places:
        page.goto(place)
        settled(page)
        yield place
    for overview in ("settings", "admin"):
        page.goto(f"/#/{overview}")
        sections = page.locator(f"main nav a[href^='#/{overview}/']")
        sections.first.wait_for()
        for address in sections.evaluate_all("links => links.map((link) => link.getAttribute('href'))"):
            page.goto(f"/{address}")
            settled(page)
            yield str(address)
