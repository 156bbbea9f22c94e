"""An organization as a whole, for its administrators: which rooms there are, how full the store is, whether the server
keeps up. Sizes and times, never what was said, and of the server what concerns them: how late it is, not how much the
organizations beside them write.
"""

from __future__ import annotations

from typing import Any, Final

from chat_server.domain import limits
from chat_server.domain.policy import size_of
from chat_server.ports import PushRecord, Reader, SearchIndex, Storage
from chat_server.services import backlog, backups, cursors
from chat_server.services.authority import Administrator, require_administrator
from chat_server.services.people import wire
from chat_server.storage.queries import organizations, settings, usage
from chat_server.storage.queries import overview as queries
from chat_server.storage.queries.usage import WHOLE

Wire = dict[str, Any]
OWNERS: Final = 5
"""Named of a room."""
LARGEST: Final = 20
_FIRST: Final = ("", 0)


async def rooms(reader: Reader, who: Administrator, cursor: str | None, limit: int) -> tuple[list[Wire], str | None]:
    """A page of the rooms whose home the organization is, by name, and the next cursor. Raises `Problem` 2008, 2001."""
    require_administrator(who)
    after = tuple(cursors.decode(cursor, str, int)) if cursor else _FIRST
    rows = await queries.rooms(reader, who.org_id, (after[0], after[1]), limit)
    owners: dict[int, list[str]] = {row[0]: [] for row in rows}
    for room_id, name in await queries.owners(reader, list(owners)) if rows else ():
        if len(owners[room_id]) < OWNERS:
            owners[room_id].append(name)
    items = [
        {
            "id": room, "kind": kind, "name": name, "members": members, "messages": messages, "last_at": last_at,
            "created_at": created_at, "archived": archived_at is not None, "owners": owners[room_id],
        }
        for room_id, room, kind, name, members, messages, last_at, created_at, archived_at in rows
    ]  # fmt: skip
    return items, cursors.encode((rows[-1][3], rows[-1][0])) if len(rows) == limit else None


async def health(storage: Storage, index: SearchIndex, pushes: PushRecord | None, who: Administrator) -> Wire:
    """`{used, limit, largest, late, backup_at}`. Raises `Problem` 2008."""
    require_administrator(who)
    waiting = await backlog.waiting(storage, index, pushes)

    async def read(reader: Reader) -> Wire:
        policy = await organizations.policy(reader, who.org_id)
        until = await settings.find(reader, backups.NAME)
        return {
            "used": await usage.used(reader, who.org_id, WHOLE),
            "limit": size_of(policy.organization_quota),
            "largest": [
                {"person": wire(person), "used": used}
                for person, used in await queries.largest_users(reader, who.org_id, LARGEST)
            ],
            "late": {name: int(one.seconds) for name, one in waiting.items() if one.seconds >= 1},
            "backup_at": None
            if until is None
            else min(int(until) - backups.HELD, reader.now // limits.SECOND * limits.SECOND),
        }

    return await storage.read(read)
