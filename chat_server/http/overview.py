"""What an organization's administrators see of it as a whole."""

from __future__ import annotations

import asyncio
import shutil
from typing import Any, Final, Literal

import msgspec

from chat_server.http.calls import Access, AnyCall, Call, Ctx, Nothing
from chat_server.http.shapes import PERSON, ListQuery, Person, RoomKind, Time
from chat_server.services import overview
from chat_server.services.blocks import Id

LOW_BYTES: Final = 1024**3
LOW_SHARE: Final = 0.05


class RoomOverview(msgspec.Struct, frozen=True):
    """`messages`: how many were written; `last_at`: the last of them. `owners`: names of up to five."""

    id: Id
    kind: RoomKind
    name: str
    members: int
    messages: int
    last_at: Time | None
    created_at: Time
    archived: bool
    owners: list[str]


class RoomsOverview(msgspec.Struct, frozen=True):
    """By name."""

    items: list[RoomOverview]
    next: str | None


class PersonUsage(msgspec.Struct, frozen=True):
    person: Person
    used: int


class Health(msgspec.Struct, frozen=True):
    """`used`, `limit`: bytes of the organization (`limit` null: no bound); `largest`: who has brought in the most.

    `late`: what has still to be done behind the acks (`search`, `outbox`, `bots` …), and for how many seconds the oldest
    of it waits; what keeps up is not there, `…_parked` was given up. `backup_at`: when a backup beside the running server
    was last at work. `disk`: low when uploads may soon be refused.
    """

    version: str
    bus: Literal["none", "connected", "cut"]
    disk: Literal["enough", "low"]
    used: int
    limit: int | None
    largest: list[PersonUsage]
    late: dict[str, int]
    backup_at: Time | None


async def list_organization_rooms(ctx: Ctx[Nothing, ListQuery]) -> Any:
    items, following = await ctx.read(
        lambda reader: overview.rooms(reader, ctx.actor, ctx.query.cursor, ctx.query.limit)
    )
    return {"items": items, "next": following}


async def get_health(ctx: Ctx[Nothing, Nothing]) -> Any:
    parts = ctx.parts
    told = await overview.health(parts.storage, parts.index, parts.pushes, ctx.actor)
    disk = await asyncio.to_thread(shutil.disk_usage, parts.data)
    low = disk.free < max(LOW_BYTES, LOW_SHARE * disk.total)
    return {"version": parts.version, "bus": parts.bus(), "disk": "low" if low else "enough", **told}


CALLS: Final[tuple[AnyCall, ...]] = (
    Call(
        "GET",
        "/api/organization/rooms",
        "The organization's rooms",
        list_organization_rooms,
        query=ListQuery,
        answer=RoomsOverview,
        access=Access.ORGANIZATION_ADMIN,
        example_answer=RoomsOverview(
            [
                RoomOverview(
                    id="06ed0000000000000000000003", kind="private", name="道路パトロール 現場報告", members=28,
                    messages=1204, last_at=1763770000000, created_at=1743465600000, archived=False, owners=["高橋 健"],
                )
            ],
            None,
        ),
        note="Names, sizes and owners, never what is said; without direct rooms and memo pads. No role opens a room.",
    ),
    Call(
        "GET",
        "/api/organization/health",
        "How full the store is, and whether the server keeps up",
        get_health,
        answer=Health,
        access=Access.ORGANIZATION_ADMIN,
        example_answer=Health("0.1.0", "none", "enough", 734003200, None, [PersonUsage(PERSON, 734003200)], {}, None),
        note="Numbers of the whole server are the operator's (`/metrics`).",
    ),
)  # fmt: skip
