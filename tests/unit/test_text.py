"""Texts from outside: what cleaning does to them, and that their length alone decides what it costs."""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest

import chat_server
from chat_server.domain import limits, text
from chat_server.domain.errors import Problem
from chat_server.services.blocks import Text, clean_text
from chat_server.services.commands import Edit, Send
from chat_server.services.drafts import draft

ID = "0" * 26
WORDS = ("道路の陥没を確認しました。" * 2_000)[: limits.TEXT_CHARS]


def longest(unit: str) -> str:
    return (unit * limits.TEXT_CHARS)[: limits.TEXT_CHARS]


WORST = {
    "two marks that sort the other way": longest("\u0316\u0301"),
    "as many as are kept on each letter": longest("a" + "\u0301\u0316" * (text.MARKS // 2)),
    "marks that are two when decomposed": longest("\u0344\u0316"),
    "no marks until decomposed": longest("\uff9e\u0301"),
    "Tibetan vowels": longest("\u0f73\u0301"),
    "above the basic plane": longest("\U0001d165\U0001d16d"),
    "separate voicing marks": longest("か\u3099"),
    "Hangul in letters": longest("\u1100\u1161\u11a8"),
}


def seconds(work: Callable[[], object]) -> float:
    """The best of three, of this process alone."""
    best = float("inf")
    for _ in range(3):
        begun = time.process_time()
        work()
        best = min(best, time.process_time() - begun)
    return best


@pytest.mark.parametrize("words", WORST.values(), ids=WORST.keys())
def test_the_worst_words_cost_little_more_than_plain_ones(words: str) -> None:
    def of(written: str) -> Callable[[], object]:
        command = Send(ref=1, room=ID, client_msg_id="worst-case", blocks=(Text(written),))
        return lambda: draft(command)

    assert seconds(of(words)) < 12 * seconds(of(WORDS))


@pytest.mark.parametrize("words", WORST.values(), ids=WORST.keys())
def test_what_is_compared_costs_no_more(words: str) -> None:
    assert seconds(lambda: text.nfkc(words)) < 12 * seconds(lambda: text.nfkc(WORDS))


@pytest.mark.parametrize("parts", [1, limits.BLOCKS])
def test_what_is_too_long_is_refused_before_it_is_cleaned(parts: int) -> None:
    """Cleaned, these would be short enough."""
    blocks = (Text("\u0316\u0301" * limits.TEXT_CHARS),) * parts
    with pytest.raises(Problem) as refused:
        draft(Edit(ref=1, message=ID, version=1, blocks=blocks))
    assert (refused.value.fault.code, refused.value.params) == (4007, {"limit": limits.TEXT_CHARS})


def test_every_character_that_sorts_as_a_mark_is_counted_as_one() -> None:
    """A character that were missed would be a way around the cut."""
    for code in range(0x110000):
        character = chr(code)
        sorts = unicodedata.combining(unicodedata.normalize("NFKD", character)[0]) > 0
        run = "a" + character * (text.MARKS + 1)
        assert (len(text._cut(run)) < len(run)) == sorts, hex(code)


def test_what_people_write_is_composed_and_otherwise_untouched() -> None:
    for written in (WORDS, "か\u3099", "Å\u0323", "한글", "พี่น้อง", "שָׁלוֹם", "👨‍👩‍👧", "葛\U000e0100城市", "髙﨑"):
        assert clean_text(written) == unicodedata.normalize("NFC", written)
    assert text.nfkc("ｶﾞｽ①") == "ガス1"


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("a\r\nb\rc\td", "a\nb\nc\td"),
        ("a\0b\x1bc\x7fd\x9fe", "abcde"),
        ("photo\u202egpj\u2066.exe", "photogpj.exe"),
        ("a\ud800b", "ab"),
        ("a" + "\u0301\0" * 1_000, "á" + "\u0301" * (text.MARKS - 1)),
    ],
    ids=["line ends", "controls", "bidirectional", "surrogates", "a run that is hidden"],
)
def test_what_cannot_be_seen_is_dropped(written: str, kept: str) -> None:
    assert clean_text(written) == kept


def test_nobody_else_normalizes() -> None:
    """Whoever calls `unicodedata.normalize` on a text from outside gives a stranger the whole process."""
    package = Path(chat_server.__file__).parent
    callers = [path.name for path in package.rglob("*.py") if "unicodedata.normalize" in path.read_text("utf-8")]
    assert callers == ["text.py"]
