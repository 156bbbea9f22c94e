"""Read markers and involvement: what a member says about oneself in a room."""

from __future__ import annotations

from typing import Final

from chat_server.domain.actors import Actor
from chat_server.domain.events import ReadMoved
from chat_server.domain.rooms import FIXED
from chat_server.ports import Reader, Tx
from chat_server.services import own_stream
from chat_server.services.access import in_room
from chat_server.services.answers import Ack
from chat_server.services.commands import Involve, Read
from chat_server.storage.queries import organizations, rooms

_POSITIONS: Final = 50
"""How many different read positions a large room is told of; whoever is further behind has not read what is shown."""


async def read(tx: Tx, actor: Actor, command: Read) -> Ack:
    """Move one's own read marker forward; it never goes back. Raises `Problem` 3001."""
    standing = await in_room(tx, actor, command.room)
    upto = min(command.upto, standing.last_seq)
    if upto > standing.read_seq:
        ordinal = await rooms.ordinal_at(tx, standing.room_id, upto)
        await rooms.move_marker(tx, standing.membership_id, upto, ordinal)
        await own_stream.append(tx, actor.user_id, actor.org_id, "read", {"room": standing.room, "upto": upto})
        # A frame goes to whoever looks, so it names somebody only where `history.readers` would name them to anybody.
        named = standing.kind in FIXED or (await organizations.policy(tx, standing.org_id)).reader_names == "everyone"
        tx.emit(ReadMoved(standing.room_id, standing.room, actor.id, upto, standing.members, named))
    return Ack(room=standing.room, upto=max(upto, standing.read_seq))


async def involve(tx: Tx, actor: Actor, command: Involve) -> Ack:
    """Choose what to be notified of. Raises `Problem` 3001."""
    standing = await in_room(tx, actor, command.room)
    if standing.involvement != command.involvement:
        await rooms.set_involvement(tx, standing.membership_id, command.involvement)
        body = {"room": standing.room, "involvement": command.involvement}
        await own_stream.append(tx, actor.user_id, actor.org_id, "involvement", body)
    return Ack()


async def positions(tx: Reader, room_id: int) -> list[list[int]]:
    """`[[seq, members whose marker stands there]]`, furthest first: what a large room is told once a second."""
    return [[int(seq), int(members)] for seq, members in await rooms.markers(tx, room_id, _POSITIONS)]
