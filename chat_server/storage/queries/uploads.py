"""SQL of uploads that come in parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chat_server.ports import Reader, Tx

_COLUMNS = "id, public_id, org_id, uploader_id, kind, name, size, zone, attachment, expires_at"


@dataclass(frozen=True, slots=True)
class Upload:
    """`size`: bytes in all. `attachment`: the public id of what became of it, None until then."""

    id: int
    public_id: str
    org_id: int
    uploader_id: int
    kind: str
    name: str
    size: int
    zone: str
    attachment: str | None
    expires_at: int


async def insert(
    tx: Tx, public_id: str, org_id: int, uploader_id: int, kind: str, name: str, size: int, zone: str, expires_at: int
) -> Upload:
    row = await tx.one(
        "INSERT INTO uploads (public_id, org_id, uploader_id, kind, name, size, zone, created_at, expires_at)"  # noqa: S608
        f" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING {_COLUMNS}",
        public_id, org_id, uploader_id, kind, name, size, zone, tx.now, expires_at,
    )  # fmt: skip
    assert row is not None
    return Upload(*row)


async def find(reader: Reader, uploader_id: int, public_id: str) -> Upload | None:
    """An own upload; other people's do not exist."""
    row = await reader.one(
        f"SELECT {_COLUMNS} FROM uploads WHERE public_id = ? AND uploader_id = ?",  # noqa: S608 (a constant)
        public_id,
        uploader_id,
    )
    return None if row is None else Upload(*row)


async def unfinished(reader: Reader, uploader_id: int) -> int:
    """How many of a person's uploads are under way."""
    row = await reader.one("SELECT count(*) FROM uploads WHERE uploader_id = ? AND attachment IS NULL", uploader_id)
    return int(row[0]) if row else 0


async def finish(tx: Tx, upload_id: int, attachment: str) -> None:
    await tx.run("UPDATE uploads SET attachment = ? WHERE id = ?", attachment, upload_id)


async def extend(tx: Tx, upload_id: int, expires_at: int) -> None:
    await tx.run("UPDATE uploads SET expires_at = ? WHERE id = ?", expires_at, upload_id)


async def remove(tx: Tx, upload_id: int) -> bool:
    return await tx.run("DELETE FROM uploads WHERE id = ?", upload_id) == 1


async def remove_unfinished(tx: Tx) -> int:
    """Everybody's; answers how many."""
    return await tx.run("DELETE FROM uploads WHERE attachment IS NULL")


async def expired(reader: Reader, limit: int) -> list[Upload]:
    """Those whose time is over, finished or not."""
    rows = await reader.all(
        f"SELECT {_COLUMNS} FROM uploads WHERE expires_at < ? ORDER BY expires_at LIMIT ?",  # noqa: S608 (a constant)
        reader.now,
        limit,
    )
    return [Upload(*row) for row in rows]


async def known(reader: Reader, public_ids: Sequence[str]) -> set[str]:
    """Those of them whose bytes are still waited for."""
    if not public_ids:
        return set()
    places = ", ".join("?" * len(public_ids))
    rows = await reader.all(
        f"SELECT public_id FROM uploads WHERE attachment IS NULL AND public_id IN ({places})",  # noqa: S608
        *public_ids,
    )
    return {str(row[0]) for row in rows}


async def reserved(reader: Reader) -> list[tuple[int, int, int]]:
    """(organization, uploader, bytes in all) of what is under way."""
    rows = await reader.all("SELECT org_id, uploader_id, size FROM uploads WHERE attachment IS NULL ORDER BY id")
    return [(int(row[0]), int(row[1]), int(row[2])) for row in rows]
