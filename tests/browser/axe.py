"""axe-core in the page: the rules of WCAG 2.2 A and AA that a program can check."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Page

_AXE: Final = Path(__file__).resolve().parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
_RUN: Final = """async (within) => {
    const found = await axe.run(within, {
        runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
        resultTypes: ['violations'],
    })
    return found.violations.map(({ id, help, nodes }) =>
        `${id}: ${help}: ${nodes.slice(0, 3).map(({ target, html }) => `${target} ${html.slice(0, 120)}`).join(' | ')}`)
}"""


@cache
def _source() -> str:
    return _AXE.read_text(encoding="utf-8")


def violations(page: Page, within: str = "html") -> list[Any]:
    """A line a rule that is broken, with where; `within` an element alone, by its selector. Empty is good."""
    if not page.evaluate("typeof axe === 'object'"):
        # Through the debugger, which the content security policy does not bind.
        page.evaluate(_source())
    return list(page.evaluate(_RUN, within))
