"""Rows of the audit chain."""

from __future__ import annotations

from dataclasses import dataclass

from chat_server.ports import Reader, Tx


@dataclass(frozen=True, slots=True)
class Entry:
    """One row without its hash. `detail` is canonical JSON, `at` UTC milliseconds."""

    seq: int
    at: int
    actor: str
    act: str
    target: str
    detail: str
    zone: str
    address: str


async def take_position(tx: Tx, org_id: int) -> tuple[int, str]:
    """The next seq and the hash of the row before it. The organization's row is locked until the commit."""
    row = await tx.one(
        "UPDATE organizations SET audit_seq = audit_seq + 1 WHERE id = ? RETURNING audit_seq, audit_hash", org_id
    )
    assert row is not None, "an audited act happens in an existing organization"
    return int(row[0]), str(row[1])


async def move_head(tx: Tx, org_id: int, digest: str) -> None:
    await tx.run("UPDATE organizations SET audit_hash = ? WHERE id = ?", digest, org_id)


async def insert(tx: Tx, org_id: int, entry: Entry, digest: str) -> None:
    await tx.run(
        "INSERT INTO audit (org_id, seq, at, actor, act, target, detail, zone, address, hash)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        org_id, entry.seq, entry.at, entry.actor, entry.act, entry.target, entry.detail, entry.zone, entry.address,
        digest,
    )  # fmt: skip


async def head(reader: Reader, org_id: int) -> tuple[int, str]:
    """(seq, hash) of the last row, as the organization's row says."""
    row = await reader.one("SELECT audit_seq, audit_hash FROM organizations WHERE id = ?", org_id)
    return (int(row[0]), str(row[1])) if row else (0, "")


async def page(reader: Reader, org_id: int, after: int, limit: int) -> list[tuple[Entry, str]]:
    """Rows after seq `after` in order, each with its hash."""
    rows = await reader.all(
        "SELECT seq, at, actor, act, target, detail, zone, address, hash FROM audit"
        " WHERE org_id = ? AND seq > ? ORDER BY seq LIMIT ?",
        org_id, after, limit,
    )  # fmt: skip
    return [(Entry(*row[:8]), str(row[8])) for row in rows]


@dataclass(frozen=True, slots=True)
class Found:
    """A row, and what its actor is called now; None for the operator and for nobody known."""

    entry: Entry
    hash: str
    actor_name: str | None


async def newest(
    reader: Reader, org_id: int, below: int, actor: str | None, act: str | None, since: int | None, until: int | None,
    limit: int,
) -> list[Found]:  # fmt: skip
    """Rows with a seq below `below`, the newest first; None does not matter; `since` ≤ at < `until`."""
    given = (("a.actor = ?", actor), ("a.act = ?", act), ("a.at >= ?", since), ("a.at < ?", until))
    asked = [(condition, value) for condition, value in given if value is not None]
    conditions = " AND ".join(["a.org_id = ?", "a.seq < ?", *(condition for condition, _ in asked)])
    rows = await reader.all(
        "SELECT a.seq, a.at, a.actor, a.act, a.target, a.detail, a.zone, a.address, a.hash, u.name FROM audit a"  # noqa: S608
        f" LEFT JOIN users u ON u.public_id = a.actor WHERE {conditions} ORDER BY a.seq DESC LIMIT ?",
        org_id, below, *(value for _, value in asked), limit,
    )  # fmt: skip
    return [Found(Entry(*row[:8]), str(row[8]), row[9]) for row in rows]
