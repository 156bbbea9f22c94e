"""One room in the hub: its connections, and how an event becomes what each of them is written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from chat_server.domain.events import EVERYTHING, Ranges, RoomEvent, may_see
from chat_server.realtime.codec import JSON, MSGPACK, Codec
from chat_server.realtime.connection import Connection
from chat_server.services.wire import stub, wire_event

_CODECS: Final[tuple[Codec, ...]] = (MSGPACK, JSON)

Write = Callable[[bytes], None]

BURST: Final = 256 * 1024
"""Bytes that a connection is written at once: a quarter of what its queue may hold, so that no commit fills it alone."""


class Channel:
    """Connections by codec, each with the bound method that writes to its socket."""

    __slots__ = ("hidden", "live", "lookers", "room", "room_id", "since")

    def __init__(self, room_id: int, room: str, since: int = 0) -> None:
        self.room_id = room_id
        self.room = room
        self.since = since
        """Every event after this one has gone through here."""
        self.live: tuple[dict[Connection, Write], ...] = tuple({} for _ in _CODECS)
        self.hidden: dict[Connection, Ranges] = {}
        """Connections that do not see the whole history, with what they may see of it."""
        self.lookers: set[Connection] = set()

    def add(self, connection: Connection, visible: Ranges) -> None:
        """`visible` as the database or a membership event has it."""
        self.live[connection.codec.index][connection] = connection.write
        if EVERYTHING[0] not in visible:
            self.hidden[connection] = visible

    def remove(self, connection: Connection) -> None:
        self.live[connection.codec.index].pop(connection, None)
        self.hidden.pop(connection, None)
        self.lookers.discard(connection)

    def write(self, events: Sequence[RoomEvent]) -> int:
        """The first of `events`, all of this room and in order, as many as make one burst; answers how many.

        One write per connection, encoded once per codec.
        """
        encoded: list[tuple[Codec, dict[Connection, Write], list[bytes]]] = [
            (codec, live, []) for codec, live in zip(_CODECS, self.live, strict=True) if live
        ]
        written = size = 0
        for event in events:
            wire = wire_event(event)
            for codec, _, frames in encoded:
                frames.append(codec.frame(wire))
            written += 1
            size += len(encoded[0][2][-1])
            if size >= BURST:
                break
        for codec, live, frames in encoded:
            whole = b"".join(frames)
            # A copy: a write past a socket's bound evicts it, which changes the table.
            if not self.hidden:
                for write in list(live.values()):
                    write(whole)
                continue
            seen: dict[Ranges, bytes] = {}
            for connection, write in list(live.items()):
                visible = self.hidden.get(connection)
                if visible is None:
                    write(whole)
                    continue
                if visible not in seen:
                    seen[visible] = self._seen(codec, events[:written], frames, visible)
                write(seen[visible])
        return written

    def _seen(self, codec: Codec, events: Sequence[RoomEvent], frames: list[bytes], visible: Ranges) -> bytes:
        """What somebody gets who may see `visible`. A subscription may begin after events that are yet to be written:
        their commit could be read before its notes were here."""
        return b"".join(
            [
                frame if may_see(visible, event.seq, event.target) else codec.frame(stub(self.room, event.seq))
                for event, frame in zip(events, frames, strict=True)
            ]
        )
