"""SQL of links as the bot that tells of them sees them, and of whoever does something with them by way of a bot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from chat_server.ports import Reader, Tx


class File(NamedTuple):
    """A whole file. `kind`: of its attachment, None where it was refused or waits. `approver`: name of whoever
    decided about it, where that took somebody."""

    id: str
    name: str
    size: int
    state: str
    report: bytes | None
    decided_at: int | None
    posted_at: int | None
    kind: str | None
    approver: str | None
    approved_at: int | None
    approved_why: str | None


class Acting(NamedTuple):
    """A person as of now. `id`: public."""

    user_id: int
    org_id: int
    id: str
    kind: str
    name: str
    disabled_at: int | None
    ends_at: int | None
    roles: frozenset[str]


async def files(reader: Reader, link_id: int) -> list[File]:
    """In the order of their coming; what is not whole is none."""
    rows = await reader.all(
        "SELECT h.public_id, h.name, h.size, h.state, h.report, h.decided_at, h.posted_at, a.kind, u.name,"
        " f.decided_at, f.reason FROM handed_files h LEFT JOIN attachments a ON a.id = h.attachment_id"
        " LEFT JOIN held_files f ON f.handed_id = h.id LEFT JOIN users u ON u.id = f.decided_by WHERE h.link_id = ? AND h.state <> 'coming' ORDER BY h.id",
        link_id,
    )
    return [File(*row) for row in rows]


async def unposted(tx: Tx, bot_id: int, room: str, file_ids: Sequence[str]) -> list[tuple[str, str, str, str]]:
    """(public id, attachment or empty, its kind, the page that shows it or empty) of those of the files (public ids) that came for this room, are decided and that the
    room was not told of. `room`: public id."""
    marks = ", ".join("?" * len(file_ids))
    rows = await tx.all(
        "SELECT h.public_id, coalesce(a.public_id, ''), coalesce(a.kind, ''), coalesce(p.public_id, '') FROM handed_files h"  # noqa: S608 (question marks)
        " JOIN rooms r ON r.id = h.room_id AND r.public_id = ?"
        " LEFT JOIN attachments a ON a.id = h.attachment_id AND a.uploader_id = ? AND a.message_id IS NULL"
        " LEFT JOIN attachments p ON p.id = h.page_id AND p.uploader_id = ? AND p.message_id IS NULL"
        f" WHERE h.public_id IN ({marks}) AND h.state IN ('released', 'refused') AND h.posted_at IS NULL ORDER BY h.id",
        room, bot_id, bot_id, *file_ids,
    )  # fmt: skip
    return [(str(row[0]), str(row[1]), str(row[2]), str(row[3])) for row in rows]


async def set_posted(tx: Tx, file_ids: Sequence[str]) -> None:
    marks = ", ".join("?" * len(file_ids))
    await tx.run(f"UPDATE handed_files SET posted_at = ? WHERE public_id IN ({marks})", tx.now, *file_ids)  # noqa: S608


async def plugin_of(reader: Reader, bot_id: int) -> str:
    """The folder of a bot."""
    row = await reader.one("SELECT plugin FROM bots WHERE user_id = ?", bot_id)
    return "" if row is None else str(row[0])


async def approvers(reader: Reader, room_id: int, org_id: int, but: int, roles: Sequence[str], limit: int) -> list[str]:
    """Public ids of those in the room, of that organization, who have one of `roles`; without the one person."""
    marks = ", ".join("?" * len(roles))
    rows = await reader.all(
        "SELECT DISTINCT u.public_id FROM memberships m JOIN users u ON u.id = m.user_id"  # noqa: S608 (question marks)
        f" JOIN roles r ON r.user_id = u.id AND r.org_id = u.org_id AND r.role IN ({marks})"
        " WHERE m.room_id = ? AND m.to_seq IS NULL AND u.org_id = ? AND u.kind = 'member' AND u.disabled_at IS NULL AND u.id <> ?"
        " ORDER BY u.public_id LIMIT ?",
        *roles, room_id, org_id, but, limit,
    )  # fmt: skip
    return [str(row[0]) for row in rows]


async def acting(reader: Reader, public_id: str) -> Acting | None:
    rows = await reader.all(
        "SELECT u.id, u.org_id, u.public_id, u.kind, u.name, u.disabled_at, u.ends_at, r.role FROM users u"
        " LEFT JOIN roles r ON r.user_id = u.id WHERE u.public_id = ?",
        public_id,
    )
    return Acting(*[*rows[0][:7], frozenset(row[7] for row in rows if row[7] is not None)]) if rows else None
