"""SQL of the list of a room's files and photos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from chat_server.domain.events import Ranges
from chat_server.ports import Reader, Row
from chat_server.storage.queries.attachments import WIRE, as_wire

Key = tuple[int, int]
"""(integer key of the message, position in it): within a room messages are numbered in their order."""


@dataclass(frozen=True, slots=True)
class Listed:
    """An attachment, the message that it is in, and that message's author as they were."""

    key: Key
    message: str
    seq: int
    at: int
    author: str
    author_kind: str
    author_name: str
    author_department: str
    author_post: str
    wire: dict[str, Any]


async def page(
    reader: Reader,
    room_id: int,
    visible: Ranges,
    *,
    kind: str | None,
    by: str | None,
    since: int | None,
    until: int | None,
    before: Key | None,
    limit: int,
) -> list[Listed]:
    """The newest first, older than `before`; those of messages within `visible` that are still there."""
    if not visible:
        return []
    conditions = ["attachments.room_id = ?", "attachments.withdrawn_at IS NULL", "m.redacted_at IS NULL"]
    values: list[str | int] = [room_id]

    def narrow(condition: str, *given: str | int) -> None:
        conditions.append(condition)
        values.extend(given)

    narrow(
        "(" + " OR ".join(["m.seq BETWEEN ? AND ?"] * len(visible)) + ")",
        *(end for range_ in visible for end in range_),
    )
    if kind is not None:
        narrow("attachments.kind = ?", kind)
    if by is not None:
        narrow("attachments.uploader_id = (SELECT id FROM users WHERE public_id = ?)", by)
    if since is not None:
        narrow("m.created_at >= ?", since)
    if until is not None:
        narrow("m.created_at < ?", until)
    if before is not None:
        narrow("(attachments.message_id, attachments.position) < (?, ?)", *before)
    else:
        narrow("attachments.message_id IS NOT NULL")
    rows: Sequence[Any] = await reader.all(
        "SELECT m.id, attachments.position, m.public_id, m.seq, m.created_at, u.public_id, u.kind, m.author_name,"  # noqa: S608
        f" m.author_department, m.author_post, {WIRE} FROM attachments"
        " JOIN messages m ON m.id = attachments.message_id JOIN users u ON u.id = m.author_id"
        f" WHERE {' AND '.join(conditions)}"
        " ORDER BY attachments.message_id DESC, attachments.position DESC LIMIT ?",
        *values,
        limit,
    )
    return [_listed(*row[:10], columns=row[10:]) for row in rows]


def _listed(message_id: int, position: int, *told: Any, columns: Row) -> Listed:
    return Listed(*((message_id, position), *told, as_wire(columns)))
