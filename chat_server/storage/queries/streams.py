"""Reading the streams: room events, own events, and where a person stands in every room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chat_server.domain.events import EventKind
from chat_server.ports import Reader, Row


@dataclass(frozen=True, slots=True)
class Head:
    """One room of a person: where its stream ends, where it begins, what is visible."""

    room_id: int
    room: str
    last_seq: int
    first_seq: int
    visible_seq: int


@dataclass(frozen=True, slots=True)
class EventRow:
    """`message_id` and `message`: keys of the message it speaks of; `size`: how many bytes its blocks take."""

    seq: int
    kind: EventKind
    at: int
    by: str
    message_id: int | None
    message: str | None
    size: int
    target: int | None
    data: bytes | None


async def heads(tx: Reader, user_id: int) -> list[Head]:
    """Every room the person is in now."""
    rows = await tx.all(
        "SELECT r.id, r.public_id, r.last_seq, r.first_seq, m.visible_seq FROM memberships m"
        " JOIN rooms r ON r.id = m.room_id WHERE m.user_id = ? AND m.to_seq IS NULL",
        user_id,
    )
    return [Head(*row) for row in rows]


async def events(tx: Reader, room_id: int, after: int, limit: int) -> list[EventRow]:
    rows = await tx.all(
        "SELECT e.seq, e.kind, e.at, u.public_id, e.message_id, m.public_id,"
        " coalesce(length(m.blocks), 0), e.target, e.data FROM events e"
        " JOIN users u ON u.id = e.actor_id LEFT JOIN messages m ON m.id = e.message_id"
        " WHERE e.room_id = ? AND e.seq > ? ORDER BY e.seq LIMIT ?",
        room_id,
        after,
        limit,
    )
    return [EventRow(*row) for row in rows]


async def own_head(tx: Reader, user_id: int) -> tuple[int, int]:
    """(first, last) seq of the person's own stream."""
    row = await tx.one("SELECT first_seq, last_seq FROM users WHERE id = ?", user_id)
    assert row is not None
    return int(row[0]), int(row[1])


async def own_events(tx: Reader, user_id: int, after: int, limit: int) -> Sequence[Row]:
    """(seq, kind, at, data)"""
    return await tx.all(
        "SELECT seq, kind, at, data FROM user_events WHERE user_id = ? AND seq > ? ORDER BY seq LIMIT ?",
        user_id,
        after,
        limit,
    )
