"""片付け: what stands in a memo room is taken back, on request or by the age that its owner chose; what is pinned stays."""

from __future__ import annotations

from collections.abc import Sequence

from chat_server.domain import limits
from chat_server.domain.actors import Actor
from chat_server.ports import Reader, Tx
from chat_server.services import changing
from chat_server.services.commands import Redact
from chat_server.storage.queries import memo_rooms as queries
from chat_server.storage.queries.memo_rooms import Tidying as Tidying


async def ask(tx: Tx, room_id: int, org_id: int, before: int | None, days: int) -> None:
    """`before` (UTC ms): once, now. `days`: every day what is older; 0: no more; -1: as it is."""
    await queries.ask(tx, room_id, org_id, before, None if days < 0 else days)


async def due(reader: Reader, limit: int) -> Sequence[Tidying]:
    """Memo rooms whose turn it is."""
    return await queries.due(reader, limit)


async def step(tx: Tx, one: Tidying, limit: int) -> bool:
    """Take back the oldest `limit` of what may go; answers whether there may be more. A kill between two steps loses nothing. Where
    its owner asked for something else meanwhile, that is the next one's to do: nothing goes that is not to go any more.

    Everything is taken back by whoever wrote it, the owner or a bot, so nothing of it stands in the audit trail: it is nobody
    else's."""
    if await queries.asked(tx, one.room_id) != one:
        return False
    age = tx.now - one.days * limits.DAY if one.days else 0
    before = max(one.before_at or 0, age)
    found = await queries.old(tx, one.room_id, before, limit)
    for old in found:
        author = Actor(old.author_id, old.author_org, 0, old.author, "", old.kind, old.name, old.zone, "")
        await changing.redact(tx, author, Redact(ref=1, message=old.message))
    if len(found) == limit:
        return True
    await queries.tidied(tx, one, tx.now + limits.DAY if one.days else None)
    return False
