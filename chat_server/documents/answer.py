"""What the decoders of documents may answer, as the server checks it (see `decoders.answer`)."""

from __future__ import annotations

import typing
from typing import Annotated, Final

import msgspec

from chat_server.decoders.answer import Parse, parser
from chat_server.documents.rules import PICTURES, PREVIEW_EDGE, TEXT_BYTES, THUMBNAIL_EDGE, Reason

Edge = Annotated[int, msgspec.Meta(ge=1, le=PREVIEW_EDGE)]


class Pages(msgspec.Struct, tag="done", forbid_unknown_fields=True, frozen=True):
    """The first pages were drawn. `pages`: how many the document has; `sizes`: of the pictures, in the order of `PICTURES`
    as far as there are pages."""

    pages: Annotated[int, msgspec.Meta(ge=1, le=1_000_000_000)]
    color: Annotated[str, msgspec.Meta(pattern="^#[0-9a-f]{6}$", max_length=7)]
    sizes: Annotated[list[tuple[Edge, Edge]], msgspec.Meta(min_length=2, max_length=len(PICTURES))]

    def __post_init__(self) -> None:
        if max(self.sizes[0]) > THUMBNAIL_EDGE or len(self.sizes) - 1 > self.pages:
            raise ValueError("sizes or pages do not fit together")


class Words(msgspec.Struct, tag="done", forbid_unknown_fields=True, frozen=True):
    """The text lies in the file that was passed. `encoding`: of a text file."""

    size: Annotated[int, msgspec.Meta(ge=1, le=TEXT_BYTES)]
    encoding: Annotated[str, msgspec.Meta(pattern="^[a-z0-9_]{1,32}$")] | None


_REASONS: Final = typing.get_args(Reason)
parse_pages: Final[Parse[Pages]] = parser(Pages, _REASONS)
parse_words: Final[Parse[Words]] = parser(Words, _REASONS)
