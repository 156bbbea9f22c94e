"""SQL of what was said of files that were rebuilt, or handed over as they came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chat_server.ports import Reader, Tx


@dataclass(frozen=True, slots=True)
class Told:
    """`link`: public id, where it came by one. `approver`, `approved_at`, `approved_why`: who let it through, with their words."""

    report: bytes
    link: str | None
    received_at: int | None
    decided_at: int
    approver: str | None
    approved_at: int | None
    approved_why: str | None


async def insert(
    tx: Tx, attachment_id: int, org_id: int, report: bytes, *, link: str | None = None, held_id: int | None = None,
    received_at: int | None = None,
) -> None:  # fmt: skip
    """Of what was decided now; the last word holds."""
    await tx.run(
        "INSERT INTO file_reports (attachment_id, org_id, report, link, held_id, received_at, decided_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (attachment_id) DO UPDATE SET report = excluded.report,"
        " held_id = excluded.held_id, decided_at = excluded.decided_at",
        attachment_id, org_id, report, link, held_id, received_at, tx.now,
    )  # fmt: skip


async def of(reader: Reader, attachment_id: int) -> Told | None:
    row = await reader.one(
        "SELECT r.report, r.link, r.received_at, r.decided_at, u.name, f.decided_at, f.reason FROM file_reports r"
        " LEFT JOIN held_files f ON f.id = r.held_id LEFT JOIN users u ON u.id = f.decided_by WHERE r.attachment_id = ?",
        attachment_id,
    )
    return None if row is None else Told(bytes(row[0]), *row[1:])


async def reported(reader: Reader, attachment_ids: Sequence[int]) -> set[int]:
    """Those of them of which there is a report."""
    if not attachment_ids:
        return set()
    marks = ",".join("?" * len(attachment_ids))
    rows = await reader.all(
        f"SELECT attachment_id FROM file_reports WHERE attachment_id IN ({marks})",  # noqa: S608
        *attachment_ids,
    )
    return {int(row[0]) for row in rows}
