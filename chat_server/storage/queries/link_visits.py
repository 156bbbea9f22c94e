"""SQL of visits: short sessions of whoever holds an upload link."""

from __future__ import annotations

from typing import NamedTuple

from chat_server.ports import Reader, Tx


class Visit(NamedTuple):
    """`delivered_at`: when it said that all is handed in."""

    id: int
    public_id: str
    org_id: int
    link_id: int
    zone: str
    expires_at: int
    delivered_at: int | None


async def insert(
    tx: Tx, public_id: str, org_id: int, link_id: int, token_hash: bytes, zone: str, expires_at: int
) -> None:
    await tx.run(
        "INSERT INTO link_visits (public_id, org_id, link_id, token_hash, zone, created_at, expires_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        public_id, org_id, link_id, token_hash, zone, tx.now, expires_at,
    )  # fmt: skip


async def by_token(reader: Reader, token_hash: bytes) -> Visit | None:
    row = await reader.one(
        "SELECT id, public_id, org_id, link_id, zone, expires_at, delivered_at FROM link_visits WHERE token_hash = ?",
        token_hash,
    )
    return None if row is None else Visit(*row)


async def prolong(tx: Tx, visit_id: int, expires_at: int) -> None:
    await tx.run(
        "UPDATE link_visits SET expires_at = ? WHERE id = ? AND expires_at < ?", expires_at, visit_id, expires_at
    )


async def deliver(tx: Tx, visit_id: int) -> None:
    await tx.run("UPDATE link_visits SET delivered_at = ? WHERE id = ? AND delivered_at IS NULL", tx.now, visit_id)


async def end_all(tx: Tx) -> None:
    """Every visit of every link is over; what it handed in keeps its place."""
    await tx.run("UPDATE link_visits SET expires_at = ? WHERE expires_at > ?", tx.now, tx.now)


async def drop_empty(tx: Tx, before: int, limit: int) -> int:
    """Those that ended before then and brought nothing; answers how many."""
    return await tx.run(
        "DELETE FROM link_visits WHERE id IN (SELECT v.id FROM link_visits v WHERE v.expires_at < ?"
        " AND NOT EXISTS (SELECT 1 FROM handed_files h WHERE h.visit_id = v.id) LIMIT ?)",
        before,
        limit,
    )
