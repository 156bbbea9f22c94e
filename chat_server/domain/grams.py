"""What the index holds of a text: each character, and each pair of neighbours. So every part of a text is found, words of
one character and of two among them, and nobody has to guess where a Japanese word ends.

A word is looked for by all of its grams, and then by itself in the folded text: what the index says is a candidate.
"""

from __future__ import annotations

import itertools
from typing import Final

from chat_server.domain.folding import PIECE, fold

TERMS: Final = 10
"""Words of one question; more say nothing more."""
TERM_CHARS: Final = 100
_BREAKS: Final = frozenset((" ", PIECE))


def grams(folded: str) -> set[str]:
    """Of a folded text. Nothing reaches over a space or a `PIECE`."""
    found = set(folded)
    found.update(map("".join, itertools.pairwise(folded)))
    return {gram for gram in found if not _BREAKS & set(gram)}


def terms(question: str) -> list[str]:
    """The words of a question, folded: what has to be in a text, all of them. Empty if there is nothing to look for."""
    return list(dict.fromkeys(word[:TERM_CHARS] for word in fold(question).split()))[:TERMS]


def grams_of_terms(words: list[str]) -> list[str]:
    """What a text that holds all of the words has in the index. Pairs alone where there are any: their characters are
    implied."""
    found: dict[str, None] = {}
    for word in words:
        pairs = [word[at : at + 2] for at in range(len(word) - 1)]
        found.update(dict.fromkeys(pairs or [word]))
    return list(found)
