"""Rows of the processes that serve the database."""

from __future__ import annotations

from dataclasses import dataclass

from chat_server.ports import Reader, Tx


@dataclass(frozen=True, slots=True)
class NodeRow:
    id: str
    name: str
    release: str
    leads: bool
    started_at: int
    seen_at: int


async def everyone(tx: Reader) -> list[NodeRow]:
    """The longest running first."""
    rows = await tx.all("SELECT id, name, release, leads, started_at, seen_at FROM nodes ORDER BY started_at, id")
    return [NodeRow(row[0], row[1], row[2], bool(row[3]), row[4], row[5]) for row in rows]


async def put(tx: Tx, node: str, name: str, release: str, started_at: int, leads: int) -> None:
    """Its heart beats."""
    await tx.run(
        "INSERT INTO nodes (id, name, release, leads, started_at, seen_at) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at, leads = excluded.leads",
        node, name, release, leads, started_at, tx.now,
    )  # fmt: skip


async def remove(tx: Tx, node: str) -> None:
    await tx.run("DELETE FROM nodes WHERE id = ?", node)


async def remove_silent(tx: Tx, before: int) -> None:
    await tx.run("DELETE FROM nodes WHERE seen_at < ?", before)
