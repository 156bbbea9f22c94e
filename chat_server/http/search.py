"""Finding what was said."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec

from chat_server.domain.errors import INVALID_FIELD, ROOM_NOT_FOUND
from chat_server.http.calls import AnyCall, Call, Ctx, Nothing
from chat_server.http.shapes import Attachment, Author, Cursor, Seq, Time
from chat_server.services import searching
from chat_server.services.blocks import Id
from chat_server.services.files import OpenFile
from chat_server.services.indexing import document_text

FoundKind = Literal["message", "photo", "file", "document", "note"]


class Search(msgspec.Struct, frozen=True):
    """`words`: all of them have to be in a text, in whatever way they are written. `department`: the author's, as it was."""

    words: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    room: Id | None = None
    by: Id | None = None
    department: Annotated[str, msgspec.Meta(max_length=200)] | None = None
    kinds: Annotated[list[FoundKind], msgspec.Meta(max_length=5)] = []
    since: Time | None = None
    until: Time | None = None
    cursor: Cursor | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=100)] = 50


class Excerpt(msgspec.Struct, frozen=True):
    text: str
    hit: bool


class FoundNote(msgspec.Struct, frozen=True):
    id: Id
    title: str


class Found(msgspec.Struct, frozen=True):
    """`kind`: what holds the words. Of a photo or a file it is the name, of a document what it says. A note has `note`, and no
    `message` and `seq`; `at` and `author` are those of its last change."""

    room: Id
    message: Id | None
    seq: Seq | None
    note: FoundNote | None
    at: Time
    author: Author
    kind: FoundKind
    attachment: Attachment | None
    excerpt: list[Excerpt]


class FoundPage(msgspec.Struct, frozen=True):
    items: list[Found]
    next: str | None


async def search(ctx: Ctx[Search, Nothing]) -> Any:
    asked = ctx.body
    question = searching.Question(
        words=asked.words,
        room=asked.room,
        by=asked.by,
        department=asked.department,
        kinds=asked.kinds,
        since=asked.since,
        until=asked.until,
        cursor=asked.cursor,
        limit=asked.limit,
    )

    async def load(document: OpenFile) -> str:
        return await document_text(ctx.parts.blobs, document.org_id, document.sha256)

    return await searching.page(ctx.read, ctx.parts.index, load, ctx.actor, question, ctx.parts.trust)


CALLS: Final[tuple[AnyCall, ...]] = (
    Call(
        "POST",
        "/api/search",
        "Find what was said",
        search,
        body=Search,
        answer=FoundPage,
        changes=False,
        faults=(INVALID_FIELD, ROOM_NOT_FOUND),
        example=Search(words="道路 補修"),
        note="Notes, then messages, each the newest first. In a body and not in the address, because addresses are logged on their way. A page may be "
        "shorter than `limit`, even empty, and still have a `next`.",
    ),
)
