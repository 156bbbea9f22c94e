"""SQL of 要確認: who is asked, who has confirmed, whose turn it is to be asked again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from chat_server.ports import Reader, Row, Tx
from chat_server.storage.queries.appointments import JOIN_MAIN, PLACE


class Pending(NamedTuple):
    """A message that somebody has yet to confirm. `room`, `message`: public ids."""

    room: str
    message: str
    at: int
    by: int
    author_name: str
    text: str


_ASKED: Final = "u.kind <> 'bot' AND u.disabled_at IS NULL AND m.room_id = ? AND m.to_seq IS NULL AND m.from_seq <= ? AND m.user_id <> ?"
"""People who were in the room when it was written and still are, but its author: (room, seq, author)."""


async def set_due(tx: Tx, message_id: int, by: int | None, again_at: int | None) -> None:
    await tx.run(
        "UPDATE messages SET confirm_by = ?, confirm_again_at = ?, confirm_again_after = 0 WHERE id = ?",
        by,
        again_at,
        message_id,
    )


async def confirm(tx: Tx, message_id: int, user_id: int, org_id: int) -> bool:
    """False where they had already."""
    changed = await tx.run(
        "INSERT INTO confirmations (message_id, user_id, org_id, at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        message_id, user_id, org_id, tx.now,
    )  # fmt: skip
    return changed == 1


async def confirmed_at(reader: Reader, message_id: int, user_id: int) -> int | None:
    row = await reader.one("SELECT at FROM confirmations WHERE message_id = ? AND user_id = ?", message_id, user_id)
    return None if row is None else int(row[0])


async def of_message(reader: Reader, message_id: int, room_id: int, seq: int, author_id: int) -> Sequence[Row]:
    """(user_id, when confirmed or NULL) of all who are asked, and of those who confirmed and left, in department order, rank,
    reading."""
    return await reader.all(
        f"SELECT u.id, c.at FROM users u{JOIN_MAIN} LEFT JOIN confirmations c ON c.message_id = ? AND c.user_id = u.id"  # noqa: S608
        " WHERE u.id IN (SELECT user_id FROM confirmations WHERE message_id = ? UNION"
        f" SELECT m.user_id FROM memberships m JOIN users u ON u.id = m.user_id WHERE {_ASKED}) ORDER BY {PLACE}",
        reader.now, reader.now, message_id, message_id, room_id, seq, author_id,
    )  # fmt: skip


async def counts(reader: Reader, messages: Sequence[str]) -> dict[str, int]:
    """How many have confirmed each of them (public ids)."""
    marks = ",".join("?" * len(messages))
    rows = await reader.all(
        "SELECT m.public_id, count(c.user_id) FROM messages m LEFT JOIN confirmations c ON c.message_id = m.id"  # noqa: S608
        f" WHERE m.public_id IN ({marks}) GROUP BY m.public_id",
        *messages,
    )
    return {row[0]: int(row[1]) for row in rows}


async def pending(reader: Reader, user_id: int, limit: int) -> list[Pending]:
    """What somebody is asked to confirm and has not, the nearest time first."""
    rows = await reader.all(
        "SELECT r.public_id, x.public_id, x.created_at, x.confirm_by, x.author_name, x.text FROM memberships s"
        " JOIN messages x ON x.room_id = s.room_id AND x.confirm_by IS NOT NULL AND x.seq >= s.from_seq"
        " JOIN rooms r ON r.id = s.room_id"
        " WHERE s.user_id = ? AND s.to_seq IS NULL AND r.archived_at IS NULL AND x.redacted_at IS NULL AND x.author_id <> s.user_id"
        " AND NOT EXISTS (SELECT 1 FROM confirmations c WHERE c.message_id = x.id AND c.user_id = s.user_id)"
        " ORDER BY x.confirm_by, x.id LIMIT ?",
        user_id, limit,
    )  # fmt: skip
    return [Pending(*row) for row in rows]


async def to_ask_again(reader: Reader, limit: int) -> Sequence[Row]:
    """(message_id, org_id, the user_id asked last) whose time to ask again has come."""
    return await reader.all(
        "SELECT id, org_id, confirm_again_after FROM messages WHERE confirm_again_at IS NOT NULL AND confirm_again_at <= ?"
        " ORDER BY confirm_again_at LIMIT ?",
        reader.now, limit,
    )  # fmt: skip


async def asked_up_to(tx: Tx, message_id: int, after: int, last: int | None) -> bool:
    """Those from `after` to `last` (None: everybody) are being asked again. False where somebody else has come further."""
    changed = await tx.run(
        "UPDATE messages SET confirm_again_after = ?, confirm_again_at = CASE WHEN ? = 1 THEN NULL ELSE confirm_again_at END"
        " WHERE id = ? AND confirm_again_after = ? AND confirm_again_at <= ?",
        after if last is None else last, int(last is None), message_id, after, tx.now,
    )  # fmt: skip
    return changed == 1


async def unconfirmed(
    reader: Reader, message_id: int, room_id: int, seq: int, author_id: int, after: int, limit: int
) -> list[tuple[int, int]]:
    """The next (user_id, org_id) after `after` who are asked and have not confirmed."""
    rows = await reader.all(
        f"SELECT u.id, u.org_id FROM memberships m JOIN users u ON u.id = m.user_id WHERE {_ASKED} AND u.id > ?"  # noqa: S608
        " AND NOT EXISTS (SELECT 1 FROM confirmations c WHERE c.message_id = ? AND c.user_id = u.id) ORDER BY u.id LIMIT ?",
        room_id, seq, author_id, after, message_id, limit,
    )  # fmt: skip
    return [(row[0], row[1]) for row in rows]
