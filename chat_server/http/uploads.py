"""Files of any size, in parts (tus 1.0): what is told to be safe is safe, and a line that breaks loses nothing of it."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from chat_server.domain import limits
from chat_server.domain.errors import (
    DECODER_BUSY,
    FILE_STORE_BUSY,
    FILE_TOO_LARGE,
    INVALID_BODY,
    INVALID_FIELD,
    NOT_A_PHOTO,
    ORGANIZATION_FULL,
    PERSON_FULL,
    PHOTO_BROKEN,
    PHOTO_TOO_MANY_PIXELS,
    SENDS_IN_PROGRESS,
    TOO_LARGE,
    TOO_MANY_UPLOADS,
    UPLOAD_BUSY,
    UPLOAD_CHECKSUM,
    UPLOAD_NOT_FOUND,
    UPLOAD_OFFSET,
    UPLOAD_TYPE,
    UPLOAD_VERSION,
    Problem,
)
from chat_server.http import tus
from chat_server.http.calls import Access, AnyCall, Call, Ctx, Nothing
from chat_server.http.receiving import check_offset, receive
from chat_server.http.replies import Bare
from chat_server.http.shapes import Attachment, Time
from chat_server.ports import Part
from chat_server.services import uploads
from chat_server.services.blocks import Id
from chat_server.services.photo_upload import PHOTO, prepare_kept_photo
from chat_server.services.uploads import Upload

PLACE: Final = "/api/uploads"


class UploadState(msgspec.Struct, frozen=True):
    """How far an upload has come. `attachment`: what it has become, once it is whole."""

    id: Id
    offset: int
    length: int
    expires: Time
    attachment: Attachment | None = None


async def tell_tus(ctx: Ctx[Nothing, Nothing]) -> Bare:
    return Bare(204, tus.abilities())


async def begin_upload(ctx: Ctx[Nothing, Nothing]) -> Bare:
    tus.check_version(ctx.scope)
    size, words = tus.number(ctx.scope, "Upload-Length"), tus.metadata(ctx.scope)
    photo = words.get("kind", "file") == "photo"
    name = words.get("filename", "")
    upload = await ctx.write(lambda tx, actor: uploads.begin(tx, actor, PHOTO if photo else uploads.FILE, name, size))
    assert upload is not None
    place = (b"location", f"{PLACE}/{upload.public_id}".encode())
    return Bare(201, [*tus.progress(0, size, upload.expires_at), place])


async def see_upload(ctx: Ctx[Nothing, Nothing]) -> Bare:
    """The offset; if the last answer was lost, what it would have told is done now."""
    tus.check_version(ctx.scope)
    state = await read_upload(ctx)
    return Bare(200, tus.progress(state.offset, state.length, state.expires))


async def read_upload(ctx: Ctx[Nothing, Nothing]) -> UploadState:
    upload = await _find(ctx)
    offset, wire = upload.size, None
    if upload.attachment is None:
        async with ctx.parts.uploading.turn(upload.public_id, ctx.parts.blobs) as (_, part):
            upload = await _find(ctx)  # while this one waited it may have become whole, and its part is gone
            if upload.attachment is None:
                offset = part.size
                if offset == upload.size:
                    wire = await _finish(ctx, upload, part)
    if wire is None:
        wire = await ctx.read(lambda reader: uploads.outcome(reader, ctx.actor, upload))
    attachment = None if wire is None else msgspec.convert(wire, Attachment)
    return UploadState(upload.public_id, offset, upload.size, upload.expires_at, attachment)


async def add_to_upload(ctx: Ctx[Nothing, Nothing]) -> Bare:
    tus.check_version(ctx.scope)
    tus.check_content(ctx.scope)
    offset, expected = tus.number(ctx.scope, "Upload-Offset"), tus.checksum(ctx.scope)
    upload = await _find(ctx)
    if upload.attachment is None:
        async with ctx.parts.uploading.turn(upload.public_id, ctx.parts.blobs) as (turn, part):
            upload = await _find(ctx)
            if upload.attachment is None:
                if await receive(ctx, turn, part, upload.size, offset, expected):
                    await _finish(ctx, upload, part)
                    return Bare(204, tus.progress(upload.size, upload.size, upload.expires_at))
                expires = await ctx.write(lambda tx, actor: uploads.went_on(tx, actor, upload.public_id))
                assert expires is not None
                return Bare(204, tus.progress(part.size, upload.size, expires))
    check_offset(offset, upload.size)
    return Bare(204, tus.progress(upload.size, upload.size, upload.expires_at))


async def cancel_upload(ctx: Ctx[Nothing, Nothing]) -> Bare:
    tus.check_version(ctx.scope)
    upload = await _find(ctx)
    async with ctx.parts.uploading.turn(upload.public_id, ctx.parts.blobs) as (_, part):
        await ctx.write(lambda tx, actor: uploads.cancel(tx, actor, upload.public_id))
        await part.discard()
    return Bare(204, [tus.RESUMABLE])


async def _find(ctx: Ctx[Any, Any]) -> Upload:
    return await ctx.read(lambda reader: uploads.find(reader, ctx.actor, ctx.path["upload"]))


async def _finish(ctx: Ctx[Any, Any], upload: Upload, part: Part) -> dict[str, Any] | None:
    """Whole: a blob, then one transaction, and only then its own bytes go. Whoever is killed in between lost nothing:
    the next request that asks does it again."""
    parts = ctx.parts
    blob = await part.keep(upload.org_id)
    if upload.kind == PHOTO:
        try:
            prepared = await prepare_kept_photo(parts.photos, parts.blobs, parts.scratch, upload.org_id, blob)
        except Problem as problem:
            if problem.fault in (NOT_A_PHOTO, PHOTO_BROKEN, PHOTO_TOO_MANY_PIXELS):
                await ctx.write(lambda tx, actor: uploads.cancel(tx, actor, upload.public_id))
                await part.discard()
            raise
        wire = await ctx.write(
            lambda tx, actor: uploads.finish_photo(tx, actor, upload.public_id, prepared, parts.trust)
        )
    else:
        found = await uploads.type_of(parts.blobs, upload.org_id, blob, upload.name)
        inward = parts.trust(upload.zone) < parts.trust(parts.most_trusted)
        wire = await ctx.write(
            lambda tx, actor: uploads.finish_file(tx, actor, upload.public_id, blob, found, parts.trust, inward=inward)
        )
    await part.discard()
    return wire


_UPLOAD: Final = "06ed0000000000000000000006"
_MISSED: Final = (UPLOAD_NOT_FOUND, UPLOAD_VERSION, UPLOAD_BUSY, SENDS_IN_PROGRESS, FILE_STORE_BUSY)
_WHOLE: Final = (NOT_A_PHOTO, PHOTO_BROKEN, PHOTO_TOO_MANY_PIXELS, DECODER_BUSY)

CALLS: Final[tuple[AnyCall, ...]] = (
    Call(
        "OPTIONS",
        PLACE,
        "What the uploading understands",
        tell_tus,
        status=204,
        access=Access.ANYONE,
        changes=False,
        note="tus 1.0: the headers Tus-Version, Tus-Extension, Tus-Max-Size and Tus-Checksum-Algorithm.",
    ),
    Call(
        "POST",
        PLACE,
        "Announce an upload",
        begin_upload,
        status=201,
        changes=False,
        faults=(UPLOAD_VERSION, INVALID_FIELD, FILE_TOO_LARGE, TOO_MANY_UPLOADS, PERSON_FULL, ORGANIZATION_FULL),
        note="tus creation: `Upload-Length` in bytes, `Upload-Metadata` with `filename` and `kind` (`file` unless it is "
        "`photo`). `Location` tells where the bytes go. Nothing is lost if this is asked twice: what nobody adds to is "
        "removed after a week.",
    ),
    Call(
        "HEAD",
        PLACE + "/{upload}",
        "How far an upload has come",
        see_upload,
        faults=(*_MISSED, *_WHOLE),
        note="tus: `Upload-Offset` is what is safe on the disk.",
    ),
    Call(
        "GET",
        PLACE + "/{upload}",
        "How far an upload has come, and what it became",
        read_upload,
        answer=UploadState,
        faults=(UPLOAD_NOT_FOUND, UPLOAD_BUSY, SENDS_IN_PROGRESS, FILE_STORE_BUSY, *_WHOLE),
        example_answer=UploadState(
            id=_UPLOAD,
            offset=734003200,
            length=734003200,
            expires=1764370800000,
            attachment=Attachment(
                id="06ed0000000000000000000007", kind="file", name="橋梁点検図面一式.zip", type="application/zip",
                size=734003200, state="ready", width=None, height=None, color=None, preview="none",
            ),
        ),
    ),
    Call(
        "PATCH",
        PLACE + "/{upload}",
        "Add bytes to an upload",
        add_to_upload,
        status=204,
        raw=limits.FILE_BYTES,
        changes=False,
        faults=(*_MISSED, *_WHOLE, UPLOAD_OFFSET, UPLOAD_CHECKSUM, UPLOAD_TYPE, INVALID_FIELD, INVALID_BODY, TOO_LARGE),
        note="tus: from `Upload-Offset` on, as `application/offset+octet-stream`; any number of bytes. A cut line loses "
        "nothing of what came, unless `Upload-Checksum` was given: then the request counts whole or not at all. The "
        "answer to the last byte comes when the file is kept and is an attachment.",
    ),
    Call(
        "DELETE",
        PLACE + "/{upload}",
        "Cancel an upload",
        cancel_upload,
        status=204,
        changes=False,
        faults=_MISSED,
        note="tus termination. What it has become already stays.",
    ),
)  # fmt: skip
