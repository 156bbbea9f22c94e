"""要確認: asking for it, doing it, and who has not."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from msgspec import UNSET, UnsetType

from chat_server.domain.errors import INVALID_FIELD, MESSAGE_NOT_FOUND, NOT_AUTHOR, NOTHING_TO_CONFIRM, ROOM_ARCHIVED
from chat_server.http.calls import AnyCall, Call, Ctx, Nothing
from chat_server.http.replies import Download
from chat_server.http.shapes import Ack, Person, Time
from chat_server.services import confirming
from chat_server.services.blocks import Id


class ConfirmBy(msgspec.Struct, frozen=True):
    """`by`: until when; null: not any more."""

    by: Time | None


class ConfirmedAt(msgspec.Struct, frozen=True):
    at: Time


class AskedPerson(msgspec.Struct, frozen=True):
    """`at`: when they confirmed; null: not yet."""

    person: Person
    at: Time | None


class AskedDepartment(msgspec.Struct, frozen=True):
    """Counts for everybody; names for the author and the room's owners, and for others by policy."""

    name: str
    confirmed: int
    asked: int
    people: list[AskedPerson] | UnsetType = UNSET


class Confirmations(msgspec.Struct, frozen=True):
    """By department, in department order; the author is not asked. `mine`: when one has confirmed oneself."""

    by: Time
    confirmed: int
    asked: int
    mine: Time | None
    departments: list[AskedDepartment]


class PendingConfirmation(msgspec.Struct, frozen=True):
    room: Id
    message: Id
    at: Time
    by: Time
    author_name: str
    text: str


class PendingConfirmations(msgspec.Struct, frozen=True):
    items: list[PendingConfirmation]
    next: str | None


async def ask_to_confirm(ctx: Ctx[ConfirmBy, Nothing]) -> Any:
    message, by = ctx.path["message"], ctx.body.by
    return await ctx.write(lambda tx, actor: confirming.ask(tx, actor, message, by))


async def confirm_message(ctx: Ctx[Nothing, Nothing]) -> Any:
    message = ctx.path["message"]
    return await ctx.write(lambda tx, actor: confirming.confirm(tx, actor, message))


async def list_confirmations(ctx: Ctx[Nothing, Nothing]) -> Any:
    return await ctx.read(lambda reader: confirming.of_message(reader, ctx.actor, ctx.path["message"]))


async def give_confirmations(ctx: Ctx[Nothing, Nothing]) -> Download:
    table = await ctx.read(lambda reader: confirming.as_table(reader, ctx.actor, ctx.path["message"]))
    return Download("確認状況.csv", "text/csv; charset=utf-8", table)


async def list_pending(ctx: Ctx[Nothing, Nothing]) -> Any:
    return {"items": await ctx.read(lambda reader: confirming.pending(reader, ctx.actor)), "next": None}


CALLS: Final[tuple[AnyCall, ...]] = (
    Call(
        "PUT",
        "/api/messages/{message}/confirm-by",
        "Ask for a message to be confirmed",
        ask_to_confirm,
        body=ConfirmBy,
        answer=Ack,
        faults=(MESSAGE_NOT_FOUND, ROOM_ARCHIVED, NOT_AUTHOR, INVALID_FIELD),
        example=ConfirmBy(1764000000000),
        example_answer=Ack(
            room="06ed0000000000000000000003", id="06ed0000000000000000000004", seq=4722, at=1763770000000
        ),
        note="By its author or an owner of the room. A new message can ask at once: `confirm` of `send`.",
    ),
    Call(
        "PUT",
        "/api/messages/{message}/confirmation",
        "Confirm a message",
        confirm_message,
        answer=ConfirmedAt,
        faults=(MESSAGE_NOT_FOUND, ROOM_ARCHIVED, NOTHING_TO_CONFIRM),
        note="For good; doing it again changes nothing.",
    ),
    Call(
        "GET",
        "/api/messages/{message}/confirmations",
        "Who has confirmed, and who has not",
        list_confirmations,
        answer=Confirmations,
        faults=(MESSAGE_NOT_FOUND, NOTHING_TO_CONFIRM),
        note="Names only for the author and the room's owners, unless the home organization's `reader_names` says everyone.",
    ),
    Call(
        "GET",
        "/api/messages/{message}/confirmations.csv",
        "The same as CSV",
        give_confirmations,
        answer=Download,
        faults=(MESSAGE_NOT_FOUND, NOTHING_TO_CONFIRM, NOT_AUTHOR),
        note="UTF-8 with a byte order mark, for those who may see names.",
    ),
    Call(
        "GET",
        "/api/me/confirmations",
        "What one has yet to confirm",
        list_pending,
        answer=PendingConfirmations,
    ),
)
