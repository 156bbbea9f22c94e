"""Japanese fonts for pages that name one without carrying it (every second form of a municipality does).

A confined decoder can open no font, so pdfium's own search is replaced: a Gothic and a Mincho of this machine are mapped
before the confinement, and given to whatever asks for a font with Japanese, Chinese or Korean characters. Latin
text falls back to the fonts that pdfium carries itself.
"""

from __future__ import annotations

import ctypes
import mmap
from typing import Any, Final

from pypdfium2 import PdfSysfontBase

from chat_server.documents.font_files import GOTHIC, MINCHO, find

_EAST_ASIAN: Final = frozenset((128, 129, 134, 136))
"""Character sets of Windows: Shift_JIS, Hangul, GB 2312, Big5."""
_ROMAN: Final = 16
"""FXFONT_FF_ROMAN: with serifs, that is Mincho."""
_GOTHIC_HANDLE, _MINCHO_HANDLE = 1, 2


def _mapped(names: tuple[str, ...]) -> mmap.mmap | None:
    path = find(names)
    if path is None:
        return None
    with path.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


class Fonts(PdfSysfontBase):  # type: ignore[misc]
    """`setup()` makes pdfium ask it. The methods are callbacks of fpdf_sysfontinfo.h."""

    def __init__(self) -> None:
        super().__init__()
        gothic, mincho = _mapped(GOTHIC), _mapped(MINCHO)
        self._files = {_GOTHIC_HANDLE: gothic or mincho, _MINCHO_HANDLE: mincho or gothic}

    def EnumFonts(self, _this: Any, mapper: Any) -> None:  # noqa: N802 (pdfium's names)
        """None by name."""

    def MapFont(  # noqa: N802
        self, _this: Any, weight: int, italic: int, charset: int, pitch: int, face: Any, exact: Any
    ) -> int | None:
        if charset not in _EAST_ASIAN:
            return None
        handle = _MINCHO_HANDLE if pitch & _ROMAN else _GOTHIC_HANDLE
        return handle if self._files[handle] is not None else None

    def GetFont(self, _this: Any, face: Any) -> None:  # noqa: N802
        return None

    def GetFontData(self, _this: Any, handle: int, table: int, buffer: Any, size: int) -> int:  # noqa: N802
        file = self._files.get(handle)
        # table 0 is the whole file; of a collection the first face is taken, which is the Japanese one
        if file is None or table != 0:
            return 0
        if buffer and size >= len(file):
            ctypes.memmove(buffer, file[:], len(file))
        return len(file)

    def GetFaceName(self, _this: Any, handle: int, buffer: Any, size: int) -> int:  # noqa: N802
        return 0

    def GetFontCharset(self, _this: Any, handle: int) -> int:  # noqa: N802
        return 128

    def DeleteFont(self, _this: Any, handle: int) -> None:  # noqa: N802
        """They live as long as the process."""

    def Release(self, _this: Any) -> None:  # noqa: N802
        """The same."""
