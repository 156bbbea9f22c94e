"""Announcements: what one has yet to read, and how far one has come."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from chat_server.domain.errors import MESSAGE_NOT_FOUND
from chat_server.http.calls import AnyCall, Call, Ctx, Nothing
from chat_server.http.shapes import Message
from chat_server.services import announcing, read_rollup
from chat_server.services.blocks import Id


class UnreadAnnouncement(msgspec.Struct, frozen=True):
    """`name`: the room's."""

    room: Id
    name: str
    message: Message


class UnreadAnnouncements(msgspec.Struct, frozen=True):
    """The most urgent first, then the newest."""

    items: list[UnreadAnnouncement]
    next: str | None


class RolledUp(msgspec.Struct, frozen=True):
    """A department with everybody below it; `id` null: those who have none."""

    organization: str
    id: Id | None
    name: str
    parent: Id | None
    read: int
    total: int


class Rollup(msgspec.Struct, frozen=True):
    read: int
    total: int
    departments: list[RolledUp]


async def list_unread_announcements(ctx: Ctx[Nothing, Nothing]) -> Any:
    return {"items": await ctx.read(lambda reader: announcing.unread(reader, ctx.actor)), "next": None}


async def roll_up_readers(ctx: Ctx[Nothing, Nothing]) -> Any:
    return await ctx.read(lambda reader: read_rollup.rollup(reader, ctx.actor, ctx.path["message"]))


CALLS: Final[tuple[AnyCall, ...]] = (
    Call(
        "GET",
        "/api/me/announcements",
        "Announcements that one has yet to read",
        list_unread_announcements,
        answer=UnreadAnnouncements,
    ),
    Call(
        "GET",
        "/api/messages/{message}/readers/rollup",
        "How many have read a message, up the tree of departments",
        roll_up_readers,
        answer=Rollup,
        faults=(MESSAGE_NOT_FOUND,),
        note="Counts alone, for every member; guests get no departments.",
    ),
)
