"""The pages of a file as pictures."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from chat_server.domain.errors import ATTACHMENT_NOT_FOUND, NO_PAGES, RATE_LIMITED
from chat_server.http.calls import AnyCall, Call, Ctx, Nothing
from chat_server.http.reports import Sentence
from chat_server.services import flattening


class Flattened(msgspec.Struct, frozen=True):
    """`state`: none (nobody asked for it), pending, ready (then there is an address `flattened`), failed, for `reason`."""

    state: str
    reason: Sentence | None


async def flatten_attachment(ctx: Ctx[Nothing, Nothing]) -> Any:
    return await ctx.write(lambda tx, actor: flattening.ask(tx, actor, ctx.path["attachment"]))


async def read_flattened(ctx: Ctx[Nothing, Nothing]) -> Any:
    return await ctx.read(lambda reader: flattening.state(reader, ctx.actor, ctx.path["attachment"]))


CALLS: Final[tuple[AnyCall, ...]] = (
    Call(
        "POST",
        "/api/attachments/{attachment}/flattened",
        "Have a file's pages made into pictures",
        flatten_attachment,
        answer=Flattened,
        faults=(ATTACHMENT_NOT_FOUND, NO_PAGES, RATE_LIMITED),
        example_answer=Flattened(state="pending", reason=None),
        note="For whoever may see the file; made once for all of them. A PDF of pictures of the pages, without text or anything else: of "
        "PDF, Office documents and drawings.",
    ),
    Call(
        "GET",
        "/api/attachments/{attachment}/flattened",
        "Whether a file's pages are pictures by now",
        read_flattened,
        answer=Flattened,
        faults=(ATTACHMENT_NOT_FOUND,),
        example_answer=Flattened(state="ready", reason=None),
    ),
)
