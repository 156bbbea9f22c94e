"""Normal forms of texts from outside, at a cost that their length alone decides.

`unicodedata.normalize` sorts each run of combining marks by insertion, and holds the interpreter's lock while it does:
a megabyte of marks takes minutes, and nothing else in the process moves. Nothing that is written needs more than 30 on
one letter (Unicode Standard Annex 15, "Stream-Safe Text Format"), so the rest of a run is cut first. Nobody else in
the product calls `unicodedata.normalize`; a test sees to it.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

MARKS: Final = 30
"""Combining marks in a row that are kept."""


def nfc(text: str) -> str:
    """NFC: the same characters, composed. Words, names of files and rooms."""
    return text if text.isascii() else unicodedata.normalize("NFC", _cut(text))


def nfkc(text: str) -> str:
    """NFKC: full-width, half-width and circled forms as the plain ones. What is compared or looked for."""
    return text if text.isascii() else unicodedata.normalize("NFKC", _cut(text))


_DECOMPOSED: Final = "\u0f73\u0f75\u0f81\uff9e\uff9f"
"""Not combining themselves, and nothing but marks once decomposed: Tibetan vowels, half-width voicing marks."""


def _marks() -> str:
    """A character class of everything that sorts as a mark, decomposed or not."""
    codes = [code for code in range(0x300, 0x1F000) if unicodedata.combining(chr(code))]
    codes = sorted([*codes, *map(ord, _DECOMPOSED)])
    ranges: list[list[int]] = []
    for code in codes:
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    return "[" + "".join(f"{chr(first)}-{chr(last)}" for first, last in ranges) + "]"


_RUN: Final = re.compile(f"{_marks()}{{{MARKS + 1},}}")


def _cut(text: str) -> str:
    return _RUN.sub(lambda run: run[0][:MARKS], text)
