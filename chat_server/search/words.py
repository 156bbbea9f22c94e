"""A text's grams, and what else narrows a search, as words that both engines take as they are.

Their own analysis must not touch them: SQLite's `ascii` tokenizer splits at ASCII punctuation, and a tsquery gives it a
meaning. So each such character stands as one of Unicode's private ones, and so do the signs of a room, an author and a kind.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from chat_server.domain.grams import grams, grams_of_terms
from chat_server.ports import Sought, Text

_PRIVATE: Final = 0xE000
_PLAIN: Final = {code: chr(_PRIVATE + code) for code in range(128) if not chr(code).isalnum()}
_ROOM, _AUTHOR, _KIND = "\ue100", "\ue101", "\ue102"
ROOMS: Final = 32
"""Up to so many rooms are words of the question; of more, the rows themselves tell."""


def words_of(text: Text) -> list[str]:
    """What the index holds of it."""
    signs = (f"{_ROOM}{text.room_id}", f"{_AUTHOR}{text.author_id}", f"{_KIND}{text.kind}")
    return [*signs, *(gram.translate(_PLAIN) for gram in grams(text.text))]


def all_of(sought: Sought) -> list[str]:
    """What every hit has."""
    found = [gram.translate(_PLAIN) for gram in grams_of_terms(list(sought.words))]
    if sought.author_id is not None:
        found.append(f"{_AUTHOR}{sought.author_id}")
    return found


def one_of(sought: Sought) -> list[list[str]]:
    """Of each list, every hit has at least one."""
    lists: list[Iterable[str]] = []
    if len(sought.rooms) <= ROOMS:
        lists.append(f"{_ROOM}{room}" for room in sought.rooms)
    if sought.kinds:
        lists.append(f"{_KIND}{kind}" for kind in sought.kinds)
    return [list(each) for each in lists]
