"""What travels: the sender's mark on the first line, an item on each of the others. Items hold no line feed."""

from __future__ import annotations

import collections
from typing import Final

from chat_server.ports import ITEM_BYTES

PAYLOAD_BYTES: Final = 7_900
"""PostgreSQL takes 7,999 bytes a notification; more items than fit go in several."""
ITEMS: Final = 20_000
"""That wait, at most: whoever cannot send for so long has lost hints, which the comparison of heads heals."""


class Outgoing:
    """Items that wait to be sent, oldest first; whatever came together travels together."""

    def __init__(self, mark: bytes) -> None:
        self._mark = mark
        self._items: collections.deque[bytes] = collections.deque(maxlen=ITEMS)

    def add(self, item: bytes) -> None:
        """Raises `ValueError` for an item that is no short line."""
        if len(item) > ITEM_BYTES or b"\n" in item:
            raise ValueError("an item is one short line")
        self._items.append(item)

    def clear(self) -> None:
        self._items.clear()

    def __bool__(self) -> bool:
        return bool(self._items)

    def take(self) -> bytes:
        """The next payload; with nothing to say it is a sign of life."""
        lines, size = [self._mark], len(self._mark)
        while self._items and size + 1 + len(self._items[0]) <= PAYLOAD_BYTES:
            lines.append(self._items.popleft())
            size += 1 + len(lines[-1])
        return b"\n".join(lines)


def split(payload: bytes) -> tuple[bytes, list[bytes]]:
    """(the sender's mark, its items)"""
    mark, *items = payload.split(b"\n")
    return mark, items
