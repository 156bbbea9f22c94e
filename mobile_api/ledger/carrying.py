"""Steps of carrying what is queued: taking it, and keeping what became of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from mobile_api.ledger.port import CLEAR, DONE, GIVEN_UP, REPLACED, SENDING, WAITING, Settled, Taken
from mobile_api.ledger.session import Session

_TAKEN: Final = "id, public_id, user_id, device_id, room_id, message_id, seq, lane, kind, urgent, expires, tries"
_AT_ONCE: Final = 400


async def recover(session: Session, now: int) -> int:
    """See `Ledger.recover`."""
    return await session.run(
        "UPDATE parcels SET state = ?, due_at = ?, answer = 'the server stopped before the answer' WHERE state = 1",
        WAITING,
        now,
    )


async def hurry(session: Session, reason: str, now: int) -> int:
    """See `Ledger.hurry`."""
    hurried = 0
    for lane in await lanes(session):
        hurried += await session.run(
            "UPDATE parcels SET due_at = ? WHERE state = 0 AND lane = ? AND due_at > ? AND answer = ?",
            now, lane, now, reason,
        )  # fmt: skip
    return hurried


async def lanes(session: Session) -> list[str]:
    """Each by one look into the index, however much waits."""
    rows = await session.all(
        "WITH RECURSIVE found(lane) AS (SELECT min(lane) FROM parcels WHERE state = 0 UNION ALL"
        " SELECT (SELECT min(lane) FROM parcels WHERE state = 0 AND lane > found.lane) FROM found"
        " WHERE found.lane IS NOT NULL) SELECT lane FROM found WHERE lane IS NOT NULL"
    )
    return [str(row[0]) for row in rows]


async def next_due(session: Session) -> int | None:
    """By lane, as the index has it."""
    found: list[int] = []
    for lane in await lanes(session):
        rows = await session.all("SELECT min(due_at) FROM parcels WHERE state = 0 AND lane = ?", lane)
        found += [int(row[0]) for row in rows if row[0] is not None]
    return min(found, default=None)


async def take(session: Session, lane: str, limit: int, now: int) -> list[Taken]:
    """See `Ledger.take`. What nobody wants any more is given up on the way."""
    rows = await session.all(
        f"SELECT {_TAKEN} FROM parcels p WHERE state = 0 AND lane = ? AND due_at <= ? AND NOT EXISTS (SELECT 1 FROM parcels b"  # noqa: S608
        "  WHERE b.device_id = p.device_id AND b.room_id = p.room_id AND b.state < 10 AND b.id < p.id)"
        " ORDER BY due_at, id LIMIT ?",
        lane,
        now,
        limit,
    )
    late = [int(row[0]) for row in rows if row[10] <= now]
    good = [row for row in rows if row[10] > now]
    if late:
        await session.many(
            "UPDATE parcels SET state = ?, done_at = ?, answer = CASE answer WHEN '' THEN 'too late' ELSE answer END"
            " WHERE id = ? AND state = 0",
            [(GIVEN_UP, now, key) for key in late],
        )
    for start in range(0, len(good), _AT_ONCE):
        some = [int(row[0]) for row in good[start : start + _AT_ONCE]]
        await session.run(
            f"UPDATE parcels SET state = ?, tries = tries + 1, tried_at = ? WHERE id IN ({','.join('?' * len(some))})",  # noqa: S608
            SENDING, now, *some,
        )  # fmt: skip
    taken: list[list[Any]] = [[*row[:9], bool(row[9]), int(row[10]), int(row[11]) + 1] for row in good]
    return [Taken(*one) for one in taken]


async def settle(session: Session, results: Sequence[Settled], now: int) -> None:
    """Only of tries that are still under way: whoever took over knows better."""
    await session.many(
        "UPDATE parcels SET state = ?, answer = ?, receipt = ?, due_at = ?, done_at = ? WHERE id = ? AND state = 1 AND tries = ?",
        [
            (one.state, one.reason, one.receipt, one.due, now if one.state >= DONE else None, one.id, one.tries)
            for one in results
        ],
    )
    again = [one.id for one in results if one.state == WAITING]
    if again:
        await _replaced(session, again, now)
    shown = {one.id: one.rang for one in results if one.rang or one.state >= DONE}
    if shown:
        await _shown(session, shown, now)


async def _replaced(session: Session, parcels: Sequence[int], now: int) -> None:
    """What was under way when a newer ring came, and has to wait after all, gives way to it as what waited did: for as long as
    it is tried in vain, the newer one would stand behind it."""
    await session.many(
        "UPDATE parcels SET state = ?, done_at = ?, answer = 'by a newer message; before: ' || answer"
        " WHERE id = ? AND state = 0 AND kind IN ('ring', 'clear') AND EXISTS (SELECT 1 FROM parcels n"
        "  WHERE n.device_id = parcels.device_id AND n.room_id = parcels.room_id AND n.state < 10 AND n.state = 0"
        "  AND n.kind = 'ring' AND n.id > parcels.id AND n.seq > parcels.seq AND n.urgent >= parcels.urgent)",
        [(REPLACED, now, key) for key in parcels],
    )


async def _shown(session: Session, parcels: Mapping[int, bool], now: int) -> None:
    """What the devices show now: a ring, if it rang, or, after a clearing, nothing. What cannot be cleared is forgotten as well,
    or each round would queue another one for a device that is not there."""
    for key, rang in parcels.items():
        rows = await session.all(
            "SELECT device_id, room_id, user_id, message_id, seq, lane, kind FROM parcels WHERE id = ?", key
        )
        for device, room, user, message, seq, lane, kind in rows:
            if kind == CLEAR:
                await session.run(
                    "DELETE FROM rung WHERE device_id = ? AND room_id = ? AND seq <= ?", device, room, seq
                )
            elif rang:
                await session.run(
                    "INSERT INTO rung (device_id, room_id, user_id, message_id, seq, lane, at) VALUES (?, ?, ?, ?, ?, ?, ?)"
                    " ON CONFLICT (device_id, room_id) DO UPDATE SET user_id = excluded.user_id,"
                    " message_id = excluded.message_id, seq = excluded.seq, lane = excluded.lane, at = excluded.at"
                    " WHERE rung.seq <= excluded.seq OR rung.user_id <> excluded.user_id",
                    device, room, user, message, seq, lane, now,
                )  # fmt: skip
