"""The two codecs: MessagePack and JSON, the same maps. Size and depth are limited before anything is decoded.

An encoded event is framed here as well (RFC 6455, 5.2): frames from a server are not masked, so one frame, built
once, is the same bytes for every connection.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from chat_server.domain import limits
from chat_server.domain.errors import INVALID_FIELD, UNKNOWN_OPERATION, Problem
from chat_server.services.commands import Command

MSGPACK_PROTOCOL: Final = "renraku.v1.msgpack"
JSON_PROTOCOL: Final = "renraku.v1.json"

_TEXT: Final = 0x1
_BINARY: Final = 0x2
_CLOSE: Final = 0x8


class Malformed(Exception):
    """The frame is not what the codec promises: close with 4500."""


class TooDeep(Exception):
    """Nested deeper than any client of ours does: close with 4501."""


@dataclass(frozen=True, slots=True)
class Codec:
    """One way to write the maps of docs/protocol.md. `index` is its place in tables kept for each codec."""

    index: int
    name: str
    encode: Callable[[Any], bytes]
    decode_command: Callable[[bytes], Command]
    decode_any: Callable[[bytes], Any]
    check_depth: Callable[[bytes], None]
    opcode: int

    def frame(self, wire: dict[str, Any]) -> bytes:
        """A whole WebSocket message, ready for the socket."""
        return frame(self.encode(wire), self.opcode)

    def decode(self, payload: bytes) -> Command:
        """A validated command.

        Raises `TooDeep`, `Malformed` (not this codec at all), `Problem` 2001 (a field), 2004 (no such operation).
        """
        self.check_depth(payload)
        try:
            return self.decode_command(payload)
        except msgspec.ValidationError as error:
            raise problem_of(error) from None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Malformed(str(error)) from None

    def ref_of(self, payload: bytes) -> int | None:
        """The `ref` of a frame that failed validation, so that its error can be answered."""
        try:
            wire = self.decode_any(payload)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        ref = wire.get("ref") if isinstance(wire, dict) else None
        return ref if isinstance(ref, int) and not isinstance(ref, bool) and 0 < ref <= 2**53 else None


def frame(payload: bytes, opcode: int) -> bytes:
    """One unmasked, final frame."""
    length = len(payload)
    head = 0x80 | opcode
    if length < 126:
        return bytes((head, length)) + payload
    if length < 65536:
        return bytes((head, 126, length >> 8, length & 0xFF)) + payload
    return bytes((head, 127)) + length.to_bytes(8, "big") + payload


def close_frame(code: int, reason: str) -> bytes:
    """A close frame; the reason is cut to what a control frame holds (RFC 6455, 5.5)."""
    return frame(code.to_bytes(2, "big") + reason.encode()[:120], _CLOSE)


def payloads(frames: bytes) -> list[tuple[int, bytes]]:
    """(opcode, payload) of frames built here: for servers that want payloads and frame them themselves."""
    found = []
    at = 0
    while at < len(frames):
        opcode, length, start = frames[at] & 0x0F, frames[at + 1], at + 2
        if length == 126:
            length, start = int.from_bytes(frames[at + 2 : at + 4], "big"), at + 4
        elif length == 127:
            length, start = int.from_bytes(frames[at + 2 : at + 10], "big"), at + 10
        at = start + length
        found.append((opcode, frames[start:at]))
    return found


_PATH = re.compile(r"`\$\.?([^`]*)`$")


def problem_of(error: msgspec.ValidationError) -> Problem:
    """msgspec's words, with the field they end in."""
    text = str(error)
    if "Invalid value" in text and text.endswith("`$.op`"):
        return Problem(UNKNOWN_OPERATION, field="op")
    match = _PATH.search(text)
    field = match[1] if match else ""
    if not field and (missing := re.search(r"required field `([^`]+)`", text)):
        field = missing[1]
    return Problem(INVALID_FIELD, field=field or "op", reason=text.split(" - at ")[0])


