"""Whoever is in a link's room hears what becomes of it, by the bot that looks after links."""

from __future__ import annotations

from typing import Final

from chat_server.domain.actors import Actor
from chat_server.domain.ids import new_id
from chat_server.domain.rooms import ANNOUNCEMENT, OWNER, WRITER, Standing
from chat_server.ports import Reader, Tx
from chat_server.services.membership import Place, Who, enter
from chat_server.storage.queries import rooms
from chat_server.storage.queries import upload_links as queries
from chat_server.storage.queries.upload_links import Link

PLUGIN: Final = "sanitizing_upload"
"""The folder of the bot."""
STEP: Final = 20
"""Links that one transaction tells of."""


async def told(tx: Tx, link: Link) -> None:
    """Something changed: the bot looks at the link as it is then. Several changes at once are one look."""
    await queries.tell_bot(tx, link, PLUGIN, f"l{new_id(tx.now)}")


async def bring_bot(tx: Tx, actor: Actor, standing: Standing) -> None:
    """The bot is in the rooms that have links: what it says there, its members alone read. Raises `Problem` 3011."""
    bot = await queries.bot_of(tx, standing.org_id, PLUGIN)
    if bot is None or await rooms.standing_by_id(tx, bot[0], standing.room_id) is not None:
        return
    place = Place(standing.room_id, standing.room, standing.org_id, standing.history, standing.members)
    role = OWNER if standing.kind == ANNOUNCEMENT else WRITER
    await enter(tx, actor, place, Who(bot[0], standing.org_id, bot[1]), role)


async def overdue(reader: Reader) -> list[Link]:
    """The next whose deadline passed unsaid."""
    return await queries.overdue(reader, STEP)


async def remind(tx: Tx) -> int:
    """The rooms of links whose deadline passed are told, once; answers how many."""
    found = await queries.overdue(tx, STEP)
    for link in found:
        await queries.set_reminded(tx, link.id)
        await told(tx, link)
    return len(found)
