"""Taking a file back: nobody opens it any more, and its bytes stay sealed until retention ends."""

from __future__ import annotations

from chat_server.domain.actors import Actor
from chat_server.domain.errors import ATTACHMENT_NOT_FOUND, NOT_AUTHOR, Problem
from chat_server.domain.ids import is_id
from chat_server.domain.rooms import OWNER
from chat_server.ports import Tx
from chat_server.services import attachment_events, audit, leftovers, note_events
from chat_server.services.access import visible_message
from chat_server.services.note_access import visible_note
from chat_server.storage.queries import attachments as queries
from chat_server.storage.queries import note_attachments, rooms
from chat_server.storage.queries.attachments import Seen


async def withdraw(tx: Tx, actor: Actor, public_id: str) -> None:
    """By whoever sent it, or an owner of its room, in an archived room too; a second time changes nothing. What was not
    sent yet is removed. A copy, of a forwarded message or in a note, is whose act made it, and stays.

    Raises `Problem` 5001 (nothing there for the actor), 4004 (neither sender nor owner).
    """
    one = (await queries.seen_by(tx, actor, [public_id])).get(public_id) if is_id(public_id) else None
    if one is None or not one.member:
        raise Problem(ATTACHMENT_NOT_FOUND, field="attachment")
    if await leftovers.forget(tx, [one.id]):
        return
    in_note = await note_attachments.place(tx, one.id)
    if in_note is not None:
        await _from_note(tx, actor, one, *in_note)
        return
    sent = await queries.sent(tx, one.id)
    if sent is None:
        raise Problem(ATTACHMENT_NOT_FOUND, field="attachment")
    stored, standing = await visible_message(tx, actor, sent.message)
    if stored.author_id != actor.user_id and standing.role != OWNER:
        raise Problem(NOT_AUTHOR, field="attachment")
    if one.withdrawn:
        return
    await queries.withdraw(tx, one.id)
    await audit.record_by(tx, actor, "attachment.withdraw", public_id, {"room": standing.room})
    await attachment_events.changed(tx, one.id, actor)


async def _from_note(tx: Tx, actor: Actor, one: Seen, public_id: str, brought_by: int) -> None:
    """No version shows it any more; the note stays as it is, and its event says that something changed."""
    note, standing = await visible_note(tx, actor, public_id)
    if brought_by != actor.user_id and standing.role != OWNER:
        raise Problem(NOT_AUTHOR, field="attachment")
    if one.withdrawn:
        return
    await queries.withdraw(tx, one.id)
    await audit.record_by(tx, actor, "attachment.withdraw", one.public_id, {"room": standing.room})
    seq = await rooms.next_seq(tx, standing.room_id)
    told = (note.title, note.version, note.deleted_at is not None)
    await note_events.record(tx, actor, standing, seq, public_id, note_events.CHANGED, told)
