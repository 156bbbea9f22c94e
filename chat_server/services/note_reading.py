"""Reading notes: a room's list, one note as it is now or was, its history, and all of it in order for who prints it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from chat_server.domain.actors import Actor
from chat_server.domain.rooms import OWNER
from chat_server.ports import Reader
from chat_server.services import cursors
from chat_server.services.access import in_room
from chat_server.services.blocks import Files, Photos
from chat_server.services.note_access import may_read_version, owns, visible_note, visible_version
from chat_server.services.note_blocks import Entry, Markdown, NoteBlock, Pair, entry_ids, unpack
from chat_server.services.rendering import unpack as unpack_map
from chat_server.storage.queries import note_attachments, note_entries
from chat_server.storage.queries import notes as queries
from chat_server.storage.queries.note_attachments import Held
from chat_server.storage.queries.note_entries import Entry as Taken
from chat_server.storage.queries.notes import Note, Version

Wire = dict[str, Any]
_END: Final = 2**53


async def page(
    reader: Reader, actor: Actor, room: str, cursor: str | None, limit: int, *, deleted: bool = False
) -> tuple[list[Wire], str | None]:
    """The notes of a room, the last changed first, and the next cursor. `deleted`: instead those that the actor may bring back.
    Raises `Problem` 3001, 2001."""
    standing = await in_room(reader, actor, room)
    before = cursors.decode(cursor, int, int) if cursor else [_END, _END]
    mine = actor.user_id if deleted and standing.role != OWNER else None
    found = await queries.page(reader, standing.room_id, (before[0], before[1]), limit, deleted=deleted, made_by=mine)
    both = await queries.first_and_last(reader, [note.id for note in found])
    items = [_head(note, room, *both[note.id]) for note in found]
    if deleted:
        for item, note in zip(items, found, strict=True):
            kept = await queries.last_kept(reader, note.id)
            item["title"] = kept.title if kept and await may_read_version(reader, actor, standing, kept) else ""
    following = cursors.encode((found[-1].updated_at, found[-1].id)) if len(found) == limit else None
    return items, following


async def one(reader: Reader, actor: Actor, public_id: str, number: int | None = None) -> Wire:
    """The note with its blocks, as it is now or was in version `number`; a deleted one as it was last.

    Raises `Problem` 4030, 4031.
    """
    note, standing = await visible_note(reader, actor, public_id)
    version = await _chosen(reader, actor, public_id, number)
    first, last = (await queries.first_and_last(reader, [note.id]))[note.id]
    blocks = unpack(version.content)
    taken = await note_entries.of_note(reader, note.id, entry_ids(blocks))
    held = await note_attachments.of_note(reader, note.id)
    shown = [_block(block, taken, held) for block in blocks]
    wires = {each.wire["id"]: each.wire for each in held}
    used = dict.fromkeys(one for block in shown for one in _ids(block))
    writes = note.deleted_at is None and standing.can_post
    return {
        **_head(note, standing.room, first, last),
        "title": version.title,
        "version": version.version,
        "what": version.what,
        "conflict": bool(version.conflict),
        "blocks": shown,
        "attachments": [wires[one] for one in used],
        "can": {"change": writes, "delete": writes and owns(actor, note, standing)},
    }


async def history(
    reader: Reader, actor: Actor, public_id: str, cursor: str | None, limit: int
) -> tuple[list[Wire], str | None]:
    """Who made which version and when, the newest first, and the next cursor; those alone that the actor may read.

    Raises `Problem` 4030, 2001.
    """
    note, standing = await visible_note(reader, actor, public_id)
    below = cursors.decode(cursor, int)[0] if cursor else _END
    found = await queries.versions(reader, note.id, below, limit)
    items = [
        {
            "version": version.version,
            "what": version.what,
            "at": version.at,
            "author": _author(version),
            "title": version.title,
            "base": version.base,
            "conflict": bool(version.conflict),
        }
        for version in found
        if await may_read_version(reader, actor, standing, version)
    ]
    return items, cursors.encode([found[-1].version]) if len(found) == limit else None


async def _chosen(reader: Reader, actor: Actor, public_id: str, number: int | None) -> Version:
    note, standing = await visible_note(reader, actor, public_id)
    if number is None and note.deleted_at is not None:
        kept = await queries.last_kept(reader, note.id)
        assert kept is not None
        number = kept.version
    return await visible_version(reader, actor, note, standing, note.version if number is None else number)


def _head(note: Note, room: str, first: Version, last: Version) -> Wire:
    return {
        "id": note.public_id,
        "room": room,
        "title": note.title,
        "version": note.version,
        "created": note.created_at,
        "created_by": _author(first),
        "updated": note.updated_at,
        "updated_by": _author(last),
        "deleted": note.deleted_at,
    }


def _author(by: Version | Taken) -> Wire:
    return {
        "id": by.author,
        "name": by.author_name,
        "department": by.author_department,
        "post": by.author_post,
        "kind": by.author_kind,
    }


def _block(block: NoteBlock, taken: dict[str, Taken], held: Sequence[Held]) -> Wire:
    """Its wire form: of a message that was taken over, what the server knows of it."""
    if not isinstance(block, Entry):
        wire: Wire = msgspec.to_builtins(block)
        return wire
    entry = taken[block.id]
    struck = entry.struck_at is not None
    wire = {
        "type": "entry",
        "v": block.v,
        "id": entry.public_id,
        "message": entry.message,
        "seq": entry.seq,
        "at": entry.at,
        "author": _author(entry),
        "text": "" if struck else entry.text,
        "ids": [] if struck else [one.wire["id"] for one in held if one.entry == entry.id],
        "taken": entry.taken_at,
    }
    marks = {"edited": entry.edited_at, "redacted": entry.redacted_at, "struck": entry.struck_at}
    wire |= {name: at for name, at in marks.items() if at is not None}
    if entry.forward is not None and not struck:
        wire["forward"] = unpack_map(entry.forward)
    return wire


def _ids(block: Wire) -> list[str]:
    return [*block.get("ids", ()), *(one for one in (block.get("before"), block.get("after")) if one)]


# For exports


@dataclass(frozen=True, slots=True)
class Picture:
    """A photo or a file of a note. `key`: its integer key; what of it may be read, `files.readable` says by `id`."""

    key: int
    id: str
    kind: str
    name: str
    withdrawn: bool


@dataclass(frozen=True, slots=True)
class RenderedBlock:
    """`kind`: markdown, entry, pair, photos, files. `texts`: the Markdown; the words of a message; the captions before and after.
    `attachments`: of a pair the photo before and after, None for one that is missing. `author`, `at`: of a message."""

    kind: str
    texts: tuple[str, ...]
    attachments: tuple[Picture | None, ...]
    author: Wire | None = None
    at: int | None = None
    wire: Wire | None = None


@dataclass(frozen=True, slots=True)
class Rendered:
    """A note in order. `authors`: everybody who wrote a version that the actor may read, the first first."""

    title: str
    room: str
    version: int
    at: int
    authors: tuple[Wire, ...]
    blocks: tuple[RenderedBlock, ...]


async def rendered(reader: Reader, actor: Actor, public_id: str, number: int | None = None) -> Rendered:
    """What `one` says, for who makes a document of it. Raises `Problem` 4030, 4031."""
    note, _ = await visible_note(reader, actor, public_id)
    whole = await one(reader, actor, public_id, number)
    version = await _chosen(reader, actor, public_id, number)
    held = {each.wire["id"]: _picture(each) for each in await note_attachments.of_note(reader, note.id)}
    authors: dict[str, Wire] = {}
    cursor: str | None = None
    while True:
        items, cursor = await history(reader, actor, public_id, cursor, 200)
        for item in items:
            if item["version"] <= version.version:
                authors.pop(item["author"]["id"], None)
                authors[item["author"]["id"]] = item["author"]
        if cursor is None:
            break
    blocks = tuple(
        _rendered(block, wire, held) for block, wire in zip(unpack(version.content), whole["blocks"], strict=True)
    )
    return Rendered(
        version.title, whole["room"], version.version, version.at, tuple(reversed(authors.values())), blocks
    )


def _picture(held: Held) -> Picture:
    wire = held.wire
    return Picture(held.id, wire["id"], wire["kind"], wire["name"], wire["state"] == "withdrawn")


def _rendered(block: NoteBlock, wire: Wire, held: dict[str, Picture]) -> RenderedBlock:
    match block:
        case Markdown():
            return RenderedBlock("markdown", (block.text,), ())
        case Pair():
            photos = tuple(None if of is None else held[of] for of in (block.before, block.after))
            return RenderedBlock("pair", (block.before_caption, block.after_caption), photos)
        case Photos() | Files():
            return RenderedBlock(wire["type"], (), tuple(held[of] for of in block.ids))
        case Entry():
            pictures = tuple(held[of] for of in wire["ids"])
            return RenderedBlock("entry", (wire["text"],), pictures, wire["author"], wire["at"], wire)
