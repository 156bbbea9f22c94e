"""What goes between the server and a bot's process: frames of a length (4 bytes, big-endian) and msgpack."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from chat_server.bot_blocks import BotBlock, Value

FRAME_BYTES: Final = 1 << 20
"""Of what a bot answers."""
LENGTH: Final = 4


class Said(msgspec.Struct, frozen=True):
    """A message: see `bot_api.Message`. `at`: UTC milliseconds."""

    text: str
    author: str
    photos: int
    files: tuple[str, ...]
    at: int
    person: str
    id: str = ""


class Answered(msgspec.Struct, frozen=True):
    """See `bot_api.Answer`. `at`: UTC milliseconds."""

    values: dict[str, Value]
    person: str = ""
    name: str = ""
    department: str = ""
    at: int | None = None


class Pressed(msgspec.Struct, frozen=True):
    """See `bot_api.Press`."""

    key: str
    post: str
    by: str
    person: str
    answers: tuple[Answered, ...] = ()


class Answers(msgspec.Struct, frozen=True):
    """All of a form's, on the post of that name."""

    post: str
    all: tuple[Answered, ...]


class Handed(msgspec.Struct, frozen=True):
    """See `bot_api.Handed`. `decided`: UTC milliseconds."""

    id: str
    name: str
    size: int
    state: str
    photo: bool
    posted: bool
    decided: int | None
    sentences: tuple[str, ...]
    reason: str
    approver: str = ""
    approved: int | None = None
    why: str = ""


class Link(msgspec.Struct, frozen=True):
    """See `bot_api.Link`. `ends`: UTC milliseconds."""

    id: str
    state: str
    recipient: str
    company: str
    purpose: str
    expected: str
    asker: str
    person: str
    calls: tuple[str, ...]
    ends: int
    most_files: int
    received: int
    files: tuple[Handed, ...] = ()
    approvers: tuple[str, ...] = ()
    admins: bool = True
    silent: bool = False


class Task(msgspec.Struct, frozen=True):
    """One thing that a bot is asked about: a message (or, `edited`, what it has become), one that was taken back (`removed`: its id),
    a button, a form's answers, an upload link, or a timer's note."""

    kind: str
    name: str
    now: int
    store: dict[str, Any]
    message: Said | None = None
    press: Pressed | None = None
    answers: Answers | None = None
    note: str = ""
    edited: bool = False
    removed: str | None = None
    link: Link | None = None


class HandedIn(msgspec.Struct, tag_field="type", tag="handed", frozen=True):
    """A file that came by a link, in a post. `id`: see `Handed`."""

    id: str


class File(msgspec.Struct, tag_field="type", tag="file", frozen=True):
    name: str
    data: bytes


class Post(msgspec.Struct, frozen=True):
    """See `bot_api.Post`."""

    name: str
    parts: tuple[str | BotBlock | File | HandedIn, ...]


class Timer(msgspec.Struct, frozen=True):
    at: int
    note: str


class Pin(msgspec.Struct, frozen=True):
    """See `bot_api.Room.pin`. `message`: an id."""

    message: str
    on: bool


class SendOn(msgspec.Struct, frozen=True):
    """See `bot_api.Room.send_on`. `message`: an id; `room`: a name."""

    message: str
    room: str


class Tidy(msgspec.Struct, frozen=True):
    """See `bot_api.Room.tidy`. `before`: UTC milliseconds. `days`: -1 leaves it as it is, 0 is for ever."""

    before: int | None = None
    days: int = -1


class AskLink(msgspec.Struct, tag_field="type", tag="ask", frozen=True):
    """See `bot_api.Room.ask_link`."""

    recipient: str
    purpose: str
    company: str = ""
    days: int = 7


class ExtendLink(msgspec.Struct, tag_field="type", tag="extend", frozen=True):
    """See `bot_api.Room.extend_link`."""

    link: str
    days: int


class RevokeLink(msgspec.Struct, tag_field="type", tag="revoke", frozen=True):
    """See `bot_api.Room.revoke_link`."""

    link: str


class AgainLink(msgspec.Struct, tag_field="type", tag="again", frozen=True):
    """See `bot_api.Room.ask_again`."""

    link: str


LinkAct = AskLink | ExtendLink | RevokeLink | AgainLink


class Done(msgspec.Struct, frozen=True):
    """What it did. `failure`: its own words of what went wrong; then nothing of the rest counts."""

    posts: tuple[Post, ...] = ()
    changes: tuple[Post, ...] = ()
    timers: tuple[Timer, ...] = ()
    pins: tuple[Pin, ...] = ()
    sends: tuple[SendOn, ...] = ()
    tidy: Tidy | None = None
    links: tuple[LinkAct, ...] = ()
    store: dict[str, Any] = {}
    failure: str | None = None


Unsound: Final = msgspec.MsgspecError
"""What is raised of what has not the form that it should have."""
pack: Final = msgspec.msgpack.Encoder().encode
task_of: Final = msgspec.msgpack.Decoder(Task).decode
done_of: Final = msgspec.msgpack.Decoder(Done).decode


def framed(data: bytes) -> bytes:
    return len(data).to_bytes(LENGTH, "big") + data
