"""SQL of visits: short sessions of whoever holds an upload link."""

from __future__ import annotations

from typing import Final, NamedTuple

from chat_server.ports import Reader, Tx

_EMPTY: Final = (
    "NOT EXISTS (SELECT 1 FROM handed_files h WHERE h.link_id = link_visits.link_id AND h.visit_id = link_visits.id)"
)


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


async def over(reader: Reader, limit: int) -> list[Visit]:
    """Those whose time is over, that handed something in, of which nothing is still on its way, and that never said that this was all."""
    rows = await reader.all(
        "SELECT v.id, v.public_id, v.org_id, v.link_id, v.zone, v.expires_at, v.delivered_at FROM link_visits v"
        " WHERE v.delivered_at IS NULL AND v.expires_at <= ?"
        " AND EXISTS (SELECT 1 FROM handed_files h WHERE h.link_id = v.link_id AND h.visit_id = v.id)"
        " AND NOT EXISTS (SELECT 1 FROM handed_files h WHERE h.link_id = v.link_id AND h.visit_id = v.id AND h.state = 'coming')"
        " ORDER BY v.expires_at LIMIT ?",
        reader.now, limit,
    )  # fmt: skip
    return [Visit(*row) for row in rows]


async def end_silently(tx: Tx, visit_id: int) -> bool:
    """It counts as delivered; false where it was."""
    return await tx.run(
        "UPDATE link_visits SET delivered_at = ?, silent = 1 WHERE id = ? AND delivered_at IS NULL", tx.now, visit_id
    ) == 1  # fmt: skip


async def any_silent(reader: Reader, link_id: int) -> bool:
    row = await reader.one("SELECT 1 FROM link_visits WHERE link_id = ? AND silent = 1 LIMIT 1", link_id)
    return row is not None


async def everywhere(reader: Reader) -> list[int]:
    """Integer keys of all."""
    return [int(row[0]) for row in await reader.all("SELECT id FROM link_visits ORDER BY id")]


async def end(tx: Tx, visit_id: int, token_hash: bytes) -> None:
    """It is over, and nobody has its token: what it handed in keeps its place."""
    await tx.run(
        "UPDATE link_visits SET token_hash = ?, expires_at = CASE WHEN expires_at < ? THEN expires_at ELSE ? END WHERE id = ?",
        token_hash, tx.now, tx.now, visit_id,
    )  # fmt: skip


async def drop_all_empty(tx: Tx) -> None:
    """Those that brought nothing, over or not."""
    await tx.run(f"DELETE FROM link_visits WHERE {_EMPTY}")  # noqa: S608 (a constant)


async def drop_empty(tx: Tx, before: int, limit: int) -> int:
    """Those that ended before then and brought nothing; answers how many."""
    return await tx.run(
        "DELETE FROM link_visits WHERE id IN (SELECT id FROM link_visits WHERE expires_at < ?"  # noqa: S608
        f" AND {_EMPTY} LIMIT ?)",
        before,
        limit,
    )
