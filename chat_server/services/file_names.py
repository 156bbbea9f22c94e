"""Names of files as people gave them: kept for people to read, never used as a path (security.md, 34)."""

from __future__ import annotations

import unicodedata
from typing import Final

from chat_server.domain.text import nfc

NAME_CHARS: Final = 120
NAMELESS: Final = "写真"

_BIDI: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""With them `photo\u202egpj.exe` reads as a picture."""


def display_name(text: str, otherwise: str = NAMELESS) -> str:
    """The last part of `text`, NFC (macOS sends NFD), without control, bidirectional and unassigned characters.

    Too long a name loses its middle, not its ending.
    """
    text = nfc(text.encode("utf-8", "ignore").decode("utf-8"))
    text = text.replace("\\", "/").rstrip("/").rpartition("/")[2]
    kept = "".join(c for c in text if c not in _BIDI and unicodedata.category(c) not in ("Cc", "Cn", "Co", "Cs"))
    name = " ".join(kept.split()).strip(". ")
    if len(name) > NAME_CHARS:
        name = name[: NAME_CHARS - 21] + "…" + name[-20:]
    return name or otherwise
