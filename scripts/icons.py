"""Draws the icons of the installed page from web/src/icon.svg: `python scripts/icons.py`. Run it when that changes.

The pictures are committed, so that building the client needs no browser.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

from playwright.sync_api import Page, sync_playwright

ROOT: Final = Path(__file__).resolve().parents[1]
SOURCE: Final = ROOT / "web/src/icon.svg"
TARGET: Final = ROOT / "web/public/icons"
SAFE: Final = 0.7
"""Of a maskable icon: platforms cut circles and drops out of it, so the drawing stays within their common middle."""


def main() -> None:
    svg = SOURCE.read_text(encoding="utf-8")
    inner = re.sub(r"^<svg[^>]*>|</svg>$", "", svg.strip())
    ground = re.search(r'<rect[^>]*fill="(#[0-9a-f]{6})"', inner)
    assert ground is not None, "the icon has no ground"
    strokes = inner.replace(re.findall(r"<rect[^>]*/>", inner)[0], "")
    shift = 32 * (1 - SAFE)
    full = f'<rect width="64" height="64" fill="{ground[1]}"/>'
    masked = f'{full}<g transform="translate({shift} {shift}) scale({SAFE})">{strokes}</g>'
    TARGET.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("RENRAKU_CHROMIUM", "/usr/bin/chromium"),
            args=["--no-sandbox"] if os.geteuid() == 0 else [],
        )
        page = browser.new_page()
        for name, drawing, size in (
            ("icon-192", inner, 192),
            ("icon-512", inner, 512),
            ("maskable-192", masked, 192),
            ("maskable-512", masked, 512),
            # iOS rounds the corners itself and shows what is transparent as black.
            ("apple-touch", f'{full}<g transform="translate(3.2 3.2) scale(0.9)">{strokes}</g>', 180),
        ):
            draw(page, drawing, size, TARGET / f"{name}.png")
        browser.close()


def draw(page: Page, drawing: str, size: int, path: Path) -> None:
    page.set_viewport_size({"width": size, "height": size})
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64" width="{size}" height="{size}">{drawing}</svg>'
    page.set_content(f"<style>body{{margin:0}}svg{{display:block}}</style>{svg}")
    page.screenshot(path=path, omit_background=True)


if __name__ == "__main__":
    main()
