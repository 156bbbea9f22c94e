"""Folding and grams: what counts as the same word, and that no part of a text is missed."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_server.domain.folding import PIECE, fold, folded
from chat_server.domain.grams import TERMS, grams, grams_of_terms, terms

WRITTEN = st.text(
    st.sampled_from("道路補修カタひがﾊﾟｶﾞがぱABcde１２12号線 　\n髙﨑𠮷㍻①ー・。x\x1f\u200b\u0301é"), max_size=40
)


@pytest.mark.parametrize(
    ("written", "same"),
    [
        ("ﾄﾞｳﾛ", "どうろ"),
        ("ドウロ", "どうろ"),
        ("ＡＢＣ１２３", "abc123"),
        ("A\u200b\u0301", "á"),  # what nobody sees keeps no mark from its letter
        ("か\u200bﾞ", "が"),
        ("髙﨑", "高崎"),
        ("𠮷田", "吉田"),
        ("渡邊", "渡辺"),
        ("渡邉", "渡辺"),
        ("齋藤", "斉藤"),
        ("澤田", "沢田"),
        ("㍻", "平成"),
        ("㈱", "(株)"),
        ("①", "1"),
        ("か\u3099", "が"),
        ("a\u200bb", "ab"),
        ("Straße", "strasse"),
    ],
)
def test_the_same_word_in_other_writing(written: str, same: str) -> None:
    assert fold(written) == fold(same)


@given(WRITTEN)
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(WRITTEN)
def test_there_is_a_way_back_from_every_character(text: str) -> None:
    plain = folded(text)
    assert plain.text == fold(text)
    assert len(plain.begins) == len(plain.ends) == len(plain.text)
    for character, begin, end in zip(plain.text, plain.begins, plain.ends, strict=True):
        assert 0 <= begin < end <= len(text)
        assert character in fold(text[begin:end])


@given(WRITTEN, st.data())
def test_every_part_of_a_text_is_among_its_grams(text: str, data: st.DataObject) -> None:
    plain = fold(text)
    begin = data.draw(st.integers(0, len(plain)))
    words = terms(plain[begin : data.draw(st.integers(begin, len(plain)))])
    assert set(grams_of_terms(words)) <= grams(plain)


def test_a_run_of_marks_costs_what_its_length_says() -> None:
    text = "a" + "\u0301\u0327" * 100_000
    begun = time.process_time()
    assert len(folded(text).text) > 100_000
    assert time.process_time() - begun < 5


def test_nothing_reaches_over_what_is_kept_apart() -> None:
    assert "道路" not in grams(f"道{PIECE}路")
    assert "道路" not in grams("道 路")


def test_a_question_is_words_of_bounded_number() -> None:
    assert terms("　道路　 補修\n道路 ") == ["道路", "補修"]
    assert terms(" \u200b ") == []
    assert len(terms(" ".join(map(chr, range(0x4E00, 0x4E40))))) == TERMS
