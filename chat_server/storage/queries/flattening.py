"""SQL of the files whose pages somebody wants as pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from chat_server.domain.zones import FLATTENED
from chat_server.ports import Blob, Reader, Tx

# Of what the pages are made: what was received, or what was rebuilt of it or let through, whichever there is.
_SOURCE: Final = (
    "SELECT o.kind FROM renditions o WHERE o.attachment_id = f.attachment_id AND o.state = 'ready' AND o.sha256 IS NOT NULL"
    " AND o.kind IN ('original', 'sanitized', 'passed')"
    " ORDER BY CASE o.kind WHEN 'original' THEN 1 WHEN 'sanitized' THEN 2 ELSE 3 END LIMIT 1"
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """`state`: pending, ready, failed."""

    state: str
    reason: str


@dataclass(frozen=True, slots=True)
class Due:
    """One that may be tried now. `blob_org`, `sha256`: where the bytes lie that it is made of; None: there are none (any more)."""

    attachment_id: int
    org_id: int
    name: str
    origin_zone: str
    withdrawn: int
    tries: int
    blob_org: int | None
    sha256: str | None


async def of(reader: Reader, attachment_id: int) -> Wanted | None:
    row = await reader.one("SELECT state, reason FROM flattenings WHERE attachment_id = ?", attachment_id)
    return None if row is None else Wanted(*row)


async def want(tx: Tx, attachment_id: int, org_id: int, user_id: int) -> None:
    """From now on it waits, also where it had failed; what waits or is ready stays as it is."""
    await tx.run(
        "INSERT INTO flattenings (attachment_id, org_id, state, due_at, asked_by, asked_at) VALUES (?, ?, 'pending', ?, ?, ?)"
        " ON CONFLICT (attachment_id) DO UPDATE SET state = 'pending', reason = '', tries = 0, due_at = excluded.due_at,"
        " asked_by = excluded.asked_by, asked_at = excluded.asked_at WHERE flattenings.state = 'failed'",
        attachment_id, org_id, tx.now, user_id, tx.now,
    )  # fmt: skip


async def waiting_for(reader: Reader, user_id: int, most: int) -> int:
    """How many wait that this person asked for, counted up to `most`."""
    row = await reader.one(
        "SELECT count(*) FROM (SELECT 1 FROM flattenings WHERE state = 'pending' AND asked_by = ? LIMIT ?) AS mine", user_id, most
    )  # fmt: skip
    assert row is not None
    return int(row[0])


async def due(reader: Reader) -> Due | None:
    """What was tried least goes first, then what waits longest."""
    row = await reader.one(
        "SELECT a.id, a.org_id, a.name, a.origin_zone, CASE WHEN a.withdrawn_at IS NULL THEN 0 ELSE 1 END, f.tries, r.org_id, r.sha256"  # noqa: S608 (a constant)
        " FROM flattenings f JOIN attachments a ON a.id = f.attachment_id"
        f" LEFT JOIN renditions r ON r.attachment_id = f.attachment_id AND r.kind = ({_SOURCE})"
        " WHERE f.state = 'pending' AND f.due_at <= ? ORDER BY f.tries, f.due_at, f.attachment_id LIMIT 1",
        reader.now,
    )
    return None if row is None else Due(*row)


async def postpone(tx: Tx, attachment_id: int, due_at: int, *, tries: int) -> None:
    """The next try not before `due_at`; `tries` more are counted."""
    await tx.run(
        "UPDATE flattenings SET tries = tries + ?, due_at = ? WHERE attachment_id = ? AND state = 'pending'",
        tries, due_at, attachment_id,
    )  # fmt: skip


async def hurry(tx: Tx) -> None:
    """Everything that waits is due."""
    await tx.run("UPDATE flattenings SET due_at = 0 WHERE state = 'pending' AND due_at > 0")


async def fail(tx: Tx, attachment_id: int, reason: str) -> None:
    await tx.run(
        "UPDATE flattenings SET state = 'failed', reason = ? WHERE attachment_id = ? AND state = 'pending'",
        reason, attachment_id,
    )  # fmt: skip


async def finish(tx: Tx, attachment_id: int, org_id: int, blob: Blob, media_type: str, version: int) -> bool:
    """It is a rendition now; false where it waits no more, and nothing changed."""
    if not await tx.run(
        "UPDATE flattenings SET state = 'ready' WHERE attachment_id = ? AND state = 'pending'", attachment_id
    ):
        return False
    await tx.run(
        "INSERT INTO renditions (attachment_id, kind, org_id, state, policy_version, sha256, media_type, size, created_at)"
        " VALUES (?, ?, ?, 'ready', ?, ?, ?, ?, ?) ON CONFLICT (attachment_id, kind) DO NOTHING",
        attachment_id, FLATTENED, org_id, version, blob.sha256, media_type, blob.size, tx.now,
    )  # fmt: skip
    return True


async def forget(tx: Tx, attachment_ids: Sequence[int]) -> None:
    """Of attachments that are removed."""
    places = ", ".join("?" * len(attachment_ids))
    await tx.run(f"DELETE FROM flattenings WHERE attachment_id IN ({places})", *attachment_ids)  # noqa: S608 (question marks)