_JSON_NESTING = re.compile(rb'"(?:[^"\\]|\\.)*"?|[\[{]|[\]}]', re.DOTALL)


def check_json_depth(payload: bytes) -> None:
    """Brackets outside strings. Raises `TooDeep`."""
    depth = 0
    for match in _JSON_NESTING.finditer(payload):
        mark = payload[match.start()]
        if mark in b"[{":
            depth += 1
            if depth > limits.FRAME_DEPTH:
                raise TooDeep
        elif mark in b"]}":
            depth -= 1


def check_msgpack_depth(payload: bytes) -> None:
    """Walk the type bytes without building anything. Raises `TooDeep`, `Malformed` (lengths beyond the frame).

    A frame of 64 KiB can promise 2**32 elements: counting down what is open costs nothing, believing it would.
    """
    open_items: list[int] = []
    at, end = 0, len(payload)
    while at < end:
        head = payload[at]
        at += 1
        items = -1
        if head <= 0x7F or head >= 0xE0 or head in (0xC0, 0xC2, 0xC3):
            pass
        elif head <= 0x8F:
            items = 2 * (head & 0x0F)
        elif head <= 0x9F:
            items = head & 0x0F
        elif head <= 0xBF:
            at += head & 0x1F
        else:
            size, kind = _MSGPACK_SIZES.get(head, (0, ""))
            if not kind:
                raise Malformed("unknown type")
            if kind == "fixed":
                at += size
            else:
                if at + size > end:
                    raise Malformed("cut off")
                length = int.from_bytes(payload[at : at + size], "big")
                at += size
                if kind == "bytes":
                    at += length
                elif kind == "ext":
                    at += length + 1
                else:
                    items = length * 2 if kind == "map" else length
        if items > 0:
            if items > end:
                raise Malformed("more elements than bytes")
            open_items.append(items)
            if len(open_items) > limits.FRAME_DEPTH:
                raise TooDeep
            continue
        while open_items:
            open_items[-1] -= 1
            if open_items[-1]:
                break
            open_items.pop()
        if not open_items:
            break
    if at != end or open_items:
        raise Malformed("cut off or followed by something else")


_MSGPACK_SIZES: Final[dict[int, tuple[int, str]]] = {
    0xC4: (1, "bytes"), 0xC5: (2, "bytes"), 0xC6: (4, "bytes"),
    0xC7: (1, "ext"), 0xC8: (2, "ext"), 0xC9: (4, "ext"),
    0xCA: (4, "fixed"), 0xCB: (8, "fixed"), 0xCC: (1, "fixed"), 0xCD: (2, "fixed"), 0xCE: (4, "fixed"),
    0xCF: (8, "fixed"), 0xD0: (1, "fixed"), 0xD1: (2, "fixed"), 0xD2: (4, "fixed"), 0xD3: (8, "fixed"),
    0xD4: (2, "fixed"), 0xD5: (3, "fixed"), 0xD6: (5, "fixed"), 0xD7: (9, "fixed"), 0xD8: (17, "fixed"),
    0xD9: (1, "bytes"), 0xDA: (2, "bytes"), 0xDB: (4, "bytes"),
    0xDC: (2, "array"), 0xDD: (4, "array"), 0xDE: (2, "map"), 0xDF: (4, "map"),
}  # fmt: skip

MSGPACK: Final = Codec(
    index=0,
    name=MSGPACK_PROTOCOL,
    encode=msgspec.msgpack.Encoder().encode,
    decode_command=msgspec.msgpack.Decoder(Command).decode,
    decode_any=msgspec.msgpack.Decoder().decode,
    check_depth=check_msgpack_depth,
    opcode=_BINARY,
)
JSON: Final = Codec(
    index=1,
    name=JSON_PROTOCOL,
    encode=msgspec.json.Encoder().encode,
    decode_command=msgspec.json.Decoder(Command).decode,
    decode_any=msgspec.json.Decoder().decode,
    check_depth=check_json_depth,
    opcode=_TEXT,
)
CODECS: Final = {codec.name: codec for codec in (MSGPACK, JSON)}
