"""SQL of what can be found: the texts of messages, and which of them wait to be indexed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from chat_server.ports import Reader, Tx


@dataclass(frozen=True, slots=True)
class Said:
    """A message that is there."""

    id: int
    room_id: int
    seq: int
    author_id: int
    department: str
    text: str


@dataclass(frozen=True, slots=True)
class Shown:
    """An attachment that is there. `sha256`: of its text, where it is a document whose text is known."""

    message_id: int
    position: int
    kind: str
    name: str
    org_id: int
    sha256: str | None


async def changed(tx: Tx, message_id: int) -> None:
    """What the index has of it is not true any more."""
    await tx.run(
        "INSERT INTO search_changes (org_id, message_id) SELECT org_id, id FROM messages WHERE id = ?", message_id
    )


async def new_messages(reader: Reader, after: int, limit: int) -> list[int]:
    rows = await reader.all("SELECT id FROM messages WHERE id > ? ORDER BY id LIMIT ?", after, limit)
    return [row[0] for row in rows]


async def changes(reader: Reader, limit: int) -> list[tuple[int, int]]:
    """(number of the change, message), the oldest first."""
    rows = await reader.all("SELECT id, message_id FROM search_changes ORDER BY id LIMIT ?", limit)
    return [(row[0], row[1]) for row in rows]


async def forget_changes(tx: Tx, upto: int) -> None:
    await tx.run("DELETE FROM search_changes WHERE id <= ?", upto)


async def said(reader: Reader, ids: Sequence[int]) -> list[Said]:
    """Those of the messages that were not redacted."""
    if not ids:
        return []
    rows: Sequence[Any] = await reader.all(
        "SELECT id, room_id, seq, author_id, author_department, text FROM messages"  # noqa: S608 (question marks)
        f" WHERE redacted_at IS NULL AND id IN ({','.join('?' * len(ids))})",
        *ids,
    )
    return [Said(*row) for row in rows]


async def shown(reader: Reader, ids: Sequence[int]) -> list[Shown]:
    """The attachments of the messages that were not withdrawn."""
    if not ids:
        return []
    rows: Sequence[Any] = await reader.all(
        "SELECT a.message_id, a.position, a.kind, a.name, coalesce(r.org_id, a.org_id), r.sha256 FROM attachments a"  # noqa: S608 (question marks)
        " LEFT JOIN renditions r ON r.attachment_id = a.id AND r.kind = 'text' AND r.state = 'ready'"
        f" WHERE a.withdrawn_at IS NULL AND a.message_id IN ({','.join('?' * len(ids))})",
        *ids,
    )
    return [Shown(*row) for row in rows]


async def first_since(reader: Reader, at: int) -> int:
    """The integer key of the first message that is not older than `at` (UTC ms), by halving: keys are given in the order of
    time."""
    row = await reader.one("SELECT coalesce(max(id), 0) FROM messages")
    assert row is not None
    low, high = 0, int(row[0]) + 1
    while low < high:
        middle = (low + high) // 2
        found = await reader.one("SELECT id, created_at FROM messages WHERE id >= ? ORDER BY id LIMIT 1", middle)
        if found is None or found[1] >= at:
            high = middle
        else:
            low = int(found[0]) + 1
    return low


async def user_key(reader: Reader, public_id: str) -> int | None:
    row = await reader.one("SELECT id FROM users WHERE public_id = ?", public_id)
    return int(row[0]) if row else None


async def attachments_at(reader: Reader, places: Sequence[tuple[int, int]]) -> dict[tuple[int, int], str]:
    """Public ids of attachments, by (message, position)."""
    if not places:
        return {}
    ids = sorted({message for message, _ in places})
    rows = await reader.all(
        "SELECT message_id, position, public_id FROM attachments"  # noqa: S608 (question marks)
        f" WHERE withdrawn_at IS NULL AND message_id IN ({','.join('?' * len(ids))})",
        *ids,
    )
    return {(row[0], row[1]): row[2] for row in rows}
