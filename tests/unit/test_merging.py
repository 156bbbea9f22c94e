"""Two changes of one text, merged: examples. What holds of every text: tests/property/test_merging.py."""

from __future__ import annotations

import time

import pytest

from chat_server.domain.merging import common, merge


def merged(base: str, theirs: str, mine: str) -> str:
    """Letters stand for lines; a conflict is shown as `<theirs|mine>`."""
    return "".join(
        f"<{''.join(piece.items)}|{''.join(piece.mine)}>" if piece.conflict else "".join(piece.items)
        for piece in merge(base, theirs, mine)
    )


@pytest.mark.parametrize(
    ("base", "theirs", "mine", "expected"),
    [
        ("abc", "abc", "abc", "abc"),
        ("abc", "abc", "abxc", "abxc"),
        ("abc", "axbc", "abc", "axbc"),
        ("abcde", "aXcde", "abcYe", "aXcYe"),
        ("abcde", "acde", "abcd", "acd"),
        ("abc", "axc", "axc", "axc"),
        ("abc", "xyz", "abc", "xyz"),
        # both add at the end: theirs, then mine
        ("abc", "abcX", "abcY", "abcXY"),
        ("", "X", "Y", "XY"),
        # the same addition is one
        ("abc", "abcX", "abcX", "abcX"),
        ("abc", "abcXY", "abcXZ", "abcXYZ"),
        # both change one line
        ("abc", "aXc", "aYc", "a<X|Y>c"),
        # one takes out what the other changes
        ("abc", "aXc", "ac", "a<X|>c"),
        ("abc", "ac", "aYc", "a<|Y>c"),
        # what is equal in a conflict stands once
        ("abcd", "aPXQd", "aPYQd", "aP<X|Y>Qd"),
        ("abc", "", "abc", ""),
        # adding beside what the other takes out: it may have been added because of that
        ("abc", "", "abcd", "<|abcd>"),
    ],
)
def test_a_merge(base: str, theirs: str, mine: str, expected: str) -> None:
    assert merged(base, theirs, mine) == expected


def test_what_moved_is_found_by_lines_that_stand_once() -> None:
    assert common("abcdX", "Xabcd") == [(0, 1), (1, 2), (2, 3), (3, 4)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (["a"] * 50_000, ["a", "b"] * 25_000),
        (["a", "b"] * 25_000, ["b", "a", "a"] * 16_000),
        ([str(n) for n in range(50_000)], [str(n) for n in reversed(range(50_000))]),
        ([str(n % 7) for n in range(50_000)], [str(n % 11) for n in range(50_000)]),
    ],
    ids=["one line", "two lines", "reversed", "patterns"],
)
def test_the_worst_of_texts_costs_a_bounded_time(one: list[str], other: list[str]) -> None:
    begun = time.process_time()
    for piece in merge(one, other, [*one[:10], "x", *one[10:]]):
        assert isinstance(piece.items, tuple)
    assert time.process_time() - begun < 5
