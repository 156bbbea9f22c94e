"""The door for people outside who were sent an upload link: no account, no session, and nothing to see but their own."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec

from chat_server.domain.errors import (
    LINK_GONE,
    LINK_NOTHING_CAME,
    LINK_PIN_LOCKED,
    LINK_PIN_WRONG,
    LINK_STILL_COMING,
    RATE_LIMITED,
    VISIT_OVER,
)
from chat_server.http.calls import Access, AnyCall, Call, Ctx, Nothing
from chat_server.http.link_shapes import Family, HandedFile
from chat_server.http.link_tokens import holder, link_token
from chat_server.http.shapes import Time
from chat_server.services import handed_files, link_visits


class LinkShown(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks, whom, for what, and how much may come until when (`ends`). `kinds`: what is accepted."""

    organization: str
    department: str
    asker: str
    recipient: str
    company: str
    purpose: str
    expected: str
    most_files: int
    most_bytes: int
    kinds: list[Family]
    once: bool
    ends: Time


class LinkAtTheDoor(LinkShown, frozen=True, kw_only=True):
    """`pin`: one is wanted."""

    pin: bool


class Receipt(LinkShown, frozen=True, kw_only=True):
    """What this visit handed in. `expires`: of the visit, which every use prolongs. `delivered`: when it was said that this is all.
    `closed`: nothing more is accepted."""

    expires: Time
    delivered: Time | None
    closed: bool
    files: list[HandedFile]


class NewVisit(msgspec.Struct, frozen=True):
    pin: Annotated[str, msgspec.Meta(max_length=64)] | None = None

    def __repr__(self) -> str:
        return "NewVisit()"


class Visit(msgspec.Struct, frozen=True):
    """`visit`: the token by which it goes on; keep it."""

    visit: str
    expires: Time
    files: list[HandedFile]

    def __repr__(self) -> str:
        return f"Visit(expires={self.expires})"


async def look_at_link(ctx: Ctx[Nothing, Nothing]) -> Any:
    return await link_visits.look(ctx.parts.storage, link_token(ctx), ctx.address)


async def begin_visit(ctx: Ctx[NewVisit, Nothing]) -> Visit:
    parts = ctx.parts
    begun = await link_visits.begin(
        parts.storage, parts.passwords, link_token(ctx), ctx.body.pin, ctx.zone, ctx.address
    )
    return Visit(begun.token, begun.expires, [])


async def read_visit(ctx: Ctx[Nothing, Nothing]) -> Any:
    who = holder(ctx)
    return await ctx.read(lambda reader: link_visits.receipt(reader, who.token, who.zone))


async def deliver(ctx: Ctx[Nothing, Nothing]) -> Any:
    who = holder(ctx)
    return await ctx.parts.storage.write(lambda tx: handed_files.deliver(tx, who))


_SHOWN: Final[dict[str, Any]] = {
    "organization": "みどり野市",
    "department": "道路課 維持係",
    "asker": "高橋 健",
    "recipient": "青葉 一郎",
    "company": "青葉測量株式会社",
    "purpose": "緑橋の点検写真をお送りください。",
    "expected": "近景と遠景をそれぞれ10枚ほど",
    "most_files": 40,
    "most_bytes": 1073741824,
    "kinds": ["photos", "documents"],
    "once": True,
    "ends": 1764370800000,
}
_RECEIPT: Final = Receipt(
    **_SHOWN,
    expires=1763813200000,
    delivered=None,
    closed=False,
    files=[
        HandedFile(
            id="06ed000000000000000000000a", name="緑橋 / 遠景1.jpg", size=4194304, offset=4194304, state="waiting",
            sha256="0" * 64, received=1763770100000, reason=None, instead=None,
        )
    ],
)  # fmt: skip

CALLS: Final[tuple[AnyCall, ...]] = (
    Call(
        "GET",
        "/api/link",
        "What an upload link asks for",
        look_at_link,
        answer=LinkAtTheDoor,
        access=Access.ANYONE,
        faults=(LINK_GONE, RATE_LIMITED),
        example_answer=LinkAtTheDoor(**_SHOWN, pin=False),
        note="With `Authorization: Link <token>`. Looking uses nothing up. One that never was, was used, has expired or was taken "
        "back is the same 7101.",
    ),
    Call(
        "POST",
        "/api/link/visits",
        "Begin a visit by an upload link",
        begin_visit,
        body=NewVisit,
        answer=Visit,
        status=201,
        access=Access.ANYONE,
        faults=(LINK_GONE, LINK_PIN_WRONG, LINK_PIN_LOCKED, RATE_LIMITED),
        example=NewVisit("4711"),
        example_answer=Visit("Vq2f…", 1763813200000, []),
        note="With `Authorization: Link <token>`. This uses nothing up either: the one delivery of a link is taken by its first file.",
    ),
    Call(
        "GET",
        "/api/visit",
        "The receipt of a visit",
        read_visit,
        answer=Receipt,
        access=Access.ANYONE,
        faults=(VISIT_OVER, LINK_GONE),
        example_answer=_RECEIPT,
        note="With `Authorization: Visit <token>`, in the zone where it was begun.",
    ),
    Call(
        "POST",
        "/api/visit/delivery",
        "Say that this is all",
        deliver,
        answer=Receipt,
        access=Access.ANYONE,
        faults=(VISIT_OVER, LINK_GONE, LINK_STILL_COMING, LINK_NOTHING_CAME),
        example_answer=_RECEIPT,
        note="With `Authorization: Visit <token>`. Once, and asked again the same receipt. A link of one delivery is done with it.",
    ),
)  # fmt: skip
