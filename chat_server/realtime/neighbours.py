"""This node and the bus: what happens here is said, what others say is acted upon. Nothing waits for it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Final

import msgspec
import structlog

from chat_server.domain.events import ConfirmedIn, EpochChanged, Note, ReadMoved, RoomEvent, UserEvent
from chat_server.ports import Bus
from chat_server.realtime.ephemeral import Ephemeral
from chat_server.realtime.following import Following
from chat_server.realtime.hub import Hub
from chat_server.realtime.items import (
    Changed,
    Confirms,
    Everybody,
    Heads,
    Here,
    Item,
    Looks,
    Moved,
    Restored,
    Types,
    Who,
    decode,
    encode,
)
from chat_server.realtime.looking import LookingElsewhere, looks
from chat_server.realtime.others import Others
from chat_server.realtime.presence import Presence

STREAMS: Final = 150
"""Streams in one hint: 5 kB."""
log = structlog.get_logger("renraku.neighbours")


class Neighbours:
    """One for the process, `node` being its name among them."""

    def __init__(
        self, node: str, bus: Bus, hub: Hub, following: Following, presence: Presence, ephemeral: Ephemeral
    ) -> None:
        self._bus = bus
        self._hub = hub
        self._following = following
        self._presence = presence
        self._ephemeral = ephemeral
        self.others = Others(node, hub.online, self._say, presence.look_again)
        presence.elsewhere = self.others.online
        presence.on_here = lambda user, online: self.others.came_or_went(user, online=online)
        ephemeral.on_typing = self._typing
        following.on_committed = self._committed
        bus.heard = self._heard
        bus.joined = self._joined
        self.on_gap: Callable[[], None] = lambda: None
        """hints were lost: whoever compares heads does it now"""
        self.on_hint: Callable[[], None] = lambda: None
        """another node committed something"""
        self.looking = LookingElsewhere()
        self.pushes = False
        """whether somebody wants to know who looks at what"""
        self.alone = False
        """No other node lives: there is nobody to tell."""

    # This node

    def _say(self, item: Item) -> None:
        if not self.alone:
            self._bus.publish(encode(item))

    def _committed(self, notes: list[Note]) -> None:
        if self.alone:
            return
        rooms, users = {}, {}
        for note in notes:
            if isinstance(note, RoomEvent):
                rooms[note.room_id] = note.seq
            elif isinstance(note, UserEvent):
                users[note.user_id] = note.seq
            elif isinstance(note, EpochChanged):
                self._say(Restored())
            elif isinstance(note, ConfirmedIn):
                self._say(Confirms(note.room_id, note.room, note.message))
            else:
                self._say(Moved(note.room_id, note.room, note.user, note.upto, note.members, note.named))
        for some_rooms, some_users in _pieces(rooms, users):
            self._say(Heads(some_rooms, some_users))

    def _typing(self, item: Types) -> None:
        self._say(item)

    def _joined(self) -> None:
        self.others.joined()
        self.on_gap()

    def tick(self, living: Collection[str]) -> None:
        """Once a second; `living`: the other nodes whose heart beats."""
        was_alone, self.alone = self.alone, not living
        self.others.only(living)
        if was_alone and living:
            self.others.joined()
        self.others.tick()
        self.looking.tick()
        if self.pushes and living:
            for item in looks(self._hub.channels):
                self._say(item)

    # Other nodes

    def _heard(self, line: bytes) -> None:
        try:
            item = decode(line)
        except msgspec.MsgspecError:
            log.debug("another release says something else")
            return
        self.alone = False
        if isinstance(item, Heads):
            self._following.hint(item.rooms, item.users)
            self.on_hint()
        elif isinstance(item, Moved):
            self._hub.on_read_moved(ReadMoved(item.room_id, item.room, item.user, item.upto, item.members, item.named))
        elif isinstance(item, Confirms):
            self._hub.on_confirmed(ConfirmedIn(item.room_id, item.room, item.message))
        elif isinstance(item, Types):
            self._ephemeral.types(item)
        elif isinstance(item, Changed):
            self.others.moved(item)
        elif isinstance(item, Everybody):
            self.others.everybody(item)
        elif isinstance(item, Here):
            self.others.here(item)
        elif isinstance(item, Who):
            self.others.asked(item)
        elif isinstance(item, Looks):
            self.looking.heard(item)
        else:
            self.on_gap()


def _pieces(rooms: dict[int, int], users: dict[int, int]) -> Iterator[tuple[dict[int, int], dict[int, int]]]:
    if len(rooms) + len(users) <= STREAMS:
        if rooms or users:
            yield rooms, users
        return
    for streams, is_room in ((rooms, True), (users, False)):
        keys = list(streams)
        for first in range(0, len(keys), STREAMS):
            some = {key: streams[key] for key in keys[first : first + STREAMS]}
            yield (some, {}) if is_room else ({}, some)
