"""What goes between the server and a bot's process: frames of a length (4 bytes, big-endian) and msgpack."""

from __future__ import annotations

from typing import Any, Final

import msgspec

FRAME_BYTES: Final = 1 << 20
LENGTH: Final = 4


class Said(msgspec.Struct, frozen=True):
    """A message: see `bot_api.Message`. `at`: UTC milliseconds."""

    text: str
    author: str
    photos: int
    files: tuple[str, ...]
    at: int


class Task(msgspec.Struct, frozen=True):
    """One thing that a bot is asked about: a message, or a timer's note."""

    kind: str
    name: str
    now: int
    store: dict[str, Any]
    message: Said | None = None
    note: str = ""


class Timer(msgspec.Struct, frozen=True):
    at: int
    note: str


class Done(msgspec.Struct, frozen=True):
    """What it did. `failure`: its own words of what went wrong; then nothing of the rest counts."""

    said: tuple[str, ...] = ()
    timers: tuple[Timer, ...] = ()
    store: dict[str, Any] = {}
    failure: str | None = None


pack: Final = msgspec.msgpack.Encoder().encode
task_of: Final = msgspec.msgpack.Decoder(Task).decode
done_of: Final = msgspec.msgpack.Decoder(Done).decode


def framed(data: bytes) -> bytes:
    return len(data).to_bytes(LENGTH, "big") + data
