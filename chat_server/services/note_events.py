"""Telling a room that one of its notes was made, changed or deleted (docs/protocol.md, room event `note`).

An event names the note; its title and version are those of now, in a replay too, and a deleted note has no title any more.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from chat_server.domain.actors import Actor
from chat_server.domain.events import RoomEvent
from chat_server.domain.rooms import Standing
from chat_server.ports import Tx
from chat_server.services.rendering import pack
from chat_server.storage.queries import rooms

KIND: Final = "note"
CREATED, CHANGED, DELETED = "created", "changed", "deleted"

Told = tuple[str, int, bool]
"""(title, version, whether it is deleted: then the title is empty)"""


async def record(tx: Tx, actor: Actor, standing: Standing, seq: int, note: str, what: str, now: Told) -> None:
    """Write the event that takes `seq`, and tell the hub."""
    data = {"note": note, "what": what}
    await rooms.add_event(tx, standing.room_id, seq, standing.org_id, KIND, actor.user_id, data=pack(data))
    tx.emit(RoomEvent(standing.room_id, standing.room, seq, KIND, tx.now, actor.id, body(data, now)))


def body(data: Mapping[str, Any], now: Told) -> dict[str, Any]:
    """What is special to the event. A note that was deleted and brought back was not deleted, as of now."""
    title, version, deleted = now
    what = DELETED if deleted else CHANGED if data["what"] == DELETED else data["what"]
    return {"id": data["note"], "title": title, "version": version, "what": what}
