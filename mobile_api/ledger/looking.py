"""Steps that look something up, and the one that forgets."""

from __future__ import annotations

from itertools import accumulate
from typing import Any, Final

import msgspec

from chat_server.ports import PushDecided, PushEntry
from mobile_api.ledger.port import STATES, WAITING, Rung
from mobile_api.ledger.session import Row, Session

_ENTRY: Final = (
    "public_id, device_id, lane, kind, why, state, tries, answer, receipt, created_at, tried_at, due_at, done_at"
)


async def decided(session: Session, message_id: int, user_id: int) -> PushDecided | None:
    """See `ports.PushRecord.decided`."""
    rows = await session.all("SELECT at, quiet FROM handed WHERE message_id = ?", message_id)
    if not rows:
        return None
    at, quiet = rows[0]
    found = await session.all(
        f"SELECT {_ENTRY} FROM parcels WHERE message_id = ? AND user_id = ? ORDER BY id",  # noqa: S608 - our own columns
        message_id,
        user_id,
    )
    entries = [PushEntry(*_told(row)) for row in found]
    return PushDecided(int(at), unpack(bytes(quiet), user_id), entries)


def _told(row: Row) -> list[Any]:
    """The state by its name; when it is due only while it waits."""
    state, due = row[5], row[11]
    return [*row[:5], STATES[state], *row[6:11], due if state == WAITING else None, row[12]]


def pack(quiet: dict[str, list[int]]) -> bytes:
    """{reason: [user, …]} with each list as differences: of neighbours they are small, and msgpack makes small numbers short."""
    packed = {}
    for why, users in quiet.items():
        before, steps = 0, []
        for user in sorted(users):
            steps.append(user - before)
            before = user
        packed[why] = steps
    return msgspec.msgpack.encode(packed)


def unpack_all(quiet: bytes) -> dict[str, list[int]]:
    """What was packed."""
    packed = msgspec.msgpack.decode(quiet, type=dict[str, list[int]])
    return {why: list(accumulate(steps)) for why, steps in packed.items()}


def unpack(quiet: bytes, user_id: int) -> str:
    """Why this person was not rung; empty where they were, or were not in the room."""
    return next((why for why, users in unpack_all(quiet).items() if user_id in users), "")


async def waiting(session: Session) -> tuple[int, int | None]:
    """See `ports.PushRecord.waiting`."""
    rows = await session.all("SELECT count(*), min(created_at) FROM parcels WHERE state < 10")
    return int(rows[0][0]), rows[0][1]


async def rung(session: Session, device: int, room: int, limit: int) -> list[Rung]:
    """See `Ledger.rung`."""
    rows = await session.all(
        "SELECT device_id, room_id, user_id, message_id, seq, lane FROM rung WHERE (device_id, room_id) > (?, ?)"
        " ORDER BY device_id, room_id LIMIT ?",
        device,
        room,
        limit,
    )
    return [Rung(*row) for row in rows]


async def prune(session: Session, before: int, limit: int) -> int:
    """See `Ledger.prune`. What is older and still under way keeps its place; there is little of it."""
    gone = await session.run(
        "DELETE FROM parcels WHERE state >= 10 AND id IN (SELECT id FROM parcels WHERE created_at < ? ORDER BY created_at LIMIT ?)",
        before,
        limit,
    )
    gone += await session.run(
        "DELETE FROM handed WHERE message_id IN (SELECT message_id FROM handed WHERE at < ? ORDER BY at LIMIT ?)",
        before,
        limit,
    )
    # a pair of columns in an IN is slow on one engine and unknown to older ones of the other: one after the other
    old = await session.all("SELECT device_id, room_id FROM rung WHERE at < ? ORDER BY at LIMIT ?", before, limit)
    await session.many("DELETE FROM rung WHERE device_id = ? AND room_id = ?", [(row[0], row[1]) for row in old])
    return gone + len(old)
