"""SVG to PNG by resvg, which knows no scripts and no web. What it could open by name, the wall around it holds back."""

from __future__ import annotations

from typing import Final

import resvg_py
from PIL import ImageFont

from chat_server.decoders.outcome import Refused
from chat_server.documents import font_files

_DPI: Final = 96.0
"""CSS's. The library's own is 0, by which nothing that is measured in millimetres has a size."""
_FAMILIES: Final = (
    "font_family",
    "serif_family",
    "sans_serif_family",
    "cursive_family",
    "fantasy_family",
    "monospace_family",
)


def painted(svg: str, width: int, height: int) -> bytes:
    """A PNG on white, as large as fits into `width` and `height`. Raises `Refused`."""
    font = font_files.find(font_files.GOTHIC)
    if font is None:
        raise Refused("no_helper")  # words in a font that is not there are left out in silence
    family = ImageFont.truetype(str(font)).getname()[0]
    try:
        made: bytes = resvg_py.svg_to_bytes(
            svg_string=svg, width=width, height=height, background="#ffffff", dpi=_DPI, languages=["ja", "en"],
            **dict.fromkeys(_FAMILIES, family),
        )  # fmt: skip
    except ValueError:
        raise Refused("broken") from None
    return made
