"""Who may see a note, which versions of it, and who may change it: checked now, as for messages (`access`).

A note is the room's page as it stands: whoever is in the room reads it, also where newcomers do not see what was said before.
Its older versions are what was there before, and follow that rule: a version may be read by whoever may see the event that
replaced it.
"""

from __future__ import annotations

from chat_server.domain.actors import Actor
from chat_server.domain.errors import NOT_NOTE_OWNER, NOTE_NOT_FOUND, NOTE_VERSION_NOT_FOUND, Problem
from chat_server.domain.rooms import OWNER, Standing
from chat_server.ports import Reader
from chat_server.services.access import check_can_post, is_away, may_see
from chat_server.storage.queries import notes, rooms
from chat_server.storage.queries.notes import Note, Version


async def visible_note(reader: Reader, actor: Actor, public_id: str) -> tuple[Note, Standing]:
    """A note of a room that the actor is in. A deleted one is there for those alone who may bring it back.

    Raises `Problem` 4030 for what one may not see and for what does not exist alike.
    """
    note = await notes.find(reader, public_id)
    standing = await rooms.standing_by_id(reader, actor.user_id, note.room_id) if note else None
    if (
        note is None
        or standing is None
        or is_away(actor, standing.kind)
        or (note.deleted_at is not None and not owns(actor, note, standing))
    ):
        raise Problem(NOTE_NOT_FOUND, field="note")
    return note, standing


async def writable_note(reader: Reader, actor: Actor, public_id: str) -> tuple[Note, Standing]:
    """One that is not deleted, for whoever may post into its room. Raises `Problem` 4030, 3002, 3003."""
    note, standing = await visible_note(reader, actor, public_id)
    if note.deleted_at is not None:
        raise Problem(NOTE_NOT_FOUND, field="note")
    check_can_post(standing)
    return note, standing


def owns(actor: Actor, note: Note, standing: Standing) -> bool:
    """Whoever made it, and the room's owners: they delete it and bring it back."""
    return note.made_by == actor.user_id or standing.role == OWNER


def check_owns(actor: Actor, note: Note, standing: Standing) -> None:
    """Raises `Problem` 4037."""
    if not owns(actor, note, standing):
        raise Problem(NOT_NOTE_OWNER, field="note")


async def visible_version(reader: Reader, actor: Actor, note: Note, standing: Standing, number: int) -> Version:
    """Raises `Problem` 4031."""
    version = await notes.version(reader, note.id, number)
    if version is None or not await may_read_version(reader, actor, standing, version):
        raise Problem(NOTE_VERSION_NOT_FOUND, field="version")
    return version


async def may_read_version(reader: Reader, actor: Actor, standing: Standing, version: Version) -> bool:
    return version.replaced_seq is None or await may_see(reader, actor, standing, version.replaced_seq)
