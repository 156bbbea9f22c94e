"""SQL of what nobody will ask for any more: uploads that are in no message and no note, and blobs that no rendition names."""

from __future__ import annotations

from collections.abc import Sequence

from chat_server.ports import Reader, Tx
from chat_server.storage.queries import flattening, held_files, takeouts

_NOT_HANDED_IN = "NOT EXISTS (SELECT 1 FROM handed_files h WHERE attachments.id IN (h.attachment_id, h.page_id))"
"""What came by a link belongs to a bot until that has posted it, however long that takes: its sender holds a receipt."""


async def unsent(reader: Reader, before: int, limit: int) -> list[int]:
    """Integer keys of attachments that were uploaded before then and never sent."""
    rows = await reader.all(
        "SELECT id FROM attachments WHERE message_id IS NULL AND note_id IS NULL AND created_at < ? AND hold = 0"  # noqa: S608 (a constant)
        f" AND scheduled_id IS NULL AND {_NOT_HANDED_IN} LIMIT ?",
        before,
        limit,
    )
    return [int(row[0]) for row in rows]


async def still_unsent(tx: Tx, attachment_ids: Sequence[int]) -> list[int]:
    """Those of them that no message and no note has taken in the meantime."""
    rows = await tx.all(
        f"SELECT id FROM attachments WHERE id IN ({_places(attachment_ids)}) AND message_id IS NULL AND note_id IS NULL AND hold = 0"  # noqa: S608
        f" AND scheduled_id IS NULL AND {_NOT_HANDED_IN}",
        *attachment_ids,
    )
    return [int(row[0]) for row in rows]


async def sizes(tx: Reader, attachment_ids: Sequence[int]) -> list[tuple[int, int, int]]:
    """(uploader, their organization, bytes) of attachments."""
    rows = await tx.all(
        "SELECT u.id, u.org_id, a.size FROM attachments a JOIN users u ON u.id = a.uploader_id"  # noqa: S608
        f" WHERE a.id IN ({_places(attachment_ids)})",
        *attachment_ids,
    )
    return [(int(row[0]), int(row[1]), int(row[2])) for row in rows]


async def remove(tx: Tx, attachment_ids: Sequence[int]) -> None:
    """Attachments with their renditions, and the rows of blobs that nothing names afterwards."""
    places = _places(attachment_ids)
    blobs = await tx.all(
        f"SELECT DISTINCT org_id, sha256 FROM renditions WHERE attachment_id IN ({places}) AND sha256 IS NOT NULL",  # noqa: S608
        *attachment_ids,
    )
    await held_files.forget(tx, attachment_ids)
    await flattening.forget(tx, attachment_ids)
    await takeouts.forget(tx, attachment_ids)
    await tx.run(f"DELETE FROM renditions WHERE attachment_id IN ({places})", *attachment_ids)  # noqa: S608
    await tx.run(f"DELETE FROM attachments WHERE id IN ({places})", *attachment_ids)  # noqa: S608
    for org_id, sha256 in blobs:
        await tx.run(
            "DELETE FROM blobs WHERE org_id = ? AND sha256 = ? AND hold = 0"
            " AND NOT EXISTS (SELECT 1 FROM renditions r WHERE r.org_id = blobs.org_id AND r.sha256 = blobs.sha256)"
            " AND NOT EXISTS (SELECT 1 FROM handed_files h WHERE h.org_id = blobs.org_id AND h.sealed_sha256 = blobs.sha256)",
            org_id,
            sha256,
        )


async def known(reader: Reader, org_id: int, sha256s: Sequence[str]) -> set[str]:
    """Those of the blobs that have a row."""
    rows = await reader.all(
        f"SELECT sha256 FROM blobs WHERE org_id = ? AND sha256 IN ({_places(sha256s)})",  # noqa: S608
        org_id,
        *sha256s,
    )
    return {str(row[0]) for row in rows}


def _places(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))
