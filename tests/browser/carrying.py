"""Files that a drag, the clipboard or a form carries into the page."""

from __future__ import annotations

import base64
from typing import Any

from playwright.sync_api import JSHandle, Page


def carried(page: Page, *files: dict[str, Any]) -> JSHandle:
    """A `DataTransfer` with files as Playwright describes them."""
    given = [{**file, "buffer": base64.b64encode(file["buffer"]).decode()} for file in files]
    return page.evaluate_handle(
        """(given) => {
            const carried = new DataTransfer()
            for (const { name, mimeType, buffer } of given) {
                const bytes = Uint8Array.from(atob(buffer), (char) => char.charCodeAt(0))
                carried.items.add(new File([bytes], name, { type: mimeType }))
            }
            return carried
        }""",
        given,
    )
