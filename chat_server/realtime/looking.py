"""Who has which room on a screen at the other nodes, for whoever decides whose phone rings.

Each node tells all of it once a second, and it holds for a moment: whatever is lost, a `look` that ended or a whole node, is
forgotten by itself. What was told of changes alone could go on silencing a phone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Final

from chat_server.realtime.channel import Channel
from chat_server.realtime.items import Looks

HOLDS: Final = 4.0
"""Seconds."""
PER_ITEM: Final = 250
"""People in one item: at most 6 kB."""


class LookingElsewhere:
    """One for the process. Rooms and people are integer keys."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: dict[int, dict[int, float]] = {}

    def heard(self, item: Looks) -> None:
        now = self._clock()
        for room, users in item.rooms.items():
            self._seen.setdefault(room, {}).update(dict.fromkeys(users, now))

    def at(self, room_id: int) -> set[int]:
        since = self._clock() - HOLDS
        return {user for user, seen in self._seen.get(room_id, {}).items() if seen > since}

    def tick(self) -> None:
        """Once a second."""
        for room in list(self._seen):
            left = self.at(room)
            if left:
                self._seen[room] = {user: self._seen[room][user] for user in left}
            else:
                del self._seen[room]


def looks(channels: dict[int, Channel]) -> Iterator[Looks]:
    """What this node has to tell."""
    rooms: dict[int, list[int]] = {}
    size = 0
    for room, channel in channels.items():
        users = sorted({looker.actor.user_id for looker in channel.lookers})
        while users:
            rooms[room], users = users[: PER_ITEM - size], users[PER_ITEM - size :]
            size += len(rooms[room])
            if size >= PER_ITEM:
                yield Looks(rooms)
                rooms, size = {}, 0
    if rooms:
        yield Looks(rooms)
