"""Buttons and forms in the messages of bots."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec

from chat_server.bot_blocks import CHOICES, Key
from chat_server.domain.errors import (
    FORM_CLOSED,
    INVALID_FIELD,
    MESSAGE_NOT_FOUND,
    NOTHING_TO_PRESS,
    ROOM_ARCHIVED,
)
from chat_server.http.calls import AnyCall, Call, Ctx, Nothing
from chat_server.services import pressing
from chat_server.services.keys import SENDS

Chosen = Annotated[list[str], msgspec.Meta(max_length=CHOICES)]
Values = dict[str, str | Chosen]


class Pressed(msgspec.Struct, frozen=True):
    """`key`: of the button."""

    key: Key


class FormAnswer(msgspec.Struct, frozen=True):
    """`values`: field to words, or, where several can be chosen, to a list of them."""

    values: Values


class OwnAnswer(msgspec.Struct, frozen=True):
    values: Values | None


async def press_button(ctx: Ctx[Pressed, Nothing]) -> Any:
    message, key = ctx.path["message"], ctx.body.key
    return await ctx.write(lambda tx, actor: pressing.press(tx, actor, message, key))


async def answer_form(ctx: Ctx[FormAnswer, Nothing]) -> Any:
    message, values = ctx.path["message"], ctx.body.values
    secret = ctx.parts.keys.current(SENDS).secret
    return await ctx.write(lambda tx, actor: pressing.answer(tx, actor, message, values, secret))


async def own_answer(ctx: Ctx[Nothing, Nothing]) -> Any:
    secret = ctx.parts.keys.current(SENDS).secret
    return await ctx.read(lambda reader: pressing.own_answer(reader, ctx.actor, ctx.path["message"], secret))


CALLS: Final[tuple[AnyCall, ...]] = (
    Call(
        "POST",
        "/api/messages/{message}/press",
        "Press a button",
        press_button,
        body=Pressed,
        status=204,
        faults=(MESSAGE_NOT_FOUND, ROOM_ARCHIVED, NOTHING_TO_PRESS),
        example=Pressed("close"),
        note="The bot is told; what it does about it comes as events.",
    ),
    Call(
        "PUT",
        "/api/messages/{message}/answer",
        "Answer a form",
        answer_form,
        body=FormAnswer,
        answer=OwnAnswer,
        faults=(MESSAGE_NOT_FOUND, ROOM_ARCHIVED, NOTHING_TO_PRESS, FORM_CLOSED, INVALID_FIELD),
        example=FormAnswer({"attend": "出席", "note": "遅れて参ります"}),
        example_answer=OwnAnswer({"attend": "出席", "note": "遅れて参ります"}),
        note="In the place of one's former answer.",
    ),
    Call(
        "GET",
        "/api/messages/{message}/answer",
        "One's own answer to a form",
        own_answer,
        answer=OwnAnswer,
        faults=(MESSAGE_NOT_FOUND,),
        note="`values` is null before the first one.",
    ),
)
