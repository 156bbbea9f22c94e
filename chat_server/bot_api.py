"""All that a bot may see.

A bot is a class in a folder below `bots/`: see docs/bots.md. It is asked about one thing at a time, in a process of its own, and
answers by what it did to the `Room` that it was given: what it said, what it keeps, when it wants to be called again. All of
that happens in one step after it has returned, or not at all; so it may be asked about the same thing twice and does it once.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from chat_server.bot_blocks import BotBlock, Value
from chat_server.bot_blocks import Button as Button
from chat_server.bot_blocks import Buttons as Buttons
from chat_server.bot_blocks import Card as Card
from chat_server.bot_blocks import Copy as Copy
from chat_server.bot_blocks import Field as Field
from chat_server.bot_blocks import Form as Form
from chat_server.domain.sheets import sheet as sheet

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
FILE_BYTES: Final = 256 * 1024
"""Of all files that it posts about one thing."""
NAME_CHARS: Final = 64
NOTE_CHARS: Final = 1000
"""Of what a bot leaves itself with a timer."""

JST: Final = datetime.timezone(datetime.timedelta(hours=9), "JST")
LINK_NOTE: Final = "link:"
"""How the notes of timers begin that are about a link: see `Room.look_again`."""


class TooMuch(Exception):
    """A bot did more than one may."""


@dataclass(frozen=True, slots=True)
class Message:
    """What somebody wrote. `author`: a name as people see it; `person`: who it is, a word without meaning, as is `id`. `photos`:
    how many; `files`: their names. `at`: when."""

    text: str
    author: str
    photos: int
    files: tuple[str, ...]
    at: datetime.datetime
    person: str = ""
    id: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """How somebody answered a form, as it is now. Of a secret one there are `values` alone."""

    values: dict[str, Value]
    person: str = ""
    name: str = ""
    department: str = ""
    at: datetime.datetime | None = None


@dataclass(frozen=True, slots=True)
class Press:
    """Somebody pressed a button. `post`: the name of the post that it is on; `answers`: all of its form's, as they are now."""

    key: str
    post: str
    by: str
    person: str
    answers: Sequence[Answer] = ()


@dataclass(frozen=True, slots=True)
class File:
    """A file to post. `data`: all of it."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Handed:
    """A file that somebody outside handed in, whole. `state`: waiting, held (somebody has to approve of it),
    released, refused. `posted`: the room was told of it.
    `sentences`: what was taken out of it, and what to mind; `reason`: why it was refused, and what to ask for instead. `approver`, `approved`, `why`: who let it
    through as it came, or refused it, when, and their words. In a post of the bot's it stands for the file itself, where it was released."""

    id: str
    name: str
    size: int
    state: str
    photo: bool
    posted: bool
    decided: datetime.datetime | None
    sentences: tuple[str, ...] = ()
    reason: str = ""
    approver: str = ""
    approved: datetime.datetime | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """An upload link of the room, as it is now. `state`: see `domain.links.State`. `asker`: who asks, as people see them; `person`:
    their id. `calls`: ids of those who are to be called: `<@user:ID>` in a post about the link does it. `received`: files that are
    whole. `approvers`: ids of those in the room who may approve of a file that is held; `admins`: that takes an administrator of the
    organization. `silent`: nobody said that this was all; the time of who handed in was over."""

    id: str
    state: str
    recipient: str
    company: str
    purpose: str
    expected: str
    asker: str
    person: str
    calls: tuple[str, ...]
    ends: datetime.datetime
    most_files: int
    received: int
    files: tuple[Handed, ...] = ()
    approvers: tuple[str, ...] = ()
    admins: bool = True
    silent: bool = False


@dataclass(frozen=True, slots=True)
class AskLink:
    recipient: str
    purpose: str
    company: str
    days: int


@dataclass(frozen=True, slots=True)
class ExtendLink:
    link: str
    days: int


@dataclass(frozen=True, slots=True)
class AgainLink:
    link: str


@dataclass(frozen=True, slots=True)
class RevokeLink:
    link: str


@dataclass(frozen=True, slots=True)
class Post:
    """What a bot wrote, or made of what it wrote before under that name."""

    name: str
    parts: tuple[str | BotBlock | File | Handed, ...]


@dataclass(frozen=True, slots=True)
class Timer:
    at: datetime.datetime
    note: str


@dataclass(frozen=True, slots=True)
class Pin:
    message: str
    on: bool


@dataclass(frozen=True, slots=True)
class SendOn:
    message: str
    room: str


@dataclass(frozen=True, slots=True)
class Tidy:
    """`days`: None leaves it as it is, 0 is for ever."""

    before: datetime.datetime | None
    days: int | None


