"""An archive of what was released: composed here, of names and bytes that are known to be clean."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

_THEN: Final = (2000, 1, 1, 0, 0, 0)
"""The same bytes for the same files, and nothing of anybody's clock."""
_PACKED: Final = frozenset((".jpg", ".png", ".gif", ".webp", ".zip", ".docx", ".xlsx", ".pptx", ".mp4", ".mov"))


def pack(files: Sequence[tuple[str, Path]], target: Path) -> None:
    """Write each file under its path. Raises OSError."""
    with zipfile.ZipFile(target, "x") as archive:
        for name, path in files:
            entry = zipfile.ZipInfo(name, _THEN)
            entry.flag_bits |= 0x800  # names are UTF-8, also where ASCII would do
            entry.compress_type = zipfile.ZIP_STORED if path.suffix in _PACKED else zipfile.ZIP_DEFLATED
            entry.external_attr = 0o100644 << 16
            with archive.open(entry, "w") as written, path.open("rb") as read:
                while piece := read.read(1 << 20):
                    written.write(piece)
