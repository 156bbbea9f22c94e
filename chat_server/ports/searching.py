"""The index of what can be found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

PARTS: Final = 256
"""Numbers of one message's texts in the index: `Text.id` is the message's key × this + which of them."""


NOTE_KEYS: Final = 1 << 40
"""A note's key in the index is its own and this: notes stand above all messages."""
MESSAGES, NOTES = "messages", "notes"
"""What the index takes in, each up to a position of its own."""


@dataclass(frozen=True, slots=True)
class Text:
    """Something that can be found: one text, where it stands, and what narrows a search to it.

    `id`: newer texts have larger ones, and those of one message are neighbours (`services.indexing`). `kind`: message,
    photo, file (by its name), document (by its text), note. `text`: folded, see `domain.folding`.
    """

    id: int
    room_id: int
    seq: int
    author_id: int
    department: str
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Sought:
    """A question to the index. `words`: folded, all of them in one text. `rooms`: those that the seeker is in.
    `above` ≤ id < `below`."""

    words: Sequence[str]
    rooms: Sequence[int]
    kinds: Sequence[str]
    author_id: int | None
    department: str | None
    above: int
    below: int
    limit: int


@dataclass(frozen=True, slots=True)
class Hit:
    """A candidate: what the seeker may see of it, the caller decides."""

    id: int
    room_id: int
    seq: int


class SearchIndex(Protocol):
    """Grams of everything that was said, beside the database: never the truth, and made anew from it when it is lost.

    MUST: `find` answers every text that holds all of the words in its folded form, as a plain scan would.
    """

    async def belong(self, epoch: str) -> None:
        """Of another generation of the streams, after a restore, nothing stays: there, other messages have these keys."""
        ...

    async def position(self, of: str = MESSAGES) -> int:
        """Up to where the index has come, by `messages.id` or `note_versions.id`; 0: nothing is in it."""
        ...

    async def replace(self, keys: Sequence[int], texts: Sequence[Text], position: int, of: str = MESSAGES) -> None:
        """What there was of the messages and notes with these keys goes, `texts` come, and the position is kept, all in one
        step."""
        ...

    async def find(self, sought: Sought) -> list[Hit]:
        """The newest first."""
        ...

    async def close(self) -> None: ...
