"""Files that people outside hand in, by tus 1.0 like `uploads`."""

from __future__ import annotations

from typing import Any, Final

from chat_server.domain import limits
from chat_server.domain.errors import (
    FILE_STORE_BUSY,
    FILE_TOO_LARGE,
    INVALID_BODY,
    INVALID_FIELD,
    LINK_BYTES_FULL,
    LINK_CLOSED,
    LINK_FILES_FULL,
    LINK_GONE,
    LINK_NOT_SAFE,
    NAME_NOT_TAKEN,
    ORGANIZATION_FULL,
    SENDS_IN_PROGRESS,
    TOO_LARGE,
    UPLOAD_BUSY,
    UPLOAD_CHECKSUM,
    UPLOAD_NOT_FOUND,
    UPLOAD_OFFSET,
    UPLOAD_TYPE,
    UPLOAD_VERSION,
    VISIT_OVER,
    Problem,
)
from chat_server.http import tus
from chat_server.http.calls import Access, AnyCall, Call, Ctx, Nothing
from chat_server.http.link_tokens import holder
from chat_server.http.receiving import check_offset, receive
from chat_server.http.replies import Bare
from chat_server.ports import Part
from chat_server.services import handed_files, quarantine
from chat_server.services.handed_files import HandedFile, Holder
from chat_server.services.link_wire import COMING

PLACE: Final = "/api/visit/files"


async def tell_tus_outside(ctx: Ctx[Nothing, Nothing]) -> Bare:
    return Bare(204, tus.abilities())


async def begin_file(ctx: Ctx[Nothing, Nothing]) -> Bare:
    tus.check_version(ctx.scope)
    size, name = tus.number(ctx.scope, "Upload-Length"), tus.metadata(ctx.scope).get("filename", "")
    if not ctx.parts.sanitizing():
        raise Problem(LINK_NOT_SAFE)
    who = holder(ctx)
    public_id, expires = await ctx.parts.storage.write(
        lambda tx: handed_files.begin(tx, who, name, size, ctx.parts.zones)
    )
    place = (b"location", f"{PLACE}/{public_id}".encode())
    return Bare(201, [*tus.progress(0, size, expires), place])


async def see_file(ctx: Ctx[Nothing, Nothing]) -> Bare:
    """The offset; if the last answer was lost, what it would have told is done now."""
    tus.check_version(ctx.scope)
    who = holder(ctx)
    file = await _find(ctx, who)
    offset = file.size
    if file.state == COMING:
        async with ctx.parts.uploading.turn(file.public_id, ctx.parts.blobs) as (_, part):
            file = await _find(ctx, who)  # while this one waited it may have become whole, and its part is gone
            if file.state == COMING:
                offset = part.size
                if offset == file.size:
                    await _finish(ctx, who, file, part)
    return Bare(200, tus.progress(offset, file.size, file.expires_at))


async def add_to_file(ctx: Ctx[Nothing, Nothing]) -> Bare:
    tus.check_version(ctx.scope)
    tus.check_content(ctx.scope)
    offset, expected = tus.number(ctx.scope, "Upload-Offset"), tus.checksum(ctx.scope)
    who = holder(ctx)
    file = await _find(ctx, who)
    if file.state == COMING:
        async with ctx.parts.uploading.turn(file.public_id, ctx.parts.blobs) as (turn, part):
            file = await _find(ctx, who)
            if file.state == COMING:
                if await receive(ctx, turn, part, file.size, offset, expected):
                    await _finish(ctx, who, file, part)
                    return Bare(204, tus.progress(file.size, file.size, file.expires_at))
                expires = await ctx.parts.storage.write(lambda tx: handed_files.went_on(tx, who, file.public_id))
                return Bare(204, tus.progress(part.size, file.size, expires))
    check_offset(offset, file.size)
    return Bare(204, tus.progress(file.size, file.size, file.expires_at))


