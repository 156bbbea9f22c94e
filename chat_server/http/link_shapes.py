"""The maps of upload links as types, for the staff who ask and for the people outside who hand in."""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec

from chat_server.domain import limits
from chat_server.domain.links import State
from chat_server.http.shapes import Time
from chat_server.services.blocks import Id

Family = Literal["photos", "documents", "drawings", "films", "archives", "mail"]
FileState = Literal["coming", "waiting", "held", "released", "refused"]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=limits.NAME_CHARS)]
Words = Annotated[str, msgspec.Meta(max_length=limits.LINK_WORDS_CHARS)]
Files = Annotated[int, msgspec.Meta(ge=1, le=limits.LINK_FILES)]
Bytes = Annotated[int, msgspec.Meta(ge=1, le=limits.LINK_BYTES)]
Pin = Annotated[str, msgspec.Meta(pattern="^[0-9]{4,12}$", max_length=12)]


class NewLink(msgspec.Struct, frozen=True, kw_only=True):
    """`recipient`: the person outside. `expected`: what is expected, in words. `kinds`: empty for all. `told`: members of the room who
    are notified besides the asker. `once`: one delivery, else several until `ends`. `pin`: told by other means than the link."""

    recipient: Name
    company: Annotated[str, msgspec.Meta(max_length=limits.NAME_CHARS)] = ""
    email: Words = ""
    purpose: Annotated[str, msgspec.Meta(min_length=1, max_length=limits.LINK_WORDS_CHARS)]
    expected: Words = ""
    most_files: Files = limits.LINK_FILES
    most_bytes: Bytes = limits.LINK_BYTES
    kinds: Annotated[list[Family], msgspec.Meta(max_length=6)] = []
    told: Annotated[list[Id], msgspec.Meta(max_length=limits.LINK_TOLD)] = []
    once: bool = True
    ends: Time
    pin: Pin | None = None

    def __repr__(self) -> str:
        return "NewLink()"


class LinkChange(msgspec.Struct, frozen=True):
    """One of the two: another deadline, or `done`: all has come."""

    ends: Time | None = None
    done: Literal[True] | None = None


class AskAgain(msgspec.Struct, frozen=True):
    ends: Time


class Asker(msgspec.Struct, frozen=True):
    id: Id
    name: str


class BothLanguages(msgspec.Struct, frozen=True):
    ja: str
    en: str


class HandedFile(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the receipt. `offset`: null while it comes (ask by `HEAD`). `state`: coming; waiting (whole, to be disarmed); released
    (the room has it); refused (`reason`, and what to send `instead`). `sha256`: of what was received."""

    id: Id
    name: str
    size: int
    offset: int | None
    state: FileState
    sha256: str | None
    received: Time | None
    reason: BothLanguages | None
    instead: BothLanguages | None


class FileOfLink(HandedFile, frozen=True, kw_only=True):
    """`attachment`: what the room sees of it. `state` held: it waits for somebody to approve of it; whoever sent it is told waiting."""

    attachment: Id | None
    decided: Time | None


class UploadLink(msgspec.Struct, frozen=True, kw_only=True):
    """`state`: new (nobody has its address), open, opened (somebody looked in), received (files came, and more may), done, expired,
    revoked. `given`: it has an address that is good. `pin_misses`: wrong PINs so far. `received_files`, `received_bytes`: what is whole."""

    id: Id
    room: Id
    state: State
    given: bool
    asker: Asker
    recipient: str
    company: str
    email: str
    purpose: str
    expected: str
    most_files: int
    most_bytes: int
    kinds: list[Family]
    told: list[Id]
    once: bool
    pin: bool
    pin_misses: int
    at: Time
    ends: Time
    opened: Time | None
    done: Time | None
    revoked: Time | None
    received_files: int
    received_bytes: int


class LinkWithFiles(UploadLink, frozen=True, kw_only=True):
    files: list[FileOfLink]


class LinkWithToken(UploadLink, frozen=True, kw_only=True):
    """The token is told once: an answer that is given again (`Idempotency-Key`) has none. `page`: scheme and host by which people
    outside reach the server; empty: as staff do."""

    token: str | None
    page: str


class LinkList(msgspec.Struct, frozen=True):
    items: list[UploadLink]
    next: str | None


LINK: Final = UploadLink(
    id="06ed0000000000000000000009",
    room="06ed0000000000000000000003",
    state="open",
    given=True,
    asker=Asker("06ed0000000000000000000002", "高橋 健"),
    recipient="青葉 一郎",
    company="青葉測量株式会社",
    email="aoba@survey.example",
    purpose="緑橋の点検写真をお送りください。",
    expected="近景と遠景をそれぞれ10枚ほど",
    most_files=40,
    most_bytes=1073741824,
    kinds=["photos", "documents"],
    told=[],
    once=True,
    pin=False,
    pin_misses=0,
    at=1763770000000,
    ends=1764370800000,
    opened=None,
    done=None,
    revoked=None,
    received_files=0,
    received_bytes=0,
)
"""For examples."""
