"""What a bot that runs elsewhere asks: what there is to do, and what it did. See docs/bots.md."""

from __future__ import annotations

import asyncio
import time
from typing import Annotated, Any, Final

import msgspec

from chat_server.bot_wire import Done, Post, Task
from chat_server.domain.actors import Actor
from chat_server.domain.errors import (
    BOT_TASK_GONE,
    INVALID_FIELD,
    MESSAGE_EMPTY,
    RATE_LIMITED,
    TEXT_TOO_LONG,
    TOO_MANY_MENTIONS,
    Problem,
)
from chat_server.http.calls import Access, AnyCall, Call, Ctx, Nothing
from chat_server.ports import Tx
from chat_server.services import bot_tasks, outside_bots
from chat_server.services.blocks import Id
from chat_server.services.bots import Place
from chat_server.services.keys import SENDS

WAIT: Final = 25
"""Seconds: shorter than proxies wait."""
_LOOKS: Final = 0.2
"""Seconds between two looks at the database, also for what another node took in."""
_AT_ONCE: Final = 8
"""Calls of one bot that wait here at once: each looks again and again."""
_FAILURE: Final = 300


class NextTask(msgspec.Struct, frozen=True):
    """`wait`: seconds, while there is nothing to do."""

    wait: Annotated[int, msgspec.Meta(ge=0, le=WAIT)] = WAIT


class GivenTask(msgspec.Struct, frozen=True):
    """Both null: there was nothing to do. `id`: for the answer, within a minute."""

    id: Id | None
    task: Task | None


class TaskDone(Done, frozen=True):
    """What the bot did. `failure`: what went wrong, in words; then nothing of the rest counts."""


async def next_task(ctx: Ctx[NextTask, Nothing]) -> Any:
    bot, place, waiting = ctx.actor, _place(ctx), ctx.parts.waiting
    if waiting[bot.user_id] >= _AT_ONCE:
        raise Problem(RATE_LIMITED, retry_after=1)
    waiting[bot.user_id] += 1
    gone = asyncio.ensure_future(_gone(ctx))
    try:
        await _something(ctx, bot, place, gone)
        if gone.done():
            return GivenTask(None, None)  # to nobody: nothing is lost with it
        return await ctx.write(lambda tx, actor: _take(tx, actor, place))
    finally:
        gone.cancel()
        waiting[bot.user_id] -= 1
        if not waiting[bot.user_id]:
            del waiting[bot.user_id]


async def _something(ctx: Ctx[NextTask, Nothing], bot: Actor, place: Place, gone: asyncio.Future[None]) -> None:
    """Until there is something to take, the time is over, or whoever asked has gone."""
    until = time.monotonic() + ctx.body.wait
    while not gone.done():
        if await ctx.read(lambda reader: outside_bots.untended(reader, bot)):
            await ctx.parts.storage.write(lambda tx: outside_bots.tend(tx, bot, place), org_id=bot.org_id)
        something = await ctx.read(lambda reader: outside_bots.anything(reader, bot))
        if something or time.monotonic() >= until or ctx.parts.draining():
            return
        await asyncio.wait((gone,), timeout=_LOOKS)


async def _gone(ctx: Ctx[NextTask, Nothing]) -> None:
    while (await ctx.receive())["type"] != "http.disconnect":
        pass


async def _take(tx: Tx, bot: Actor, place: Place) -> GivenTask:
    taken = await outside_bots.take(tx, bot, place)
    return GivenTask(None, None) if taken is None else GivenTask(taken.lease, bot_tasks.task(taken.asked, tx.now))


async def bring_back_task(ctx: Ctx[TaskDone, Nothing]) -> Any:
    lease, done, place = ctx.path["task"], ctx.body, _place(ctx)
    if (failure := done.failure) is not None:
        ja, en = f"エラーが起きました（{failure[:_FAILURE]}）", f"it raised an error ({failure[:_FAILURE]})"
        return await ctx.write(lambda tx, bot: outside_bots.failed(tx, bot, lease, ja, en, place))
    await ctx.read(lambda reader: outside_bots.waiting(reader, ctx.actor, lease))
    did = await bot_tasks.kept(ctx.parts.blobs, ctx.actor.org_id, done)
    return await ctx.write(lambda tx, bot: outside_bots.bring_back(tx, bot, lease, did, place))


def _place(ctx: Ctx[Any, Any]) -> Place:
    return Place(ctx.zone, ctx.parts.keys.current(SENDS).secret, ctx.parts.trust)


CALLS: Final[tuple[AnyCall, ...]] = (
    Call(
        "POST",
        "/api/bot/next",
        "Take the next thing to do",
        next_task,
        body=NextTask,
        answer=GivenTask,
        access=Access.BOT,
        faults=(RATE_LIMITED,),
        example=NextTask(),
        note="For a bot that runs elsewhere, by its token. It is to be brought back within a minute.",
    ),
    Call(
        "POST",
        "/api/bot/tasks/{task}",
        "Bring back what the bot did about it",
        bring_back_task,
        body=TaskDone,
        status=204,
        access=Access.BOT,
        faults=(BOT_TASK_GONE, INVALID_FIELD, MESSAGE_EMPTY, TEXT_TOO_LONG, TOO_MANY_MENTIONS),
        example=TaskDone(posts=(Post("", ("高橋 健さん、おはようございます",)),), store={"greeted": 1}),
        note="All of it happens in one step, once.",
    ),
)
