"""Reading back: pages of messages, pins, bookmarks, and who has read."""

from __future__ import annotations

from typing import Any

from chat_server.domain.actors import Actor
from chat_server.domain.events import Ranges
from chat_server.domain.rooms import OWNER
from chat_server.ports import Reader
from chat_server.services.access import away, in_room, visible_message
from chat_server.services.people import wire_people
from chat_server.services.rendering import Wire, render_many, render_one
from chat_server.storage.queries import messages, organizations, receipts, rooms
from chat_server.storage.queries.messages import Stored

_END = 2**53


async def page(
    tx: Reader, actor: Actor, room: str, *,
    before: int | None, after: int | None, around: int | None, at: int | None = None, limit: int,
) -> dict[str, Any]:  # fmt: skip
    """`{messages, first, head}`, oldest first; the newest page if no position is given. Raises `Problem` 3001.

    `at` is a time: as `around` the first message that was written then or later.

    What the actor may not see is not there at all: a page is not a stream.
    """
    standing = await in_room(tx, actor, room)
    intervals = await rooms.intervals(tx, standing.room_id, actor.user_id)

    async def part(low: int, high: int, count: int, *, newest: bool) -> list[Stored]:
        return await _visible(tx, standing.room_id, intervals, low, high, count, newest=newest)

    if at is not None:
        around = await _first_since(tx, standing.room_id, at, standing.last_seq)
    if around is not None:
        half = max(1, limit // 2)
        visible = await part(0, around + 1, half, newest=True) + await part(around, _END, limit - half, newest=False)
    elif after is not None:
        visible = await part(after, _END, limit, newest=False)
    else:
        visible = await part(0, before or _END, limit, newest=True)
    oldest = visible[0].seq if visible else (after or 0) + 1 if after is not None else 0
    first = not await part(0, oldest, 1, newest=True)
    rendered = await render_many(tx, visible)
    return {"messages": [rendered[m.id] for m in visible], "first": first, "head": standing.last_seq}


async def _first_since(tx: Reader, room_id: int, at: int, last: int) -> int:
    """The seq of the first message at or after a time, or the one after `last`. By halving: seq rises with time, and
    no index holds the times, which every message would have to pay for."""
    low, high = 1, last + 1
    while low < high:
        middle = (low + high) // 2
        found = await messages.next_time(tx, room_id, middle)
        if found is None or found[1] >= at:
            high = middle
        else:
            low = found[0] + 1
    return low


async def _visible(
    tx: Reader, room_id: int, intervals: Ranges, low: int, high: int, limit: int, *, newest: bool
) -> list[Stored]:
    """`messages.page` of what lies in `intervals` (they may overlap): a time of absence is stepped over, however long,
    so that a page is short only at the end."""
    found: dict[int, Stored] = {}
    for begin, end in intervals:
        for stored in await messages.page(tx, room_id, max(low, begin - 1), min(high, end + 1), limit, newest=newest):
            found[stored.seq] = stored
    chosen = sorted(found)
    return [found[seq] for seq in (chosen[-limit:] if newest else chosen[:limit])] if limit > 0 else []


async def message(tx: Reader, actor: Actor, message_id: str) -> dict[str, Any]:
    """`{room, message}`; what a quote or a permalink shows is authorized anew. Raises `Problem` 4001."""
    stored, standing = await visible_message(tx, actor, message_id)
    return {"room": standing.room, "message": await render_one(tx, stored)}


async def pins(tx: Reader, actor: Actor, room: str) -> list[Wire]:
    """Pinned messages that the actor may see, the newest pin first. Raises `Problem` 3001."""
    standing = await in_room(tx, actor, room)
    intervals = await rooms.intervals(tx, standing.room_id, actor.user_id)
    found = await messages.pinned(tx, standing.room_id)
    visible = [m for m in found if any(low <= m.seq <= high for low, high in intervals)]
    rendered = await render_many(tx, visible)
    return [rendered[m.id] for m in visible]


async def bookmarks(
    tx: Reader, actor: Actor, cursor: str | None, limit: int
) -> tuple[list[dict[str, Any]], str | None]:
    """`[{room, message, at}]`, newest first, and the next cursor. Rooms one has left are not shown."""
    before_at, before_id = _cursor(cursor)
    rows = await messages.bookmarks(tx, actor.user_id, before_at, before_id, limit)
    stored = await messages.by_ids(tx, [row[1] for row in rows])
    rendered = await render_many(tx, list(stored.values()))
    hidden, _ = await away(tx, actor) or (None, "")
    items = [
        {"room": await rooms.public_id(tx, stored[key].room_id), "message": rendered[key], "at": at}
        for at, key in rows
        if stored[key].room_id != hidden
    ]
    return items, f"{rows[-1][0]}.{rows[-1][1]}" if len(rows) == limit else None


def _cursor(cursor: str | None) -> tuple[int, int]:
    at, _, key = (cursor or "").partition(".")
    if at.isascii() and at.isdigit() and key.isascii() and key.isdigit() and len(at) < 16 and len(key) < 16:
        return int(at), int(key)
    return _END, _END


async def readers(tx: Reader, actor: Actor, message_id: str) -> list[dict[str, Any]]:
    """How many have read a message, of how many, by department in its order; the author is not counted.

    Only members who were there when it was written, or who may see it, are asked for. Their names are for the author and
    the room's owners, or for everybody where the home organization decided so: nobody is shamed. Raises `Problem` 4001.
    """
    stored, standing = await visible_message(tx, actor, message_id)
    rows = await receipts.of_message(tx, standing.room_id, stored.seq, stored.author_id)
    people = await wire_people(tx, [row[0] for row in rows])
    named = (
        actor.user_id == stored.author_id
        or standing.role == OWNER
        or (await organizations.policy(tx, standing.org_id)).reader_names == "everyone"
    )
    departments: dict[str, dict[str, Any]] = {}
    for user_id, has_read in rows:
        person = people[user_id]
        entry = departments.setdefault(
            person["department"],
            {"name": person["department"], "read": 0, "total": 0, **({"readers": [], "unread": []} if named else {})},
        )
        entry["total"] += 1
        entry["read"] += int(has_read)
        if named:
            entry["readers" if has_read else "unread"].append(person)
    return list(departments.values())
