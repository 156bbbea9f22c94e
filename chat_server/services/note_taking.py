"""Messages that are taken over into a note: with their times, authors, words, photos and files, in the room's order.

What is taken over is the page's own record from then on (docs/decisions/0023): an edit or a redaction of the message does not
change it, the page only tells that the message was redacted since. What should not be there at all is struck from the note.
"""

from __future__ import annotations

from collections.abc import Sequence

from chat_server.domain.actors import Actor
from chat_server.domain.errors import MESSAGE_NOT_FOUND, NOT_NOTE_OWNER, NOTE_ENTRY_UNKNOWN, Problem
from chat_server.domain.ids import new_id
from chat_server.domain.rooms import OWNER, Standing
from chat_server.ports import Reader, Tx
from chat_server.services.access import visible_message
from chat_server.services.forwarding import plain_words
from chat_server.services.note_attachments import check_copies, copy
from chat_server.services.note_blocks import Entry, NoteBlock, entry_ids
from chat_server.storage.queries import attachment_copies
from chat_server.storage.queries import note_entries as queries
from chat_server.storage.queries.messages import Stored


async def take(tx: Tx, actor: Actor, room: Standing, note_id: int, messages: Sequence[str]) -> tuple[Entry, ...]:
    """An entry for each of the messages (in whatever order they were chosen).

    Raises `Problem` 4001 (not of this room, not to be seen now, or redacted), 4035 (too many photos and files at once).
    """
    chosen: dict[int, Stored] = {}
    for message in dict.fromkeys(messages):
        stored, where = await visible_message(tx, actor, message)
        if where.room_id != room.room_id or stored.redacted_at is not None:
            raise Problem(MESSAGE_NOT_FOUND, field="messages")
        chosen[stored.seq] = stored
    entries, copies = [], 0
    for _, stored in sorted(chosen.items()):
        public_id = new_id(tx.now)
        words = "\n".join(plain_words(stored))
        entry_id = await queries.insert(tx, public_id, note_id, room.org_id, stored, words, actor.user_id)
        sources = await attachment_copies.sources(tx, stored.id) if stored.attachments else []
        copies += len(sources)
        check_copies(copies)
        for position, (source, _) in enumerate(sources):
            await copy(tx, actor, room, source, note_id, entry_id, position)
        entries.append(Entry(public_id))
    return tuple(entries)


async def known_chars(reader: Reader, note_id: int, blocks: Sequence[NoteBlock]) -> int:
    """Characters of what the entries among the blocks say. Raises `Problem` 4036 where one is not of this note."""
    ids = entry_ids(blocks)
    found = await queries.of_note(reader, note_id, ids)
    if len(found) != len(ids):
        raise Problem(NOTE_ENTRY_UNKNOWN, field="blocks")
    return sum(len(one.text) for one in found.values() if one.struck_at is None)


async def strike(tx: Tx, actor: Actor, room: Standing, note_id: int, entry: str) -> bool:
    """Take what a message said out of all versions of the note. False if it was struck before.

    By whoever took it over, or an owner of the room. Raises `Problem` 4036, 4037.
    """
    found = (await queries.of_note(tx, note_id, [entry])).get(entry)
    if found is None:
        raise Problem(NOTE_ENTRY_UNKNOWN, field="entry")
    if found.taker_id != actor.user_id and room.role != OWNER:
        raise Problem(NOT_NOTE_OWNER, field="entry")
    if found.struck_at is not None:
        return False
    await queries.strike(tx, found.id, actor.user_id)
    return True
