"""ノート: a room's pages, written together, with photos and messages taken over."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, UnsetType

from chat_server.domain import limits
from chat_server.domain.errors import (
    ATTACHMENT_NOT_FOUND,
    ATTACHMENT_USED,
    INVALID_FIELD,
    MESSAGE_NOT_FOUND,
    NOT_NOTE_OWNER,
    NOTE_ENTRY_UNKNOWN,
    NOTE_NOT_FOUND,
    NOTE_TOO_LARGE,
    NOTE_TOO_LONG,
    NOTE_VERSION_NOT_FOUND,
    ROOM_ARCHIVED,
    ROOM_NOT_FOUND,
    ROOM_READ_ONLY,
    TOO_MANY_NOTES,
    TOO_MUCH_AT_ONCE,
    Problem,
)
from chat_server.http.calls import AnyCall, Call, Ctx, Nothing
from chat_server.http.shapes import Attachment, Author, Cursor, Forward, ListQuery, Seq, Time
from chat_server.services import note_reading, notes
from chat_server.services.blocks import Files, Id, Photos
from chat_server.services.note_blocks import Entry, Markdown, NoteBlocks, Pair, Title, clean_blocks, clean_title

Number = Annotated[int, msgspec.Meta(ge=1, le=2**53)]
Chosen = Annotated[tuple[Id, ...], msgspec.Meta(max_length=limits.NOTE_MESSAGES)]
What = Literal["created", "changed", "deleted", "restored", "struck"]


class NewNote(msgspec.Struct, frozen=True):
    """`messages` of this room are taken over below `blocks`, in the room's order."""

    title: Title
    blocks: NoteBlocks = ()
    messages: Chosen = ()


class NoteChange(msgspec.Struct, frozen=True):
    """`version`: the one that was changed. What is absent stays; `messages` are taken over at the end."""

    version: Number
    title: Title | None = None
    blocks: NoteBlocks | None = None
    messages: Chosen = ()


class NoteRestored(msgspec.Struct, frozen=True):
    """`version`: which becomes the present one again."""

    version: Number


class SavedNote(msgspec.Struct, frozen=True):
    """`merged`: others had changed it meanwhile: fetch what is kept. `conflict`: both sides of something stand in it."""

    room: Id
    id: Id
    version: int
    seq: Seq | UnsetType = UNSET
    at: Time | UnsetType = UNSET
    merged: bool | UnsetType = UNSET
    conflict: bool | UnsetType = UNSET


class NoteHead(msgspec.Struct, frozen=True):
    """`created_by`, `updated_by`: as they were when they wrote."""

    id: Id
    room: Id
    title: str
    version: int
    created: Time
    created_by: Author
    updated: Time
    updated_by: Author
    deleted: Time | None


class TakenEntry(msgspec.Struct, tag_field="type", tag="entry", frozen=True):
    """A message as it was when it was taken over. `redacted`: the message itself was, since; `struck`: its words and photos
    were taken out of the note."""

    id: Id
    message: Id
    seq: Seq
    at: Time
    author: Author
    text: str
    ids: list[Id]
    taken: Time
    forward: Forward | UnsetType = UNSET
    edited: Time | UnsetType = UNSET
    redacted: Time | UnsetType = UNSET
    struck: Time | UnsetType = UNSET
    v: Literal[1] = 1


class NoteRights(msgspec.Struct, frozen=True):
    change: bool
    delete: bool


class Note(NoteHead, frozen=True, kw_only=True):
    """`attachments`: of all that the blocks show. `what`, `conflict`: of this version."""

    what: What
    conflict: bool
    blocks: list[Markdown | TakenEntry | Pair | Photos | Files]
    attachments: list[Attachment]
    can: NoteRights


class NoteVersion(msgspec.Struct, frozen=True):
    """`base`: the version that was changed or restored. `conflict`: both sides of something stand in it."""

    version: int
    what: What
    at: Time
    author: Author
    title: str
    base: int | None
    conflict: bool


class NoteList(msgspec.Struct, frozen=True):
    items: list[NoteHead]
    next: str | None


class NoteVersions(msgspec.Struct, frozen=True):
    items: list[NoteVersion]
    next: str | None


class NotesQuery(msgspec.Struct, frozen=True):
    """`deleted`: instead those that one may bring back. `cursor`: the `next` of the page before."""

    deleted: bool = False
    cursor: Cursor | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=200)] = 50


async def create_note(ctx: Ctx[NewNote, Nothing]) -> Any:
    new, room = ctx.body, ctx.path["room"]
    title, blocks = clean_title(new.title), clean_blocks(new.blocks)
    return await ctx.write(lambda tx, actor: notes.create(tx, actor, room, title, blocks, new.messages))


async def list_notes(ctx: Ctx[Nothing, NotesQuery]) -> Any:
    asked, room = ctx.query, ctx.path["room"]
    items, following = await ctx.read(
        lambda reader: note_reading.page(reader, ctx.actor, room, asked.cursor, asked.limit, deleted=asked.deleted)
    )
    return {"items": items, "next": following}


async def get_note(ctx: Ctx[Nothing, Nothing]) -> Any:
    return await ctx.read(lambda reader: note_reading.one(reader, ctx.actor, ctx.path["note"]))


async def list_note_versions(ctx: Ctx[Nothing, ListQuery]) -> Any:
    asked, note = ctx.query, ctx.path["note"]
    items, following = await ctx.read(
        lambda reader: note_reading.history(reader, ctx.actor, note, asked.cursor, asked.limit)
    )
    return {"items": items, "next": following}


