"""Photos in, addresses out, and the bytes behind an address."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, UnsetType

from chat_server.domain import limits
from chat_server.domain.errors import (
    ADDRESS_EXPIRED,
    ATTACHMENT_NOT_FOUND,
    DECODER_BUSY,
    FILE_NEEDS_APPROVAL,
    FILE_NOT_SANITIZED,
    FILE_REFUSED_BY_ZONE,
    FILE_STORE_BUSY,
    NOT_A_PHOTO,
    NOT_AUTHOR,
    ORGANIZATION_FULL,
    PERSON_FULL,
    PHOTO_BROKEN,
    PHOTO_TOO_MANY_PIXELS,
)
from chat_server.http.calls import Access, AnyCall, Call, Ctx, Nothing
from chat_server.http.files import FileAnswer
from chat_server.http.shapes import Attachment, Time
from chat_server.services import files
from chat_server.services.blocks import Id
from chat_server.services.capabilities import unseal
from chat_server.services.keys import UnknownKey, read_again
from chat_server.services.photo_upload import add_photo, prepare_photo
from chat_server.services.withdrawing import withdraw

_IDS_AT_ONCE: Final = 100
TakeoutState = Literal["none", "asked", "approved", "refused", "lapsed"]


class PhotoQuery(msgspec.Struct, frozen=True):
    """`name`: the file's, for people to read."""

    name: Annotated[str, msgspec.Meta(max_length=1000)] = ""


class AddressRequest(msgspec.Struct, frozen=True):
    ids: Annotated[tuple[Id, ...], msgspec.Meta(min_length=1, max_length=_IDS_AT_ONCE)]


class Place(msgspec.Struct, frozen=True):
    """Degrees, WGS 84."""

    latitude: Annotated[float, msgspec.Meta(ge=-90, le=90)]
    longitude: Annotated[float, msgspec.Meta(ge=-180, le=180)]


class Addresses(msgspec.Struct, frozen=True):
    """Those of the renditions that may be read from here."""

    thumbnail: str | UnsetType = UNSET
    preview: str | UnsetType = UNSET
    sanitized: str | UnsetType = UNSET
    text: str | UnsetType = UNSET
    original: str | UnsetType = UNSET
    passed: str | UnsetType = UNSET
    flattened: str | UnsetType = UNSET


class Refused(msgspec.Struct, frozen=True):
    """Why a file that may be seen cannot be opened from this network."""

    ja: str
    en: str


class Addressed(msgspec.Struct, frozen=True):
    id: Id
    name: str
    addresses: Addresses
    expires: Time
    taken_at: int | UnsetType = UNSET
    place: Place | UnsetType = UNSET
    refused: Refused | UnsetType = UNSET
    pages: list[str] | UnsetType = UNSET
    report: bool | UnsetType = UNSET
    takeout: TakeoutState | UnsetType = UNSET


class AddressList(msgspec.Struct, frozen=True):
    items: list[Addressed]


async def upload_photo(ctx: Ctx[Nothing, PhotoQuery]) -> Any:
    parts = ctx.parts
    incoming = parts.blobs.receive()
    try:
        async for chunk in ctx.bytes_of_body(limits.PHOTO_BYTES):
            await incoming.write(chunk)
        prepared = await prepare_photo(parts.photos, parts.blobs, parts.scratch, ctx.actor.org_id, incoming)
    finally:
        await incoming.discard()
    return await ctx.write(lambda tx, actor: add_photo(tx, actor, prepared, ctx.query.name, parts.trust))


async def give_addresses(ctx: Ctx[AddressRequest, Nothing]) -> Any:
    parts = ctx.parts
    items = await ctx.read(lambda reader: files.addresses(reader, ctx.actor, ctx.body.ids, parts.keys, parts.trust))
    return {"items": items}


async def withdraw_attachment(ctx: Ctx[Nothing, Nothing]) -> None:
    await ctx.write(lambda tx, actor: withdraw(tx, actor, ctx.path["attachment"]))


async def get_file(ctx: Ctx[Nothing, Nothing]) -> FileAnswer:
    parts = ctx.parts
    now = parts.clock.now()
    try:
        capability = unseal(parts.keys, ctx.path["capability"], ctx.zone, now)
    except UnknownKey:
        await ctx.read(lambda reader: read_again(reader, parts.keys))
        capability = unseal(parts.keys, ctx.path["capability"], ctx.zone, now)
    file = await ctx.read(lambda reader: files.open_file(reader, capability, parts.trust))
    return FileAnswer(
        blobs=parts.blobs,
        org_id=file.org_id,
        sha256=file.sha256,
        media_type=file.media_type,
        name=file.name,
        etag=f'"{file.sha256[:32]}"',
        max_age=max(0, capability.expires - now) // limits.SECOND,
    )


_PHOTO: Final = "06ed0000000000000000000005"

CALLS: Final[tuple[AnyCall, ...]] = (
    Call(
        "POST",
        "/api/photos",
        "Upload a photo",
        upload_photo,
        query=PhotoQuery,
        answer=Attachment,
        raw=limits.PHOTO_BYTES,
        faults=(NOT_A_PHOTO, PHOTO_BROKEN, PHOTO_TOO_MANY_PIXELS, DECODER_BUSY, FILE_STORE_BUSY, PERSON_FULL, ORGANIZATION_FULL),
        example_answer=Attachment(
            id=_PHOTO, kind="photo", name="IMG_0012.jpg", type="image/jpeg", size=3141592, state="ready",
            width=4032, height=3024, color="#8899aa",
        ),
        note="The body is the photo: JPEG, PNG, WebP, GIF or HEIC, decided by its content. It belongs to its uploader "
        "until it is sent, and can be sent once; not sent within a week, it is removed.",
    ),
    Call(
        "DELETE",
        "/api/attachments/{attachment}",
        "Withdraw a file or photo",
        withdraw_attachment,
        status=204,
        faults=(ATTACHMENT_NOT_FOUND, NOT_AUTHOR),
        note="By its sender, or an owner of the room. It stays in its message as withdrawn; nobody can open it.",
    ),
    Call(
        "POST",
        "/api/attachments/addresses",
        "Addresses of attachments, with time and place",
        give_addresses,
        body=AddressRequest,
        answer=AddressList,
        changes=False,
        example=AddressRequest((_PHOTO,)),
        example_answer=AddressList(
            [
                Addressed(
                    id=_PHOTO,
                    name="IMG_0012.jpg",
                    addresses=Addresses(thumbnail="/files/AQ…", preview="/files/AQ…", sanitized="/files/AQ…"),
                    expires=1763770800000,
                    taken_at=1763769000000,
                    place=Place(35.0, 139.0),
                )
            ]
        ),
        note="Attachments that one may not see are left out. The place is for the staff of the room's home "
        "organization. An address works for 10 to 20 minutes, for this person on this device in this zone. "
        "`report`: of what came by an upload link there is one.",
    ),
    Call(
        "GET",
        "/files/{capability}",
        "The bytes behind an address",
        get_file,
        answer=FileAnswer,
        access=Access.ANYONE,
        faults=(ATTACHMENT_NOT_FOUND, ADDRESS_EXPIRED, FILE_REFUSED_BY_ZONE, FILE_NOT_SANITIZED, FILE_NEEDS_APPROVAL, FILE_STORE_BUSY),
        note="No header needed: the address is the permission. One range at most.",
    ),
)  # fmt: skip
