"""Steps that put something into the queue: a message that was expanded, a room that was read elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from chat_server.domain.ids import new_id
from mobile_api.ledger.port import BADGE, CLEAR, READ, REPLACED, RING, WAITING, Handed, Mark, Order
from mobile_api.ledger.session import Session, Value

_AT_ONCE: Final = 400
# `state < 10` beside `state = 0`: SQLite uses a partial index only where its own condition stands in the question.
_COLUMNS: Final = (
    "public_id, user_id, device_id, room_id, message_id, seq, lane, kind, why, urgent, state, tries, due_at, expires,"
    " answer, receipt, created_at"
)
_INSERT: Final = f"INSERT INTO parcels ({_COLUMNS}) VALUES ({', '.join('?' * 17)})"  # noqa: S608 - our own columns


async def hand_over(session: Session, handed: Handed, orders: Sequence[Order], now: int) -> bool:
    """See `Ledger.hand_over`."""
    fresh = await session.run(
        "INSERT INTO handed (message_id, org_id, room_id, seq, at, quiet) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        handed.message_id, handed.org_id, handed.room_id, handed.seq, now, handed.quiet,
    )  # fmt: skip
    if not fresh:
        return False
    rings = [order for order in orders if order.kind == RING]
    if rings:
        await _replace(session, handed, rings, now)
    badges = [order for order in orders if order.kind == BADGE]
    waiting = await _badged(session, [order.device_id for order in badges])
    queued = [*rings, *(order for order in badges if order.device_id not in waiting)]
    await session.many(_INSERT, [_row(order, now) for order in queued])
    return True


async def _replace(session: Session, handed: Handed, rings: Sequence[Order], now: int) -> None:
    """Of one device and room the newest alone need ring; the ledger says what took the place of the others."""
    urgent = int(rings[0].urgent)
    devices = [order.device_id for order in rings]
    for start in range(0, len(devices), _AT_ONCE):
        some = devices[start : start + _AT_ONCE]
        await session.run(
            "UPDATE parcels SET state = ?, done_at = ?, answer = ? WHERE state = 0 AND state < 10 AND room_id = ? AND kind IN ('ring', 'clear')"  # noqa: S608
            f" AND urgent <= ? AND seq < ? AND device_id IN ({','.join('?' * len(some))})",
            REPLACED, now, f"by the message at {handed.seq}", handed.room_id, urgent, handed.seq, *some,
        )  # fmt: skip


async def _badged(session: Session, devices: Sequence[int]) -> set[int]:
    """Those of the devices for which a new number is on its way already. Badges stand in no room: 0."""
    found: set[int] = set()
    for start in range(0, len(devices), _AT_ONCE):
        some = devices[start : start + _AT_ONCE]
        rows = await session.all(
            f"SELECT device_id FROM parcels WHERE state = 0 AND state < 10 AND room_id = 0 AND device_id IN ({','.join('?' * len(some))})",  # noqa: S608
            *some,
        )
        found.update(int(row[0]) for row in rows)
    return found


def _row(order: Order, now: int) -> list[Value]:
    due = now if order.kind != BADGE else now + BADGE_REST
    return [
        order.public_id, order.user_id, order.device_id, 0 if order.kind == BADGE else order.room_id, order.message_id,
        order.seq, order.lane, order.kind, order.why, int(order.urgent), WAITING, 0, due, order.expires, "", "", now,
    ]  # fmt: skip


BADGE_REST: Final = 30_000
"""Milliseconds. A number that is half a minute old is good enough, and a busy hour is not a push a message."""


async def read(session: Session, marks: Sequence[Mark], now: int, expires: int) -> int:
    """See `Ledger.read`. A device that still waits for a newer ring needs no clearing: that one takes its place."""
    orders: list[Order] = []
    for mark in marks:
        await session.run(
            "UPDATE parcels SET state = ?, done_at = ?, answer = 'read elsewhere' WHERE state = 0 AND state < 10"
            " AND user_id = ? AND room_id = ? AND kind = 'ring' AND seq <= ?",
            READ, now, mark.user_id, mark.room_id, mark.upto,
        )  # fmt: skip
        shown = await session.all(
            "SELECT r.device_id, r.message_id, r.seq, r.lane FROM rung r WHERE r.user_id = ? AND r.room_id = ? AND r.seq <= ?"
            " AND NOT EXISTS (SELECT 1 FROM parcels p WHERE p.device_id = r.device_id AND p.room_id = r.room_id"
            "   AND p.state < 10 AND p.kind IN ('ring', 'clear')) ORDER BY r.device_id",
            mark.user_id, mark.room_id, mark.upto,
        )  # fmt: skip
        orders += [
            Order(
                new_id(now), mark.user_id, int(device), mark.room_id, int(message), int(seq), str(lane), CLEAR,
                "read_already", urgent=False, expires=expires,
            )
            for device, message, seq, lane in shown
        ]  # fmt: skip
    if orders:
        await session.many(_INSERT, [_row(order, now) for order in orders])
    return len(orders)
