"""Bots that run elsewhere: they show a token, take one thing at a time for each room, and bring back what they did about it.

What they get and what they bring is what goes between the server and a bot in a process of its own (`bot_wire`): the same class
runs both ways.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Final, NamedTuple

from chat_server.domain import limits
from chat_server.domain.actors import BOT, Actor
from chat_server.domain.errors import BOT_TASK_GONE, TOKEN_INVALID, Problem
from chat_server.domain.ids import new_id, new_secret
from chat_server.ports import Reader, Tx
from chat_server.services import bots
from chat_server.services.bots import Asked, Did, Place
from chat_server.storage.queries import outside_bots as queries
from chat_server.storage.queries.bots import Due

PREFIX: Final = "rbot_"
"""So that scanners of leaked secrets can know one."""
LEASE: Final = limits.MINUTE
"""In which it brings back what it took; then somebody else gets it, and it counts as a failure."""
_A_THING: Final = 20
_A_POST: Final = 50
"""Milliseconds of rest after a thing and for each of its posts: 50 things, 20 posts a second, as for those in the server."""
_LONGEST_REST: Final = 10 * limits.MINUTE
"""However much it did at once; a longer one is of a clock that was put back."""
_AT_ONCE: Final = 20
"""Of what is left and of changes, in one transaction: keeps the writer free for others (20 ms)."""


class Taken(NamedTuple):
    """`lease`: by which it is brought back."""

    lease: str
    asked: Asked


def digest(token: str) -> bytes:
    """What the database keeps of a token. 256 random bits need no slow hash."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


async def give_token(tx: Tx, user_id: int, zone: str) -> str:
    """A new token; an older one is good for nothing from now on. The bot does not run in the server any more."""
    token = PREFIX + new_secret()
    await queries.give_token(tx, user_id, digest(token), zone)
    return token


async def end_tokens(tx: Tx) -> int:
    """All of them; the bots stay where they are, until they get new ones. Answers how many."""
    found = await queries.all_outside(tx)
    for user_id, zone in found:
        await queries.give_token(tx, user_id, digest(new_secret()), zone)
    return len(found)


async def load(reader: Reader, token: str, zone: str, address: str) -> Actor:
    """The bot of a token, as of now. Raises `Problem` 1004 where it is none, or not one of this zone."""
    found = await queries.by_token(reader, digest(token))
    if found is None or found.zone != zone:
        raise Problem(TOKEN_INVALID)
    return Actor(found.user_id, found.org_id, 0, found.id, "", BOT, found.name, found.zone, address)


async def anything(reader: Reader, bot: Actor) -> bool:
    """Whether there is something to take. Not while it rests from having done much."""
    if 0 < await queries.rests_until(reader, bot.user_id) - reader.now <= _LONGEST_REST:
        return False
    return await queries.next_due(reader, bot.user_id) is not None


async def untended(reader: Reader, bot: Actor) -> bool:
    """Whether there is something for `tend`."""
    return bool(await queries.left(reader, bot.user_id, 1) or await queries.changes(reader, bot.user_id, 1))


async def tend(tx: Tx, bot: Actor, place: Place) -> None:
    """What it took and did not bring back in time is a failure; changes of its posts that had to wait are shown. Some of it: there
    may be more."""
    for late in await queries.left(tx, bot.user_id, _AT_ONCE):
        await queries.release(tx, late)
        seconds = LEASE // limits.SECOND
        ja, en = f"{seconds}秒以内に終わりませんでした", f"it was not done within {seconds} s"
        await bots.failed(tx, Asked(late, {}), ja, en, place)
    for waiting_ in await queries.changes(tx, bot.user_id, _AT_ONCE):
        await bots.show_changes(tx, waiting_, place)


async def take(tx: Tx, bot: Actor, place: Place) -> Taken | None:
    """The next thing to do, for this bot alone and for `LEASE`. None: there is nothing now."""
    await queries.seen(tx, bot.user_id)
    if not await anything(tx, bot):
        return None
    while (due := await queries.next_due(tx, bot.user_id)) is not None:
        asked = await bots.asked(tx, due)
        if not asked.gone:
            lease = new_id(tx.now)
            await queries.lease(tx, due, lease, tx.now + LEASE, asked.post.answered if asked.post else None)
            return Taken(lease, asked)
        await bots.finish(tx, asked, Did(store=asked.store), place)
    return None


async def waiting(reader: Reader, bot: Actor, lease: str) -> Due:
    """What was taken under it. Raises `Problem` 4017: it was brought back before, or somebody else has it."""
    due = await queries.leased(reader, bot.user_id, lease)
    if due is None:
        raise Problem(BOT_TASK_GONE, field="task")
    return due


async def bring_back(tx: Tx, bot: Actor, lease: str, did: Did, place: Place) -> None:
    """What it did, all of it, once. Raises `Problem` 4017 and those of what a bot may not post."""
    due = await waiting(tx, bot, lease)
    asked = await bots.asked(tx, due)
    if asked.post is not None and (told := await queries.told(tx, due)) is not None:
        asked = replace(asked, post=asked.post._replace(answered=told))  # the answers since are still to be told of
    await bots.finish(tx, asked, did, place)
    # Several things may be under way at once: what is brought back while it is to rest makes the rest longer.
    begins = max(tx.now, await queries.rests_until(tx, bot.user_id))
    rest = max(_A_THING, _A_POST * len(did.posts))
    await queries.rest(tx, bot.user_id, min(begins + rest, tx.now + _LONGEST_REST))


async def failed(tx: Tx, bot: Actor, lease: str, ja: str, en: str, place: Place) -> None:
    """It could not. Asked again later, or given up, and then the room is told. Raises `Problem` 4017."""
    due = await waiting(tx, bot, lease)
    await queries.release(tx, due)
    await bots.failed(tx, Asked(due, {}), ja, en, place)
