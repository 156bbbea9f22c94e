"""Messages: writing one, and the rows that rendering needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from chat_server.ports import Reader, Row, Tx
from chat_server.storage.queries.appointments import JOIN_MAIN, SECTION


class Author(NamedTuple):
    """Name, department and post as of now, for the message that keeps them as they were."""

    name: str
    kind: str
    department: str
    post: str


class Stored(NamedTuple):
    """A message as it lies in the database; `blocks`, `mentions` and `forward` are msgpack.

    A tuple, not a frozen dataclass: with 28 fields that costs four times as much to make, in the writer's thread.
    """

    id: int
    public_id: str
    org_id: int
    room_id: int
    seq: int
    ordinal: int
    author_id: int
    author: str
    author_kind: str
    author_name: str
    author_department: str
    author_post: str
    kind: str
    text: str
    blocks: bytes
    mentions: bytes | None
    quote: str | None
    quote_seq: int | None
    forward: bytes | None
    attachments: int
    zone: str
    version: int
    pinned_at: int | None
    created_at: int
    edited_at: int | None
    redacted_at: int | None
    confirm_by: int | None
    level: str | None


_COLUMNS = """
SELECT m.id, m.public_id, m.org_id, m.room_id, m.seq, m.ordinal, m.author_id, u.public_id, u.kind, m.author_name,
       m.author_department, m.author_post, m.kind, m.text, m.blocks, m.mentions, q.public_id, q.seq, m.forward,
       m.attachments, m.zone, m.version, m.pinned_at, m.created_at, m.edited_at, m.redacted_at, m.confirm_by,
       m.level
