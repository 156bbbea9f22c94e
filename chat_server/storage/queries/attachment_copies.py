"""Copies of attachments for a forwarded message or a note: rows, never bytes."""

from __future__ import annotations

from typing import Any

from chat_server.domain.zones import outward
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
    zone: str, *, note_id: int | None = None, entry_id: int | None = None,
) -> dict[str, Any]:  # fmt: skip
    """A copy that belongs to another message, or to a note; origin zone and renditions stay what they were. Answers its wire
    form.

    Whoever copies outside the file's own zone (`zone`: theirs) takes its room's rule along: by going on into a room that lets more out,
    it would get there what it may not have here; into another organization's room its organization's ceiling, too. Inside, it is for them to say where it belongs, as if they uploaded it again.
    """
    rules = await tx.one(
        "SELECT a.origin_zone, coalesce(r.outflow, 'view'), coalesce(a.carried, 'download'), a.room_id, a.org_id,"
        " coalesce((SELECT z.action FROM zone_rules z WHERE z.org_id = a.org_id AND z.from_zone = a.origin_zone AND z.to_zone = ?"
        " AND z.family = 'outflow'), 'download') FROM attachments a LEFT JOIN rooms r ON r.id = a.room_id WHERE a.id = ?",
        zone, source,
    )  # fmt: skip
    assert rules is not None
    origin, outflow, carried, room, organization, pair = rules
    if origin == zone:
        carried = None
    elif room != room_id:
        carried = outward(outflow, carried)
    if carried is not None and organization != org_id:
        # Its own organization's rule for the two zones holds there anyway; another's knows nothing of it.
        carried = outward(carried, pair)
    row = await tx.one(
        "INSERT INTO attachments (public_id, org_id, uploader_id, room_id, message_id, position, note_id, entry_id, kind,"
        " name, media_type, size, width, height, color, pages, taken_at, latitude, longitude, origin_zone, state,"
        " carried, created_at) SELECT ?, ?, ?, ?, ?, ?, ?, ?, kind, name, media_type, size, width, height, color, pages, taken_at,"
        " latitude, longitude, origin_zone, state, ?, ? FROM attachments WHERE id = ? RETURNING id",
        public_id, org_id, uploader_id, room_id, message_id, position, note_id, entry_id, carried, tx.now, source,
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
