"""Finding notes by their words: the title, the Markdown, captions, and what the messages said that were taken over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chat_server.ports import NOTE_KEYS, PARTS, Hit, Reader
from chat_server.services.note_blocks import Entry, own_words, unpack
from chat_server.storage.queries import note_entries, notes, rooms
from chat_server.storage.queries.notes import Found


async def words(reader: Reader, note_ids: Sequence[int]) -> list[tuple[Found, str]]:
    """The notes that are there, each with all that it says now."""
    found = await notes.by_ids(reader, note_ids)
    said = await note_entries.texts(reader, list(found))
    return [(one, _text(one, said)) for one in found.values()]


def _text(found: Found, said: dict[str, str]) -> str:
    texts = [found.version.title]
    for block in unpack(found.version.content):
        texts += [said.get(block.id, "")] if isinstance(block, Entry) else own_words((block,))
    return "\n".join(texts)


async def shown(
    reader: Reader, hits: Sequence[Hit], since: int | None, until: int | None
) -> list[tuple[dict[str, Any], str]]:
    """Those of the hits that are there, in their order: the wire form, and the text that has to hold the words. Whoever is in
    the room reads all of a note as it is now (`note_access`). `since` ≤ when it was changed last < `until`."""
    there = {one.note.id: (one, text) for one, text in await words(reader, [_key(hit) for hit in hits])}
    names = {room: await rooms.public_id(reader, room) for room in {hit.room_id for hit in hits}}
    found = []
    for hit in hits:
        one, text = there.get(_key(hit), (None, ""))
        # The index may be of a moment ago, or of a database that was restored.
        if one is None or one.note.room_id != hit.room_id:
            continue
        if (since is None or one.note.updated_at >= since) and (until is None or one.note.updated_at < until):
            found.append((_wire(one, names[hit.room_id]), text))
    return found


def _key(hit: Hit) -> int:
    return hit.id // PARTS - NOTE_KEYS


def _wire(found: Found, room: str) -> dict[str, Any]:
    by = found.version
    return {
        "room": room,
        "message": None,
        "seq": None,
        "note": {"id": found.note.public_id, "title": found.note.title},
        "at": by.at,
        "author": {
            "id": by.author,
            "name": by.author_name,
            "department": by.author_department,
            "post": by.author_post,
            "kind": by.author_kind,
        },
        "kind": "note",
        "attachment": None,
    }