async def get_note_version(ctx: Ctx[Nothing, Nothing]) -> Any:
    note, number = ctx.path["note"], ctx.path["number"]
    if not (number.isascii() and number.isdigit() and len(number) < 16):
        raise Problem(NOTE_VERSION_NOT_FOUND, field="version")
    return await ctx.read(lambda reader: note_reading.one(reader, ctx.actor, note, int(number)))


async def change_note(ctx: Ctx[NoteChange, Nothing]) -> Any:
    asked = ctx.body
    change = notes.Change(
        asked.version,
        None if asked.title is None else clean_title(asked.title),
        None if asked.blocks is None else clean_blocks(asked.blocks),
        asked.messages,
    )
    return await notes.change(ctx.read, ctx.write, ctx.actor, ctx.path["note"], change)


async def restore_note(ctx: Ctx[NoteRestored, Nothing]) -> Any:
    note, number = ctx.path["note"], ctx.body.version
    return await ctx.write(lambda tx, actor: notes.restore(tx, actor, note, number))


async def delete_note(ctx: Ctx[Nothing, Nothing]) -> Any:
    note = ctx.path["note"]
    return await ctx.write(lambda tx, actor: notes.delete(tx, actor, note))


async def strike_note_entry(ctx: Ctx[Nothing, Nothing]) -> Any:
    note, entry = ctx.path["note"], ctx.path["entry"]
    return await ctx.write(lambda tx, actor: notes.strike(tx, actor, note, entry))


_WRITING: Final = (
    ROOM_ARCHIVED, ROOM_READ_ONLY, INVALID_FIELD, NOTE_TOO_LONG, NOTE_TOO_LARGE, TOO_MUCH_AT_ONCE, NOTE_ENTRY_UNKNOWN,
    MESSAGE_NOT_FOUND, ATTACHMENT_NOT_FOUND, ATTACHMENT_USED,
)  # fmt: skip
_SAVED: Final = SavedNote(
    room="06ed0000000000000000000003", id="06ed0000000000000000000005", version=2, seq=4722, at=1763770000000
)

CALLS: Final[tuple[AnyCall, ...]] = (
    Call(
        "GET",
        "/api/rooms/{room}/notes",
        "Notes of a room",
        list_notes,
        query=NotesQuery,
        answer=NoteList,
        faults=(ROOM_NOT_FOUND,),
        note="The last changed first.",
    ),
    Call(
        "POST",
        "/api/rooms/{room}/notes",
        "Make a note",
        create_note,
        body=NewNote,
        answer=SavedNote,
        faults=(ROOM_NOT_FOUND, *_WRITING, TOO_MANY_NOTES),
        example=NewNote("3号線 陥没の補修", (Markdown("# 経過"),), ("06ed0000000000000000000004",)),
        example_answer=_SAVED,
        note="By whoever may post. Messages keep their times, authors, words, photos and files, in the room's order.",
    ),
    Call(
        "GET", "/api/notes/{note}", "A note as it is now", get_note, answer=Note, faults=(NOTE_NOT_FOUND,),
        note="A deleted one, as it was last, for those who may bring it back.",
    ),
    Call(
        "GET",
        "/api/notes/{note}/versions",
        "The history of a note",
        list_note_versions,
        query=ListQuery,
        answer=NoteVersions,
        faults=(NOTE_NOT_FOUND,),
        note="The newest first.",
    ),
    Call(
        "GET",
        "/api/notes/{note}/versions/{number}",
        "A note as it was",
        get_note_version,
        answer=Note,
        faults=(NOTE_NOT_FOUND, NOTE_VERSION_NOT_FOUND),
    ),
    Call(
        "PATCH",
        "/api/notes/{note}",
        "Change a note",
        change_note,
        body=NoteChange,
        answer=SavedNote,
        faults=(NOTE_NOT_FOUND, NOTE_VERSION_NOT_FOUND, *_WRITING),
        example=NoteChange(1, blocks=(Markdown("# 経過\n舗装が終わりました。"), Entry("06ed0000000000000000000006"))),
        example_answer=_SAVED,
        note="Merged with what others made of the same version meanwhile; nothing that anybody wrote is lost.",
    ),
    Call(
        "POST",
        "/api/notes/{note}/restore",
        "Make an older version the present one",
        restore_note,
        body=NoteRestored,
        answer=SavedNote,
        faults=(NOTE_NOT_FOUND, NOTE_VERSION_NOT_FOUND, ROOM_ARCHIVED, ROOM_READ_ONLY, TOO_MANY_NOTES),
        example=NoteRestored(1),
        example_answer=_SAVED,
        note="A deleted note comes back.",
    ),
    Call(
        "DELETE",
        "/api/notes/{note}",
        "Delete a note",
        delete_note,
        status=204,
        faults=(NOTE_NOT_FOUND, ROOM_ARCHIVED, ROOM_READ_ONLY, NOT_NOTE_OWNER),
        note="By whoever made it, or an owner of the room; they can bring it back.",
    ),
    Call(
        "DELETE",
        "/api/notes/{note}/entries/{entry}",
        "Strike a message from a note",
        strike_note_entry,
        status=204,
        faults=(NOTE_NOT_FOUND, NOTE_ENTRY_UNKNOWN, NOT_NOTE_OWNER),
        note="By whoever took it over, or an owner of the room: its words, photos and files are gone from all versions.",
    ),
)  # fmt: skip
