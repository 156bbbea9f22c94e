"""Merging what two wrote at once into what both began from (diff3): nothing that either wrote is ever lost.

Items are compared as wholes: lines, or whatever the caller has cut its text into. Finding what is common costs a bounded
amount of work, whatever the text: where that is used up, what remains counts as written anew, and the merge is coarser, not
wrong.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

T = TypeVar("T", bound=Hashable)

CELLS: Final = 400_000
"""Pairs of items that are compared one by one, for one comparison of two texts: a tenth of a second."""


@dataclass(frozen=True, slots=True)
class Piece(Generic[T]):
    """A stretch of the merged text: `items`, or, of a conflict, `items` as `theirs` has them and what `mine` has instead."""

    items: tuple[T, ...]
    mine: tuple[T, ...] = ()
    conflict: bool = False


def merge(base: Sequence[T], theirs: Sequence[T], mine: Sequence[T]) -> list[Piece[T]]:
    """Both changes of `base`, in order.

    What both wrote at one place, where nothing stood before, stands there one after the other, theirs first: that is no
    conflict. A conflict is where both changed the same items, or one changed what the other took out.
    """
    in_theirs, in_mine = dict(common(base, theirs)), dict(common(base, mine))
    pieces: list[Piece[T]] = []
    b = t = m = 0
    for anchor in (*(place for place in in_theirs if place in in_mine), len(base)):
        end_t, end_m = in_theirs.get(anchor, len(theirs)), in_mine.get(anchor, len(mine))
        pieces += _resolved(base[b:anchor], theirs[t:end_t], mine[m:end_m])
        if anchor < len(base):
            pieces.append(Piece((base[anchor],)))
        b, t, m = anchor + 1, end_t + 1, end_m + 1
    return pieces


def _resolved(base: Sequence[T], theirs: Sequence[T], mine: Sequence[T]) -> list[Piece[T]]:
    """Between two items that all three have."""
    was, has, wants = tuple(base), tuple(theirs), tuple(mine)
    if wants in (was, has):
        return [Piece(has)] if has else []
    if has == was:
        return [Piece(wants)] if wants else []
    before, after = _ends(has, wants)
    head, tail = has[:before], has[len(has) - after :]
    has, wants = has[before : len(has) - after], wants[before : len(wants) - after]
    if not was:
        return [Piece(head + has + wants + tail)]
    return [*([Piece(head)] if head else []), Piece(has, wants, conflict=True), *([Piece(tail)] if tail else [])]


def common(a: Sequence[T], b: Sequence[T]) -> list[tuple[int, int]]:
    """Places of equal items, rising in both: items that stand once in each are the anchors (patience), what lies between
    them is compared one by one."""
    found: list[tuple[int, int]] = []
    left = CELLS
    regions = [(0, len(a), 0, len(b))]
    while regions:
        a1, a2, b1, b2 = regions.pop()
        before, after = _ends(a[a1:a2], b[b1:b2])
        found += ((a1 + n, b1 + n) for n in range(before))
        found += ((a2 - n, b2 - n) for n in range(1, after + 1))
        a1, a2, b1, b2 = a1 + before, a2 - after, b1 + before, b2 - after
        if a1 == a2 or b1 == b2:
            continue
        anchors = _once_in_each(a, b, a1, a2, b1, b2)
        if anchors:
            found += anchors
            begins = [(a1, b1), *((i + 1, j + 1) for i, j in anchors)]
            ends = [*anchors, (a2, b2)]
            regions += ((i1, i2, j1, j2) for (i1, j1), (i2, j2) in zip(begins, ends, strict=True))
        elif (cells := (a2 - a1) * (b2 - b1)) <= left:
            left -= cells
            found += ((a1 + i, b1 + j) for i, j in _longest(a[a1:a2], b[b1:b2]))
    return sorted(found)


def _ends(a: Sequence[T], b: Sequence[T]) -> tuple[int, int]:
    """How many items are equal at the beginning, and of the rest at the end."""
    most = min(len(a), len(b))
    before = next((n for n in range(most) if a[n] != b[n]), most)
    most -= before
    after = next((n for n in range(most) if a[-1 - n] != b[-1 - n]), most)
    return before, after


def _once_in_each(a: Sequence[T], b: Sequence[T], a1: int, a2: int, b1: int, b2: int) -> list[tuple[int, int]]:
    """The longest rising row of items that stand once in each region."""
    in_a, in_b = Counter(a[a1:a2]), Counter(b[b1:b2])
    place = {b[j]: j for j in range(b1, b2) if in_b[b[j]] == 1}
    pairs = [(i, place[a[i]]) for i in range(a1, a2) if in_a[a[i]] == 1 and a[i] in place]
    ends: list[int] = []
    """the smallest end, in b, of a rising row of each length"""
    at: list[int] = []
    before: list[int] = []
    for number, (_, j) in enumerate(pairs):
        length = bisect_left(ends, j)
        ends[length : length + 1] = [j]
        at[length : length + 1] = [number]
        before.append(at[length - 1] if length else -1)
    row: list[tuple[int, int]] = []
    number = at[-1] if at else -1
    while number >= 0:
        row.append(pairs[number])
        number = before[number]
    return row[::-1]


def _longest(a: Sequence[T], b: Sequence[T]) -> list[tuple[int, int]]:
    """The longest common subsequence."""
    lengths = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i in range(len(a) - 1, -1, -1):
        row, below = lengths[i], lengths[i + 1]
        for j in range(len(b) - 1, -1, -1):
            row[j] = below[j + 1] + 1 if a[i] == b[j] else max(below[j], row[j + 1])
    pairs: list[tuple[int, int]] = []
    i = j = 0
    while i < len(a) and j < len(b):
        if a[i] == b[j]:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif lengths[i + 1][j] >= lengths[i][j + 1]:
            i += 1
        else:
            j += 1
    return pairs
