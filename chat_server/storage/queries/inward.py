"""SQL of files that came by a less trusted zone, whose rebuilt copies for the more trusted ones are still to be made.

The unit of work is the same bytes of an organization under the same type, as for previews.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chat_server.ports import Blob, Reader, Tx


@dataclass(frozen=True, slots=True)
class Due:
    """`org_id`: under which the bytes lie. `home`: the organization whose rules hold."""

    org_id: int
    sha256: str
    media_type: str
    tries: int
    name: str
    home: int


async def due(reader: Reader) -> Due | None:
    """The next that may be tried now: the organization's whose oldest has been tried least goes first."""
    row = await reader.one(
        "SELECT o.org_id, o.sha256, a.media_type, max(r.tries), min(a.name), min(a.org_id) FROM renditions r"
        " JOIN attachments a ON a.id = r.attachment_id"
        " JOIN renditions o ON o.attachment_id = r.attachment_id AND o.kind = 'original'"
        " WHERE r.state = 'pending' AND r.kind = 'sanitized' AND r.due_at <= ? AND o.sha256 IS NOT NULL"
        " GROUP BY o.org_id, o.sha256, a.media_type ORDER BY max(r.tries), min(r.due_at), min(a.id) LIMIT 1",
        reader.now,
    )
    return None if row is None else Due(*row)


async def waiting(reader: Reader, job: Due) -> list[tuple[int, str, int, int, int, str, str]]:
    """(integer key, origin zone, whether withdrawn, organization, who sent it as integer key and public id, name) of the attachments that wait for these bytes to be rebuilt."""
    rows = await reader.all(
        "SELECT a.id, a.origin_zone, CASE WHEN a.withdrawn_at IS NULL THEN 0 ELSE 1 END, a.org_id, a.uploader_id, u.public_id, a.name"
        " FROM renditions o JOIN attachments a ON a.id = o.attachment_id JOIN users u ON u.id = a.uploader_id WHERE o.org_id = ? AND o.sha256 = ? AND o.kind = 'original'"
        " AND a.media_type = ? AND EXISTS (SELECT 1 FROM renditions r WHERE r.attachment_id = a.id AND r.kind = 'sanitized'"
        " AND r.state = 'pending') ORDER BY a.id",
        job.org_id, job.sha256, job.media_type,
    )  # fmt: skip
    return [(row[0], row[1], row[2], row[3], row[4], row[5], row[6]) for row in rows]


async def postpone(tx: Tx, job: Due, due_at: int, *, tries: int) -> None:
    """The next try not before `due_at`; `tries` more are counted."""
    await tx.run(
        "UPDATE renditions SET tries = tries + ?, due_at = ? WHERE state = 'pending' AND kind = 'sanitized' AND attachment_id IN"
        " (SELECT o.attachment_id FROM renditions o WHERE o.org_id = ? AND o.sha256 = ? AND o.kind = 'original')",
        tries, due_at, job.org_id, job.sha256,
    )  # fmt: skip


async def without(reader: Reader, below: int, from_: int, zones: Sequence[str]) -> list[tuple[int, int, str]]:
    """(integer key, organization under which its bytes lie, media type) of files with keys from `from_` on and below `below`, which came
    by one of `zones` and of which nobody has tried to rebuild a copy."""
    marks = ", ".join("?" * len(zones))
    rows = await reader.all(
        "SELECT a.id, o.org_id, a.media_type FROM attachments a JOIN renditions o ON o.attachment_id = a.id AND o.kind = 'original'"  # noqa: S608
        f" WHERE a.id >= ? AND a.id < ? AND a.kind = 'file' AND a.origin_zone IN ({marks}) AND a.withdrawn_at IS NULL"
        " AND (a.message_id IS NOT NULL OR a.note_id IS NOT NULL) AND o.sha256 IS NOT NULL"
        " AND NOT EXISTS (SELECT 1 FROM renditions s WHERE s.attachment_id = a.id AND s.kind IN ('sanitized', 'passed'))"
        " ORDER BY a.id DESC",
        from_, below, *zones,
    )  # fmt: skip
    return [(int(row[0]), int(row[1]), str(row[2])) for row in rows]


async def take_turn(tx: Tx, attachment_id: int, turn: int) -> None:
    """It is due, after what is sent now (0) and after those of an earlier turn."""
    await tx.run(
        "UPDATE renditions SET due_at = ? WHERE attachment_id = ? AND kind = 'sanitized' AND state = 'pending'",
        turn,
        attachment_id,
    )


async def newest(reader: Reader) -> int:
    """The key above all files' keys."""
    row = await reader.one("SELECT coalesce(max(id), 0) + 1 FROM attachments")
    assert row is not None
    return int(row[0])


async def hurry(tx: Tx) -> None:
    """Everything that waits is due."""
    await tx.run("UPDATE renditions SET due_at = 0 WHERE state = 'pending' AND kind = 'sanitized' AND due_at > 0")


async def finish(
    tx: Tx, attachment_id: int, org_id: int, blob: Blob | None, media_type: str, reason: str | None, version: int
) -> None:
    """Ready, or (without a blob) failed for that reason. What is not pending any more stays as it is."""
    await tx.run(
        "UPDATE renditions SET state = ?, org_id = ?, sha256 = ?, size = ?, media_type = ?, reason = ?, policy_version = ?"
        " WHERE attachment_id = ? AND kind = 'sanitized' AND state = 'pending'",
        "ready" if blob else "failed", org_id, blob.sha256 if blob else None, blob.size if blob else 0, media_type, reason,
        version, attachment_id,
    )  # fmt: skip
