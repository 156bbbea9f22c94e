"""What the memo pad remembers of a room: the newest memos, and those that are pinned."""

from __future__ import annotations

from typing import Final

from bots.memo_pad.memos import Memo
from chat_server.bot_api import Room

KEPT_BYTES: Final = 40_000
"""Of memos that it remembers, the newest and the pinned; search finds them all."""
SHOWN: Final = 20


class Notebook:
    """Of one room; every change is kept at once."""

    def __init__(self, room: Room) -> None:
        self._room = room

    @property
    def memos(self) -> list[Memo]:
        """By number."""
        return [Memo(**kept) for kept in self._room.store.get("memos", [])]

    def take_number(self) -> int:
        number: int = self._room.store.get("next", 1)
        self._room.store["next"] = number + 1
        return number

    def of_message(self, message: str) -> Memo | None:
        return next((memo for memo in self.memos if memo.message == message), None)

    def put(self, memo: Memo) -> None:
        """A new one, or what one has become."""
        self._keep([*(one for one in self.memos if one.number != memo.number), memo])

    def forget(self, message: str) -> None:
        """Nothing of what was taken back is kept."""
        self._keep([memo for memo in self.memos if memo.message != message])

    @property
    def is_whole(self) -> bool:
        """Whether it remembers all that was put there and is not pinned."""
        return not self._room.store.get("forgot", False)

    def _keep(self, memos: list[Memo]) -> None:
        """The newest first, so that what was just written is at hand however much is pinned; then what is pinned."""
        memos = sorted(memos, key=lambda memo: memo.number, reverse=True)
        older = sorted(memos[SHOWN:], key=lambda memo: memo.pinned, reverse=True)
        left, kept = KEPT_BYTES, list[Memo]()
        for memo in (*memos[:SHOWN], *older):
            left -= memo.bytes
            if left >= 0:
                kept.append(memo)
            elif not memo.pinned:
                self._room.store["forgot"] = True
        self._room.store["memos"] = [memo.kept() for memo in sorted(kept, key=lambda memo: memo.number)]


def lines(memos: list[Memo]) -> str:
    """By day, the newest first."""
    found: list[str] = []
    for memo in reversed(memos[-SHOWN:]):
        day = f"{memo.when.month}月{memo.when.day}日"
        if day not in found:
            found.append(day)
        found.append(f"  {memo.number}. {memo.when:%H:%M} {memo.line}")
    return "\n".join(found)
