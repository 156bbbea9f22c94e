"""The part of a text that shows why it was found, in its own writing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from chat_server.domain.folding import folded

BEFORE: Final = 30
AFTER: Final = 90
"""Characters shown before the first word that was found, and from it on."""


def excerpt_of(text: str, words: Sequence[str]) -> list[dict[str, Any]]:
    """Pieces of `text` around the first word: `[{text, hit}]`; empty unless all of the words are in it."""
    plain = folded(text)
    if not all(word in plain.text for word in words):
        return []
    first = min(plain.text.index(word) for word in words)
    low, high = max(0, first - BEFORE), min(len(plain.text), first + AFTER)
    hit = [False] * (high - low)
    for word in words:
        at = plain.text.find(word, low)
        while at >= 0 and at + len(word) <= high:
            hit[at - low : at - low + len(word)] = [True] * len(word)
            at = plain.text.find(word, at + 1)
    pieces: list[dict[str, Any]] = []
    done = plain.begins[low]
    for offset, marked in enumerate(hit, start=low):
        begin, end = max(plain.begins[offset], done), plain.ends[offset]
        if end <= done:
            continue
        if pieces and pieces[-1]["hit"] == marked:
            pieces[-1]["text"] += text[begin:end]
        else:
            pieces.append({"text": text[begin:end], "hit": marked})
        done = end
    if low > 0:
        pieces.insert(0, {"text": "…", "hit": False})
    if high < len(plain.text):
        pieces.append({"text": "…", "hit": False})
    return pieces
