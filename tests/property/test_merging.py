"""Whatever two people write at once: no line of either is lost, and nothing comes that neither wrote."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from chat_server.domain.merging import common, merge

LINES = st.lists(st.sampled_from("abcdefgh"), max_size=14)
FEW = st.lists(st.sampled_from("ab"), max_size=12)


@st.composite
def edited(draw: st.DrawFn, base: Sequence[str], own: str) -> list[str]:
    """`base` with some lines taken out, some moved, and some of one's own (which only this side writes) put in."""
    lines = [line for line in base if draw(st.integers(0, 4))]
    if len(lines) > 1 and draw(st.booleans()):
        lines.insert(draw(st.integers(0, len(lines) - 1)), lines.pop(draw(st.integers(0, len(lines) - 1))))
    for number in range(draw(st.integers(0, 4))):
        lines.insert(draw(st.integers(0, len(lines))), f"{own}{number % 3}")
    return lines


@st.composite
def edits(draw: st.DrawFn) -> tuple[list[str], list[str], list[str]]:
    base = draw(LINES | FEW)
    return base, draw(edited(base, "their ")), draw(edited(base, "my "))


def whole(base: Sequence[str], theirs: Sequence[str], mine: Sequence[str]) -> list[str]:
    return [line for piece in merge(base, theirs, mine) for line in (*piece.items, *piece.mine)]


@given(edits())
def test_no_line_that_either_side_wrote_is_lost(texts: tuple[list[str], list[str], list[str]]) -> None:
    base, theirs, mine = texts
    merged = Counter(whole(base, theirs, mine))
    for side in (theirs, mine):
        for line, times in Counter(side).items():
            if line not in base:
                assert merged[line] >= times


@given(LINES | FEW, LINES | FEW, LINES | FEW)
def test_no_line_is_lost_that_was_written_in_any_way(base: list[str], theirs: list[str], mine: list[str]) -> None:
    merged = Counter(whole(base, theirs, mine))
    for line in {*theirs, *mine} - {*base}:
        assert merged[line] >= max(theirs.count(line), mine.count(line))
    # what nobody took out stands, where it can be told: a line that the base has once
    for line in base:
        if base.count(line) == 1 and line in theirs and line in mine:
            assert merged[line] >= 1
    assert set(merged) <= {*base, *theirs, *mine}


@given(edits())
def test_the_order_of_ones_own_lines_stays(texts: tuple[list[str], list[str], list[str]]) -> None:
    base, theirs, mine = texts
    merged = whole(base, theirs, mine)
    for side, own in ((theirs, "their "), (mine, "my ")):
        assert [line for line in merged if line.startswith(own)] == [line for line in side if line.startswith(own)]


@given(LINES | FEW, LINES | FEW)
def test_who_changes_nothing_takes_nothing_back(base: list[str], other: list[str]) -> None:
    assert whole(base, other, base) == other
    assert whole(base, base, other) == other
    assert whole(base, other, other) == other


@given(LINES | FEW, LINES | FEW)
def test_common_places_are_equal_and_rise(one: list[str], other: list[str]) -> None:
    places = common(one, other)
    assert all(one[i] == other[j] for i, j in places)
    assert all(i < k and j < m for (i, j), (k, m) in pairwise(places))
