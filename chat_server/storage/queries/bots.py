"""SQL of the bots that run in the server."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

from chat_server.ports import Reader, Tx
from chat_server.storage.queries.bot_posts import BotPost


@dataclass(frozen=True, slots=True)
class Due:
    """One thing that a bot has to do now. `account`, `room`, `by` (who pressed): public ids. `message_id`: the post that was
    pressed or answered."""

    id: int
    key: str
    org_id: int
    bot_id: int
    account: str
    account_name: str
    room_id: int
    room: str
    room_kind: str
    room_name: str
    kind: str
    seq: int | None
    note: str
    tries: int
    message_id: int | None
    by: str | None
    by_name: str | None


async def without(reader: Reader, plugin: str) -> list[int]:
    """Organizations that have no account of the bot yet."""
    rows = await reader.all(
        "SELECT o.id FROM organizations o WHERE NOT EXISTS"
        " (SELECT 1 FROM bots b WHERE b.org_id = o.id AND b.plugin = ?) ORDER BY o.id",
        plugin,
    )
    return [row[0] for row in rows]


async def insert(tx: Tx, user_id: int, org_id: int, plugin: str, everywhere: str) -> None:
    await tx.run(
        "INSERT INTO bots (user_id, org_id, plugin, everywhere) VALUES (?, ?, ?, ?)",
        user_id,
        org_id,
        plugin,
        everywhere,
    )


async def somebody_there(reader: Reader, org_id: int) -> bool:
    """Whether the organization has people."""
    return await reader.one("SELECT 1 FROM users WHERE org_id = ? AND kind <> 'bot' LIMIT 1", org_id) is not None


async def in_room(reader: Reader, room_id: int) -> list[tuple[str, str, str]]:
    """(public id, name, plugin) of the bots that hear what is said there."""
    rows = await reader.all(
        "SELECT u.public_id, u.name, b.plugin FROM rooms r JOIN bots b ON b.org_id = r.org_id"
        " JOIN users u ON u.id = b.user_id AND u.disabled_at IS NULL WHERE r.id = ? AND (b.everywhere = r.kind OR EXISTS"
        " (SELECT 1 FROM memberships s WHERE s.room_id = r.id AND s.user_id = b.user_id AND s.to_seq IS NULL))"
        " ORDER BY u.reading, u.id",
        room_id,
    )
    return [(str(row[0]), str(row[1]), str(row[2])) for row in rows]


async def any_at_all(reader: Reader) -> bool:
    return await reader.one("SELECT 1 FROM bots LIMIT 1") is not None


async def expect_messages(tx: Tx, room_id: int, seqs: Sequence[int]) -> int:
    """Every bot of the room's home that is in the room has these messages to do, unless a bot wrote them: bots do not hear
    each other, so that two of them cannot talk for ever. Answers how many."""
    marks = ",".join("?" * len(seqs))
    return await tx.run(
        "INSERT INTO bot_events (org_id, bot_id, room_id, key, kind, seq, due_at)"  # noqa: S608 (question marks)
        " SELECT b.org_id, b.user_id, m.room_id, 'm' || m.room_id || '-' || m.seq, 'message', m.seq, m.created_at FROM messages m"
        " JOIN users u ON u.id = m.author_id JOIN rooms r ON r.id = m.room_id JOIN bots b ON b.org_id = r.org_id"
        f" WHERE m.room_id = ? AND m.seq IN ({marks}) AND u.kind <> 'bot' AND (b.everywhere = r.kind OR EXISTS"
        " (SELECT 1 FROM memberships s WHERE s.room_id = r.id AND s.user_id = b.user_id AND s.to_seq IS NULL"
        " AND s.from_seq <= m.seq)) ORDER BY m.seq, b.user_id",
        room_id,
        *seqs,
    )


async def expect_change(tx: Tx, room_id: int, seq: int, kind: str, version: int) -> None:
    """A message was edited or taken back (`kind`: edit, removed): bots of the room's home that are in the room hear of it, unless a
    bot wrote it."""
    await tx.run(
        "INSERT INTO bot_events (org_id, bot_id, room_id, key, kind, seq, due_at)"
        " SELECT b.org_id, b.user_id, m.room_id, substr(CAST(? AS TEXT), 1, 1) || m.room_id || '-' || m.seq || '-' || CAST(? AS TEXT),"
        " CAST(? AS TEXT), m.seq, CAST(? AS BIGINT) FROM messages m"
        " JOIN users u ON u.id = m.author_id JOIN rooms r ON r.id = m.room_id JOIN bots b ON b.org_id = r.org_id"
        " WHERE m.room_id = ? AND m.seq = ? AND u.kind <> 'bot' AND (b.everywhere = r.kind OR EXISTS"
        " (SELECT 1 FROM memberships s WHERE s.room_id = r.id AND s.user_id = b.user_id AND s.to_seq IS NULL"
        " AND s.from_seq <= m.seq))",
        kind, str(version), kind, tx.now, room_id, seq,
    )  # fmt: skip


_THINGS: Final = (
    "SELECT e.id, e.key, e.org_id, e.bot_id, u.public_id, u.name, e.room_id, r.public_id, r.kind, r.name, e.kind, e.seq, e.note,"
    " e.tries, e.message_id, p.public_id, p.name FROM bot_events e JOIN bots b ON b.user_id = e.bot_id"
    " JOIN users u ON u.id = e.bot_id JOIN rooms r ON r.id = e.room_id LEFT JOIN users p ON p.id = e.user_id"
)
_DUE: Final = (
    f"{_THINGS} WHERE e.parked_at IS NULL AND e.due_at <= ? AND b.plugin = ? AND b.token_hash IS NULL AND u.disabled_at IS NULL"
    " AND e.room_id NOT IN ({rooms}) ORDER BY e.due_at, e.id LIMIT ?"
)
DUE_OUTSIDE: Final = (
    f"{_THINGS} WHERE e.bot_id = ? AND e.parked_at IS NULL AND e.due_at <= ? AND NOT EXISTS (SELECT 1 FROM bot_events o"  # noqa: S608
    " WHERE o.bot_id = e.bot_id AND o.room_id = e.room_id AND o.lease IS NOT NULL) ORDER BY e.due_at, e.id LIMIT 1"
)
LEASED: Final = f"{_THINGS} WHERE e.bot_id = ? AND e.lease = ?"
LEFT: Final = f"{_THINGS} WHERE e.bot_id = ? AND e.lease IS NOT NULL AND e.leased_until <= ? ORDER BY e.id LIMIT ?"


async def due(reader: Reader, plugin: str, limit: int, but: Collection[int]) -> list[Due]:
    """Of a bot that runs in the server, in all rooms `but` these."""
    marks = ",".join("?" * len(but)) or "0"
    rows: Sequence[Any] = await reader.all(_DUE.format(rooms=marks), reader.now, plugin, *but, limit)
    return [Due(*row) for row in rows]


async def next_due(reader: Reader) -> int | None:
    """When the next timer is due (UTC ms)."""
    row = await reader.one("SELECT min(due_at) FROM bot_events WHERE parked_at IS NULL")
    return None if row is None or row[0] is None else int(row[0])


async def done(tx: Tx, event: Due) -> bool:
    """False where it was done before."""
    return await tx.run("DELETE FROM bot_events WHERE id = ? AND key = ?", event.id, event.key) == 1


async def postpone(tx: Tx, event: Due, tries: int, due_at: int) -> None:
    """Unless somebody is at it: the bot was moved elsewhere while it failed here."""
    await tx.run(
        "UPDATE bot_events SET tries = ?, due_at = ? WHERE id = ? AND key = ? AND lease IS NULL",
        tries, due_at, event.id, event.key,
    )  # fmt: skip


async def park(tx: Tx, event: Due, tries: int, reason: str) -> bool:
    """False where it was parked or done before, or somebody is at it."""
    changed = await tx.run(
        "UPDATE bot_events SET tries = ?, parked_at = ?, reason = ? WHERE id = ? AND key = ? AND parked_at IS NULL"
        " AND lease IS NULL",
        tries, tx.now, reason, event.id, event.key,
    )  # fmt: skip
    return changed == 1


async def add_timer(tx: Tx, due_: Due, key: str, at: int, note: str) -> None:
    await tx.run(
        "INSERT INTO bot_events (org_id, bot_id, room_id, key, kind, note, due_at) VALUES (?, ?, ?, ?, 'timer', ?, ?)",
        due_.org_id, due_.bot_id, due_.room_id, key, note, at,
    )  # fmt: skip


async def expect_press(tx: Tx, post: BotPost, user_id: int, key: str, button: str) -> None:
    """`button`: its key."""
    await tx.run(
        "INSERT INTO bot_events (org_id, bot_id, room_id, key, kind, note, due_at, user_id, message_id)"
        " VALUES (?, ?, ?, ?, 'press', ?, ?, ?, ?)",
        post.org_id, post.bot_id, post.room_id, key, button, tx.now, user_id, post.message_id,
    )  # fmt: skip


async def expect_answers(tx: Tx, post: BotPost, key: str, due_at: int) -> None:
    """A form has new answers; where the bot is to be told already, it is told of all of them together. What was parked is tried
    again."""
    await tx.run(
        "INSERT INTO bot_events (org_id, bot_id, room_id, key, kind, due_at, message_id) VALUES (?, ?, ?, ?, 'answers', ?, ?)"
        " ON CONFLICT (message_id) WHERE kind = 'answers' DO UPDATE SET parked_at = NULL, tries = 0, key = excluded.key,"
        " due_at = excluded.due_at WHERE bot_events.parked_at IS NOT NULL",
        post.org_id, post.bot_id, post.room_id, key, due_at, post.message_id,
    )  # fmt: skip


async def timers(reader: Reader, bot_id: int, room_id: int) -> int:
    row = await reader.one(
        "SELECT count(*) FROM bot_events WHERE bot_id = ? AND room_id = ? AND kind = 'timer' AND parked_at IS NULL",
        bot_id, room_id,
    )  # fmt: skip
    assert row is not None
    return int(row[0])


async def stored(reader: Reader, bot_id: int, room_id: int) -> bytes | None:
    row = await reader.one("SELECT value FROM bot_stores WHERE bot_id = ? AND room_id = ?", bot_id, room_id)
    return bytes(row[0]) if row else None


async def store(tx: Tx, bot_id: int, room_id: int, org_id: int, value: bytes) -> None:
    await tx.run(
        "INSERT INTO bot_stores (bot_id, room_id, org_id, value) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (bot_id, room_id) DO UPDATE SET value = excluded.value",
        bot_id, room_id, org_id, value,
    )  # fmt: skip


async def is_everywhere(reader: Reader, bot_id: int, kind: str) -> bool:
    """Whether it is in rooms of this kind without being asked in."""
    return await reader.one("SELECT 1 FROM bots WHERE user_id = ? AND everywhere = ?", bot_id, kind) is not None
