"""One-line texts that people give things: device names, names of people and departments."""

from __future__ import annotations

import unicodedata
from typing import Final

_REFUSED: Final = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))
"""Control and format characters (line breaks, bidirectional overrides, zero-width marks) and surrogates: none of them
can be seen, and each makes a name look like another. Private use stays: 外字 in names are written with it."""


def clean_label(text: str, limit: int) -> str:
    """`text` on one line, without what cannot be seen, at most `limit` characters. Kept code point for code point:
    no normal form, which would write some people's names differently (docs/staff-csv.md)."""
    kept = "".join(c for c in text if unicodedata.category(c) not in _REFUSED)
    return " ".join(kept.split())[:limit].strip()
