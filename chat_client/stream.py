"""Positions in the streams, without I/O: what is delivered, what is asked for, what has to be loaded anew.

One `Tracker` outlives many connections. Feed it what the server says; it answers with what to hand on, in order and
once, and with the pages to pull (docs/protocol.md, section 3):

    step = tracker.resumed(answer)      after `tracker.resume()` was sent
    step = tracker.received(frame)      an `event` or `me` frame
    step = tracker.page(pull, answer)   the answer to one of `step.pulls`
    step = tracker.refused(pull, code)  or the error
    tracker.disconnected()              before the next `resume()`
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

Fields = Mapping[str, Any]

_ROOM_NOT_FOUND: Final = 3001
_BUFFERED: Final = 1_000
"""Events kept behind a hole, a stream. Beyond it they are dropped and pulled: the hole's size is the sender's choice."""


@dataclass(frozen=True, slots=True)
class Positions:
    """The last seq held of every stream; what a program keeps to go on after a restart."""

    epoch: str | None = None
    me: int = 0
    rooms: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pull:
    """Ask for a page of `room` (None: the user's own stream) after seq `after`."""

    room: str | None
    after: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """The next event of a stream."""

    room: str | None
    seq: int
    frame: Fields


@dataclass(frozen=True, slots=True)
class Reset:
    """The stream cannot be replayed: load it by HTTP. What is delivered next has seq > `head`."""

    room: str | None
    head: int


@dataclass(frozen=True, slots=True)
class Gone:
    """No longer a member: drop the room."""

    room: str


@dataclass(frozen=True, slots=True)
class NewEpoch:
    """The server was restored from a backup; a `Reset` follows for every stream."""

    epoch: str
    before: str


Output = Delivery | Reset | Gone | NewEpoch


@dataclass(slots=True)
class Step:
    """What to do now: hand on `out` in its order, then pull."""

    out: list[Output] = field(default_factory=list)
    pulls: list[Pull] = field(default_factory=list)


class _Stream:
    """One stream's position. `known` is the highest seq that is known to exist, `asked` what it was at the last pull."""

    __slots__ = ("asked", "known", "last", "lost", "pulling", "waiting")

    def __init__(self, last: int) -> None:
        self.last = last
        self.known = last
        self.asked = last
        self.pulling = False
        self.lost = False
        self.waiting: dict[int, Fields] = {}

    def forget_connection(self) -> None:
        self.known = self.last
        self.pulling = False
        self.waiting.clear()


class Tracker:
    """The positions of every stream. Starts from `positions`, or holding nothing."""

    def __init__(self, positions: Positions | None = None, *, buffered: int = _BUFFERED) -> None:
        held = positions or Positions()
        self._buffered = buffered
        self._epoch = held.epoch
        self._me = _Stream(held.me)
        self._rooms = {room: _Stream(last) for room, last in held.rooms.items()}
        self._named: frozenset[str] = frozenset()

    @property
    def positions(self) -> Positions:
        """What has been delivered so far."""
        return Positions(self._epoch, self._me.last, self._held())

    def last(self, room: str | None) -> int | None:
        """The last seq delivered of `room` (None: the user's own stream); None for a stream not followed."""
        stream = self._find(room)
        return stream.last if stream is not None else None

    def resume(self) -> Fields:
        """The fields of the `resume` command."""
        rooms = self._held()
        self._named = frozenset(rooms)
        return {"epoch": self._epoch, "me": self._me.last, "rooms": rooms}

    def resumed(self, answer: Fields) -> Step:
        """The answer to `resume`. Raises KeyError, TypeError or ValueError if it has not the agreed shape."""
        step = Step()
        epoch = str(answer["epoch"])
        fresh = self._epoch is None
        if self._epoch is not None and epoch != self._epoch:
            step.out.append(NewEpoch(epoch, self._epoch))
        self._epoch = epoch
        self._resumed_me(answer["me"], fresh, step)
        for room, place in answer["rooms"].items():
            self._resumed_room(str(room), str(place["state"]), int(place["head"]), fresh, step)
        return step

    def received(self, frame: Fields) -> Step:
        """An `event` or `me` frame. Raises KeyError, TypeError or ValueError if it has not the agreed shape."""
        step = Step()
        seq = int(frame["seq"])
        room = None if frame["op"] == "me" else str(frame["room"])
        stream = self._find(room)
        if stream is None:
            assert room is not None
            # A room joined a moment ago goes live by itself: its first event is where we begin.
            stream = self._rooms[room] = _Stream(seq - 1)
        if seq == stream.last + 1:
            self._deliver(stream, room, seq, frame, step)
            self._drain(stream, room, step)
        elif seq > stream.last:
            stream.known = max(stream.known, seq)
            if len(stream.waiting) < self._buffered:
                stream.waiting.setdefault(seq, frame)
            self._pull(stream, room, step)
        return step

    def page(self, pull: Pull, answer: Fields) -> Step:
        """The page that `pull` brought. Raises KeyError, TypeError or ValueError if it has not the agreed shape."""
        step = Step()
        stream = self._find(pull.room)
        if stream is None:
            return step
        events = [(int(frame["seq"]), frame) for frame in answer["events"]]
        head, live = int(answer["head"]), bool(answer["live"])
        stream.pulling = False
        for seq, frame in events:
            if seq <= stream.last:
                continue
            if seq > stream.last + 1:
                # The server was asked for what comes after `last` and has it no more.
                self._reset(stream, pull.room, max(head, events[-1][0]), step)
                break
            self._deliver(stream, pull.room, seq, frame, step)
        self._drain(stream, pull.room, step)
        wanted = stream.known if live else max(stream.known, head)
        if stream.last < wanted or not live:
            if stream.last > pull.after or stream.known > stream.asked:
                self._pull(stream, pull.room, step)
            elif stream.last < wanted:
                # Nothing came of what we knew when we asked; asking the same again would go on for ever.
                self._reset(stream, pull.room, wanted, step)
        return step

    def refused(self, pull: Pull, code: int) -> Step:
        """The server answered `pull` with error `code`, for good."""
        step = Step()
        stream = self._find(pull.room)
        if stream is None:
            return step
        stream.pulling = False
        if pull.room is not None and code == _ROOM_NOT_FOUND:
            del self._rooms[pull.room]
            step.out.append(Gone(pull.room))
        else:
            self._reset(stream, pull.room, stream.known, step)
        return step

    def disconnected(self) -> None:
        """Forget what belonged to the connection: pulls under way, events behind a hole."""
        for stream in (self._me, *self._rooms.values()):
            stream.forget_connection()

    def _held(self) -> dict[str, int]:
        return {room: stream.last for room, stream in self._rooms.items() if not stream.lost}

    def _find(self, room: str | None) -> _Stream | None:
        return self._me if room is None else self._rooms.get(room)

    def _resumed_me(self, place: Fields, fresh: bool, step: Step) -> None:
        state, head = str(place["state"]), int(place["head"])
        if fresh and self._me.last == 0:
            # Whoever holds nothing loads everything by HTTP; old news of the own stream would only confuse.
            self._me.last = self._me.known = head
            if state == "replay":
                self._pull(self._me, None, step)
        else:
            self._follow(self._me, None, state, head, step)

    def _resumed_room(self, room: str, state: str, head: int, fresh: bool, step: Step) -> None:
        stream = self._rooms.get(room)
        if state == "gone":
            if stream is not None:
                del self._rooms[room]
                step.out.append(Gone(room))
        elif stream is not None and room in self._named:
            self._follow(stream, room, state, head, step)
        else:
            stream = self._rooms[room] = _Stream(head)
            if not fresh:
                # Gained while we were away, or before its first event came: what was said meanwhile is unknown.
                step.out.append(Reset(room, head))
            if state == "replay":
                self._pull(stream, room, step)

    def _follow(self, stream: _Stream, room: str | None, state: str, head: int, step: Step) -> None:
        if state == "replay" or (state == "live" and head >= stream.last):
            stream.known = max(stream.known, head)
            if state == "replay" or head > stream.last:
                self._pull(stream, room, step)
        else:
            # "resync"; a state of a later version; or a server that has less than we were given.
            self._reset(stream, room, head, step)

    def _pull(self, stream: _Stream, room: str | None, step: Step) -> None:
        if not stream.pulling:
            stream.pulling = True
            stream.asked = stream.known
            step.pulls.append(Pull(room, stream.last))

    def _deliver(self, stream: _Stream, room: str | None, seq: int, frame: Fields, step: Step) -> None:
        stream.last = seq
        stream.known = max(stream.known, seq)
        stream.waiting.pop(seq, None)
        step.out.append(Delivery(room, seq, frame))
        if room is None and frame.get("kind") in ("room_gained", "room_lost"):
            named = self._rooms.get(str(frame.get("room")))
            if named is not None:
                # A lost room's position is kept: its stream stays dense, should the member come back.
                named.lost = frame["kind"] == "room_lost"

    def _drain(self, stream: _Stream, room: str | None, step: Step) -> None:
        while (frame := stream.waiting.get(stream.last + 1)) is not None:
            self._deliver(stream, room, stream.last + 1, frame, step)

    def _reset(self, stream: _Stream, room: str | None, head: int, step: Step) -> None:
        stream.last = head
        stream.waiting = {seq: frame for seq, frame in stream.waiting.items() if seq > head}
        stream.known = max([head, *stream.waiting])
        step.out.append(Reset(room, head))
