"""All that a bot may see.

A bot is a class in a folder below `bots/`: see docs/bots.md. It is asked about one thing at a time, in a process of its own, and
answers by what it did to the `Room` that it was given: what it said, what it keeps, when it wants to be called again. All of
that happens in one step after it has returned, or not at all; so it may be asked about the same thing twice and does it once.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

SAYS: Final = 10
"""Messages that a bot may write about one thing."""
TIMERS: Final = 10
"""Calls that it may ask for about one thing; a room has at most `ROOM_TIMERS` of one bot."""
ROOM_TIMERS: Final = 100
TEXT_CHARS: Final = 4000
STORE_BYTES: Final = 64 * 1024
"""Of what a bot keeps for one room, packed."""
SECONDS: Final = 10.0
"""For one thing; then its process is ended. It gets what the server leaves of the processor."""

JST: Final = datetime.timezone(datetime.timedelta(hours=9), "JST")


class TooMuch(Exception):
    """A bot did more than one may."""


@dataclass(frozen=True, slots=True)
class Message:
    """What somebody wrote. `author`: a name as people see it. `photos`: how many; `files`: their names. `at`: when."""

    text: str
    author: str
    photos: int
    files: tuple[str, ...]
    at: datetime.datetime


@dataclass(frozen=True, slots=True)
class Timer:
    at: datetime.datetime
    note: str


@dataclass
class Room:
    """The room that it is about. `kind`: private, open, announcement, direct, memo. `store`: what the bot keeps for this room,
    a map of plain values; change it at will. `now`: the time, in Japan."""

    kind: str
    name: str
    now: datetime.datetime
    store: dict[str, Any] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    timers: list[Timer] = field(default_factory=list)

    def say(self, text: str) -> None:
        """Write into the room. Raises `TooMuch`."""
        if len(self.said) >= SAYS:
            raise TooMuch(f"a bot says at most {SAYS} things at once")
        if len(text) > TEXT_CHARS:
            raise TooMuch(f"a bot's message has at most {TEXT_CHARS} characters")
        self.said.append(text)

    def remind(self, at: datetime.datetime, note: str) -> None:
        """Be called by `on_timer` with `note`, not before `at`. Raises `TooMuch`."""
        if len(self.timers) >= TIMERS:
            raise TooMuch(f"a bot asks for at most {TIMERS} calls at once")
        self.timers.append(Timer(at, note))


class Bot:
    """What a bot's class builds on. Its methods return nothing, wait for nothing, and know nothing but what they are given."""

    title: ClassVar[str]
    """its name, as people see it"""
    reading: ClassVar[str]
    """in kana"""
    everywhere: ClassVar[str] = ""
    """a kind of room in which it is without being asked in: `memo`"""

    def on_message(self, room: Room, message: Message) -> None:
        """Somebody, never a bot, wrote into a room that this one is in."""

    def on_timer(self, room: Room, note: str) -> None:
        """The time has come that was asked for by `Room.remind`."""
