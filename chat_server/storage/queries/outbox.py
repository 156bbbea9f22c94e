"""The outbox: durable jobs that are expanded after the commit."""

from __future__ import annotations

from collections.abc import Sequence

from chat_server.ports import Reader, Row, Tx


async def put(tx: Tx, org_id: int, kind: str, room_id: int | None = None, seq: int | None = None) -> None:
    """One row a message: who is told is worked out later, in the worker (1,500 rows would cost 3.3 ms here)."""
    await tx.run(
        "INSERT INTO outbox (org_id, kind, room_id, seq, at) VALUES (?, ?, ?, ?, ?)", org_id, kind, room_id, seq, tx.now
    )


async def oldest(tx: Reader, but: str, limit: int) -> Sequence[Row]:
    """(id, org_id, kind, room_id, seq) in order, but for one kind."""
    return await tx.all(
        "SELECT id, org_id, kind, room_id, seq FROM outbox WHERE parked_at IS NULL AND kind <> ? ORDER BY id LIMIT ?",
        but,
        limit,
    )


async def to_push(tx: Reader, limit: int) -> Sequence[Row]:
    """(id, org_id, kind, room_id, seq) in order, of those that wait to be pushed."""
    return await tx.all(
        "SELECT id, org_id, kind, room_id, seq FROM outbox WHERE kind = 'push' AND parked_at IS NULL ORDER BY id LIMIT ?",
        limit,
    )


async def push(tx: Tx, ids: Sequence[int]) -> int:
    """These wait to be pushed from now on: the same rows, not new ones."""
    return await tx.run(f"UPDATE outbox SET kind = 'push' WHERE id IN ({','.join('?' * len(ids))})", *ids)  # noqa: S608


async def done(tx: Tx, ids: Sequence[int]) -> int:
    """These are expanded; answers the number of rows.

    By their ids and not up to the last: on PostgreSQL a smaller id may be committed after a larger one was read.
    """
    return await tx.run(f"DELETE FROM outbox WHERE id IN ({','.join('?' * len(ids))})", *ids)  # noqa: S608 (question marks)


async def park(tx: Tx, but: Sequence[str]) -> int:
    """Set aside what waits, whatever its kind but these; answers the number of rows."""
    return await tx.run(
        f"UPDATE outbox SET parked_at = ? WHERE parked_at IS NULL AND kind NOT IN ({','.join('?' * len(but))})",  # noqa: S608 (question marks)
        tx.now,
        *but,
    )


async def parked(tx: Reader) -> Sequence[Row]:
    """(organization's code, kind, how many, first at, last at, parked at), by organization and kind."""
    return await tx.all(
        "SELECT o.code, x.kind, count(*), min(x.at), max(x.at), max(x.parked_at) FROM outbox x"
        " JOIN organizations o ON o.id = x.org_id WHERE x.parked_at IS NOT NULL"
        " GROUP BY o.code, x.kind ORDER BY o.code, x.kind"
    )


async def discard_parked(tx: Tx, limit: int) -> int:
    """Some of them; answers the number of rows."""
    return await tx.run(
        "DELETE FROM outbox WHERE id IN (SELECT id FROM outbox WHERE parked_at IS NOT NULL ORDER BY id LIMIT ?)", limit
    )
