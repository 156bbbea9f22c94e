"""Readings (ふりがな) and the forms under which names are looked for."""

from __future__ import annotations

from typing import Final

from chat_server.domain.errors import INVALID_FIELD, Problem
from chat_server.domain.text import nfkc

_SHIFT: Final = ord("ァ") - ord("ぁ")
_SHIFTED: Final = range(ord("ァ"), ord("ヶ") + 1)
_PLAIN_SIGNS: Final = frozenset(map(chr, range(0x21, 0x7F))) | frozenset("・、。「」")
_KANA: Final = frozenset(map(chr, range(ord("ぁ"), ord("ゖ") + 1))) | frozenset("ー ")


def hiragana(text: str) -> str:
    """Katakana, half-width katakana and separate voicing marks as hiragana; everything else NFKC."""
    folded = nfkc(text)
    return "".join(chr(ord(c) - _SHIFT) if ord(c) in _SHIFTED else c for c in folded)


def reading(text: str, field: str = "reading") -> str:
    """A reading as it is kept: hiragana, ー and single spaces. A kanji left in would put the person at the wrong place
    of every list. Raises `Problem` 2001."""
    kept = " ".join(hiragana(text).split())
    if not kept or not _KANA.issuperset(kept):
        raise Problem(INVALID_FIELD, field=field, reason="ひらがなかカタカナで / in kana")
    return kept


def room_reading(text: str) -> str:
    """A room's reading as it is kept: as a person's, and digits, letters and signs where its name has them; or nothing. Raises
    `Problem` 2001."""
    kept = " ".join(hiragana(text).split())
    if not all(char in _KANA or char in _PLAIN_SIGNS for char in kept):
        raise Problem(
            INVALID_FIELD, field="reading", reason="ひらがな、カタカナ、英数字で / in kana, letters and digits"
        )
    return kept


def without_spaces(text: str) -> str:
    """What is compared when somebody is looked for: 高橋 健, 高橋　健 and 高橋健 are one."""
    return "".join(nfkc(text).casefold().split())


_GROUPS: Final = (
    "高髙", "崎﨑嵜碕", "浜濱濵", "辺邊邉", "斉齊斎齋", "沢澤", "桜櫻", "広廣", "国國", "島嶋嶌", "吉𠮷", "柳栁", "富冨", "徳德",
    "恵惠", "真眞", "滝瀧", "竜龍", "関關", "塩鹽", "黒黑", "鉄鐵", "栄榮", "静靜", "豊豐", "館舘", "曽曾", "桑桒", "渕淵渊",
    "峰峯", "条條", "児兒", "円圓", "万萬", "与與", "弥彌", "寿壽", "亀龜", "礼禮", "実實", "薮藪", "祢禰", "槙槇", "遥遙", "尭堯",
)  # fmt: skip
"""Forms that names are written with; the first of each group is what all are compared as."""


def _variants() -> dict[str, str]:
    """Other forms of a character → the form they are compared in: the groups, and compatibility ideographs by NFKC."""
    found = {other: group[0] for group in _GROUPS for other in group[1:]}
    for code in range(0xF900, 0xFB00):
        plain = nfkc(chr(code))
        if plain != chr(code) and len(plain) == 1:
            found[chr(code)] = found.get(plain, plain)
    return found


VARIANTS: Final = _variants()
_PLAIN: Final = str.maketrans(VARIANTS)


def plain_kanji(text: str) -> str:
    """`text` with every variant in the form that it is compared in."""
    return text.translate(_PLAIN)


def forms_of(text: str) -> list[tuple[str, str]]:
    """(variant, plain form) of each character of the plain `text` that has others: what a search must see as one."""
    present = set(text)
    return [(other, plain) for other, plain in VARIANTS.items() if plain in present]
