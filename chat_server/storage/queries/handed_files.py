"""SQL of files that people outside hand in: while they come, and what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from chat_server.ports import Reader, Tx


class HandedFile(NamedTuple):
    """`state`: coming, waiting, released, refused. `attachment`: the public id of what the room sees of it."""

    id: int
    public_id: str
    org_id: int
    link_id: int
    visit_id: int
    room_id: int
    name: str
    size: int
    zone: str
    state: str
    sha256: str | None
    sealed_sha256: str | None
    report: bytes | None
    attachment: str | None
    created_at: int
    expires_at: int
    received_at: int | None
    decided_at: int | None


class NewFile(NamedTuple):
    """A row of `handed_files` to be."""

    public_id: str
    org_id: int
    link_id: int
    visit_id: int
    room_id: int
    name: str
    size: int
    zone: str
    expires_at: int


_SELECT: Final = (
    "SELECT h.id, h.public_id, h.org_id, h.link_id, h.visit_id, h.room_id, h.name, h.size, h.zone, h.state, h.sha256,"
    " h.sealed_sha256, h.report, a.public_id, h.created_at, h.expires_at, h.received_at, h.decided_at"
    " FROM handed_files h LEFT JOIN attachments a ON a.id = h.attachment_id"
)


async def insert(tx: Tx, new: NewFile) -> None:
    await tx.run(
        "INSERT INTO handed_files (public_id, org_id, link_id, visit_id, room_id, name, size, zone, expires_at, state, due_at,"
        " created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'coming', ?, ?)",
        *new, tx.now, tx.now,
    )  # fmt: skip


async def find(reader: Reader, visit_id: int, public_id: str) -> HandedFile | None:
    """A visit's own; those of others do not exist."""
    row = await reader.one(f"{_SELECT} WHERE h.public_id = ? AND h.visit_id = ?", public_id, visit_id)
    return None if row is None else HandedFile(*row)


async def of_visit(reader: Reader, link_id: int, visit_id: int) -> list[HandedFile]:
    """In the order of their beginning."""
    rows = await reader.all(f"{_SELECT} WHERE h.link_id = ? AND h.visit_id = ? ORDER BY h.id", link_id, visit_id)
    return [HandedFile(*row) for row in rows]


async def of_link(reader: Reader, link_id: int) -> list[HandedFile]:
    """In the order of their beginning."""
    return [HandedFile(*row) for row in await reader.all(f"{_SELECT} WHERE h.link_id = ? ORDER BY h.id", link_id)]


async def any_of_visit(reader: Reader, link_id: int, visit_id: int) -> bool:
    row = await reader.one(
        "SELECT 1 FROM handed_files WHERE link_id = ? AND visit_id = ? LIMIT 1", link_id, visit_id
    )  # fmt: skip
    return row is not None


async def prolong(tx: Tx, file_id: int, expires_at: int) -> None:
    await tx.run("UPDATE handed_files SET expires_at = ? WHERE id = ? AND state = 'coming'", expires_at, file_id)


async def finish(tx: Tx, file_id: int, sha256: str, sealed_sha256: str, expires_at: int) -> bool:
    """It is whole, and waits to be disarmed; false where it was so before. `expires_at`: of the original."""
    changed = await tx.run(
        "UPDATE handed_files SET state = 'waiting', sha256 = ?, sealed_sha256 = ?, received_at = ?, due_at = ?, expires_at = ?"
        " WHERE id = ? AND state = 'coming'",
        sha256, sealed_sha256, tx.now, tx.now, expires_at, file_id,
    )  # fmt: skip
    return changed == 1


async def remove_coming(tx: Tx, file_id: int) -> bool:
    return await tx.run("DELETE FROM handed_files WHERE id = ? AND state = 'coming'", file_id) == 1


async def abandoned(reader: Reader, limit: int) -> list[HandedFile]:
    """Those that still come, and whose time is over."""
    rows = await reader.all(
        f"{_SELECT} WHERE h.state = 'coming' AND h.expires_at < ? ORDER BY h.expires_at LIMIT ?", reader.now, limit
    )
    return [HandedFile(*row) for row in rows]


async def coming(reader: Reader) -> list[HandedFile]:
    """Everybody's that are not whole."""
    return [HandedFile(*row) for row in await reader.all(f"{_SELECT} WHERE h.state = 'coming' ORDER BY h.id")]


async def known(reader: Reader, public_ids: Sequence[str]) -> set[str]:
    """Those of them whose bytes are still waited for."""
    if not public_ids:
        return set()
    places = ", ".join("?" * len(public_ids))
    rows = await reader.all(
        f"SELECT public_id FROM handed_files WHERE state = 'coming' AND public_id IN ({places})",  # noqa: S608
        *public_ids,
    )
    return {str(row[0]) for row in rows}