FROM messages m JOIN users u ON u.id = m.author_id LEFT JOIN messages q ON q.id = m.quote_id
"""


async def author(tx: Reader, user_id: int) -> Author:
    """As of `tx.now`, by the main appointment in force."""
    row = await tx.one(
        f"SELECT u.name, u.kind, coalesce({SECTION}, ''), coalesce(a.post, '') FROM users u{JOIN_MAIN} WHERE u.id = ?",  # noqa: S608
        tx.now, tx.now, user_id,
    )  # fmt: skip
    assert row is not None
    return Author(*row)


async def find_send(tx: Reader, sender_id: int, client_msg_id: str) -> Row | None:
    """What was answered to this key: (body_hash, room_id, seq, message_id, at)."""
    return await tx.one(
        "SELECT body_hash, room_id, seq, message_id, at FROM sends WHERE sender_id = ? AND client_msg_id = ?",
        sender_id,
        client_msg_id,
    )


async def keep_send(
    tx: Tx, sender_id: int, client_msg_id: str, org_id: int, body_hash: bytes, room_id: int, seq: int, message: str
) -> None:
    """Claim the key for ever. A second claim is a unique violation: one of two racing sends fails and is replayed."""
    await tx.run(
        "INSERT INTO sends (sender_id, client_msg_id, org_id, body_hash, room_id, seq, message_id, at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        sender_id, client_msg_id, org_id, body_hash, room_id, seq, message, tx.now,
    )  # fmt: skip


async def take_position(tx: Tx, room_id: int) -> tuple[int, int]:
    """The next seq and message ordinal of the room."""
    row = await tx.one(
        "UPDATE rooms SET last_seq = last_seq + 1, last_ordinal = last_ordinal + 1 WHERE id = ?"
        " RETURNING last_seq, last_ordinal",
        room_id,
    )
    assert row is not None
    return int(row[0]), int(row[1])


async def insert(tx: Tx, message: Stored, *, mention_all: bool, quote_id: int | None) -> int:
    """Write a message (its `id` is not known yet and ignored); answers the integer key."""
    row = await tx.one(
        "INSERT INTO messages (public_id, org_id, room_id, seq, ordinal, author_id, author_name, author_department,"
        " author_post, kind, text, blocks, mentions, mention_all, quote_id, forward, attachments, zone, created_at, level)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
        message.public_id, message.org_id, message.room_id, message.seq, message.ordinal, message.author_id,
        message.author_name, message.author_department, message.author_post, message.kind, message.text,
        message.blocks, message.mentions, int(mention_all), quote_id, message.forward, message.attachments,
        message.zone, message.created_at, message.level,
    )  # fmt: skip
    assert row is not None
    return int(row[0])


async def add_mention(tx: Tx, user_id: int, room_id: int, ordinal: int, org_id: int, message_id: int) -> None:
    await tx.run(
        "INSERT INTO mentions (user_id, room_id, ordinal, org_id, message_id) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT DO NOTHING",
        user_id, room_id, ordinal, org_id, message_id,
    )  # fmt: skip


async def by_public_id(tx: Reader, message: str) -> Stored | None:
    row = await tx.one(_COLUMNS + "WHERE m.public_id = ?", message)
    return Stored(*row) if row else None


async def by_ids(tx: Reader, ids: Sequence[int]) -> dict[int, Stored]:
    """Several at once, by integer key."""
    if not ids:
        return {}
    marks = ",".join("?" * len(ids))
    rows = await tx.all(_COLUMNS + f"WHERE m.id IN ({marks})", *ids)
    return {row[0]: Stored(*row) for row in rows}


async def page(tx: Reader, room_id: int, low: int, high: int, limit: int, *, newest: bool) -> list[Stored]:
    """Messages with low < seq < high, `limit` of them from the newest or the oldest end; oldest first."""
    order = "DESC" if newest else "ASC"
    rows = await tx.all(
        _COLUMNS + f"WHERE m.room_id = ? AND m.seq > ? AND m.seq < ? ORDER BY m.seq {order} LIMIT ?",
        room_id, low, high, limit,
    )  # fmt: skip
    found = [Stored(*row) for row in rows]
    return found[::-1] if newest else found


async def next_time(tx: Reader, room_id: int, seq: int) -> tuple[int, int] | None:
    """(seq, time) of the first message from a seq on."""
    row = await tx.one(
        "SELECT seq, created_at FROM messages WHERE room_id = ? AND seq >= ? ORDER BY seq LIMIT 1", room_id, seq
    )
    return None if row is None else (int(row[0]), int(row[1]))


async def reactions(tx: Reader, ids: Sequence[int]) -> list[Row]:
    """(message_id, key, user's public id) in the order in which they were given."""
    if not ids:
        return []
    marks = ",".join("?" * len(ids))
    rows = await tx.all(
        "SELECT r.message_id, r.key, u.public_id FROM reactions r JOIN users u ON u.id = r.user_id"  # noqa: S608 (question marks)
        f" WHERE r.message_id IN ({marks}) ORDER BY r.message_id, r.at, r.key, u.id",
        *ids,
    )
    return list(rows)


async def set_content(tx: Tx, message_id: int, text: str, blocks: bytes, attachments: int) -> None:
    """Within the transaction that wrote the message: what could be known only after its key was."""
    await tx.run(
        "UPDATE messages SET text = ?, blocks = ?, attachments = ? WHERE id = ?", text, blocks, attachments, message_id
    )


async def seal_version(tx: Tx, message: Stored, replaced_by: int) -> None:
    """Keep what is about to be replaced; only a record export reads it."""
    await tx.run(
        "INSERT INTO message_versions (message_id, version, org_id, text, blocks, mentions, replaced_at, replaced_by)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        message.id, message.version, message.org_id, message.text, message.blocks, message.mentions, tx.now,
        replaced_by,
    )  # fmt: skip


async def edit(tx: Tx, message_id: int, version: int, text: str, blocks: bytes, mentions: bytes | None) -> bool:
    """Replace the content if it is still `version`; false if somebody was faster."""
    changed = await tx.run(
        "UPDATE messages SET text = ?, blocks = ?, mentions = ?, version = version + 1, edited_at = ?"
        " WHERE id = ? AND version = ?",
        text, blocks, mentions, tx.now, message_id, version,
    )  # fmt: skip
    return changed == 1


async def replace_calls(tx: Tx, message_id: int, *, everyone: bool) -> None:
    """Forget whom the words called before; those whom they call now are added anew."""
    await tx.run("DELETE FROM mentions WHERE message_id = ?", message_id)
    await tx.run("UPDATE messages SET mention_all = ? WHERE id = ?", int(everyone), message_id)


async def redact(tx: Tx, message_id: int, by: int, how: str) -> None:
    """Hide from everyone; the content stays sealed in its row until retention ends. Calls to it end too."""
    await tx.run(
        "UPDATE messages SET redacted_at = ?, redacted_by = ?, redacted_how = ?, pinned_at = NULL, mention_all = 0"
        " WHERE id = ?",
        tx.now, by, how, message_id,
    )  # fmt: skip
    await tx.run("DELETE FROM mentions WHERE message_id = ?", message_id)
    await tx.run("UPDATE attachments SET withdrawn_at = ? WHERE message_id = ?", tx.now, message_id)


async def react(tx: Tx, message: Stored, user_id: int, key: str, on: bool) -> bool:
    """True if something changed."""
    if on:
        changed = await tx.run(
            "INSERT INTO reactions (message_id, key, user_id, org_id, at) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT DO NOTHING",
            message.id, key, user_id, message.org_id, tx.now,
        )  # fmt: skip
    else:
        changed = await tx.run(
            "DELETE FROM reactions WHERE message_id = ? AND key = ? AND user_id = ?", message.id, key, user_id
        )
    return changed == 1


async def reaction_keys(tx: Reader, message_id: int) -> set[str]:
    return {row[0] for row in await tx.all("SELECT DISTINCT key FROM reactions WHERE message_id = ?", message_id)}


async def pin(tx: Tx, message_id: int, on: bool) -> bool:
    """True if something changed."""
    if on:
        sql = "UPDATE messages SET pinned_at = ? WHERE id = ? AND pinned_at IS NULL"
        return await tx.run(sql, tx.now, message_id) == 1
    return await tx.run("UPDATE messages SET pinned_at = NULL WHERE id = ? AND pinned_at IS NOT NULL", message_id) == 1


async def pinned(tx: Reader, room_id: int) -> list[Stored]:
    """Pinned messages, the newest pin first."""
    rows = await tx.all(
        _COLUMNS + "WHERE m.room_id = ? AND m.pinned_at IS NOT NULL ORDER BY m.pinned_at DESC, m.id DESC LIMIT 200",
        room_id,
    )
    return [Stored(*row) for row in rows]


async def bookmark(tx: Tx, user_id: int, message: Stored, on: bool) -> bool:
    """True if something changed."""
    if on:
        changed = await tx.run(
            "INSERT INTO bookmarks (user_id, message_id, org_id, at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            user_id, message.id, message.org_id, tx.now,
        )  # fmt: skip
    else:
        changed = await tx.run("DELETE FROM bookmarks WHERE user_id = ? AND message_id = ?", user_id, message.id)
    return changed == 1


async def bookmarks(tx: Reader, user_id: int, before_at: int, before_id: int, limit: int) -> list[Row]:
    """(bookmarked at, message_id), newest first, of messages kept in rooms the user is in now; keyset by (at, id)."""
    rows = await tx.all(
        "SELECT b.at, b.message_id FROM bookmarks b JOIN messages m ON m.id = b.message_id"
        " JOIN rooms r ON r.id = m.room_id AND r.first_seq <= m.seq"
        " JOIN memberships s ON s.room_id = m.room_id AND s.user_id = b.user_id AND s.to_seq IS NULL"
        " WHERE b.user_id = ? AND m.redacted_at IS NULL AND (b.at < ? OR (b.at = ? AND b.message_id < ?))"
        " ORDER BY b.at DESC, b.message_id DESC LIMIT ?",
        user_id, before_at, before_at, before_id, limit,
    )  # fmt: skip
    return list(rows)
