"""What a decoder process may answer, as the server checks it.

The process parsed a stranger's bytes and may be the stranger's by now: an answer outside of these shapes and ranges is
a reason to end the process, never a value to use.
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from chat_server.photos.rules import LONGEST_EDGE, MAX_PIXELS, PREVIEW_EDGE, THUMBNAIL_EDGE, Kind, MediaType, Reason

Edge = Annotated[int, msgspec.Meta(ge=1, le=LONGEST_EDGE)]
_YEAR_2100: Final = 4_102_444_800_000


class Ready(msgspec.Struct, tag="ready", forbid_unknown_fields=True, frozen=True):
    """The first answer: libraries loaded, confined by these means."""

    confined: Annotated[list[Annotated[str, msgspec.Meta(max_length=32)]], msgspec.Meta(max_length=8)]


class Done(msgspec.Struct, tag="done", forbid_unknown_fields=True, frozen=True):
    """A photo was decoded; the renditions lie in the files that were passed."""

    media_type: MediaType
    width: Edge
    height: Edge
    color: Annotated[str, msgspec.Meta(pattern="^#[0-9a-f]{6}$", max_length=7)]
    taken_at: Annotated[int, msgspec.Meta(ge=0, lt=_YEAR_2100)] | None
    latitude: Annotated[float, msgspec.Meta(ge=-90, le=90)] | None
    longitude: Annotated[float, msgspec.Meta(ge=-180, le=180)] | None
    sizes: dict[Kind, tuple[Edge, Edge]]

    def __post_init__(self) -> None:
        limits: tuple[tuple[Kind, int], ...] = (("preview", PREVIEW_EDGE), ("thumbnail", THUMBNAIL_EDGE))
        if (
            self.width * self.height > MAX_PIXELS
            or self.sizes.get("sanitized") != (self.width, self.height)
            or any(kind not in self.sizes or max(self.sizes[kind]) > edge for kind, edge in limits)
            or (self.latitude is None) != (self.longitude is None)
        ):
            raise ValueError("sizes or place do not fit together")


class Refusal(msgspec.Struct, tag="refused", forbid_unknown_fields=True, frozen=True):
    """The bytes are at fault."""

    reason: Reason


class DiskFull(msgspec.Struct, tag="disk_full", forbid_unknown_fields=True, frozen=True):
    """No room for a rendition."""


class Failed(msgspec.Struct, tag="failed", forbid_unknown_fields=True, frozen=True):
    """The decoder itself is at fault."""

    why: Annotated[str, msgspec.Meta(max_length=600)]


class Died(msgspec.Struct, tag="died", forbid_unknown_fields=True, frozen=True):
    """The child that decoded the photo is gone without an answer."""

    signal: Annotated[int, msgspec.Meta(ge=1, le=64)] | None


Answer = Ready | Done | Refusal | DiskFull | Failed | Died
_DECODER: Final = msgspec.json.Decoder(Answer)


def parse(datagram: bytes) -> Answer:
    """Raises: msgspec.MsgspecError (a ValueError) on anything else than an `Answer`."""
    answer: Answer = _DECODER.decode(datagram)
    return answer
