"""Membership, checked now: every use case begins here. What one may not see does not exist (404)."""

from __future__ import annotations

from chat_server.domain.actors import Actor
from chat_server.domain.errors import (
    ATTACHMENT_NOT_FOUND,
    MESSAGE_NOT_FOUND,
    ROOM_ARCHIVED,
    ROOM_NOT_FOUND,
    ROOM_NOT_OWNER,
    ROOM_READ_ONLY,
    Problem,
)
from chat_server.domain.events import within
from chat_server.domain.ids import is_id
from chat_server.domain.rooms import FIXED, MEMO, Standing, memo_key
from chat_server.ports import Reader
from chat_server.storage.queries import attachments, messages, rooms
from chat_server.storage.queries.attachments import Seen
from chat_server.storage.queries.messages import Stored


async def in_room(tx: Reader, actor: Actor, room: str) -> Standing:
    """The actor's standing in `room` (public id). Raises `Problem` 3001 for strangers, for no such room, and for one's memo pad where
    one has none in this zone, alike."""
    standing = await rooms.standing(tx, actor.user_id, room)
    if standing is None or is_away(actor, standing.kind):
        raise Problem(ROOM_NOT_FOUND, field="room")
    return standing


def is_away(actor: Actor, kind: str) -> bool:
    """Whether rooms of this kind do not exist in the actor's zone: an organization may keep memo pads to its desks."""
    return kind == MEMO and not actor.memo_pad


async def away(reader: Reader, actor: Actor) -> tuple[int, str] | None:
    """The integer key and public id of the one room of the actor's that does not exist in their zone, if there is one."""
    return None if actor.memo_pad else await rooms.memo_of(reader, memo_key(actor.user_id))


def check_can_post(standing: Standing) -> None:
    """Raises `Problem` 3002, 3003."""
    if standing.archived:
        raise Problem(ROOM_ARCHIVED, field="room")
    if not standing.can_post:
        raise Problem(ROOM_READ_ONLY, field="room")


def check_can_manage(standing: Standing) -> None:
    """Raises `Problem` 3002, 3004."""
    if standing.archived:
        raise Problem(ROOM_ARCHIVED, field="room")
    if not standing.can_manage and standing.kind not in FIXED:
        raise Problem(ROOM_NOT_OWNER, field="room")


async def may_see(tx: Reader, actor: Actor, standing: Standing, seq: int) -> bool:
    """Whether the actor may see `seq`: in the present membership, or in an earlier interval of it; never what lies
    before the room's first kept event."""
    if seq >= standing.visible_seq:
        return seq >= standing.first_seq
    return within(await rooms.intervals(tx, standing.room_id, actor.user_id), seq)


async def visible_message(tx: Reader, actor: Actor, message: str) -> tuple[Stored, Standing]:
    """A message that the actor may see now, redacted or not. Raises `Problem` 4001 otherwise."""
    stored = await messages.by_public_id(tx, message)
    if stored is not None:
        standing = await rooms.standing_by_id(tx, actor.user_id, stored.room_id)
        if (
            standing is not None
            and not is_away(actor, standing.kind)
            and await may_see(tx, actor, standing, stored.seq)
        ):
            return stored, standing
    raise Problem(MESSAGE_NOT_FOUND, field="message")


async def visible_attachment(reader: Reader, actor: Actor, attachment: str) -> Seen:
    """One that the actor may see now. Raises `Problem` 5001 otherwise, and of one that was withdrawn."""
    one = (await attachments.seen_by(reader, actor, [attachment] if is_id(attachment) else [])).get(attachment)
    if one is None or not one.member or one.withdrawn:
        raise Problem(ATTACHMENT_NOT_FOUND, field="attachment")
    return one


async def living_message(tx: Reader, actor: Actor, message: str) -> tuple[Stored, Standing]:
    """The same for acts on a message: a redacted one is gone, an archived room cannot be changed."""
    stored, standing = await visible_message(tx, actor, message)
    if stored.redacted_at is not None:
        raise Problem(MESSAGE_NOT_FOUND, field="message")
    if standing.archived:
        raise Problem(ROOM_ARCHIVED, field="room")
    return stored, standing
