"""What nodes say to each other by the bus: one line of JSON each. Unknown ones are passed over: during a rolling restart
another release may say more."""

from __future__ import annotations

from typing import Final

import msgspec


class Heads(msgspec.Struct, frozen=True, tag="heads"):
    """Rooms and people (integer keys) whose streams somebody wrote to, and the last seq."""

    rooms: dict[int, int] = {}
    users: dict[int, int] = {}


class Restored(msgspec.Struct, frozen=True, tag="epoch"):
    """The streams begin anew."""


class Types(msgspec.Struct, frozen=True, tag="types"):
    """Somebody types in a room."""

    room_id: int
    room: str
    user_id: int
    user: str
    name: str


class Moved(msgspec.Struct, frozen=True, tag="read"):
    """`domain.events.ReadMoved`"""

    room_id: int
    room: str
    user: str
    upto: int
    members: int
    named: bool


class Confirms(msgspec.Struct, frozen=True, tag="confirms"):
    """`domain.events.ConfirmedIn`"""

    room_id: int
    room: str
    message: str


class Changed(msgspec.Struct, frozen=True, tag="changed"):
    """The first connection of somebody at `node` came, or the last one went. `version` counts these."""

    node: str
    version: int
    user: str
    online: bool


class Everybody(msgspec.Struct, frozen=True, tag="everybody"):
    """Who is connected at `node`, as of `version`, in `parts` items."""

    node: str
    version: int
    part: int
    parts: int
    users: list[str]


class Here(msgspec.Struct, frozen=True, tag="here"):
    """Said every second, so that whoever missed a `Changed` finds out."""

    node: str
    version: int


class Who(msgspec.Struct, frozen=True, tag="who"):
    """Asks for `Everybody` of `node`; of all if it is empty."""

    node: str = ""


class Looks(msgspec.Struct, frozen=True, tag="looks"):
    """Rooms that somebody has on a screen at this moment, and who (integer keys)."""

    rooms: dict[int, list[int]]


Item = Heads | Restored | Types | Moved | Confirms | Changed | Everybody | Here | Who | Looks

encode: Final = msgspec.json.Encoder().encode
decode: Final = msgspec.json.Decoder(Item).decode
"""Raises `msgspec.MsgspecError`."""
