"""What the two ends say to each other: frames of msgpack, a length of four bytes before each."""

from __future__ import annotations

import asyncio
from typing import Final, TypeVar

import msgspec

from mobile_api.providers.port import Answer, Parcel, Platform

T = TypeVar("T")
VERSION: Final = 1
FRAME_BYTES: Final = 16 * 1024
"""A parcel has 4 kB that are sealed, an address of 1 kB, and little else."""
_LENGTH: Final = 4


class Hello(msgspec.Struct, tag="hello", array_like=True, frozen=True):
    """From the relay, first: only now is the closed side's certificate known to be accepted."""

    version: int
    platforms: tuple[Platform, ...]


class Hand(msgspec.Struct, tag="hand", array_like=True, frozen=True):
    """To the relay: carry this. `authorization`: of Web Push, signed on the closed side."""

    parcel: Parcel
    authorization: str = ""

    def __repr__(self) -> str:
        return f"Hand({self.parcel.id})"


class Answered(msgspec.Struct, tag="answered", array_like=True, frozen=True):
    """From the relay: what became of it. Said again whenever the same id is handed again, until it was confirmed."""

    id: str
    answer: Answer


class Confirm(msgspec.Struct, tag="confirm", array_like=True, frozen=True):
    """To the relay: the answer is known."""

    id: str


class Ping(msgspec.Struct, tag="ping", array_like=True, frozen=True):
    """To the relay; answered with `Pong`."""


class Pong(msgspec.Struct, tag="pong", array_like=True, frozen=True):
    """From the relay: it is there, and how it fares. `refused`: connections of whoever is not the closed side; `answers`:
    by platform and outcome. Both since its start."""

    waiting: int = 0
    refused: int = 0
    answers: dict[str, dict[str, int]] = {}


ToRelay = Hand | Confirm | Ping
ToClosed = Hello | Answered | Pong

_encoder: Final = msgspec.msgpack.Encoder()
_to_relay: Final = msgspec.msgpack.Decoder(ToRelay)
_to_closed: Final = msgspec.msgpack.Decoder(ToClosed)


class Broken(Exception):
    """What came is no frame of ours. The connection is of no more use."""


def frame(message: ToRelay | ToClosed) -> bytes:
    """Raises `ValueError` where it is too long."""
    body = _encoder.encode(message)
    if len(body) > FRAME_BYTES:
        raise ValueError("too long for the relay")
    return len(body).to_bytes(_LENGTH, "big") + body


async def to_relay(reader: asyncio.StreamReader) -> ToRelay:
    """The next message at the relay. Raises `Broken`, `asyncio.IncompleteReadError`, OSError."""
    message: ToRelay = _decoded(_to_relay, await _body(reader))
    return message


async def to_closed(reader: asyncio.StreamReader) -> ToClosed:
    """The next message at the closed side. Raises as `to_relay` does."""
    message: ToClosed = _decoded(_to_closed, await _body(reader))
    return message


async def _body(reader: asyncio.StreamReader) -> bytes:
    length = int.from_bytes(await reader.readexactly(_LENGTH), "big")
    if length > FRAME_BYTES:
        raise Broken("a frame that is too long")
    return await reader.readexactly(length)


def _decoded(decoder: msgspec.msgpack.Decoder[T], body: bytes) -> T:
    try:
        return decoder.decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise Broken("a frame that is none") from None
