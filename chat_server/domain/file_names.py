"""Names of files as people gave them: kept for people to read, never used as a path (security.md, 34)."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from chat_server.domain.text import nfc

NAME_CHARS: Final = 120
NAMELESS: Final = "写真"
FOLDERS: Final = 3
FOLDER_CHARS: Final = 40

_DROPPED: Final = ("Cc", "Cf", "Cn", "Co", "Cs")
"""Controls; what is seen by nobody (zero-width, soft hyphen) or turns the reading round, so that `photo\u202egpj.exe` reads as
a picture; what is no character."""
_DEVICE: Final = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³]) *(\.|$)", re.IGNORECASE)
"""Names that Windows takes for a device, whatever follows the dot."""


def is_device(name: str) -> bool:
    return _DEVICE.match(name) is not None


def visible(text: str) -> str:
    """Without what nobody sees or what turns the reading round; one blank between words, none and no dot at the ends."""
    kept = "".join(c for c in text if unicodedata.category(c) not in _DROPPED)
    return " ".join(kept.split()).strip(". ")


def display_name(text: str, otherwise: str = NAMELESS) -> str:
    """The last part of `text`, NFC (macOS sends NFD), without control, invisible, bidirectional and unassigned characters.

    Too long a name loses its middle, not its ending.
    """
    text = nfc(text.encode("utf-8", "ignore").decode("utf-8"))
    text = text.replace("\\", "/").rstrip("/").rpartition("/")[2]
    name = visible(text)
    if len(name) > NAME_CHARS:
        name = name[: NAME_CHARS - 21] + "…" + name[-20:]
    if is_device(name):
        name = f"_{name}"
    return name or otherwise


def display_path(text: str, otherwise: str) -> str:
    """A file that came with its folders: 「現場写真 / 一日目 / 橋.jpg」. Of too deep a path the folders next to the file."""
    *folders, _ = text.replace("\\", "/").rstrip("/").split("/")
    shown = [name for name in (display_name(folder, "") for folder in folders[-FOLDERS:]) if name]
    return " / ".join([*(name[:FOLDER_CHARS] for name in shown), display_name(text, otherwise)])
