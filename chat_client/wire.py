"""The two codecs: frames as MessagePack or JSON (docs/protocol.md, section 2).

A second implementation on purpose: the server encodes with msgspec, so a slip in either shows up as a failing test.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, NoReturn, Protocol

import msgpack

Frame = dict[str, Any]


class WireError(Exception):
    """The bytes are not a frame."""


class Codec(Protocol):
    """One way to write a frame."""

    @property
    def subprotocol(self) -> str:
        """The WebSocket subprotocol that names it."""
        ...

    def encode(self, frame: Mapping[str, Any]) -> str | bytes:
        """The payload of one WebSocket message: text for JSON, bytes for MessagePack."""
        ...

    def decode(self, data: str | bytes) -> Frame:
        """A map with string keys. Raises `WireError` and nothing else, whatever the bytes."""
        ...


class MessagePack:
    """`renraku.v1.msgpack`, the default: smaller and faster."""

    subprotocol: Final = "renraku.v1.msgpack"

    def encode(self, frame: Mapping[str, Any]) -> bytes:
        packed = msgpack.packb(frame, use_bin_type=True)
        assert isinstance(packed, bytes)
        return packed

    def decode(self, data: str | bytes) -> Frame:
        if not isinstance(data, bytes):
            raise WireError("a text frame where a binary one was agreed")
        try:
            # The unpacker bounds every declared length by the bytes that are there, and its depth by its own stack.
            return _frame(msgpack.unpackb(data, raw=False, strict_map_key=True, ext_hook=_no_extension))
        except WireError:
            raise
        except (ValueError, TypeError, OverflowError, RecursionError, msgpack.UnpackException) as error:
            raise WireError(f"not MessagePack: {type(error).__name__}") from None


class Json:
    """`renraku.v1.json`: the same maps, readable."""

    subprotocol: Final = "renraku.v1.json"

    def encode(self, frame: Mapping[str, Any]) -> str:
        return json.dumps(frame, ensure_ascii=False, separators=(",", ":"), allow_nan=False)

    def decode(self, data: str | bytes) -> Frame:
        if not isinstance(data, str):
            raise WireError("a binary frame where a text one was agreed")
        try:
            return _frame(json.loads(data, parse_constant=_no_constant))
        except WireError:
            raise
        except (ValueError, RecursionError) as error:
            raise WireError(f"not JSON: {type(error).__name__}") from None


MSGPACK: Final[Codec] = MessagePack()
JSON: Final[Codec] = Json()
CODECS: Final[Mapping[str, Codec]] = {"msgpack": MSGPACK, "json": JSON}


def _frame(value: object) -> Frame:
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise WireError("a frame must be a map with string keys")
    return value


def _no_constant(name: str) -> NoReturn:
    raise WireError(f"{name} is not JSON")


def _no_extension(code: int, data: bytes) -> NoReturn:
    raise WireError("extension types are not part of the protocol")
