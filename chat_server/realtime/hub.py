"""Fan-out: what was committed goes to every subscribed connection of this process.

What one commit (or several in a row) brought to a room is one write per connection, or a few if it is much, in the
room's order. Membership events act at their own seq, so no delivery asks the database who may have it. Nothing here is
the truth: whatever is lost here is replayed from storage.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

import structlog

from chat_server.domain import closing
from chat_server.domain.events import (
    ConfirmedIn,
    EpochChanged,
    Joined,
    Left,
    Note,
    Ranges,
    ReadMoved,
    RoomEvent,
    UserEvent,
)
from chat_server.realtime.channel import Channel
from chat_server.realtime.connection import Connection
from chat_server.realtime.holding import Holding
from chat_server.services.wire import wire_user_event

log = structlog.get_logger("renraku.hub")


class Hub:
    """All connections of this process."""

    def __init__(self) -> None:
        self.epoch = ""
        """The generation of the streams that go through here."""
        self.channels: dict[int, Channel] = {}
        self.by_room: dict[str, Channel] = {}
        self.users: dict[int, set[Connection]] = {}
        self.online: set[str] = set()
        """The same people by their public ids."""
        self.heads: dict[int, int] = {}
        """The last seq that went through here, by room: what a page read earlier is compared with."""
        self.own_heads: dict[int, int] = {}
        """The same by person (integer key), for those who are connected here; kept where other nodes write too."""
        self.more_coming: Callable[[str], bool] = lambda room: False
        """Whether the writer is at work on sends to the room that were accepted already."""
        self._holding = Holding(self._burst, lambda room: self.more_coming(room))
        self.on_read_moved: Callable[[ReadMoved], None] = lambda note: None
        self.on_confirmed: Callable[[ConfirmedIn], None] = lambda note: None
        self.on_left: Callable[[Left], None] = lambda gone: None
        self.on_presence: Callable[[str, bool], None] = lambda user, online: None

    # Connections come and go

    def add(self, connection: Connection) -> None:
        """From now on the connection's membership changes are noticed. Before anything is read for it."""
        mine = self.users.setdefault(connection.actor.user_id, set())
        mine.add(connection)
        if len(mine) == 1:
            self.online.add(connection.actor.id)
            self.on_presence(connection.actor.id, True)

    def drop(self, connection: Connection) -> None:
        """The socket is gone, or is about to be."""
        if not self.has(connection):
            return
        mine = self.users[connection.actor.user_id]
        for room_id in list(connection.rooms):
            self.unsubscribe(connection, room_id)
        mine.discard(connection)
        if not mine:
            del self.users[connection.actor.user_id]
            self.own_heads.pop(connection.actor.user_id, None)
            self.online.discard(connection.actor.id)
            self.on_presence(connection.actor.id, False)

    def has(self, connection: Connection) -> bool:
        """Whether it is still there."""
        return connection in self.users.get(connection.actor.user_id, ())

    def subscribe(self, connection: Connection, room_id: int, room: str, visible: Ranges, head: int = 0) -> None:
        """The connection has everything up to `head` and to what went through here; later events come by themselves."""
        if not self.has(connection):
            return  # it went while its page was being read: nobody would ever take it out again
        channel = self.channels.get(room_id)
        if channel is None:
            self.heads[room_id] = since = max(self.heads.get(room_id, 0), head)
            channel = self.channels[room_id] = self.by_room[room] = Channel(room_id, room, since)
        channel.add(connection, visible)
        connection.rooms.add(room_id)

    def unsubscribe(self, connection: Connection, room_id: int) -> None:
        connection.rooms.discard(room_id)
        if connection.looking == room_id:
            connection.looking = 0
        channel = self.channels.get(room_id)
        if channel is None:
            return
        channel.remove(connection)
        if not any(channel.live):
            del self.channels[room_id]
            del self.by_room[channel.room]

    def look(self, connection: Connection, room: str | None) -> bool:
        """The room on the connection's screen; false if the connection is not subscribed to it."""
        before = self.channels.get(connection.looking)
        if before is not None:
            before.lookers.discard(connection)
        connection.looking = 0
        if room is None:
            return True
        channel = self.by_room.get(room)
        if channel is None or channel.room_id not in connection.rooms:
            return False
        channel.lookers.add(connection)
        connection.looking = channel.room_id
        return True

    def connections(self) -> Iterable[Connection]:
        for mine in self.users.values():
            yield from mine

    # Events

    def publish(self, notes: Iterable[Note]) -> None:
        """Deliver what one commit brought. MUST be called in commit order, with no await between commits."""
        for note in notes:
            try:
                self._take(note)
            except Exception:
                # One fault must not take the rest of the commit along; who missed something resumes or pulls the hole.
                log.exception("a note could not be delivered", kind=type(note).__name__)
        self._holding.committed()

    def _take(self, note: Note) -> None:
        if isinstance(note, RoomEvent):
            self.heads[note.room_id] = note.seq
            if note.effect is None:
                self._holding.add(note)
            else:
                self._holding.release(note.room_id)
                self._single(note)
        elif isinstance(note, UserEvent):
            self._own(note)
        elif isinstance(note, EpochChanged):
            self.epoch = note.epoch
            self.close_all(closing.RESTARTING)
            self.heads.clear()
        elif isinstance(note, ConfirmedIn):
            self.on_confirmed(note)
        else:
            self.on_read_moved(note)

    def caught_up(self, connection: Connection) -> None:
        """The client has heard of every room that it was brought into: they are live from here on."""
        connection.own_live = True
        waiting, connection.waiting = connection.waiting, None
        for room_id, (room, visible) in (waiting or {}).items():
            self.subscribe(connection, room_id, room, visible)

    def _burst(self, events: list[RoomEvent]) -> int:
        channel = self.channels.get(events[0].room_id)
        return len(events) if channel is None else channel.write(events)

    def _single(self, event: RoomEvent) -> None:
        """An event that acts on the subscriptions."""
        effect = event.effect
        if isinstance(effect, Joined):
            self.joined(effect.user_id, event.room_id, event.room, effect.visible)
        channel = self.channels.get(event.room_id)
        if channel is not None:
            channel.write([event])
        if isinstance(effect, Left):
            self.left(effect, event.room_id)

    def joined(self, user_id: int, room_id: int, room: str, visible: Ranges, head: int = 0) -> None:
        """The person is in the room: their connections receive it from here on (from `head`, if nobody here did)."""
        self._holding.release(room_id)
        for connection in self.users.get(user_id, ()):
            connection.changes += 1
            if connection.own_live:
                self.subscribe(connection, room_id, room, visible, head)
            else:
                connection.waiting = connection.waiting or {}
                connection.waiting[room_id] = (room, visible)

    def left(self, gone: Left, room_id: int) -> None:
        """Revoking membership must stop delivery here and now (ASVS 8.3.2)."""
        self._holding.release(room_id)
        for connection in self.users.get(gone.user_id, ()):
            connection.changes += 1
            if connection.waiting:
                connection.waiting.pop(room_id, None)
            self.unsubscribe(connection, room_id)
        self.on_left(gone)

    def _own(self, event: UserEvent) -> None:
        for connection in list(self.users.get(event.user_id, ())):
            if connection.own_live:
                connection.write(connection.codec.frame(wire_user_event(event)))
            else:
                connection.own_head = max(connection.own_head, event.seq)
            if event.disabled:
                connection.close(closing.DISABLED)
            elif event.revoked_device == connection.actor.device_id:
                connection.close(closing.SIGNED_OUT)
            elif event.barred_device == connection.actor.device_id:
                connection.close(closing.DEVICE)
            elif event.not_after is not None:
                connection.expires = min(connection.expires, event.not_after)

    def stand(
        self, user_id: int, *, disabled: bool, revoked: Collection[int], barred: Collection[int], not_after: int | None
    ) -> None:
        """How the person's account and devices (integer keys) stand in the database: what other nodes committed."""
        for connection in list(self.users.get(user_id, ())):
            if disabled:
                connection.close(closing.DISABLED)
            elif connection.actor.device_id in revoked:
                connection.close(closing.SIGNED_OUT)
            elif connection.actor.device_id in barred:
                connection.close(closing.DEVICE)
            elif not_after is not None:
                connection.expires = min(connection.expires, not_after)

    # Time

    def expire(self, now: int) -> None:
        """Close every connection whose session was not renewed; `now` in UTC milliseconds."""
        for connection in list(self.connections()):
            if connection.expires <= now:
                connection.close(closing.EXPIRED)

    def close_all(self, code: int) -> None:
        for connection in list(self.connections()):
            connection.close(code)
