"""Copies of attachments for a forwarded message or a note: rows, never bytes."""

from __future__ import annotations

from typing import Any

from chat_server.ports import Reader, Tx
from chat_server.storage.queries.attachments import WIRE, as_wire


async def sources(tx: Reader, message_id: int) -> list[tuple[int, str]]:
    """(integer key, kind) of a message's attachments that are still there, in order."""
    rows = await tx.all(
        "SELECT id, kind FROM attachments WHERE message_id = ? AND withdrawn_at IS NULL ORDER BY position", message_id
    )
    return [(int(row[0]), str(row[1])) for row in rows]


async def copy(
    tx: Tx, source: int, public_id: str, uploader_id: int, org_id: int, room_id: int, message_id: int | None, position: int,
    *, note_id: int | None = None, entry_id: int | None = None,
) -> dict[str, Any]:  # fmt: skip
    """A copy that belongs to another message, or to a note; origin zone and renditions stay what they were. Answers its wire
    form."""
    row = await tx.one(
        "INSERT INTO attachments (public_id, org_id, uploader_id, room_id, message_id, position, note_id, entry_id, kind,"
        " name, media_type, size, width, height, color, pages, taken_at, latitude, longitude, origin_zone, state,"
        " created_at) SELECT ?, ?, ?, ?, ?, ?, ?, ?, kind, name, media_type, size, width, height, color, pages, taken_at,"
        " latitude, longitude, origin_zone, state, ? FROM attachments WHERE id = ? RETURNING id",
        public_id, org_id, uploader_id, room_id, message_id, position, note_id, entry_id, tx.now, source,
    )  # fmt: skip
    assert row is not None
    await tx.run(
        "INSERT INTO renditions (attachment_id, kind, org_id, state, policy_version, sha256, media_type, width, height,"
        " size, reason, created_at)"
        " SELECT ?, kind, org_id, state, policy_version, sha256, media_type, width, height, size, reason, ?"
        " FROM renditions WHERE attachment_id = ?",
        row[0], tx.now, source,
    )  # fmt: skip
    await tx.run(
        "INSERT INTO file_reports (attachment_id, org_id, report, link, held_id, received_at, decided_at)"
        " SELECT ?, ?, report, link, held_id, received_at, decided_at FROM file_reports WHERE attachment_id = ?",
        row[0], org_id, source,
    )  # fmt: skip
    wire = await tx.one(f"SELECT {WIRE} FROM attachments WHERE id = ?", row[0])  # noqa: S608 (a constant)
    assert wire is not None
    return as_wire(wire)
