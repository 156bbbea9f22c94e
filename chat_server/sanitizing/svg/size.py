"""How large a picture is painted, before anything of that size is asked for."""

from __future__ import annotations

import math
import re
from typing import Final

from lxml import etree

from chat_server.decoders.outcome import Refused
from chat_server.photos.rules import LONGEST_EDGE, MAX_PIXELS

_LENGTH: Final = re.compile(
    r"\s*\+?(\d{1,12}(?:\.\d*)?|\.\d+)(e[+-]?\d{1,2})?\s*(px|pt|pc|mm|cm|in|)\s*", re.IGNORECASE
)
_UNITS: Final = {"": 1.0, "px": 1.0, "pt": 96 / 72, "pc": 16.0, "mm": 96 / 25.4, "cm": 96 / 2.54, "in": 96.0}
_FINE: Final = 3000
"""Dots along the longer side: a page of A4 with small words can be read then."""
_FINER: Final = 8.0
"""Times its own size at most: an icon stays a small picture."""


def size(root: etree._Element) -> tuple[int, int]:
    """Dots. Raises `Refused`: "too_many_pixels"."""
    sides = _own(root)
    if sides is None:
        return _FINE, _FINE  # how large what is in it will be, the painter finds out
    _check(*sides)
    scale = max(1.0, min(_FINER, _FINE / max(sides)))
    dots = (math.ceil(sides[0] * scale), math.ceil(sides[1] * scale))
    _check(*dots)
    return dots


def _check(width: float, height: float) -> None:
    if width * height > MAX_PIXELS or max(width, height) > LONGEST_EDGE:
        raise Refused("too_many_pixels")


def _own(root: etree._Element) -> tuple[float, float] | None:
    """What it says itself, in dots of CSS; where it says one side or none, by the shape of its view."""
    width, height = _length(root.get("width")), _length(root.get("height"))
    if width and height:
        return width, height
    view = re.split(r"[\s,]+", root.get("viewBox", "").strip())
    across, down = (_length(view[2]), _length(view[3])) if len(view) == 4 else (None, None)
    if not across or not down:
        return None
    if width:
        return width, width * down / across
    return (height * across / down, height) if height else (across, down)


def _length(text: str | None) -> float | None:
    found = _LENGTH.fullmatch(text or "")
    return float(found[1] + (found[2] or "")) * _UNITS[found[3].lower()] if found else None