async def cancel_file(ctx: Ctx[Nothing, Nothing]) -> Bare:
    tus.check_version(ctx.scope)
    who = holder(ctx)
    file = await _find(ctx, who)
    async with ctx.parts.uploading.turn(file.public_id, ctx.parts.blobs) as (_, part):
        await ctx.parts.storage.write(lambda tx: handed_files.cancel(tx, who, file.public_id))
        await part.discard()
    return Bare(204, [tus.RESUMABLE])


async def _find(ctx: Ctx[Any, Any], who: Holder) -> HandedFile:
    return await ctx.read(lambda reader: handed_files.find(reader, who, ctx.path["file"]))


async def _finish(ctx: Ctx[Any, Any], who: Holder, file: HandedFile, part: Part) -> None:
    """Whole: sealed, then one transaction, and only then its own bytes go, as with uploads. The link may have been taken back
    meanwhile: the transaction looks again."""
    parts = ctx.parts
    sealed = await quarantine.seal(parts.blobs, parts.seals, parts.keys, file.org_id, part)
    await parts.storage.write(
        lambda tx: handed_files.finish(tx, who, file.public_id, sealed, parts.trust), org_id=file.org_id
    )
    await part.discard()


_MISSED: Final = (
    UPLOAD_NOT_FOUND, VISIT_OVER, LINK_GONE, UPLOAD_VERSION, UPLOAD_BUSY, SENDS_IN_PROGRESS, FILE_STORE_BUSY,
)  # fmt: skip

CALLS: Final[tuple[AnyCall, ...]] = (
    Call(
        "OPTIONS",
        PLACE,
        "What the handing in understands",
        tell_tus_outside,
        status=204,
        access=Access.ANYONE,
        changes=False,
        note="tus 1.0, as `/api/uploads`.",
    ),
    Call(
        "POST",
        PLACE,
        "Announce a file to hand in",
        begin_file,
        status=201,
        access=Access.ANYONE,
        changes=False,
        faults=(
            VISIT_OVER, LINK_GONE, LINK_CLOSED, NAME_NOT_TAKEN, LINK_FILES_FULL, LINK_BYTES_FULL, LINK_NOT_SAFE, FILE_TOO_LARGE, ORGANIZATION_FULL,
            UPLOAD_VERSION,
            INVALID_FIELD,
        ),
        note="With `Authorization: Visit <token>`. tus creation: `Upload-Length` in bytes, `Upload-Metadata` with `filename`, with "
        "its folders before it (`/` between) if it has any. The first file takes the one delivery that most links have: of "
        "several visits one wins, the others get 7101. It is free again when nothing of it is left.",
    ),
    Call(
        "HEAD",
        PLACE + "/{file}",
        "How far a file has come in",
        see_file,
        access=Access.ANYONE,
        faults=_MISSED,
        note="With `Authorization: Visit <token>`. tus: `Upload-Offset` is what is safe on the disk.",
    ),
    Call(
        "PATCH",
        PLACE + "/{file}",
        "Add bytes to a file that is handed in",
        add_to_file,
        status=204,
        raw=limits.LINK_BYTES,
        access=Access.ANYONE,
        changes=False,
        faults=(*_MISSED, UPLOAD_OFFSET, UPLOAD_CHECKSUM, UPLOAD_TYPE, INVALID_FIELD, INVALID_BODY, TOO_LARGE),
        note="With `Authorization: Visit <token>`. tus, as in `/api/uploads`. The answer to the last byte comes when the file is kept: "
        "`GET /api/visit` tells its SHA-256 from then on.",
    ),
    Call(
        "DELETE",
        PLACE + "/{file}",
        "Do not hand a file in",
        cancel_file,
        status=204,
        access=Access.ANYONE,
        changes=False,
        faults=_MISSED,
        note="With `Authorization: Visit <token>`. tus termination, while it comes: what is whole was received and stays (5008).",
    ),
)  # fmt: skip
