"""SQL of what webhooks have still to tell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from chat_server.ports import Reader, Row, Tx
from chat_server.storage.queries.hooks import Hook


class Delivery(NamedTuple):
    """The next message that a hook has to tell. `tries`: how often it was tried."""

    id: int
    seq: int
    since: int
    tries: int


async def telling(reader: Reader, room_ids: Sequence[int]) -> list[tuple[int, int]]:
    """(room_id, org_id) of those rooms that have a hook which tells."""
    marks = ",".join("?" * len(room_ids))
    rows = await reader.all(
        "SELECT DISTINCT room_id, org_id FROM hooks WHERE removed_at IS NULL AND is_on = 1 AND url <> ''"  # noqa: S608 (question marks)
        f" AND room_id IN ({marks})",
        *room_ids,
    )
    return [(int(row[0]), int(row[1])) for row in rows]


async def expect(tx: Tx, room_id: int, seqs: Sequence[int]) -> int:
    """Every hook of the room whose bot is in it has these messages to tell; but not what hooks posted, or two of them could
    talk for ever. Answers how many."""
    marks = ",".join("?" * len(seqs))
    return await tx.run(
        "INSERT INTO hook_deliveries (org_id, hook_id, seq, since, due_at)"  # noqa: S608 (question marks)
        " SELECT h.org_id, h.id, m.seq, m.created_at, m.created_at FROM messages m JOIN hooks h ON h.room_id = m.room_id"
        f" WHERE m.room_id = ? AND m.seq IN ({marks}) AND h.removed_at IS NULL AND h.is_on = 1 AND h.url <> ''"
        " AND NOT EXISTS (SELECT 1 FROM hooks o WHERE o.bot_id = m.author_id)"
        " AND EXISTS (SELECT 1 FROM memberships s WHERE s.room_id = h.room_id AND s.user_id = h.bot_id AND s.to_seq IS NULL"
        " AND s.from_seq <= m.seq) ORDER BY m.seq, h.id ON CONFLICT DO NOTHING",
        room_id,
        *seqs,
    )


async def ready(reader: Reader, limit: int) -> list[tuple[str, str]]:
    """(hook, url) of hooks whose next message is due, who has waited longest first."""
    rows = await reader.all(
        "SELECT h.public_id, h.url FROM hooks h JOIN hook_deliveries d ON d.id ="
        " (SELECT min(x.id) FROM hook_deliveries x WHERE x.hook_id = h.id AND x.parked_at IS NULL)"
        " JOIN users u ON u.id = h.bot_id AND u.disabled_at IS NULL"
        " WHERE h.removed_at IS NULL AND h.is_on = 1 AND h.url <> '' AND d.due_at <= ? ORDER BY d.due_at, d.id LIMIT ?",
        reader.now, limit,
    )  # fmt: skip
    return [(str(row[0]), str(row[1])) for row in rows]


async def next_of(reader: Reader, hook: Hook) -> Delivery | None:
    """If it is due."""
    row = await reader.one(
        "SELECT id, seq, since, tries, due_at FROM hook_deliveries WHERE hook_id = ? AND parked_at IS NULL ORDER BY id LIMIT 1",
        hook.id,
    )
    return None if row is None or row[4] > reader.now else Delivery(*row[:4])


async def told(tx: Tx, hook: Hook, delivery: Delivery) -> None:
    """It arrived, or there is nothing to tell any more."""
    await tx.run(
        "DELETE FROM hook_deliveries WHERE id = ? AND hook_id = ? AND seq = ?", delivery.id, hook.id, delivery.seq
    )


async def postpone(tx: Tx, hook: Hook, delivery: Delivery, due_at: int, fault: int, status: int | None) -> None:
    await tx.run(
        "UPDATE hook_deliveries SET tries = ?, due_at = ?, fault = ?, status = ?, failed_at = ?"
        " WHERE id = ? AND hook_id = ? AND seq = ? AND parked_at IS NULL",
        delivery.tries + 1, due_at, fault, status, tx.now, delivery.id, hook.id, delivery.seq,
    )  # fmt: skip


async def park(tx: Tx, hook: Hook, delivery: Delivery, fault: int, status: int | None) -> bool:
    """False where it was parked or told before."""
    changed = await tx.run(
        "UPDATE hook_deliveries SET tries = ?, parked_at = ?, fault = ?, status = ?, failed_at = ?"
        " WHERE id = ? AND hook_id = ? AND seq = ? AND parked_at IS NULL",
        delivery.tries + 1, tx.now, fault, status, tx.now, delivery.id, hook.id, delivery.seq,
    )  # fmt: skip
    return changed == 1


async def park_older(tx: Tx, hook: Hook, since: int, fault: int) -> None:
    """Whatever else has waited since then."""
    await tx.run(
        "UPDATE hook_deliveries SET parked_at = ?, fault = ?, status = NULL, failed_at = ?"
        " WHERE hook_id = ? AND parked_at IS NULL AND since <= ?",
        tx.now, fault, tx.now, hook.id, since,
    )  # fmt: skip


async def retry(tx: Tx, hook: Hook) -> int:
    """Everything that was given up, and what waits for its next try; answers how many of the former."""
    parked = await tx.run(
        "UPDATE hook_deliveries SET parked_at = NULL, tries = 0, since = ?, due_at = ? WHERE hook_id = ? AND parked_at IS NOT NULL",
        tx.now, tx.now, hook.id,
    )  # fmt: skip
    await tx.run("UPDATE hook_deliveries SET due_at = ? WHERE hook_id = ?", tx.now, hook.id)
    return parked


async def counts(reader: Reader, hook: Hook) -> tuple[int, int]:
    """(waiting, parked)"""
    row = await reader.one("SELECT count(*), count(parked_at) FROM hook_deliveries WHERE hook_id = ?", hook.id)
    assert row is not None
    return int(row[0]) - int(row[1]), int(row[1])


async def last_failure(reader: Reader, hook: Hook) -> Row | None:
    """(fault, status, failed_at) of the try that failed last, of what has not arrived."""
    return await reader.one(
        "SELECT fault, status, failed_at FROM hook_deliveries WHERE hook_id = ? AND fault IS NOT NULL"
        " ORDER BY failed_at DESC, id DESC LIMIT 1",
        hook.id,
    )


async def park_all(tx: Tx, fault: int) -> int:
    """Answers how many."""
    return await tx.run(
        "UPDATE hook_deliveries SET parked_at = ?, fault = ?, status = NULL, failed_at = ? WHERE parked_at IS NULL",
        tx.now, fault, tx.now,
    )  # fmt: skip


async def drop_parked(tx: Tx, before: int, limit: int) -> int:
    """Some of those that were given up before then; answers how many."""
    return await tx.run(
        "DELETE FROM hook_deliveries WHERE id IN (SELECT id FROM hook_deliveries WHERE parked_at <= ? ORDER BY parked_at LIMIT ?)",
        before, limit,
    )  # fmt: skip
