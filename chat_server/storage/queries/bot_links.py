"""SQL of links as the bot that tells of them sees them, and of whoever does something with them by way of a bot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from chat_server.ports import Reader, Tx


class File(NamedTuple):
    """A whole file. `kind`: of its attachment, None where it was refused or waits."""

    id: str
    name: str
    size: int
    state: str
    report: bytes | None
    decided_at: int | None
    posted_at: int | None
    kind: str | None


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
        "SELECT h.public_id, h.name, h.size, h.state, h.report, h.decided_at, h.posted_at, a.kind FROM handed_files h"
        " LEFT JOIN attachments a ON a.id = h.attachment_id WHERE h.link_id = ? AND h.state <> 'coming' ORDER BY h.id",
        link_id,
    )
    return [File(*row) for row in rows]


async def unposted(tx: Tx, bot_id: int, room: str, file_ids: Sequence[str]) -> list[tuple[str, str, str]]:
    """(public id, attachment or empty, its kind) of those of the files (public ids) that came for this room, are decided and that the
    room was not told of. `room`: public id."""
    marks = ", ".join("?" * len(file_ids))
    rows = await tx.all(
        "SELECT h.public_id, coalesce(a.public_id, ''), coalesce(a.kind, '') FROM handed_files h"  # noqa: S608 (question marks)
        " JOIN rooms r ON r.id = h.room_id AND r.public_id = ?"
        " LEFT JOIN attachments a ON a.id = h.attachment_id AND a.uploader_id = ? AND a.message_id IS NULL"
        f" WHERE h.public_id IN ({marks}) AND h.state IN ('released', 'refused') AND h.posted_at IS NULL ORDER BY h.id",
        room, bot_id, *file_ids,
    )  # fmt: skip
    return [(str(row[0]), str(row[1]), str(row[2])) for row in rows]


async def set_posted(tx: Tx, file_ids: Sequence[str]) -> None:
    marks = ", ".join("?" * len(file_ids))
    await tx.run(f"UPDATE handed_files SET posted_at = ? WHERE public_id IN ({marks})", tx.now, *file_ids)  # noqa: S608


async def plugin_of(reader: Reader, bot_id: int) -> str:
    """The folder of a bot."""
    row = await reader.one("SELECT plugin FROM bots WHERE user_id = ?", bot_id)
    return "" if row is None else str(row[0])


async def acting(reader: Reader, public_id: str) -> Acting | None:
    rows = await reader.all(
        "SELECT u.id, u.org_id, u.public_id, u.kind, u.name, u.disabled_at, u.ends_at, r.role FROM users u"
        " LEFT JOIN roles r ON r.user_id = u.id WHERE u.public_id = ?",
        public_id,
    )
    return Acting(*[*rows[0][:7], frozenset(row[7] for row in rows if row[7] is not None)]) if rows else None
