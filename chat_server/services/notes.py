"""ノート: the pages of a room, written together. Each change is a version, and every version is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from chat_server.domain import limits
from chat_server.domain.actors import Actor
from chat_server.domain.errors import NOTE_VERSION_NOT_FOUND, TOO_MANY_NOTES, VERSION_CONFLICT, Problem
from chat_server.domain.ids import new_id
from chat_server.domain.rooms import Standing
from chat_server.ports import Reader, Tx
from chat_server.services import audit, note_events, note_taking
from chat_server.services.access import check_can_post, in_room
from chat_server.services.note_access import check_owns, visible_note, visible_version, writable_note
from chat_server.services.note_attachments import settle
from chat_server.services.note_blocks import (
    Content,
    NoteBlock,
    attachment_kinds,
    check_size,
    entry_ids,
    pack,
    unpack,
)
from chat_server.services.note_merging import Merged, merged
from chat_server.storage.queries import messages, note_attachments, rooms
from chat_server.storage.queries import notes as queries
from chat_server.storage.queries.notes import Note, Version

_TRIES: Final = 5
"""Times that a change is merged beside the writer, while others are always faster; then within it."""

Read = Callable[[Callable[[Reader], Awaitable[Any]]], Awaitable[Any]]
Write = Callable[[Callable[[Tx, Actor], Awaitable[Any]]], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Change:
    """What somebody made of version `base`, cleaned; None stays. `messages` are taken over at the end."""

    base: int
    title: str | None = None
    blocks: tuple[NoteBlock, ...] | None = None
    messages: tuple[str, ...] = ()


class Saved(msgspec.Struct, frozen=True, omit_defaults=True):
    """`seq` and `at` are absent where nothing changed. `merged`: others had changed it meanwhile, and what is kept is not what
    was sent; `conflict`: both sides of something stand in it, to be tidied up."""

    room: str
    id: str
    version: int
    seq: int | None = None
    at: int | None = None
    merged: bool = False
    conflict: bool = False


class Overtaken(Problem):
    """Somebody else was faster: merge again."""

    def __init__(self) -> None:
        super().__init__(VERSION_CONFLICT, "version")


async def create(
    tx: Tx, actor: Actor, room: str, title: str, blocks: tuple[NoteBlock, ...], chosen: tuple[str, ...]
) -> Saved:
    """`blocks`, and below them the messages `chosen` of this room.

    Raises `Problem` 3001–3003, 4032–4036, 4001, 5001, 5007.
    """
    standing = await in_room(tx, actor, room)
    check_can_post(standing)
    await _check_count(tx, standing)
    public_id = new_id(tx.now)
    note_id = await queries.insert(tx, public_id, standing.org_id, standing.room_id, actor.user_id, title)
    note = Note(
        note_id, public_id, standing.org_id, standing.room_id, title, 0, tx.now, actor.user_id, tx.now, None
    )  # fmt: skip
    return await _save(
        tx, actor, standing, note, note_events.CREATED, Merged(Content(title, blocks), False), None, chosen
    )


async def change(read: Read, write: Write, actor: Actor, note: str, change: Change) -> Saved | None:
    """Keep it, merged with what others made of the same version meanwhile. Merging needs no database and may take a while:
    it is done beside the writer. Answers as `write` does.

    Raises `Problem` 4030, 4031 (no such base), 3002, 3003, 4033–4036, 4001, 5001, 5007.
    """
    for _ in range(_TRIES):
        sides: _Sides = await read(lambda reader: _sides(reader, actor, note, change))
        ready = await asyncio.to_thread(sides.merged, change, actor.name) if sides.parted else sides.taken(change)

        async def store(tx: Tx, actor: Actor, now: int = sides.now.version, ready: Merged = ready) -> Saved:
            return await _store(tx, actor, note, change, now, ready)

        try:
            return await write(store)  # type: ignore[no-any-return]
        except Overtaken:
            continue

    async def at_once(tx: Tx, actor: Actor) -> Saved:
        sides = await _sides(tx, actor, note, change)
        return await _store(tx, actor, note, change, sides.now.version, sides.merged(change, actor.name))

    return await write(at_once)  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class _Sides:
    """The version that was changed, and the one that the note has now."""

    base: Version
    now: Version

    @property
    def parted(self) -> bool:
        return self.base.version != self.now.version

    def taken(self, change: Change) -> Merged:
        """Nobody else changed anything."""
        title = self.base.title if change.title is None else change.title
        blocks = unpack(self.base.content) if change.blocks is None else change.blocks
        return Merged(Content(title, blocks), False)

    def merged(self, change: Change, name: str) -> Merged:
        return merged(
            Content(self.base.title, unpack(self.base.content)),
            Content(self.now.title, unpack(self.now.content)),
            self.taken(change).content,
            # of several who changed it meanwhile, nobody is named for another's words
            self.now.author_name if self.now.version == self.base.version + 1 else "ほかのメンバー",
            name,
        )


async def _sides(reader: Reader, actor: Actor, public_id: str, change: Change) -> _Sides:
    note, standing = await writable_note(reader, actor, public_id)
    base = await visible_version(reader, actor, note, standing, change.base)
    if base.what == note_events.DELETED:
        raise Problem(NOTE_VERSION_NOT_FOUND, field="version")
    now = base if change.base == note.version else await queries.version(reader, note.id, note.version)
    assert now is not None
    return _Sides(base, now)


async def _store(tx: Tx, actor: Actor, public_id: str, change: Change, now: int, ready: Merged) -> Saved:
    note, standing = await writable_note(tx, actor, public_id)
    if note.version != now:
        raise Overtaken
    return await _save(tx, actor, standing, note, note_events.CHANGED, ready, change.base, change.messages)


async def delete(tx: Tx, actor: Actor, public_id: str) -> None:
    """By whoever made it, or an owner of the room; its versions stay, for them to bring it back. Raises `Problem` 4030, 3002,
    3003, 4037."""
    note, standing = await writable_note(tx, actor, public_id)
    check_owns(actor, note, standing)
    await audit.record_by(tx, actor, "note.delete", public_id, {"room": standing.room})
    await _add(tx, actor, standing, note, note_events.DELETED, Content("", ()), note.version)


async def restore(tx: Tx, actor: Actor, public_id: str, number: int) -> Saved:
    """Make an older version the present one: a version of its own, so that nothing between is lost. A deleted note comes back.

    Raises `Problem` 4030, 4031, 3002, 3003, 4032.
    """
    note, standing = await visible_note(tx, actor, public_id)
    check_can_post(standing)
    version = await visible_version(tx, actor, note, standing, number)
    if version.what == note_events.DELETED:
        raise Problem(NOTE_VERSION_NOT_FOUND, field="version")
    if note.deleted_at is not None:
        await _check_count(tx, standing)
        await audit.record_by(tx, actor, "note.restore", public_id, {"room": standing.room, "version": number})
    content = Content(version.title, unpack(version.content))
    return await _add(tx, actor, standing, note, "restored", content, number)


async def strike(tx: Tx, actor: Actor, public_id: str, entry: str) -> None:
    """Take what a message said out of all versions; also in an archived room, where it can be read as well.

    Raises `Problem` 4030, 4036, 4037.
    """
    note, standing = await visible_note(tx, actor, public_id)
    if not await note_taking.strike(tx, actor, standing, note.id, entry):
        return
    await audit.record_by(tx, actor, "note.strike", public_id, {"room": standing.room, "entry": entry})
    if note.deleted_at is None:
        now = await queries.version(tx, note.id, note.version)
        assert now is not None
        content = Content(now.title, unpack(now.content))
        await _add(tx, actor, standing, note, "struck", content, note.version, conflict=bool(now.conflict))


async def _check_count(tx: Tx, standing: Standing) -> None:
    if await queries.count(tx, standing.room_id) >= limits.NOTES:
        raise Problem(TOO_MANY_NOTES, limit=limits.NOTES)


async def _save(
    tx: Tx, actor: Actor, standing: Standing, note: Note, what: str, ready: Merged, base: int | None, chosen: tuple[str, ...]
) -> Saved:  # fmt: skip
    """A new version, unless it is the present one."""
    blocks = await settle(tx, actor, standing, note.id, ready.content.blocks)
    blocks += await note_taking.take(tx, actor, standing, note.id, chosen)
    check_size(blocks, await note_taking.known_chars(tx, note.id, blocks))
    content = Content(ready.content.title, blocks)
    apart = base is not None and base != note.version
    if base is not None:
        now = await queries.version(tx, note.id, note.version)
        assert now is not None
        if (content.title, pack(content.blocks)) == (now.title, now.content):
            return Saved(standing.room, note.public_id, note.version, merged=apart)
    return await _add(tx, actor, standing, note, what, content, base, merged=apart, conflict=ready.conflict)


async def _add(
    tx: Tx, actor: Actor, standing: Standing, note: Note, what: str, content: Content, base: int | None,
    *, merged: bool = False, conflict: bool = False,
) -> Saved:  # fmt: skip
    version, author = note.version + 1, await messages.author(tx, actor.user_id)
    seq = await rooms.next_seq(tx, standing.room_id)
    await queries.add_version(
        tx, note.id, note.org_id, version, what, seq, actor.user_id, author, content.title, pack(content.blocks), base,
        conflict,
    )  # fmt: skip
    blocks, gone = content.blocks, what == note_events.DELETED
    if not gone:
        await note_attachments.keep(tx, note.id, list(attachment_kinds(blocks)), entry_ids(blocks), seq)
    told = what if what in (note_events.CREATED, note_events.DELETED) else note_events.CHANGED
    await note_events.record(tx, actor, standing, seq, note.public_id, told, (content.title, version, gone))
    return Saved(standing.room, note.public_id, version, seq, tx.now, merged, conflict)
