"""SQL of files that wait for a second person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from chat_server.ports import Reader, Tx


class Held(NamedTuple):
    """`sender`: public id. `link`: public id, and with it `purpose`, `recipient`, `company`; empty where a colleague sent it.
    `approver`: name of whoever decided. `attachment_id`: of a file that a colleague sent. `gone`: 1 where that is not there any more."""

    id: int
    public_id: str
    org_id: int
    handed_id: int | None
    attachment_id: int | None
    sender_id: int
    sender: str
    sender_name: str
    name: str
    size: int
    kind: str
    zone: str
    sha256: str
    report: bytes
    state: str
    held_at: int
    expires_at: int
    decided_at: int | None
    reason: str
    approver: str
    link_id: int | None
    link: str
    purpose: str
    recipient: str
    company: str
    gone: int


class NewHeld(NamedTuple):
    """A row of `held_files` to be: one of `handed_id`, `attachment_id`."""

    public_id: str
    org_id: int
    handed_id: int | None
    attachment_id: int | None
    sender_id: int
    name: str
    size: int
    kind: str
    zone: str
    sha256: str
    report: bytes
    expires_at: int


_SELECT: Final = (
    "SELECT f.id, f.public_id, f.org_id, f.handed_id, f.attachment_id, f.sender_id, u.public_id, u.name, f.name, f.size, f.kind,"
    " f.zone, f.sha256, f.report, f.state, f.held_at, f.expires_at, f.decided_at, f.reason, coalesce(d.name, ''), l.id,"
    " coalesce(l.public_id, ''), coalesce(l.purpose, ''), coalesce(l.recipient, ''), coalesce(l.company, ''),"
    " CASE WHEN f.attachment_id IS NOT NULL AND (a.withdrawn_at IS NOT NULL OR m.redacted_at IS NOT NULL"
    " OR (a.message_id IS NULL AND a.note_id IS NULL)) THEN 1 ELSE 0 END"
    " FROM held_files f JOIN users u ON u.id = f.sender_id LEFT JOIN users d ON d.id = f.decided_by"
    " LEFT JOIN handed_files h ON h.id = f.handed_id LEFT JOIN upload_links l ON l.id = h.link_id"
    " LEFT JOIN attachments a ON a.id = f.attachment_id LEFT JOIN messages m ON m.id = a.message_id"
)


async def insert(tx: Tx, new: NewHeld) -> int:
    """Answers its integer key."""
    row = await tx.one(
        "INSERT INTO held_files (public_id, org_id, handed_id, attachment_id, sender_id, name, size, kind, zone, sha256, report,"
        " expires_at, state, held_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'held', ?) RETURNING id",
        *new, tx.now,
    )  # fmt: skip
    assert row is not None
    return int(row[0])


async def find(reader: Reader, org_id: int, public_id: str) -> Held | None:
    """One of the organization's; those of others do not exist."""
    row = await reader.one(f"{_SELECT} WHERE f.public_id = ? AND f.org_id = ?", public_id, org_id)
    return None if row is None else Held(*row)


async def by_id(reader: Reader, held_id: int) -> Held:
    row = await reader.one(f"{_SELECT} WHERE f.id = ?", held_id)
    assert row is not None
    return Held(*row)


async def waiting(reader: Reader, org_id: int, after: tuple[int, int], limit: int) -> list[Held]:
    """What somebody may decide now, the oldest first, behind `after` (held_at, id); `gone` ones, too."""
    rows = await reader.all(
        f"{_SELECT} WHERE f.state = 'held' AND f.org_id = ? AND f.expires_at > ? AND f.held_at >= ?"
        " AND (f.held_at > ? OR f.id > ?) ORDER BY f.held_at, f.id LIMIT ?",
        org_id, reader.now, after[0], *after, limit,
    )  # fmt: skip
    return [Held(*row) for row in rows]


async def decide(tx: Tx, held_id: int, state: str, user_id: int, reason: str) -> bool:
    """False where somebody else was first, or its time is over."""
    return await tx.run(
        "UPDATE held_files SET state = ?, decided_by = ?, decided_at = ?, reason = ?"
        " WHERE id = ? AND state = 'held' AND expires_at > ?",
        state, user_id, tx.now, reason, held_id, tx.now,
    ) == 1  # fmt: skip


async def lapsed(reader: Reader, limit: int) -> list[int]:
    """Those that nobody decided in time."""
    rows = await reader.all(
        "SELECT id FROM held_files WHERE state = 'held' AND expires_at <= ? ORDER BY expires_at LIMIT ?",
        reader.now, limit,
    )  # fmt: skip
    return [int(row[0]) for row in rows]


async def lapse(tx: Tx, held_id: int) -> bool:
    return await tx.run(
        "UPDATE held_files SET state = 'lapsed', decided_at = ? WHERE id = ? AND state = 'held'", tx.now, held_id
    ) == 1  # fmt: skip


async def hand_over(tx: Tx, handed_id: int) -> None:
    """What came by a link waits once more: to be opened and delivered."""
    await tx.run(
        "UPDATE handed_files SET state = 'waiting', tries = 0, due_at = ?, decided_at = NULL WHERE id = ? AND state = 'held'",
        tx.now, handed_id,
    )  # fmt: skip


async def refuse(tx: Tx, handed_id: int, report: bytes) -> None:
    await tx.run(
        "UPDATE handed_files SET state = 'refused', report = ?, decided_at = ? WHERE id = ? AND state = 'held'",
        report, tx.now, handed_id,
    )  # fmt: skip


async def waiting_for(reader: Reader, held_id: int) -> list[int]:
    """Attachments that wait for this decision: the one that was sent, and those forwarded from it."""
    rows = await reader.all(
        "SELECT r.attachment_id FROM file_reports r JOIN attachments a ON a.id = r.attachment_id"
        " WHERE r.held_id = ? AND a.withdrawn_at IS NULL ORDER BY r.attachment_id",
        held_id,
    )
    return [int(row[0]) for row in rows]


async def give_up(tx: Tx, attachment_id: int, reason: str) -> None:
    """There will be no copy for more trusted zones."""
    await tx.run(
        "UPDATE renditions SET reason = ? WHERE attachment_id = ? AND kind = 'sanitized' AND state = 'failed'",
        reason,
        attachment_id,
    )


async def original(reader: Reader, attachment_id: int) -> tuple[int, str, int, str] | None:
    """(organization under which they lie, SHA-256, size, media type) of an attachment's bytes as they were received."""
    row = await reader.one(
        "SELECT org_id, sha256, size, media_type FROM renditions WHERE attachment_id = ? AND kind = 'original'"
        " AND state = 'ready' AND sha256 IS NOT NULL",
        attachment_id,
    )
    return None if row is None else (int(row[0]), str(row[1]), int(row[2]), str(row[3]))


async def forget(tx: Tx, attachment_ids: Sequence[int]) -> None:
    """Of attachments that are removed."""
    marks = ", ".join("?" * len(attachment_ids))
    await tx.run(f"DELETE FROM file_reports WHERE attachment_id IN ({marks})", *attachment_ids)  # noqa: S608
    await tx.run(
        f"DELETE FROM held_files WHERE attachment_id IN ({marks})"  # noqa: S608
        " AND NOT EXISTS (SELECT 1 FROM file_reports r WHERE r.held_id = held_files.id)",
        *attachment_ids,
    )
