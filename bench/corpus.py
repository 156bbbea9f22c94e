"""Invented messages of a town hall, for the search: words by Zipf's law, in rooms of different sizes, the same at every run."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from typing import Final

ROOMS: Final = 750
AUTHORS: Final = 7000
SECTIONS: Final = (
    "道路課",
    "橋梁課",
    "総務課",
    "財政課",
    "福祉課",
    "税務課",
    "市民課",
    "水道課",
    "消防本部",
    "教育委員会",
)
_KANJI: Final = (
    "道路橋梁河川公園下水道補修点検工事予算見積契約入札検査報告連絡相談確認会議資料議会答弁住民票戸籍税務課税納付督促福祉介護"
    "保育児童学校教育給食消防救急防災避難倒木通行止規制信号標識側溝清掃除雪積雪凍結陥没舗装測量設計図面写真撮影現場巡回"
    "市長副課係主事令和年度月日午前後時分東西南北中央町村字番地号室階棟"
)
_KANA: Final = (
    "パトロール",
    "メール",
    "システム",
    "サーバー",
    "データ",
    "ファイル",
    "コピー",
    "カーブミラー",
    "ガードレール",
    "マンホール",
)
_ENDS: Final = (
    "です。",
    "ます。",
    "ました。",
    "をお願いします。",
    "でしょうか。",
    "とのことです。",
    "済みです。",
    "の予定です。",
)
_JOINTS: Final = ("の", "を", "に", "は", "が", "と", "で", "から", "まで", "について", "、")


class Corpus:
    """`texts` gives (room, author, section, text) without end."""

    def __init__(self, seed: int = 4) -> None:
        self._chance = random.Random(seed)
        self.words = self._vocabulary(6000)
        self._weights = list(itertools.accumulate(1 / (rank + 2) for rank in range(len(self.words))))
        self._rooms = list(itertools.accumulate(1 / (rank + 5) for rank in range(ROOMS)))

    def _vocabulary(self, count: int) -> list[str]:
        chance, words = self._chance, dict.fromkeys(_KANA)
        while len(words) < count:
            words["".join(chance.choices(_KANJI, k=chance.choice((2, 2, 2, 3, 4))))] = None
        found = list(words)
        chance.shuffle(found)
        return found

    def texts(self) -> Iterator[tuple[int, int, str, str]]:
        chance = self._chance
        while True:
            parts: list[str] = []
            for word in chance.choices(self.words, cum_weights=self._weights, k=chance.randint(2, 14)):
                parts += (word, chance.choice(_JOINTS))
            if chance.random() < 0.2:
                parts.append(f"{chance.randint(1, 2000)}号 ")
            if chance.random() < 0.05:
                parts.append(f"http://example.jp/doc/{chance.randint(1, 99999)} ")
            parts.append(chance.choice(_ENDS))
            [room] = chance.choices(range(1, ROOMS + 1), cum_weights=self._rooms)
            author = chance.randint(1, AUTHORS)
            yield room, author, SECTIONS[author % len(SECTIONS)], "".join(parts)

    def questions(self, count: int) -> list[str]:
        """Common and rare words, parts of them, one character, two words at once, and what is nowhere."""
        chance, words = self._chance, self.words
        asked = ["の", "道", "道路", "号", "12号", "パトロール", "ました", "example", "無い言葉", "ｶﾞｰﾄﾞﾚｰﾙ"]
        while len(asked) < count:
            word = words[int(len(words) * chance.random() ** 3)]
            other = words[int(len(words) * chance.random() ** 3)]
            asked.append(chance.choice((word, word, word[:2], word[-1], word + "の", f"{word} {other}", word + other)))
        return asked
