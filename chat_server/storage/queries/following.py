"""What a node reads about streams that other nodes write: heads, accounts, present memberships."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Final

from chat_server.ports import Reader, Row

_AT_ONCE: Final = (16, 256, 4096)
"""Lengths of the lists of keys: few different statements, so that the engine keeps them prepared."""


async def room_heads(tx: Reader, rooms: Collection[int]) -> dict[int, int]:
    """The last seq of each room (integer keys)."""
    return {int(key): int(seq) for key, seq in await _by_keys(tx, "SELECT id, last_seq FROM rooms WHERE id IN", rooms)}


async def own_heads(tx: Reader, users: Collection[int]) -> dict[int, int]:
    """The last seq of each person's own stream."""
    return {int(key): int(seq) for key, seq in await _by_keys(tx, "SELECT id, last_seq FROM users WHERE id IN", users)}


async def accounts(tx: Reader, users: Collection[int]) -> list[tuple[int, int | None, int | None]]:
    """(integer key, disabled_at, ends_at)"""
    rows = await _by_keys(tx, "SELECT id, disabled_at, ends_at FROM users WHERE id IN", users)
    return [(int(key), disabled, ends) for key, disabled, ends in rows]


async def revoked(tx: Reader, devices: Collection[int]) -> set[int]:
    """Those of the devices (integer keys) that are signed out."""
    rows = await _by_keys(tx, "SELECT id FROM devices WHERE revoked_at IS NOT NULL AND id IN", devices)
    return {int(row[0]) for row in rows}


async def barred(tx: Reader, devices: Collection[int]) -> set[int]:
    """Those of the devices (integer keys) that were asked to clear their data."""
    rows = await _by_keys(tx, "SELECT id FROM devices WHERE wipe_asked_at IS NOT NULL AND id IN", devices)
    return {int(row[0]) for row in rows}


async def present(tx: Reader, user_id: int, room: str) -> tuple[int, int] | None:
    """(the room's integer key, its last seq) if the person is in the room with this public id now."""
    row = await tx.one(
        "SELECT r.id, r.last_seq FROM rooms r JOIN memberships m ON m.room_id = r.id AND m.user_id = ?"
        " AND m.to_seq IS NULL WHERE r.public_id = ?",
        user_id,
        room,
    )
    return (int(row[0]), int(row[1])) if row else None


async def _by_keys(tx: Reader, sql: str, keys: Collection[int]) -> list[Row]:
    found: list[Row] = []
    for some in _filled(list(keys)):
        found += await tx.all(f"{sql} ({','.join('?' * len(some))})", *some)
    return found


def _filled(keys: Sequence[int]) -> Iterator[list[int]]:
    """The keys in lists of few lengths; a last one is repeated where a list is short."""
    rest = list(keys)
    while rest:
        length = next((each for each in _AT_ONCE if each >= len(rest)), _AT_ONCE[-1])
        some, rest = rest[:length], rest[length:]
        yield some + some[-1:] * (length - len(some))
