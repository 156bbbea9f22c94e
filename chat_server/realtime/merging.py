"""Events that were read back from several streams, put into an order that their commits could have had.

Each stream is dense; between two streams only memberships matter: somebody hears that they gained a room before the
room's own event, and that they lost it after the last event that is theirs (docs/protocol.md, section 3). `room_seq` in
the own stream says which event of the room that is.

Whoever is subscribed later than an event went through here missed what it does. So the own stream acts as well: a room
gained that is beyond its joining already is subscribed to as it stands in the view, and a room lost is left.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from chat_server.domain.events import EVERYTHING, Joined, Left, Note, RoomEvent, UserEvent
from chat_server.realtime.hub import Hub
from chat_server.services.following import Present

_END: Final = EVERYTHING[0][1]

Pair = tuple[int, str]
"""A person's integer key and a room's public id."""


class Merge:
    """One view. `notes` is consumed by `Hub.publish`: what it looks at is what the hub has taken in so far."""

    def __init__(
        self,
        hub: Hub,
        rooms: Mapping[int, deque[RoomEvent]],
        own: Mapping[int, deque[UserEvent]],
        present: Mapping[Pair, Present | None],
        doubt: Callable[[int, str], bool],
    ) -> None:
        """`present`: memberships in the view, for every room that somebody in `own` gained.

        `doubt(user_id, room)`: whether the view is too old to go by, because a commit of this process changed the
        person's memberships since; whoever answers true asks again.
        """
        self._hub = hub
        self._rooms = rooms
        self._ids = {queue[0].room: room_id for room_id, queue in rooms.items() if queue}
        self._own = own
        self._present = present
        self._doubt = doubt

    def notes(self) -> Iterator[Note]:
        for user_id in self._own:
            yield from self._of_person(user_id)
        for room_id in self._rooms:
            yield from self._of_room(room_id)

    def _of_room(self, room_id: int, upto: int = _END) -> Iterator[Note]:
        queue = self._rooms.get(room_id)
        while queue and queue[0].seq <= upto:
            event = queue.popleft()
            if event.seq <= self._hub.heads.get(room_id, 0):
                continue
            if isinstance(event.effect, Joined):
                yield from self._of_person(event.effect.user_id, (event.room, event.seq))
            yield event

    def _of_person(self, user_id: int, gained: tuple[str, int] | None = None) -> Iterator[Note]:
        """Everything, or up to where they gained that room; nothing if they have heard of that before."""
        queue = self._own.get(user_id)
        if not queue or (gained and not any(_gained(event) == gained for event in queue)):
            return
        while queue:
            if user_id not in self._hub.own_heads:
                queue.clear()  # gone; whoever comes again begins with what is there then
                return
            event = queue.popleft()
            if event.kind == "room_lost":
                yield from self._of_room(self._ids.get(event.body["room"], 0), event.body.get("room_seq", 0))
            if event.seq > self._hub.own_heads[user_id]:
                self._hub.own_heads[user_id] = event.seq
                yield event
                self._move(event)
            if gained and _gained(event) == gained:
                return

    def _move(self, event: UserEvent) -> None:
        if event.kind == "room_gained":
            self.enter(event.user_id, event.body["room"], event.body.get("room_seq", 0))
        elif event.kind == "room_lost":
            channel = self._hub.by_room.get(event.body["room"])
            if channel is not None:
                self.leave(event.user_id, channel.room_id)

    def enter(self, user_id: int, room: str, seq: int) -> None:
        """Unless the joining, at `seq`, is yet to come: its event does it in its place."""
        present = self._present.get((user_id, room))
        if present is None:
            return
        to_come = self._rooms.get(present.room_id)
        if to_come and to_come[-1].seq >= seq > self._hub.heads.get(present.room_id, 0):
            return
        if not self._doubt(user_id, room):
            self._hub.joined(user_id, present.room_id, room, present.visible, present.head)

    def leave(self, user_id: int, room_id: int) -> None:
        for connection in self._hub.users.get(user_id, ()):
            user = connection.actor.id
            break
        else:
            return
        self._hub.left(Left(user_id, user), room_id)


def _gained(event: UserEvent) -> tuple[str, int] | None:
    return (event.body["room"], event.body.get("room_seq", 0)) if event.kind == "room_gained" else None
