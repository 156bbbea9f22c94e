"""Where a rebuilt document may still point: what a reader clicks deliberately, at the web, a mail address or the document itself."""

from __future__ import annotations

import re
from typing import Final

_LONGEST: Final = 2_083
_PLAIN: Final = re.compile(
    r"(?:https?://[^\s/?#@\\<>\"'{}|^`]+(?:[/?#][^\s\\<>\"{}|^`]*)?|mailto:[^\s\\<>\"{}|^`]+)", re.IGNORECASE
)
"""No user's name before the host (it makes one place look like another), no backslash (it makes a web address a share)."""
_ACTIONS: Final = frozenset(
    f"ppaction://hlinkshowjump?jump={where}"
    for where in ("nextslide", "previousslide", "firstslide", "lastslide", "endshow")
)
_SLIDE: Final = "ppaction://hlinksldjump"


def plain(target: str) -> str | None:
    """The address, if a link to it may stay: opening the document must fetch nothing, and a click must start no program."""
    target = target.strip()
    if len(target) > _LONGEST or not target.isprintable():
        return None
    if target.startswith("#"):
        return target if place(target[1:]) else None
    return target if _PLAIN.fullmatch(target) else None


def slide_action(action: str) -> str | None:
    """An action of a slide that only turns the pages: "slide" where it needs one to turn to, "show" where it does not."""
    if action == _SLIDE:
        return "slide"
    return "show" if action in _ACTIONS or action == "ppaction://noaction" else None


def place(location: str) -> str | None:
    """A place within the document: the name of a bookmark, or cells of a sheet."""
    return location if location.isprintable() and not re.search(r"[\[\]|\\]|://", location) else None
