"""Several nodes: what this process and the others committed reaches the hub in the order of each stream.

The hub delivers every event of a room once and in order. What this process commits comes as notes, right after the
commit; what others commit is read from storage, by seq. So a note that does not follow what went through the hub waits
until the hole before it is read. On a node that writes alone there never is one, and a note costs a comparison.

A hint says which streams others have written to and how far. Nobody relies on hints: `compare` holds the heads of every
room with subscribers here, and of the own stream of everybody who is connected here, against the database once a
second.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

import structlog

from chat_server.domain.errors import Problem
from chat_server.domain.events import EpochChanged, Joined, Note, RoomEvent, UserEvent
from chat_server.ports import Reader, Storage
from chat_server.realtime.hub import Hub
from chat_server.realtime.merging import Merge, Pair
from chat_server.services import following as reading
from chat_server.services.following import Asked, Present, Standing

log = structlog.get_logger("renraku.following")

AGAIN: Final = 0.3
"""Seconds until the database is asked once more after it did not answer."""

E = TypeVar("E", RoomEvent, UserEvent)


@dataclass(slots=True)
class Behind(Generic[E]):
    """A stream that has events which did not go through the hub: `held` are notes behind a hole, in order; others have
    written up to `head` at least."""

    held: deque[E] = field(default_factory=deque)
    head: int = 0


@dataclass(slots=True)
class View:
    """What was read at one moment."""

    rooms: dict[int, list[RoomEvent]]
    own: dict[int, list[UserEvent]]
    standings: dict[int, Standing]
    present: dict[Pair, Present | None]


class Following:
    """One for the process. `committed` is where its own notes come in, `hint` what other nodes say."""

    def __init__(self, storage: Storage, hub: Hub) -> None:
        self._storage = storage
        self._hub = hub
        self._rooms: dict[int, Behind[RoomEvent]] = {}
        self._users: dict[int, Behind[UserEvent]] = {}
        self._doubts: set[Pair] = set()
        """Memberships that this process heard of too late to know whether they still hold."""
        self._moved: set[Pair] = set()
        """Memberships that this process changed while a view is being read."""
        self._reading = False
        self._woken = asyncio.Event()
        self._one_view = asyncio.Lock()
        self.on_committed: Callable[[list[Note]], None] = lambda notes: None

    # What this process committed

    def committed(self, notes: list[Note]) -> None:
        """In commit order, as `Hub.publish`."""
        self._hub.publish(self._in_order(notes))
        self.on_committed(notes)

    def _in_order(self, notes: list[Note]) -> Iterator[Note]:
        hub = self._hub
        for note in notes:
            if isinstance(note, RoomEvent):
                if self._reading and note.effect is not None:
                    self._moved.add((note.effect.user_id, note.room))
                if note.room_id not in self._rooms and self._follows(note):
                    yield note
                else:
                    self._hold(note)
            elif isinstance(note, UserEvent):
                head = hub.own_heads.get(note.user_id)
                if head is None:
                    yield note  # nobody here, or somebody who is just coming in and is not followed yet
                elif note.user_id not in self._users and note.seq == head + 1 and not self._room_waits(note):
                    hub.own_heads[note.user_id] = note.seq
                    yield note
                elif note.seq > head:
                    self._users.setdefault(note.user_id, Behind()).held.append(note)
                    self._woken.set()
            else:
                yield note
                if isinstance(note, EpochChanged):
                    self._forget()

    def _follows(self, note: RoomEvent) -> bool:
        """Whether it is the next one of its room, and nothing of another stream has to come before it."""
        if isinstance(note.effect, Joined) and note.effect.user_id in self._users:
            return False
        return note.room_id not in self._hub.channels or note.seq == self._hub.heads[note.room_id] + 1

    def _room_waits(self, note: UserEvent) -> bool:
        """A room is lost after its last event, which waits."""
        if note.kind != "room_lost" or not self._rooms:
            return False
        channel = self._hub.by_room.get(note.body["room"])
        return channel is not None and channel.room_id in self._rooms

    def _hold(self, note: RoomEvent) -> None:
        channel = self._hub.channels.get(note.room_id)
        if channel is not None and note.seq <= self._hub.heads[note.room_id]:
            # Read from storage before it came. What it does was done then, unless the channel is younger than it.
            if note.effect is not None and note.seq <= channel.since:
                self._doubts.add((note.effect.user_id, note.room))
                self._woken.set()
            return
        self._rooms.setdefault(note.room_id, Behind()).held.append(note)
        self._woken.set()

    # What other nodes say

    def hint(self, rooms: Mapping[int, int], users: Mapping[int, int]) -> None:
        """Streams (integer keys) and the last seq that somebody wrote."""
        for room_id, head in rooms.items():
            if room_id in self._hub.channels and head > self._hub.heads[room_id]:
                behind = self._rooms.setdefault(room_id, Behind())
                behind.head = max(behind.head, head)
                self._woken.set()
        for user_id, head in users.items():
            if head > self._hub.own_heads.get(user_id, head):
                own = self._users.setdefault(user_id, Behind())
                own.head = max(own.head, head)
                self._woken.set()

    async def compare(self, tx: Reader) -> Callable[[], None]:
        """Read where the followed streams end; the answer, called on the event loop, acts on it."""
        rooms, users = await reading.heads(tx, list(self._hub.channels), list(self._hub.own_heads))
        epoch = await reading.epoch(tx)

        def act() -> None:
            if epoch is not None and epoch != self._hub.epoch:
                self._hub.publish([EpochChanged(epoch)])
                self._forget()
            else:
                self.hint(rooms, users)

        return act

    def _forget(self) -> None:
        """Every connection has to begin anew."""
        self._rooms.clear()
        self._users.clear()
        self._doubts.clear()

    # Reading

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._woken.wait()
            self._woken.clear()
            try:
                await self.catch_up()
            except Exception as error:
                if isinstance(error, Problem):
                    log.warning("what other nodes committed could not be read yet", error=str(error))
                else:
                    log.exception("what other nodes committed could not be read")
                self._woken.set()
                await asyncio.sleep(AGAIN)

    async def catch_up(self) -> None:
        """Until nothing is known to be missing."""
        async with self._one_view:
            while self._rooms or self._users or self._doubts:
                await self._round()

    async def _round(self) -> None:
        doubts, self._doubts = self._doubts, set()
        self._reading = True
        try:
            view = await self._storage.read(lambda tx: self._look(tx, doubts))
        except BaseException:
            self._doubts |= doubts
            raise
        finally:
            self._reading = False
        self._deliver(view, doubts)
        self._moved.clear()

    def _deliver(self, view: View, doubts: set[Pair]) -> None:
        rooms = {room_id: self._joined(self._rooms, room_id, events) for room_id, events in view.rooms.items()}
        own = {user_id: self._joined(self._users, user_id, events) for user_id, events in view.own.items()}
        for room_id in [room_id for room_id in self._rooms if room_id not in rooms]:
            # Nobody here receives it (any more), so nothing was read; what was held acts on the people all the same.
            if room_id not in self._hub.channels:
                rooms[room_id] = self._rooms.pop(room_id).held
        for room_id, queue in rooms.items():
            if room_id not in self._hub.channels and queue:
                self._hub.heads[room_id] = queue[0].seq - 1
        merge = Merge(self._hub, rooms, own, view.present, self._in_doubt)
        self._hub.publish(merge.notes())
        for user_id, room in doubts:
            present = view.present.get((user_id, room))
            if present is not None:
                merge.enter(user_id, room, 0)
            elif (channel := self._hub.by_room.get(room)) is not None:
                merge.leave(user_id, channel.room_id)
        for user_id, standing in view.standings.items():
            self._hub.stand(
                user_id,
                disabled=standing.disabled,
                revoked=standing.revoked,
                barred=standing.barred,
                not_after=standing.not_after,
            )

    def _in_doubt(self, user_id: int, room: str) -> bool:
        if (user_id, room) not in self._moved:
            return False
        self._doubts.add((user_id, room))
        return True

    def _joined(self, behind: dict[int, Behind[E]], key: int, events: list[E]) -> deque[E]:
        """What was read, and the notes that follow it without a hole; the stream stays behind if that is not all."""
        queue = deque(events)
        waiting = behind.pop(key, None)
        if waiting is None:
            return queue
        held = waiting.held
        last = events[-1].seq if events else held[0].seq - 1 if held else waiting.head
        while held and held[0].seq <= last + 1:
            note = held.popleft()
            if note.seq > last:
                queue.append(note)
                last = note.seq
        # Whatever made no progress is not waited for: who misses something pulls the hole.
        if queue and (held or waiting.head > last):
            behind[key] = waiting
        else:
            queue.extend(held)
        return queue

    async def _look(self, tx: Reader, doubts: set[Pair]) -> View:
        """Everything that is behind, and whatever has to be known with it, as of one view."""
        hub = self._hub
        rooms: dict[int, list[RoomEvent]] = {}
        own: dict[int, list[UserEvent]] = {}
        present: dict[Pair, Present | None] = {pair: await reading.present(tx, *pair) for pair in doubts}
        more_rooms = {
            room_id: Asked(hub.channels[room_id].room, hub.heads[room_id], _before(behind))
            for room_id, behind in self._rooms.items()
            if room_id in hub.channels
        }
        more_users = {user_id: hub.own_heads[user_id] for user_id in self._users if user_id in hub.own_heads}
        gone = [user_id for user_id in self._users if user_id not in hub.own_heads]
        for user_id in gone:
            del self._users[user_id]
        while more_rooms or more_users:
            found_rooms = await reading.room_events(tx, more_rooms)
            found_own = await reading.own_events(tx, more_users)
            rooms |= found_rooms
            own |= found_own
            more_users = {
                event.effect.user_id: hub.own_heads[event.effect.user_id]
                for events in found_rooms.values()
                for event in events
                if event.effect is not None
                and event.effect.user_id not in own
                and event.effect.user_id in hub.own_heads
            }
            more_rooms = {}
            for event in [event for events in found_own.values() for event in events]:
                if event.kind in ("room_gained", "room_lost"):
                    await self._with(tx, event, rooms, more_rooms, present)
        standings = await reading.standings(tx, {user_id: self._devices(user_id) for user_id in own}) if own else {}
        return View(rooms, own, standings, present)

    async def _with(
        self,
        tx: Reader,
        event: UserEvent,
        rooms: Mapping[int, list[RoomEvent]],
        more: dict[int, Asked],
        present: dict[Pair, Present | None],
    ) -> None:
        """A room gained or lost: its own events belong into the view, beginning with the joining."""
        room, seq = event.body["room"], event.body.get("room_seq", 0)
        channel = self._hub.by_room.get(room)
        if event.kind == "room_gained":
            pair = (event.user_id, room)
            if pair not in present:
                present[pair] = await reading.present(tx, *pair)
            found = present[pair]
            if channel is None and found is not None and seq and found.room_id not in rooms:
                before = more.get(found.room_id)
                more[found.room_id] = Asked(room, min(seq - 1, before.after if before else seq - 1))
        if channel is not None and channel.room_id not in rooms:
            head = self._hub.heads[channel.room_id]
            if seq > head:
                more[channel.room_id] = Asked(room, head)

    def _devices(self, user_id: int) -> set[int]:
        return {connection.actor.device_id for connection in self._hub.users.get(user_id, ())}


def _before(behind: Behind[RoomEvent]) -> int | None:
    return behind.held[0].seq if behind.held else None
