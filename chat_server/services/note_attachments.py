"""The photos and files of a note: one's own uploads, and those of messages of the same room that one may see.

What comes from a message is copied as a forward copies it, rows and not bytes: a later redaction of the message does not empty
the page. The copy keeps its origin zone and its renditions, so `may_read` decides of it as of its source.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chat_server.domain import limits
from chat_server.domain.actors import Actor
from chat_server.domain.errors import ATTACHMENT_NOT_FOUND, ATTACHMENT_USED, TOO_MUCH_AT_ONCE, Problem
from chat_server.domain.ids import new_id
from chat_server.domain.rooms import Standing
from chat_server.ports import Tx
from chat_server.services.note_blocks import NoteBlock, attachment_kinds, renamed
from chat_server.storage.queries import attachment_copies, attachments
from chat_server.storage.queries import note_attachments as queries
from chat_server.storage.queries.attachments import Seen
from chat_server.storage.queries.note_attachments import Origin

_FIELD = "blocks.ids"


async def settle(
    tx: Tx, actor: Actor, room: Standing, note_id: int, blocks: Sequence[NoteBlock]
) -> tuple[NoteBlock, ...]:
    """The blocks with everything that they name made the note's own: uploads are claimed, attachments of messages copied.

    Raises `Problem` 5001 (nothing there for the actor, of another kind, or of another room or note), 5007 (waits elsewhere),
    4035.
    """
    kinds = attachment_kinds(blocks)
    seen = await attachments.seen_by(tx, actor, list(kinds))
    origins = await queries.origins(tx, list(kinds))
    names: dict[str, str] = {}
    for public_id, kind in kinds.items():
        one, origin = seen.get(public_id), origins.get(public_id)
        if one is None or origin is None or not one.member or one.kind != kind:
            raise Problem(ATTACHMENT_NOT_FOUND, _FIELD)
        if origin.note_id == note_id:
            continue
        if one.withdrawn or origin.room_id not in (None, room.room_id) or origin.note_id is not None:
            raise Problem(ATTACHMENT_NOT_FOUND, _FIELD)
        if origin.message_id is not None:
            check_copies(len(names) + 1)
            names[public_id] = (await copy(tx, actor, room, origin.id, note_id, None, 0))["id"]
        else:
            await _claim(tx, actor, room, note_id, one, origin)
    return renamed(blocks, names)


async def _claim(tx: Tx, actor: Actor, room: Standing, note_id: int, one: Seen, origin: Origin) -> None:
    if origin.state != "ready":
        raise Problem(ATTACHMENT_NOT_FOUND, _FIELD)
    if not await queries.claim(tx, one.id, org_id=room.org_id, room_id=room.room_id, note_id=note_id):
        raise Problem(ATTACHMENT_USED, _FIELD)


async def copy(
    tx: Tx, actor: Actor, room: Standing, source: int, note_id: int, entry_id: int | None, position: int
) -> dict[str, Any]:
    """Its wire form."""
    return await attachment_copies.copy(
        tx, source, new_id(tx.now), actor.user_id, room.org_id, room.room_id, None, position, actor.zone,
        note_id=note_id, entry_id=entry_id,
    )  # fmt: skip


def check_copies(count: int) -> None:
    """Raises `Problem` 4035."""
    if count > limits.NOTE_COPIES:
        raise Problem(TOO_MUCH_AT_ONCE, limit=limits.NOTE_COPIES)
