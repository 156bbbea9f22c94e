"""Links by which people outside hand in files, for the staff who ask for them."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from chat_server.domain.actors import Actor
from chat_server.domain.errors import (
    INVALID_FIELD,
    LINK_ENDED,
    LINK_NOT_FOUND,
    LINK_NOT_YOURS,
    LINKS_NOT_ALLOWED,
    ROOM_ARCHIVED,
    ROOM_FULL,
    ROOM_KIND_FORBIDS,
    ROOM_NOT_FOUND,
    ROOM_READ_ONLY,
    TOO_MANY_LINKS,
    Problem,
)
from chat_server.domain.ids import new_secret
from chat_server.http.calls import AnyCall, Call, Ctx, Nothing
from chat_server.http.link_shapes import (
    LINK,
    AskAgain,
    FileOfLink,
    LinkChange,
    LinkList,
    LinkWithFiles,
    LinkWithToken,
    NewLink,
    UploadLink,
)
from chat_server.http.replies import encode
from chat_server.ports import Tx
from chat_server.services import upload_links
from chat_server.services.idempotency import Answer
from chat_server.services.upload_links import Wanted, digest


async def ask_for_files(ctx: Ctx[NewLink, Nothing]) -> Any:
    room, new = ctx.path["room"], ctx.body
    # Outside the transaction: a hash takes a fifth of a second.
    pin_hash = None if new.pin is None else await ctx.parts.passwords.hash(new.pin)
    wanted = Wanted(
        recipient=new.recipient,
        company=new.company,
        email=new.email,
        purpose=new.purpose,
        expected=new.expected,
        ends=new.ends,
        most_files=new.most_files,
        most_bytes=new.most_bytes,
        kinds=new.kinds,
        told=new.told,
        once=new.once,
        pin_hash=pin_hash,
    )
    return await ctx.write(lambda tx, actor: upload_links.ask(tx, actor, room, wanted))


async def list_upload_links(ctx: Ctx[Nothing, Nothing]) -> Any:
    items = await ctx.read(lambda reader: upload_links.of_room(reader, ctx.actor, ctx.path["room"]))
    return {"items": items, "next": None}


async def read_upload_link(ctx: Ctx[Nothing, Nothing]) -> Any:
    return await ctx.read(lambda reader: upload_links.one(reader, ctx.actor, ctx.path["link"]))


async def change_upload_link(ctx: Ctx[LinkChange, Nothing]) -> Any:
    link, ends = ctx.path["link"], ctx.body.ends
    if ends is not None:
        return await ctx.write(lambda tx, actor: upload_links.extend(tx, actor, link, ends))
    if ctx.body.done is None:
        raise Problem(INVALID_FIELD, "ends", reason="ends, or done")
    return await ctx.write(lambda tx, actor: upload_links.close(tx, actor, link))


async def revoke_upload_link(ctx: Ctx[Nothing, Nothing]) -> Any:
    link = ctx.path["link"]
    return await ctx.write(lambda tx, actor: upload_links.revoke(tx, actor, link))


async def give_link_address(ctx: Ctx[Nothing, Nothing]) -> Any:
    """What is sent has the token; what is kept under the Idempotency-Key has not."""
    link, token = ctx.path["link"], new_secret()

    async def act(tx: Tx, actor: Actor) -> dict[str, Any]:
        given = await upload_links.give_address(tx, actor, link, digest(token))
        return given | {"token": None, "page": ctx.parts.site.outside}

    made = await ctx.write(act)
    if ctx.written is not None:
        ctx.written = Answer(ctx.written.status, encode({**msgspec.json.decode(ctx.written.body), "token": token}))
    return None if made is None else made | {"token": token, "page": ctx.parts.site.outside}


async def ask_again(ctx: Ctx[AskAgain, Nothing]) -> Any:
    link, ends = ctx.path["link"], ctx.body.ends
    return await ctx.write(lambda tx, actor: upload_links.again(tx, actor, link, ends))


_NEW: Final = NewLink(
    recipient="青葉 一郎",
    company="青葉測量株式会社",
    email="aoba@survey.example",
    purpose="緑橋の点検写真をお送りください。",
    expected="近景と遠景をそれぞれ10枚ほど",
    most_files=40,
    most_bytes=1073741824,
    kinds=["photos", "documents"],
    ends=1764370800000,
)


def _more(kind: Any, **more: Any) -> Any:
    return kind(**{name: getattr(LINK, name) for name in UploadLink.__struct_fields__}, **more)


PLACE: Final = "/api/upload-links/{link}"
_ASKING: Final = (
    ROOM_ARCHIVED, ROOM_READ_ONLY, ROOM_KIND_FORBIDS, ROOM_FULL, LINKS_NOT_ALLOWED, TOO_MANY_LINKS, INVALID_FIELD,
)  # fmt: skip

CALLS: Final[tuple[AnyCall, ...]] = (
    Call(
        "POST",
        "/api/rooms/{room}/upload-links",
        "Ask somebody outside for files",
        ask_for_files,
        body=NewLink,
        answer=UploadLink,
        status=201,
        faults=(ROOM_NOT_FOUND, *_ASKING),
        example=_NEW,
        example_answer=LINK,
        note="For whoever may write in the room and whom the rule `upload_links` of their organization lets. The link has no "
        "address yet.",
    ),
    Call(
        "GET",
        "/api/rooms/{room}/upload-links",
        "The upload links of a room",
        list_upload_links,
        answer=LinkList,
        faults=(ROOM_NOT_FOUND,),
        example_answer=LinkList([LINK], None),
        note="For its members: the newest 200, the newest first.",
    ),
    Call(
        "GET",
        PLACE,
        "An upload link, with what came in by it",
        read_upload_link,
        answer=LinkWithFiles,
        faults=(LINK_NOT_FOUND,),
        example_answer=_more(
            LinkWithFiles,
            files=[
                FileOfLink(
                    id="06ed000000000000000000000a", name="緑橋 / 遠景1.jpg", size=4194304, offset=4194304, state="released",
                    sha256="0" * 64, received=1763770100000, reason=None, instead=None,
                    attachment="06ed000000000000000000000b", decided=1763770160000,
                )
            ],
        ),
    ),
    Call(
        "PATCH",
        PLACE,
        "Another deadline, or the end of an upload link",
        change_upload_link,
        body=LinkChange,
        answer=UploadLink,
        faults=(LINK_NOT_FOUND, LINK_NOT_YOURS, LINK_ENDED, *_ASKING),
        example=LinkChange(ends=1764370800000),
        example_answer=LINK,
        note="For the asker and the room's owners. A link whose deadline passed is good again.",
    ),
    Call(
        "DELETE",
        PLACE,
        "Take an upload link back",
        revoke_upload_link,
        answer=UploadLink,
        faults=(LINK_NOT_FOUND, LINK_NOT_YOURS),
        example_answer=LINK,
        note="At once, and with it every visit under way. For the asker and the room's owners.",
    ),
    Call(
        "POST",
        PLACE + "/address",
        "An address of an upload link",
        give_link_address,
        answer=LinkWithToken,
        faults=(LINK_NOT_FOUND, LINK_NOT_YOURS, LINK_ENDED, *_ASKING),
        example_answer=_more(LinkWithToken, token="kq3N…", page="https://files.city.example"),  # noqa: S106 (an example)
        note="For the asker. The address is `<page>/handin#<token>`, where `page` is empty that of this server; the one before is good no more.",
    ),
    Call(
        "POST",
        PLACE + "/again",
        "Ask for the same once more",
        ask_again,
        body=AskAgain,
        answer=UploadLink,
        status=201,
        faults=(LINK_NOT_FOUND, *_ASKING),
        example=AskAgain(1764370800000),
        example_answer=LINK,
        note="Another link with the same words, by whoever asks.",
    ),
)  # fmt: skip
