"""SQL of the photos and files of notes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from chat_server.ports import Reader, Tx
from chat_server.storage.queries.attachments import WIRE, as_wire


@dataclass(frozen=True, slots=True)
class Held:
    """An attachment of a note. `entry`: integer key of the message taken over that it came with."""

    id: int
    entry: int | None
    wire: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an attachment is now: in a message, in a note, or nowhere yet."""

    id: int
    state: str
    room_id: int | None
    message_id: int | None
    note_id: int | None


async def of_note(reader: Reader, note_id: int) -> list[Held]:
    """All that any version of it holds, in the order in which they came."""
    rows = await reader.all(
        f"SELECT id, entry_id, {WIRE} FROM attachments WHERE note_id = ? ORDER BY entry_id, position, id",  # noqa: S608 (a constant)
        note_id,
    )
    return [Held(row[0], row[1], as_wire(row[2:])) for row in rows]


async def origins(reader: Reader, public_ids: Sequence[str]) -> dict[str, Origin]:
    if not public_ids:
        return {}
    marks = ", ".join("?" * len(public_ids))
    rows = await reader.all(
        f"SELECT public_id, id, state, room_id, message_id, note_id FROM attachments WHERE public_id IN ({marks})",  # noqa: S608
        *public_ids,
    )
    return {row[0]: Origin(*row[1:]) for row in rows}


async def claim(tx: Tx, attachment_id: int, *, org_id: int, room_id: int, note_id: int) -> bool:
    """Bind an upload to a note; false when a message, a note or a message to come was first."""
    changed = await tx.run(
        "UPDATE attachments SET org_id = ?, room_id = ?, note_id = ?"
        " WHERE id = ? AND message_id IS NULL AND note_id IS NULL AND scheduled_id IS NULL",
        org_id, room_id, note_id, attachment_id,
    )  # fmt: skip
    return changed == 1


async def keep(tx: Tx, note_id: int, used: Sequence[str], entries: Sequence[str], seq: int) -> None:
    """The present version shows `used`, and what came with `entries` (public ids); the others were let go of at `seq`, or
    earlier."""
    shown = (
        f"(public_id IN ({_marks(used)}) OR coalesce(entry_id, 0) IN"  # noqa: S608 (question marks)
        f" (SELECT e.id FROM note_entries e WHERE e.note_id = ? AND e.public_id IN ({_marks(entries)})))"
    )
    await tx.run(
        f"UPDATE attachments SET note_until = ? WHERE note_id = ? AND note_until IS NULL AND NOT {shown}",  # noqa: S608
        seq, note_id, *used, note_id, *entries,
    )  # fmt: skip
    await tx.run(
        f"UPDATE attachments SET note_until = NULL WHERE note_id = ? AND note_until IS NOT NULL AND {shown}",  # noqa: S608
        note_id, *used, note_id, *entries,
    )  # fmt: skip


async def place(reader: Reader, attachment_id: int) -> tuple[str, int] | None:
    """(public id of the note that it is in, who brought it there)"""
    row = await reader.one(
        "SELECT n.public_id, a.uploader_id FROM attachments a JOIN notes n ON n.id = a.note_id WHERE a.id = ?",
        attachment_id,
    )
    return (str(row[0]), int(row[1])) if row else None


def _marks(values: Sequence[str]) -> str:
    return ", ".join("?" * len(values)) or "''"
