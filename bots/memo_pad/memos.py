"""A memo: what somebody put into their own room."""

from __future__ import annotations

import datetime
import re
import unicodedata
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from chat_server.bot_api import JST

KINDS: Final = {"写真": "写真", "URL": "URL", "リンク": "URL", "ファイル": "ファイル", "文": "文"}
"""What one may call a kind → what it is."""
_URL: Final = re.compile(r"https?://[^\s<>\"'、。「」（）()]{1,500}")
_URLS: Final = 5
_LINE: Final = 60
_NAME: Final = 24
_NAMES: Final = 3
"""Files whose names stand in a line: twenty lines have to fit into one message."""


@dataclass
class Memo:
    """`at`: seconds since 1970. `kinds`: 写真, URL, ファイル, 文. `message`: the id of what it stands in."""

    number: int
    at: int
    kinds: list[str]
    text: str
    urls: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    pinned: bool = False
    message: str = ""

    @property
    def when(self) -> datetime.datetime:
        return datetime.datetime.fromtimestamp(self.at, JST)

    @property
    def day(self) -> datetime.date:
        return self.when.date()

    @property
    def line(self) -> str:
        """One line of it."""
        words = " ".join(self.text.split())
        words = words[:_LINE] + ("…" if len(words) > _LINE else "")
        names = [_short(name) for name in self.files[:_NAMES]]
        more = len(self.files) - len(names)
        shown = (*(("写真",) if "写真" in self.kinds else ()), *names, *((f"ほか{more}件",) if more else ()))
        what = " ".join(f"[{name}]" for name in shown)
        return " ".join(filter(None, ("📌" if self.pinned else "", what, words)))

    @property
    def bytes(self) -> int:
        """About as many as keeping it takes."""
        return 100 + sum(len(words.encode()) for words in (self.text, *self.urls, *self.files))

    def kept(self) -> dict[str, Any]:
        return asdict(self)


def _short(name: str) -> str:
    """A long name without its middle: its ending says what it is."""
    return name if len(name) <= _NAME else f"{name[: _NAME - 9]}…{name[-8:]}"


def urls_in(text: str) -> list[str]:
    return list(dict.fromkeys(_URL.findall(text)))[:_URLS]


def kinds_of(text: str, photos: int, files: tuple[str, ...], urls: list[str]) -> list[str]:
    there = {"写真": photos > 0, "URL": bool(urls), "ファイル": bool(files), "文": bool(text.strip())}
    return [kind for kind, is_there in there.items() if is_there]


def found_in(memo: Memo, words: str) -> bool:
    """Whether all of the words are in its text or in a name."""
    text = plain(" ".join((memo.text, *memo.files))).casefold()
    return all(word in text for word in plain(words).casefold().split())


def plain(text: str) -> str:
    """Full-width and half-width forms as the plain ones."""
    return unicodedata.normalize("NFKC", text)
