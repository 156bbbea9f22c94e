"""SQL of what was handed in and is to be disarmed, and of its time in quarantine."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from chat_server.ports import Reader, Tx


@dataclass(frozen=True, slots=True)
class Job:
    """A file that waits. `kinds`: families that its link asks for, comma between; empty: all. `bot`, `account`, `title`: whose what is
    released will be. `link`: public id; `asker`: who asks for it. `held`: it was held, and somebody approved of it: `held_files`;
    `report`: of then."""

    id: int
    org_id: int
    link_id: int
    room_id: int
    name: str
    size: int
    zone: str
    sha256: str
    sealed: str
    tries: int
    kinds: str
    bot: int
    account: str
    title: str
    public_id: str
    link: str
    asker: int
    received_at: int | None
    held: int | None
    report: bytes | None


async def due(reader: Reader, limit: int, but: Collection[int], plugin: str) -> list[Job]:
    """What may be tried now: organizations in turn, in each of them its links in turn, but for the links `but`. `plugin`: folder of the
    bot to whom released files belong until it posts them."""
    marks = ",".join("?" * len(but)) or "0"
    rows = await reader.all(
        "SELECT h.id, h.org_id, h.link_id, h.room_id, h.name, h.size, h.zone, h.sha256, h.sealed_sha256, h.tries, l.kinds,"  # noqa: S608
        " b.user_id, u.public_id, u.name, h.public_id, l.public_id, l.asker_id, h.received_at, p.id, p.report FROM ("
        "  SELECT w.*, row_number() OVER (PARTITION BY w.org_id ORDER BY w.turn, w.id) AS org_turn FROM ("
        "   SELECT f.*, row_number() OVER (PARTITION BY f.link_id ORDER BY f.id) AS turn FROM handed_files f"
        f"   WHERE f.state = 'waiting' AND f.due_at <= ? AND f.link_id NOT IN ({marks})) AS w) AS h"
        " JOIN upload_links l ON l.id = h.link_id JOIN bots b ON b.org_id = h.org_id AND b.plugin = ?"
        " JOIN users u ON u.id = b.user_id LEFT JOIN held_files p ON p.handed_id = h.id AND p.state = 'approved'"
        " WHERE h.sha256 IS NOT NULL AND h.sealed_sha256 IS NOT NULL ORDER BY h.org_turn, h.id LIMIT ?",
        reader.now, *but, plugin, limit,
    )  # fmt: skip
    return [Job(*row) for row in rows]


async def count_try(tx: Tx, job: Job, due_at: int) -> bool:
    """False where somebody else was first, or it is decided."""
    return await tx.run(
        "UPDATE handed_files SET tries = tries + 1, due_at = ? WHERE id = ? AND state = 'waiting' AND tries = ?",
        due_at, job.id, job.tries,
    ) == 1  # fmt: skip


async def postpone(tx: Tx, job_id: int, due_at: int) -> None:
    await tx.run("UPDATE handed_files SET due_at = ? WHERE id = ? AND state = 'waiting'", due_at, job_id)


async def hurry(tx: Tx) -> None:
    """Everything that waits is due."""
    await tx.run("UPDATE handed_files SET due_at = ? WHERE state = 'waiting' AND due_at > ?", tx.now, tx.now)


async def decide(tx: Tx, job: Job, state: str, report: bytes) -> bool:
    """Released, refused or held. False where it was decided before, or was approved since the work on it began."""
    return await tx.run(
        "UPDATE handed_files SET state = ?, report = ?, decided_at = ? WHERE id = ? AND state = 'waiting'"
        " AND coalesce((SELECT p.id FROM held_files p WHERE p.handed_id = handed_files.id), 0) = ?",
        state, report, None if state == "held" else tx.now, job.id, job.held or 0,
    ) == 1  # fmt: skip


async def became(tx: Tx, job_id: int, attachment_id: int, page_id: int | None) -> None:
    await tx.run("UPDATE handed_files SET attachment_id = ?, page_id = ? WHERE id = ?", attachment_id, page_id, job_id)


# Quarantine


async def sealed_expired(reader: Reader, limit: int) -> list[int]:
    rows = await reader.all(
        "SELECT id FROM handed_files WHERE sealed_sha256 IS NOT NULL AND state IN ('released', 'refused') AND expires_at <= ?"
        " ORDER BY expires_at LIMIT ?",
        reader.now, limit,
    )  # fmt: skip
    return [int(row[0]) for row in rows]


async def unseal(tx: Tx, file_id: int) -> None:
    """Its bytes have no row any more, unless they are on hold: then it stays as it is."""
    row = await tx.one("SELECT org_id, sealed_sha256 FROM handed_files WHERE id = ?", file_id)
    assert row is not None
    await tx.run("UPDATE handed_files SET sealed_sha256 = NULL WHERE id = ?", file_id)
    await tx.run(
        "DELETE FROM blobs WHERE org_id = ? AND sha256 = ? AND hold = 0"
        " AND NOT EXISTS (SELECT 1 FROM renditions r WHERE r.org_id = blobs.org_id AND r.sha256 = blobs.sha256)"
        " AND NOT EXISTS (SELECT 1 FROM handed_files h WHERE h.org_id = blobs.org_id AND h.sealed_sha256 = blobs.sha256)",
        row[0], row[1],
    )  # fmt: skip
