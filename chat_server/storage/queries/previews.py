"""SQL of the renditions that are still to be made.

The unit of work is the same bytes of an organization, however often they were uploaded or forwarded meanwhile: `Due`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from chat_server.ports import Blob, Reader, Tx

_SOURCE = (
    "(o.kind = 'original' OR (o.kind IN ('sanitized', 'passed') AND NOT EXISTS (SELECT 1 FROM renditions w"
    " WHERE w.attachment_id = o.attachment_id AND w.kind = 'original')))"
)
"""Of what they are made: of the original, or, where there is none, of what was rebuilt or let through. That itself is none of them (`inward`)."""


@dataclass(frozen=True, slots=True)
class Due:
    """Bytes whose renditions are pending. `org_id`: under which they lie."""

    org_id: int
    sha256: str
    media_type: str
    tries: int
    size: int


@dataclass(frozen=True, slots=True)
class Pending:
    """An attachment whose renditions are pending."""

    attachment_id: int
    origin_zone: str
    withdrawn: int


@dataclass(frozen=True, slots=True)
class Finished:
    """How a rendition ended: with a blob, or with a reason."""

    kind: str
    media_type: str
    blob: Blob | None = None
    width: int | None = None
    height: int | None = None
    reason: str | None = None


async def expect(
    tx: Tx, attachment_id: int, org_id: int, kinds: Iterable[tuple[str, str]], policy_version: int
) -> None:
    """Pending rows of (kind, media type)."""
    for kind, media_type in kinds:
        await tx.run(
            "INSERT INTO renditions (attachment_id, kind, org_id, state, policy_version, media_type, created_at)"
            " VALUES (?, ?, ?, 'pending', ?, ?, ?)",
            attachment_id, kind, org_id, policy_version, media_type, tx.now,
        )  # fmt: skip


async def due(reader: Reader, limit: int) -> list[Due]:
    """What may be tried now: oldest first, organizations in turn."""
    rows = await reader.all(
        "SELECT org_id, sha256, media_type, tries, size FROM ("  # noqa: S608 (a constant)
        " SELECT o.org_id, o.sha256, a.media_type, max(r.tries) AS tries, max(a.size) AS size, min(a.id) AS first,"
        " row_number() OVER (PARTITION BY o.org_id ORDER BY min(a.id)) AS turn"
        " FROM renditions r JOIN attachments a ON a.id = r.attachment_id"
        f" JOIN renditions o ON o.attachment_id = r.attachment_id AND {_SOURCE}"
        " WHERE r.state = 'pending' AND r.kind <> 'sanitized' AND r.due_at <= ? AND o.sha256 IS NOT NULL"
        " GROUP BY o.org_id, o.sha256, a.media_type) AS waiting ORDER BY turn, first LIMIT ?",
        reader.now,
        limit,
    )
    return [Due(*row) for row in rows]


async def pending(reader: Reader, job: Due) -> list[Pending]:
    """The attachments that wait for these bytes."""
    rows = await reader.all(
        "SELECT a.id, a.origin_zone, CASE WHEN a.withdrawn_at IS NULL THEN 0 ELSE 1 END"  # noqa: S608 (a constant)
        " FROM renditions o JOIN attachments a ON a.id = o.attachment_id"
        f" WHERE o.org_id = ? AND o.sha256 = ? AND {_SOURCE} AND a.media_type = ? AND EXISTS (SELECT 1 FROM renditions r"
        " WHERE r.attachment_id = a.id AND r.state = 'pending' AND r.kind <> 'sanitized') ORDER BY a.id",
        job.org_id,
        job.sha256,
        job.media_type,
    )
    return [Pending(*row) for row in rows]


async def postpone(tx: Tx, attachment_ids: Sequence[int], due_at: int) -> None:
    """One more try is counted; the next not before `due_at`."""
    places = ", ".join("?" * len(attachment_ids))
    await tx.run(
        "UPDATE renditions SET tries = tries + 1, due_at = ? WHERE state = 'pending' AND kind <> 'sanitized'"  # noqa: S608
        f" AND attachment_id IN ({places})",
        due_at,
        *attachment_ids,
    )


async def hurry(tx: Tx) -> None:
    """Everything that is pending is due."""
    await tx.run("UPDATE renditions SET due_at = 0 WHERE state = 'pending' AND kind <> 'sanitized' AND due_at > 0")


async def finish(tx: Tx, attachment_id: int, org_id: int, ended: Finished, policy_version: int) -> None:
    """The pending row becomes ready or failed; a further page has had none."""
    state = "ready" if ended.blob else "failed"
    sha256, size = (ended.blob.sha256, ended.blob.size) if ended.blob else (None, 0)
    await tx.run(
        "INSERT INTO renditions (attachment_id, kind, org_id, state, policy_version, sha256, media_type, width, height,"
        " size, reason, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (attachment_id, kind) DO UPDATE SET org_id = excluded.org_id, state = excluded.state,"
        " policy_version = excluded.policy_version, sha256 = excluded.sha256, media_type = excluded.media_type,"
        " width = excluded.width, height = excluded.height, size = excluded.size, reason = excluded.reason",
        attachment_id, ended.kind, org_id, state, policy_version, sha256, ended.media_type, ended.width, ended.height,
        size, ended.reason, tx.now,
    )  # fmt: skip


async def fail_pending(tx: Tx, attachment_id: int, reason: str) -> None:
    await tx.run(
        "UPDATE renditions SET state = 'failed', reason = ? WHERE attachment_id = ? AND state = 'pending'"
        " AND kind <> 'sanitized'",
        reason,
        attachment_id,
    )


async def describe(
    tx: Tx, attachment_id: int, width: int | None, height: int | None, color: str | None, pages: int | None
) -> None:
    """What clients lay out before they have the picture."""
    await tx.run(
        "UPDATE attachments SET width = ?, height = ?, color = ?, pages = ? WHERE id = ?",
        width,
        height,
        color,
        pages,
        attachment_id,
    )
