"""No field of the product takes the Enter that confirms a conversion for its own, nor the Escape that gives one up: here on every
page, and in every dialog by test_dialogs.py, because the way there is what takes the time."""

from __future__ import annotations

from typing import Any, Final

from playwright.sync_api import CDPSession, Page, Request

from tests.browser.conftest import Enter, Stage
from tests.browser.process import Server
from tests.browser.test_pages import everywhere
from tests.browser.test_writing import ENTER, TAKEN_BY_INPUT_METHOD, compose, confirm, conversion

ESCAPE: Final = 27
# What is typed into by an input method; the others have no words. A field below an open dialog cannot be reached.
FIELDS: Final = """() => {
    const top = [...document.querySelectorAll('dialog:modal')].at(-1) ?? document.body
    const words = 'textarea, input:is(:not([type]), [type=text], [type=search])'
    return [...top.querySelectorAll(words)]
        .filter((one) => one.checkVisibility() && !one.disabled && !one.readOnly && !one.closest('[aria-hidden=true]'))
        .map((one, index) => { one.dataset.tried = index; return one.ariaLabel || one.labels?.[0]?.innerText || one.placeholder })
}"""
STATE: Final = (
    "() => [location.href, document.querySelectorAll('dialog[open]').length, document.activeElement?.dataset.tried]"
)

WHOLE_BROWSER = True


class Trial:
    """Types into one field after the other, as by an input method; `asked` is what the page did of it."""

    def __init__(self, page: Page, ime: CDPSession) -> None:
        self.page = page
        self.ime = ime
        self.asked: list[str] = []
        page.on("request", self._heard)

    def _heard(self, request: Request) -> None:
        # Looking for what is being typed is no act.
        if request.method != "GET" and not request.url.endswith(("/search", "/addresses")):
            self.asked.append(f"{request.method} {request.url}")

    def fields(self) -> tuple[int, dict[str, str]]:
        """How many were tried, and what went wrong, by name."""
        wrong: dict[str, str] = {}
        tried = 0
        # Counted anew each time: what stands in one may bring or take another.
        while tried < len(names := self.page.evaluate(FIELDS)):
            if problem := self._try(self.page.locator(f"[data-tried='{tried}']").first):
                wrong[str(names[tried])] = problem
            tried += 1
        return tried, wrong

    def _try(self, field: Any) -> str:
        field.focus()
        before = self.page.evaluate(STATE)
        self.asked.clear()
        compose(self.ime, "とうぼく")
        self._key("Escape", ESCAPE)
        confirm(self.ime, ENTER)
        confirm(self.ime, ENTER, ctrl=True)
        self.ime.send("Input.insertText", {"text": "倒木"})
        confirm(self.ime, TAKEN_BY_INPUT_METHOD)
        if self.asked:
            return f"asked {self.asked}"
        if (after := self.page.evaluate(STATE)) != before:
            return f"went from {before} to {after}"
        value = field.input_value()
        # In a field of several lines this browser writes what a key of that number says.
        return "" if "倒木" in value else f"holds {value!r}"

    def _key(self, key: str, code: int) -> None:
        for kind in ("rawKeyDown", "keyUp"):
            self.ime.send(
                "Input.dispatchKeyEvent", {"type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code}
            )


def test_on_every_page(enter: Enter, stage: Stage, own_server: Server) -> None:
    sato = enter("sato", base=own_server.base)
    trial = Trial(sato.page, conversion(sato))
    found = {
        place: wrong for place in everywhere(sato.page, stage.facts["rooms"]["notice"]) if (wrong := trial.fields()[1])
    }
    assert found == {}
