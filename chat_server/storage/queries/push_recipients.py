"""What pushing asks of a message and of everybody in its room; and how people set it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from chat_server.ports import Reader, Row

_AT_ONCE: Final = 400


@dataclass(frozen=True, slots=True)
class Posted:
    """A message, as far as it matters to whom it wakes. Integer keys but `message`."""

    id: int
    message: str
    org_id: int
    room_id: int
    room_kind: str
    seq: int
    ordinal: int
    author_id: int
    level: str | None
    everybody: bool
    asks: bool
    answers: int | None
    redacted: bool
    created_at: int


async def posted(reader: Reader, places: Sequence[tuple[int, int]]) -> dict[tuple[int, int], Posted]:
    """By (room, seq), integer keys; those that are no messages any more are absent."""
    found = {}
    for room_id, seq in places:
        row = await reader.one(
            "SELECT m.id, m.public_id, m.org_id, m.room_id, r.kind, m.seq, m.ordinal, m.author_id, m.level, m.mention_all,"
            " m.confirm_by, q.author_id, m.redacted_at, m.created_at FROM messages m JOIN rooms r ON r.id = m.room_id"
            " LEFT JOIN messages q ON q.id = m.quote_id WHERE m.room_id = ? AND m.seq = ?",
            room_id,
            seq,
        )
        if row is not None:
            facts: list[Any] = [*row[:9], bool(row[9]), row[10] is not None, row[11], row[12] is not None, row[13]]
            found[room_id, seq] = Posted(*facts)
    return found


async def members(reader: Reader, room_id: int, ordinal: int) -> Sequence[Row]:
    """Everybody in the room, with all that decides whether the message at `ordinal` wakes them: (user_id, kind, disabled_at,
    ends_at, involvement, visible_seq, read_seq, mentioned, level of the room, push, duty, quiet_from, quiet_to, time_zone)."""
    return await reader.all(
        "SELECT m.user_id, u.kind, u.disabled_at, u.ends_at, m.involvement, m.visible_seq, m.read_seq, n.ordinal, l.level,"
        " s.push, s.duty, s.quiet_from, s.quiet_to, s.time_zone FROM memberships m JOIN users u ON u.id = m.user_id"
        " LEFT JOIN mentions n ON n.user_id = m.user_id AND n.room_id = m.room_id AND n.ordinal = ?"
        " LEFT JOIN room_notifications l ON l.user_id = m.user_id AND l.room_id = m.room_id"
        " LEFT JOIN notification_settings s ON s.user_id = m.user_id"
        " WHERE m.room_id = ? AND m.to_seq IS NULL",
        ordinal,
        room_id,
    )


_UNREAD: Final = """
(SELECT count(*) FROM (SELECT 1 FROM messages x WHERE x.room_id = m.room_id
   AND x.ordinal > CASE WHEN m.read_ordinal > m.visible_ordinal THEN m.read_ordinal ELSE m.visible_ordinal END
   AND x.author_id <> m.user_id AND x.redacted_at IS NULL LIMIT ?) AS unread)"""
_MENTIONED: Final = """
(EXISTS (SELECT 1 FROM mentions n WHERE n.user_id = m.user_id AND n.room_id = m.room_id AND n.ordinal > m.read_ordinal
   AND n.ordinal > m.visible_ordinal)
 OR EXISTS (SELECT 1 FROM messages x WHERE x.room_id = m.room_id AND x.mention_all = 1 AND x.ordinal > m.read_ordinal
   AND x.ordinal > m.visible_ordinal AND x.author_id <> m.user_id))"""


async def badges(reader: Reader, users: Sequence[int], cap: int, *, memo_pads: bool = True) -> dict[int, int]:
    """The number on each person's icon (integer keys): unread messages as the room list counts them; a room of which one wants
    mentions alone counts one if there is any, a silent one nothing. It is what the web client shows (`notifying`). `memo_pads`: these are counted, too."""
    rooms = "" if memo_pads else " AND NOT EXISTS (SELECT 1 FROM rooms r WHERE r.id = m.room_id AND r.kind = 'memo')"
    found: dict[int, int] = {}
    for some in _some(users):
        for user_id, number in await reader.all(
            f"SELECT m.user_id, sum(CASE WHEN m.involvement = 'everything' THEN {_UNREAD}"  # noqa: S608
            f" WHEN m.involvement = 'mentions' AND {_MENTIONED} THEN 1 ELSE 0 END)"
            f" FROM memberships m WHERE m.user_id IN ({_marks(some)}) AND m.to_seq IS NULL{rooms} GROUP BY m.user_id",
            cap,
            *some,
        ):
            found[int(user_id)] = int(number)
    return found


async def read_marks(reader: Reader, users: Sequence[int], rooms: Sequence[int]) -> dict[tuple[int, int], int]:
    """(user, room) → how far they have read, of those of these people who are in one of these rooms (integer keys)."""
    found: dict[tuple[int, int], int] = {}
    for people in _some(users):
        for some in _some(rooms):
            for user_id, room_id, seq in await reader.all(
                f"SELECT user_id, room_id, read_seq FROM memberships WHERE user_id IN ({_marks(people)})"  # noqa: S608
                f" AND room_id IN ({_marks(some)}) AND to_seq IS NULL",
                *people,
                *some,
            ):
                found[int(user_id), int(room_id)] = int(seq)
    return found


async def shown(reader: Reader, messages: Sequence[int]) -> dict[int, Row]:
    """By message (integer key): (message's id, room's id, kind, name, org_id, seq, author's name, text, redacted_at, level)."""
    found = {}
    for some in _some(messages):
        for row in await reader.all(
            "SELECT m.id, m.public_id, r.public_id, r.kind, r.name, r.org_id, m.seq, m.author_name, substr(m.text, 1, 200),"  # noqa: S608
            " m.redacted_at, m.level FROM messages m JOIN rooms r ON r.id = m.room_id"
            f" WHERE m.id IN ({_marks(some)})",
            *some,
        ):
            found[int(row[0])] = row[1:]
    return found


async def room_ids(reader: Reader, rooms: Sequence[int]) -> dict[int, str]:
    """Integer key → public id."""
    found = {}
    for some in _some(rooms):
        for row in await reader.all(f"SELECT id, public_id FROM rooms WHERE id IN ({_marks(some)})", *some):  # noqa: S608
            found[int(row[0])] = str(row[1])
    return found


async def room_keys(reader: Reader, rooms: Sequence[str]) -> dict[str, int]:
    """Public id → integer key."""
    found = {}
    for start in range(0, len(rooms), _AT_ONCE):
        some = rooms[start : start + _AT_ONCE]
        for row in await reader.all(
            f"SELECT public_id, id FROM rooms WHERE public_id IN ({','.join('?' * len(some))})",  # noqa: S608
            *some,
        ):
            found[str(row[0])] = int(row[1])
    return found


async def been_in(reader: Reader, user_id: int, room_id: int) -> bool:
    """Whether the person is or was in the room."""
    row = await reader.one("SELECT 1 FROM memberships WHERE user_id = ? AND room_id = ? LIMIT 1", user_id, room_id)
    return row is not None


async def devices(reader: Reader, devices: Sequence[int]) -> dict[int, tuple[str, str]]:
    """Integer key → (public id, name), signed out or not."""
    found = {}
    for some in _some(devices):
        for row in await reader.all(f"SELECT id, public_id, name FROM devices WHERE id IN ({_marks(some)})", *some):  # noqa: S608
            found[int(row[0])] = (str(row[1]), str(row[2]))
    return found


def _some(keys: Sequence[int]) -> list[Sequence[int]]:
    return [keys[start : start + _AT_ONCE] for start in range(0, len(keys), _AT_ONCE)]


def _marks(keys: Sequence[int]) -> str:
    return ",".join("?" * len(keys))
