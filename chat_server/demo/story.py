"""The story as a list of acts in the order of their times: a pure plan, which `load.py` carries out.

Nothing here knows a database. The same `now` gives the same plan.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from typing import Final

from chat_server.demo.dates import Calendar
from chat_server.demo.script import REACTIONS, Room, Spoken, rooms

MINUTE: Final = 60_000
HOUR: Final = 60 * MINUTE
_CREATED_AT: Final = "9:00"
_REACTION_GAP: Final = 23_000
_HIDDEN_TAIL: Final = 3
MENTION: Final = re.compile(r"<@(?:(d):)?([a-z0-9.:_-]+)>")


@dataclass(frozen=True, slots=True)
class Open:
    """A room begins, with everyone who is in it from the start."""

    room: int
    script: Room


@dataclass(frozen=True, slots=True)
class Enter:
    room: int
    who: str
    by: str


@dataclass(frozen=True, slots=True)
class Say:
    """`message` is its name within the story: what quotes and later acts refer to."""

    room: int
    message: str
    by: str
    text: str
    photos: tuple[str, ...]
    quote: str | None


@dataclass(frozen=True, slots=True)
class Rewrite:
    message: str
    by: str
    text: str


@dataclass(frozen=True, slots=True)
class Hide:
    message: str
    by: str
    how: str
    """redacted or cancelled"""


@dataclass(frozen=True, slots=True)
class Reaction:
    message: str
    by: str
    key: str


@dataclass(frozen=True, slots=True)
class PinIt:
    message: str
    by: str


@dataclass(frozen=True, slots=True)
class Keep:
    """A bookmark."""

    message: str
    by: str


@dataclass(frozen=True, slots=True)
class ReadTo:
    message: str
    room: int
    by: str


@dataclass(frozen=True, slots=True)
class Involved:
    room: int
    by: str
    level: str


@dataclass(frozen=True, slots=True)
class Archive:
    room: int
    by: str


Act = Open | Enter | Say | Rewrite | Hide | Reaction | PinIt | Keep | ReadTo | Involved | Archive


@dataclass(frozen=True, slots=True)
class Moment:
    """`act` happens at `at` (UTC milliseconds)."""

    at: int
    act: Act


def plan(now: int, everyone: tuple[str, ...]) -> list[Moment]:
    """Everything that happens, oldest first; nothing after `now`. `everyone`: logins for rooms that hold all staff."""
    calendar = Calendar.at(now)
    moments: list[Moment] = []
    for number, room in enumerate(rooms()):
        moments += _Teller(number, room, calendar, people(room, everyone)).tell()
    return sorted(moments, key=lambda moment: moment.at)


def people(room: Room, everyone: tuple[str, ...]) -> list[str]:
    """Who is in the room at the end of the story."""
    joined = [join.who for day in room.day for join in day.joins]
    listed = [*room.owners.split(), *room.members.split(), *(everyone if room.everyone else ()), *joined]
    return list(dict.fromkeys(listed))


@dataclass(frozen=True, slots=True)
class _Told:
    """A message as it stands at the end, for finding out who has read how far."""

    message: str
    at: int
    by: str
    counts: bool


class _Teller:
    """Turns one room's script into moments."""

    def __init__(self, number: int, room: Room, calendar: Calendar, members: list[str]) -> None:
        self._number = number
        self._room = room
        self._calendar = calendar
        self._members = members
        self._told: list[_Told] = []
        self._moments: list[Moment] = []

    def tell(self) -> list[Moment]:
        self._add(self._calendar.moment("office", self._room.created, _CREATED_AT), Open(self._number, self._room))
        for level, who in self._room.involvement.items():
            for login in who.split():
                self._add(self._moments[0].at + HOUR, Involved(self._number, login, level))
        for day in sorted(self._room.day, key=lambda day: -day.ago):
            for join in day.joins:
                self._add(self._at(day.ago, join.at), Enter(self._number, join.who, join.by))
            for spoken in day.messages:
                self._say(self._at(day.ago, spoken.at), spoken)
        self._read()
        if self._room.archived_after is not None:
            by = self._room.owners.split()[0]
            self._add(self._told[-1].at + self._room.archived_after * HOUR, Archive(self._number, by))
        return self._moments

    def _at(self, ago: int, clock: str) -> int:
        return self._calendar.moment(self._room.calendar, ago, clock)

    def _add(self, at: int, act: Act) -> None:
        self._moments.append(Moment(at, act))

    def _say(self, at: int, spoken: Spoken) -> None:
        message = self._name(spoken.id) if spoken.id else f"{self._number}#{len(self._told)}"
        quote = self._name(spoken.quote) if spoken.quote else None
        first = spoken.edited.was if spoken.edited else spoken.text
        photos = tuple(spoken.photos.split())
        self._add(at, Say(self._number, message, spoken.by, self._fill(first), photos, quote))
        self._told.append(_Told(message, at, spoken.by, not (spoken.redacted or spoken.cancelled)))
        if spoken.edited:
            self._add(at + spoken.edited.after * MINUTE, Rewrite(message, spoken.by, self._fill(spoken.text)))
        if spoken.redacted:
            self._add(at + spoken.redacted.after * MINUTE, Hide(message, spoken.redacted.by or spoken.by, "redacted"))
        if spoken.cancelled:
            self._add(at + spoken.cancelled.after * MINUTE, Hide(message, spoken.by, "cancelled"))
        if spoken.pin:
            self._add(at + spoken.pin.after * MINUTE, PinIt(message, spoken.pin.by or spoken.by))
        for login in spoken.bookmark.split():
            self._add(at + 2 * MINUTE, Keep(message, login))
        self._react(at, message, spoken)

    def _react(self, at: int, message: str, spoken: Spoken) -> None:
        """Reactions come one after the other in the minutes that follow, as people get to see the message."""
        given = [(key, login) for key, who in spoken.react.items() for login in who.split()]
        for place, (key, login) in enumerate(sorted(given, key=lambda pair: _dice(message, pair[1]))):
            later = at + _REACTION_GAP * (place + 1) + _dice(message, login) % 17_000
            self._add(later, Reaction(message, login, REACTIONS.get(key, key)))

    def _read(self) -> None:
        """Everyone's marker at the end, as one act: the last message read, some minutes after it was written."""
        for login in self._members:
            last = self._last_read(login)
            if last is not None:
                self._add(last.at + MINUTE, ReadTo(last.message, self._number, login))

    def _last_read(self, login: str) -> _Told | None:
        behind = self._room.unread.get(login)
        if behind is None:
            dice = _dice(self._room.name, login)
            behind = 0 if dice % 100 < self._room.read_share else 1 + dice % _HIDDEN_TAIL
        for told in reversed(self._told):
            if told.by == login or behind == 0:
                return told
            behind -= told.counts
        return None

    def _name(self, given: str) -> str:
        return f"{self._number}:{given}"

    def _fill(self, text: str) -> str:
        return self._calendar.fill(self._room.calendar, text)


def _dice(*parts: str) -> int:
    """The same number for the same words, on every machine."""
    return zlib.crc32("/".join(parts).encode())
