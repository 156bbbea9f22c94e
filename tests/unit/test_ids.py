"""Public ids: nobody who holds one can guess the next (security.md, 2)."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

from chat_server.domain.ids import is_id, new_id

NOW: Final = 1_790_000_000_000
RANDOM_BITS: Final = 80


def random_parts(count: int) -> list[int]:
    """Of ids that were all made in the same millisecond: what is left of each beside the time."""
    ids = [new_id(NOW) for _ in range(count)]
    assert all(is_id(one) for one in ids)
    numbers = [int(one, 32) >> 2 for one in ids]  # 26 characters of five bits hold the 128 bits and two of padding
    assert {number >> RANDOM_BITS for number in numbers} == {NOW}
    return [number % (1 << RANDOM_BITS) for number in numbers]


def test_every_random_bit_is_random() -> None:
    """Each is set in some of two hundred ids and not in others: by chance it is not in one of 10^58 runs."""
    parts = random_parts(200)
    always = never = (1 << RANDOM_BITS) - 1
    for part in parts:
        always &= part
        never &= ~part
    assert (always, never) == (0, 0)


def test_ids_of_one_millisecond_are_no_sequence() -> None:
    parts = random_parts(1_000)
    steps = [after - before for before, after in pairwise(parts)]
    assert len(set(parts)) == len(parts)
    assert len(set(steps)) == len(steps), "no step comes twice: the next id does not follow from the last"
    assert min(steps) < 0 < max(steps)


def test_later_ids_come_after_earlier_ones() -> None:
    """The index of a table grows at one end."""
    ids = [new_id(NOW + n) for n in range(100)]
    assert ids == sorted(ids)
