"""Files that somebody wants to take out to a less trusted zone, where that takes a second person's approval."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec

from chat_server.domain import limits
from chat_server.domain.errors import (
    ATTACHMENT_NOT_FOUND,
    FILE_REFUSED_BY_DEVICE,
    INVALID_FIELD,
    NO_TAKEOUT,
    RATE_LIMITED,
    TAKEOUT_DECIDED,
    TAKEOUT_NOT_FOUND,
    TAKEOUT_OUTSIDE,
    TAKEOUT_OWN,
)
from chat_server.http.attachments import TakeoutState
from chat_server.http.calls import AnyCall, Call, Ctx, Nothing
from chat_server.http.link_shapes import Asker
from chat_server.http.shapes import Time
from chat_server.services import takeouts
from chat_server.services.blocks import Id
from chat_server.services.keys import SENDS


class Asking(msgspec.Struct, frozen=True):
    """`reason`: in words, written into the room with the request."""

    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=limits.LINK_WORDS_CHARS)]


class Deciding(msgspec.Struct, frozen=True):
    """`reason`: in words, written into the room; whoever refuses has to give one."""

    reason: Annotated[str, msgspec.Meta(max_length=limits.LINK_WORDS_CHARS)] = ""


class Asked(msgspec.Struct, frozen=True):
    """`state`: none (nobody asked on this device), asked, approved (then there are addresses), refused, lapsed (nobody decided in time, or
    what was approved of is over). `until`: when that ends. `words`: of whoever decided, with `approver`, their name."""

    state: TakeoutState
    until: Time | None
    words: str
    approver: str | None


class InRoom(msgspec.Struct, frozen=True):
    id: Id
    name: str


class Takeout(msgspec.Struct, frozen=True, kw_only=True, rename={"from_": "from"}):
    """`own`: one's own, which somebody else has to decide about. `here`: whether it can be decided from this network. `from`, `to`: zones.
    `expires`: when nobody may decide any more; approved: until when it may be saved. `message`: null where the file is in a note."""

    id: Id
    state: Literal["asked", "approved", "refused", "lapsed"]
    attachment: Id
    name: str
    kind: str
    size: int
    room: InRoom
    message: Id | None
    user: Asker
    own: bool
    here: bool
    from_: str
    to: str
    reason: str
    asked: Time
    expires: Time
    decided: Time | None
    approver: str | None
    words: str


class Takeouts(msgspec.Struct, frozen=True):
    items: list[Takeout]
    next: str | None


async def ask_to_take_out(ctx: Ctx[Asking, Nothing]) -> Any:
    file, reason, parts = ctx.path["attachment"], ctx.body.reason, ctx.parts
    key = parts.keys.current(SENDS).secret
    return await ctx.write(lambda tx, actor: takeouts.ask(tx, actor, file, reason, key, parts.trust))


async def read_takeout(ctx: Ctx[Nothing, Nothing]) -> Any:
    return await ctx.read(lambda reader: takeouts.state(reader, ctx.actor, ctx.path["attachment"]))


async def list_takeouts(ctx: Ctx[Nothing, Nothing]) -> Any:
    items = await ctx.read(lambda reader: takeouts.waiting(reader, ctx.actor, ctx.parts.trust))
    return {"items": items, "next": None}


async def approve_takeout(ctx: Ctx[Deciding, Nothing]) -> Any:
    return await _decide(ctx, approve=True)


async def refuse_takeout(ctx: Ctx[Deciding, Nothing]) -> Any:
    return await _decide(ctx, approve=False)


async def _decide(ctx: Ctx[Deciding, Nothing], *, approve: bool) -> Any:
    one, words, parts = ctx.path["takeout"], ctx.body.reason, ctx.parts
    key = parts.keys.current(SENDS).secret
    return await ctx.write(
        lambda tx, actor: takeouts.decide(tx, actor, one, approve=approve, words=words, key=key, trust=parts.trust)
    )


_TAKEOUT: Final = Takeout(
    id="06ed0000000000000000000031",
    state="asked",
    attachment="06ed0000000000000000000005",
    name="橋りょう一般図.pdf",
    kind="file",
    size=482113,
    room=InRoom("06ed0000000000000000000004", "道路課"),
    message="06ed0000000000000000000007",
    user=Asker("06ed0000000000000000000002", "高橋 健"),
    own=False,
    here=True,
    from_="lgwan",
    to="internet",
    reason="現地で寸法を確かめるため。",
    asked=1763770160000,
    expires=1764374960000,
    decided=None,
    approver=None,
    words="",
)
_DECIDED: Final = (TAKEOUT_NOT_FOUND, TAKEOUT_DECIDED, TAKEOUT_OWN, TAKEOUT_OUTSIDE, INVALID_FIELD)
PLACE: Final = "/api/attachments/{attachment}/takeout"
LIST: Final = "/api/takeouts"

CALLS: Final[tuple[AnyCall, ...]] = (
    Call(
        "POST",
        PLACE,
        "Ask to take a file out to this network",
        ask_to_take_out,
        body=Asking,
        answer=Asked,
        faults=(ATTACHMENT_NOT_FOUND, NO_TAKEOUT, FILE_REFUSED_BY_DEVICE, RATE_LIMITED, INVALID_FIELD),
        example=Asking("現地で寸法を確かめるため。"),
        example_answer=Asked(state="asked", until=1764374960000, words="", approver=None),
        note="Where the room's `outflow` is `approve` and the file's network is the more trusted one. For the device that asks. A message of "
        "the asker in the room says so to whoever may decide; asking twice is asking once.",
    ),
    Call(
        "GET",
        PLACE,
        "What became of that",
        read_takeout,
        answer=Asked,
        faults=(ATTACHMENT_NOT_FOUND,),
        example_answer=Asked(state="approved", until=1763856560000, words="", approver="中村 真理"),
    ),
    Call(
        "GET",
        LIST,
        "Who asks to take files out",
        list_takeouts,
        answer=Takeouts,
        example_answer=Takeouts([_TAKEOUT], None),
        note="What one may decide about by the organization's rule `approve_takeouts`: the oldest 200; nothing for everybody else.",
    ),
    Call(
        "POST",
        LIST + "/{takeout}/approve",
        "Let a file be taken out",
        approve_takeout,
        body=Deciding,
        answer=Takeout,
        faults=_DECIDED,
        example=Deciding("現場確認に限る。"),
        example_answer=msgspec.structs.replace(
            _TAKEOUT, state="approved", decided=1763771000000, expires=1763857400000, approver="中村 真理", words="現場確認に限る。"
        ),
        note="Once, by somebody else than the asker, and from the file's own network or a more trusted one; on record. It may be saved on "
        "that device for a day.",
    ),
    Call(
        "POST",
        LIST + "/{takeout}/refuse",
        "Not let a file be taken out",
        refuse_takeout,
        body=Deciding,
        answer=Takeout,
        faults=_DECIDED,
        example=Deciding("個人情報を含むため。"),
        example_answer=msgspec.structs.replace(
            _TAKEOUT, state="refused", decided=1763771000000, approver="中村 真理", words="個人情報を含むため。"
        ),
        note="Once; on record.",
    ),
)  # fmt: skip
