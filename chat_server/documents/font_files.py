"""Which Japanese fonts this machine has, by the names of their files. No library."""

from __future__ import annotations

from pathlib import Path
from typing import Final

_FOLDERS: Final = ("/usr/share/fonts", "/usr/local/share/fonts")
# In the order of preference; names of files as Debian, Ubuntu and the fonts' makers give them.
GOTHIC: Final = (
    "NotoSansCJK-Regular.ttc", "NotoSansCJKjp-Regular.otf", "NotoSansJP-Regular.otf", "ipaexg.ttf", "ipag.ttf",
    "TakaoGothic.ttf", "VL-Gothic-Regular.ttf",
)  # fmt: skip
MINCHO: Final = (
    "NotoSerifCJK-Regular.ttc", "NotoSerifCJKjp-Regular.otf", "NotoSerifJP-Regular.otf", "ipaexm.ttf", "ipam.ttf",
    "TakaoMincho.ttf",
)  # fmt: skip


def find(names: tuple[str, ...]) -> Path | None:
    """The first of these fonts that is installed. Of a collection (ttc) of them the first face is the Japanese one."""
    installed = {path.name: path for folder in _FOLDERS for path in Path(folder).rglob("*.[ot]t[fc]")}
    return next((installed[name] for name in names if name in installed), None)
