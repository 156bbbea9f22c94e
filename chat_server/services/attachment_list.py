"""The files and photos of a room, by kind, person and day."""

from __future__ import annotations

from typing import Any

from chat_server.domain.actors import Actor
from chat_server.ports import Reader
from chat_server.services import cursors
from chat_server.services.access import in_room
from chat_server.storage.queries import attachment_list as queries
from chat_server.storage.queries import rooms
from chat_server.storage.queries.attachment_list import Listed


async def page(
    reader: Reader,
    actor: Actor,
    room: str,
    *,
    kind: str | None,
    by: str | None,
    since: int | None,
    until: int | None,
    cursor: str | None,
    limit: int,
) -> tuple[list[dict[str, Any]], str | None]:
    """The newest first, and the next cursor; only what the actor may see now. `since`, `until`: UTC milliseconds of the
    message. Raises `Problem` 3001, 2001."""
    standing = await in_room(reader, actor, room)
    before = tuple(cursors.decode(cursor, int, int)) if cursor else None
    visible = await rooms.intervals(reader, standing.room_id, actor.user_id)
    found = await queries.page(
        reader, standing.room_id, visible, kind=kind, by=by, since=since, until=until, before=before, limit=limit
    )
    return [_item(one) for one in found], cursors.encode(found[-1].key) if len(found) == limit else None


def _item(one: Listed) -> dict[str, Any]:
    return {
        "attachment": one.wire,
        "message": one.message,
        "seq": one.seq,
        "at": one.at,
        "author": {
            "id": one.author,
            "name": one.author_name,
            "department": one.author_department,
            "post": one.author_post,
            "kind": one.author_kind,
        },
    }
