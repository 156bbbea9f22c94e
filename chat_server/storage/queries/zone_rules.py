"""SQL of an organization's rules by pair of zones."""

from __future__ import annotations

from chat_server.ports import Reader, Tx


async def of(reader: Reader, org_id: int) -> dict[tuple[str, str, str], str]:
    """What is done, by (from, to, family)."""
    rows = await reader.all(
        "SELECT from_zone, to_zone, family, action FROM zone_rules WHERE org_id = ? ORDER BY from_zone, to_zone, family",
        org_id,
    )
    return {(str(row[0]), str(row[1]), str(row[2])): str(row[3]) for row in rows}


async def put(tx: Tx, org_id: int, pair: tuple[str, str, str], action: str) -> None:
    await tx.run(
        "INSERT INTO zone_rules (org_id, from_zone, to_zone, family, action) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (org_id, from_zone, to_zone, family) DO UPDATE SET action = excluded.action",
        org_id, *pair, action,
    )  # fmt: skip


async def remove(tx: Tx, org_id: int, pair: tuple[str, str, str]) -> None:
    await tx.run(
        "DELETE FROM zone_rules WHERE org_id = ? AND from_zone = ? AND to_zone = ? AND family = ?", org_id, *pair
    )  # fmt: skip
