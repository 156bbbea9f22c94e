"""Upload links of a whole organization, for its administrators."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from chat_server.domain.errors import LINK_NOT_FOUND
from chat_server.domain.links import State
from chat_server.http.calls import Access, AnyCall, Call, Ctx, Nothing
from chat_server.http.link_shapes import LINK, Asker
from chat_server.http.shapes import Time
from chat_server.services import link_overview
from chat_server.services.blocks import Id


class OrganizationLink(msgspec.Struct, frozen=True, kw_only=True):
    """See `UploadLink`; `room_name`: what `GET /api/organization/rooms` tells, too."""

    id: Id
    room: Id
    room_name: str
    state: State
    given: bool
    asker: Asker
    recipient: str
    company: str
    purpose: str
    once: bool
    at: Time
    ends: Time
    received_files: int
    received_bytes: int


class OrganizationLinks(msgspec.Struct, frozen=True):
    items: list[OrganizationLink]
    next: str | None


async def list_organization_links(ctx: Ctx[Nothing, Nothing]) -> Any:
    return {"items": await ctx.read(lambda reader: link_overview.living(reader, ctx.actor)), "next": None}


async def revoke_organization_link(ctx: Ctx[Nothing, Nothing]) -> Any:
    link = ctx.path["link"]
    return await ctx.write(lambda tx, actor: link_overview.revoke(tx, actor, link))


_LINK: Final = OrganizationLink(
    room_name="橋りょう点検",
    **{name: getattr(LINK, name) for name in OrganizationLink.__struct_fields__ if name != "room_name"},
)
PLACE: Final = "/api/organization/upload-links"

CALLS: Final[tuple[AnyCall, ...]] = (
    Call(
        "GET",
        PLACE,
        "Upload links of the organization that are good",
        list_organization_links,
        answer=OrganizationLinks,
        access=Access.ORGANIZATION_ADMIN,
        example_answer=OrganizationLinks([_LINK], None),
        note="The 200 whose deadline is next; never an address, and nothing that came in.",
    ),
    Call(
        "DELETE",
        PLACE + "/{link}",
        "Take an upload link of the organization back",
        revoke_organization_link,
        answer=OrganizationLink,
        access=Access.ORGANIZATION_ADMIN,
        faults=(LINK_NOT_FOUND,),
        example_answer=msgspec.structs.replace(_LINK, state="revoked", given=False),
        note="At once, and with it every visit under way; its room is told, and it is on record.",
    ),
)  # fmt: skip
