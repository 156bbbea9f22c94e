"""SQL of messages that are sent at a time to come."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from chat_server.ports import Reader, Tx


class Scheduled(NamedTuple):
    """`room`, `author`: public ids. `blocks`: msgpack. `fault`: number of the error for which it was not sent."""

    id: int
    public_id: str
    org_id: int
    author_id: int
    author: str
    author_kind: str
    author_name: str
    author_disabled_at: int | None
    author_ends_at: int | None
    room_id: int
    room: str
    zone: str
    blocks: bytes
    quote: str | None
    confirm_for: int | None
    level: str | None
    version: int
    send_at: int
    created_at: int
    failed_at: int | None
    fault: int | None


_SELECT: Final = (
    "SELECT s.id, s.public_id, s.org_id, s.author_id, u.public_id, u.kind, u.name, u.disabled_at, u.ends_at, s.room_id,"
    " r.public_id, s.zone, s.blocks, s.quote, s.confirm_for, s.level, s.version, s.send_at, s.created_at, s.failed_at, s.fault"
    " FROM scheduled s JOIN users u ON u.id = s.author_id JOIN rooms r ON r.id = s.room_id"
)


async def insert(
    tx: Tx, public_id: str, org_id: int, author_id: int, room_id: int, zone: str, blocks: bytes, quote: str | None,
    confirm_for: int | None, level: str | None, send_at: int,
) -> int:  # fmt: skip
    row = await tx.one(
        "INSERT INTO scheduled (public_id, org_id, author_id, room_id, zone, blocks, quote, confirm_for, level, send_at, created_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
        public_id, org_id, author_id, room_id, zone, blocks, quote, confirm_for, level, send_at, tx.now,
    )  # fmt: skip
    assert row is not None
    return int(row[0])


async def count(reader: Reader, author_id: int) -> int:
    row = await reader.one("SELECT count(*) FROM scheduled WHERE author_id = ?", author_id)
    assert row is not None
    return int(row[0])


async def find(reader: Reader, author_id: int, public_id: str) -> Scheduled | None:
    """One's own."""
    row = await reader.one(f"{_SELECT} WHERE s.public_id = ? AND s.author_id = ?", public_id, author_id)
    return None if row is None else Scheduled(*row)


async def of_author(reader: Reader, author_id: int) -> list[Scheduled]:
    """The next first."""
    rows = await reader.all(f"{_SELECT} WHERE s.author_id = ? ORDER BY s.send_at, s.id", author_id)
    return [Scheduled(*row) for row in rows]


async def due(reader: Reader, limit: int) -> list[Scheduled]:
    rows = await reader.all(
        f"{_SELECT} WHERE s.failed_at IS NULL AND s.send_at <= ? ORDER BY s.send_at, s.id LIMIT ?", reader.now, limit
    )
    return [Scheduled(*row) for row in rows]


async def change(tx: Tx, one: Scheduled, send_at: int, blocks: bytes, confirm_for: int | None) -> bool:
    """False where it is another version now. What failed waits again."""
    changed = await tx.run(
        "UPDATE scheduled SET send_at = ?, blocks = ?, confirm_for = ?, version = version + 1, failed_at = NULL, fault = NULL"
        " WHERE id = ? AND version = ?",
        send_at, blocks, confirm_for, one.id, one.version,
    )  # fmt: skip
    return changed == 1


async def remove(tx: Tx, one: Scheduled) -> bool:
    """Its uploads wait for nothing any more. False where it was changed or removed meanwhile."""
    await tx.run(
        "UPDATE attachments SET scheduled_id = NULL WHERE scheduled_id = ?"
        " AND EXISTS (SELECT 1 FROM scheduled s WHERE s.id = attachments.scheduled_id AND s.version = ?)",
        one.id, one.version,
    )  # fmt: skip
    return await tx.run("DELETE FROM scheduled WHERE id = ? AND version = ?", one.id, one.version) == 1


async def fail(tx: Tx, one: Scheduled, fault: int) -> bool:
    changed = await tx.run(
        "UPDATE scheduled SET failed_at = ?, fault = ? WHERE id = ? AND version = ? AND failed_at IS NULL",
        tx.now, fault, one.id, one.version,
    )  # fmt: skip
    return changed == 1


async def fail_overdue(tx: Tx, fault: int) -> int:
    """All that should have been sent by now. Answers how many."""
    return await tx.run(
        "UPDATE scheduled SET failed_at = ?, fault = ? WHERE failed_at IS NULL AND send_at <= ?", tx.now, fault, tx.now
    )


async def hold(tx: Tx, scheduled_id: int, uploader_id: int, attachments: Sequence[str]) -> int:
    """These uploads, and no others, wait for it. Answers how many there are: unsent, whole, and waiting for nothing else."""
    await tx.run("UPDATE attachments SET scheduled_id = NULL WHERE scheduled_id = ?", scheduled_id)
    if not attachments:
        return 0
    marks = ", ".join("?" * len(attachments))
    return await tx.run(
        f"UPDATE attachments SET scheduled_id = ? WHERE public_id IN ({marks}) AND uploader_id = ? AND message_id IS NULL"  # noqa: S608
        " AND note_id IS NULL AND scheduled_id IS NULL",
        scheduled_id, *attachments, uploader_id,
    )  # fmt: skip
