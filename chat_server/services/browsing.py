"""Looking around: the open rooms one may join, and who is in a room."""

from __future__ import annotations

from typing import Any, Final

from chat_server.domain.actors import Actor
from chat_server.ports import Reader
from chat_server.services import cursors
from chat_server.services.access import in_room
from chat_server.services.directory import search_for
from chat_server.services.people import wire
from chat_server.storage.queries import browsing as queries
from chat_server.storage.queries.browsing import MemberKey
from chat_server.storage.queries.directory import Viewer

Wire = dict[str, Any]

_FIRST_MEMBER: Final[MemberKey] = (-1, 0, 0, "", 0)
_FIRST_ROOM: Final = ("", 0)


async def members(
    reader: Reader, actor: Actor, room: str, cursor: str | None, limit: int, q: str | None = None
) -> tuple[list[Wire], str | None]:
    """Persons with their `role`, the home organization first, in department order; and the next cursor. `q` as for
    people: those alone whom it means.

    Raises `Problem` 3001, 2001.
    """
    standing = await in_room(reader, actor, room)
    after = tuple(cursors.decode(cursor, int, int, int, str, int)) if cursor else _FIRST_MEMBER
    search = search_for(q) if q and q.strip() else None
    viewer = Viewer(actor.user_id, actor.org_id, actor.is_guest)
    found = await queries.members(reader, standing.room_id, after, limit, viewer, search)
    items = [{**wire(person), "role": role} for person, role, _ in found]
    return items, cursors.encode(found[-1][2]) if len(found) == limit else None


async def open_rooms(reader: Reader, actor: Actor, cursor: str | None, limit: int) -> tuple[list[Wire], str | None]:
    """Open rooms of one's own organization that one is not in, by name. Guests have none to choose from."""
    after = tuple(cursors.decode(cursor, str, int)) if cursor else _FIRST_ROOM
    if actor.is_guest:
        return [], None
    rows = await queries.open_rooms(reader, actor.org_id, actor.user_id, after, limit)
    items = [
        {"id": room, "name": name, "reading": reading, "topic": topic, "history": history, "members": members}
        for _, room, name, reading, topic, history, members in rows
    ]
    return items, cursors.encode((rows[-1][2], rows[-1][0])) if len(rows) == limit else None
