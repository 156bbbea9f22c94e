"""Text as it is compared: the same word in every way that people write it.

Half-width and full-width forms, capitals, hiragana and katakana, and the variants of a kanji that names are written with
(髙/高, 﨑/崎) fold to one. Unicode's own compatibility folding (NFKC, UAX #15) does the first; the rest is below.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from chat_server.domain.text import MARKS, nfkc

_VARIANTS: Final = {
    variant: kanji
    for kanji, variants in {
        "高": "髙", "崎": "﨑嵜碕", "吉": "𠮷", "浜": "濱濵", "辺": "邊邉", "斉": "齊斎齋", "沢": "澤", "広": "廣", "国": "國",
        "徳": "德", "恵": "惠", "竜": "龍", "滝": "瀧", "富": "冨", "峰": "峯", "真": "眞", "静": "靜", "条": "條", "桜": "櫻",
        "栄": "榮", "学": "學", "寿": "壽", "実": "實", "応": "應", "与": "與", "鉄": "鐵", "駅": "驛", "県": "縣", "区": "區",
        "円": "圓", "会": "會", "体": "體", "関": "關", "権": "權", "弥": "彌", "礼": "禮", "穂": "穗", "薫": "薰", "増": "增",
        "寛": "寬", "横": "橫", "歩": "步", "毎": "每", "黒": "黑", "緒": "緖", "島": "嶋嶌", "淵": "渕渊", "桑": "桒", "館": "舘",
        "曽": "曾", "万": "萬", "桧": "檜", "蔵": "藏", "来": "來", "亀": "龜", "塩": "鹽", "豊": "豐", "児": "兒", "郎": "郞",
        "緑": "綠", "瀬": "瀨", "頼": "賴",
        "槙": "槇", "籔": "藪薮", "仏": "佛", "芦": "蘆", "巣": "巢", "経": "經", "総": "總", "証": "證", "号": "號", "図": "圖",
    }.items()
    for variant in variants
}  # fmt: skip
_SMALL_A, _SMALL_KE = ord("ァ"), ord("ヶ")
_TO_HIRAGANA: Final = ord("ァ") - ord("ぁ")
_HALF_MARKS: Final = "ﾞﾟ"
PIECE: Final = "\x1f"
"""Stands between texts that are kept together: no word reaches over it."""


@dataclass(frozen=True, slots=True)
class Folded:
    """`text`, and for each of its characters where the character that it comes from begins and ends in the original."""

    text: str
    begins: tuple[int, ...]
    ends: tuple[int, ...]


def _unseen() -> str:
    """A character class of what takes no room and is no space: it stands for nothing, not even between a letter and its marks."""
    codes = [*range(0x20000), *range(0xE0000, 0xE1000)]
    found = [chr(code) for code in codes if unicodedata.category(chr(code)) in ("Cf", "Cc") and not chr(code).isspace()]
    return "[" + re.escape("".join(found)) + "]"


_UNSEEN: Final = re.compile(_unseen())


def fold(text: str) -> str:
    """Folding twice changes nothing; a part's folding is the part of the folding, except within one character."""
    return "".join([_folded(piece) for piece in _pieces(_UNSEEN.sub("", text))])


def folded(text: str) -> Folded:
    """The same, with the way back."""
    out: list[str] = []
    begins: list[int] = []
    ends: list[int] = []
    places = [at for at, character in enumerate(text) if not _UNSEEN.match(character)]
    at = 0
    for piece in _pieces("".join([text[place] for place in places])):
        part = _folded(piece)
        out.append(part)
        begins += [places[at]] * len(part)
        at += len(piece)
        ends += [places[at - 1] + 1] * len(part)
    return Folded("".join(out), tuple(begins), tuple(ends))


def _pieces(text: str) -> list[str]:
    """Characters with the marks that belong to them; of an endless run each has a piece of its own (see `domain.text`)."""
    pieces: list[str] = []
    for character in text:
        marks = character in _HALF_MARKS or unicodedata.combining(character)
        if pieces and marks and len(pieces[-1]) <= MARKS:
            pieces[-1] += character
        else:
            pieces.append(character)
    return pieces


@lru_cache(65536)
def _folded(piece: str) -> str:
    if piece == PIECE:
        return piece
    text = nfkc(nfkc(piece).casefold())
    return "".join(map(_plain, text))


def _plain(character: str) -> str:
    if _SMALL_A <= ord(character) <= _SMALL_KE:
        return chr(ord(character) - _TO_HIRAGANA)
    if character in _VARIANTS:
        return _VARIANTS[character]
    if character.isspace():
        return " "
    return "" if unicodedata.category(character) in ("Cf", "Cc") else character