@dataclass
class Room:
    """The room that it is about. `kind`: private, open, announcement, direct, memo. `store`: what the bot keeps for this room,
    a map of plain values; change it at will. `now`: the time, in Japan."""

    kind: str
    name: str
    now: datetime.datetime
    store: dict[str, Any] = field(default_factory=dict)
    posts: list[Post] = field(default_factory=list)
    changes: list[Post] = field(default_factory=list)
    timers: list[Timer] = field(default_factory=list)
    pins: list[Pin] = field(default_factory=list)
    sends: list[SendOn] = field(default_factory=list)
    tidying: Tidy | None = None
    links: list[AskLink | ExtendLink | RevokeLink | AgainLink] = field(default_factory=list)

    def say(self, text: str) -> None:
        """Write into the room. Raises `TooMuch`."""
        self.post(text)

    def post(self, *parts: str | BotBlock | File | Handed, name: str = "") -> None:
        """Write words, cards, buttons, a form, files, and what was handed in by a link. `name`: to change it later, and to know its buttons and answers by; each
        name once in a room. Raises `TooMuch`."""
        if len(self.posts) >= SAYS:
            raise TooMuch(f"a bot says at most {SAYS} things at once")
        self.posts.append(_checked(Post(name, parts)))

    def change(self, name: str, *parts: str | BotBlock) -> None:
        """Put these in the place of what the post of that name holds; its files stay. What changes many times a second is shown
        as it is once a second. Raises `TooMuch`."""
        if len(self.changes) >= SAYS:
            raise TooMuch(f"a bot changes at most {SAYS} posts at once")
        self.changes.append(_checked(Post(name, parts)))

    def remind(self, at: datetime.datetime, note: str) -> None:
        """Be called by `on_timer` with `note`, not before `at`. Raises `TooMuch`."""
        if len(self.timers) >= TIMERS:
            raise TooMuch(f"a bot asks for at most {TIMERS} calls at once")
        if len(note) > NOTE_CHARS:
            raise TooMuch(f"a timer's note has at most {NOTE_CHARS} characters")
        self.timers.append(Timer(at, note))

    def pin(self, message: str, *, on: bool = True) -> None:
        """Pin a message of this room, as people do, or take the pin off. `message`: its `id`. Raises `TooMuch`."""
        if len(self.pins) >= SAYS:
            raise TooMuch(f"a bot pins at most {SAYS} messages at once")
        self.pins.append(Pin(message, on))

    def send_on(self, message: str, room: str) -> None:
        """In a memo room: send a message of it on to another room of its owner's, in their name and with their rights. `room`: its
        name, or how it begins. What became of it is said in the memo room; the bot does not learn it. Raises `TooMuch`."""
        if len(self.sends) >= SAYS:
            raise TooMuch(f"a bot sends at most {SAYS} messages on at once")
        self.sends.append(SendOn(message, room))

    def tidy(self, *, before: datetime.datetime | None = None, days: int | None = None) -> None:
        """In a memo room: take back what stands there, but for what is pinned: now what was written before `before`, and from now
        on every day what is older than `days` (0: nothing any more)."""
        self.tidying = Tidy(before, days)

    def ask_link(self, recipient: str, purpose: str, *, company: str = "", days: int = 7) -> None:
        """Make an upload link of this room, in the name and with the rights of whoever wrote or pressed; so with what follows. What does
        not work is said in the room. For the bot that looks after links alone. Raises `TooMuch`."""
        self._link(AskLink(recipient, purpose, company, days))

    def extend_link(self, link: str, days: int) -> None:
        """Put its deadline off by so many days, from now if it is over. Raises `TooMuch`."""
        self._link(ExtendLink(link, days))

    def revoke_link(self, link: str) -> None:
        """Take it back: it is good for nothing any more. Raises `TooMuch`."""
        self._link(RevokeLink(link))

    def ask_again(self, link: str) -> None:
        """Ask for the same once more, by a new link with as long a deadline. Raises `TooMuch`."""
        self._link(AgainLink(link))

    def look_again(self, link: str, at: datetime.datetime) -> None:
        """Be called by `on_link` with this link, as it is then, not before `at`. Raises `TooMuch`."""
        self.remind(at, LINK_NOTE + link)

    def _link(self, act: AskLink | ExtendLink | RevokeLink | AgainLink) -> None:
        if len(self.links) >= SAYS:
            raise TooMuch(f"a bot does at most {SAYS} things with links at once")
        self.links.append(act)


def _checked(post: Post) -> Post:
    if sum(len(part) for part in post.parts if isinstance(part, str)) > TEXT_CHARS:
        raise TooMuch(f"a bot's message has at most {TEXT_CHARS} characters")
    if sum(len(part.data) for part in post.parts if isinstance(part, File)) > FILE_BYTES:
        raise TooMuch(f"a bot's files have at most {FILE_BYTES} bytes")
    if len(post.name) > NAME_CHARS:
        raise TooMuch(f"a post's name has at most {NAME_CHARS} characters")
    return post


@dataclass(frozen=True, slots=True)
class Offer:
    """Something that people may ask of it, for a menu. `text` begins their message, and is the whole of it where `whole`; `example`
    shows how it goes on."""

    label: str
    text: str
    example: str = ""
    whole: bool = False


class Bot:
    """What a bot's class builds on. Its methods return nothing, wait for nothing, and know nothing but what they are given."""

    title: ClassVar[str]
    """its name, as people see it"""
    reading: ClassVar[str]
    """in kana"""
    everywhere: ClassVar[str] = ""
    """a kind of room in which it is without being asked in: `memo`"""
    offers: ClassVar[tuple[Offer, ...]] = ()
    """what people may ask of it"""

    def on_message(self, room: Room, message: Message) -> None:
        """Somebody, never a bot, wrote into a room that this one is in."""

    def on_edited(self, room: Room, message: Message) -> None:
        """Somebody changed what they wrote; this is what it has become."""

    def on_removed(self, room: Room, message: str) -> None:
        """A message was taken back: nothing of it should be kept. `message`: its `id`."""

    def on_press(self, room: Room, press: Press) -> None:
        """Somebody pressed a button of one of its posts."""

    def on_answers(self, room: Room, post: str, answers: Sequence[Answer]) -> None:
        """The form of its post has new or changed answers; these are all of them. Many at once are told of once."""

    def on_timer(self, room: Room, note: str) -> None:
        """The time has come that was asked for by `Room.remind`."""

    def on_link(self, room: Room, link: Link) -> None:
        """Something became of an upload link of the room; it is given as it is now. For the bot that looks after links alone."""
