"""What the decoder of photos may answer, as the server checks it (see `decoders.answer`)."""

from __future__ import annotations

import typing
from typing import Annotated, Final

import msgspec

from chat_server.decoders.answer import Parse, parser
from chat_server.photos.rules import LONGEST_EDGE, MAX_PIXELS, PREVIEW_EDGE, THUMBNAIL_EDGE, Kind, MediaType, Reason

Edge = Annotated[int, msgspec.Meta(ge=1, le=LONGEST_EDGE)]
_YEAR_2100: Final = 4_102_444_800_000


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


parse: Final[Parse[Done]] = parser(Done, typing.get_args(Reason))
