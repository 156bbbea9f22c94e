"""The room list: one query for everything a person sees at the left of the screen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from chat_server.ports import Reader, Row


@dataclass(frozen=True, slots=True)
class Listed:
    """One room of a person, in the order of `_ROOMS`.

    `unread` is counted up to a cap; `last_…`: the newest message, whether it may be seen or not; `other…`: the other
    person of a direct room.
    """

    room_id: int
    room: str
    kind: str
    name: str
    reading: str
    topic: str
    history: str
    outflow: str
    archived_at: int | None
    members: int
    role: str
    involvement: str
    head: int
    first: int
    read: int
    visible: int
    home: str
    org_id: int
    unread: int
    mentioned: int
    last_at: int | None
    last_author: str | None
    last_text: str | None
    last_redacted_at: int | None
    last_seq: int | None
    other: str | None
    other_id: str | None


# Unread: messages above the own marker, not one's own, not redacted, counted up to the cap; a covering index answers
# it. The other person of a direct room: by CASE, because a mere condition on the kind reads the members of every room.
_ROOMS: Final = """
SELECT r.id, r.public_id, r.kind, r.name, r.reading, r.topic, r.history, r.outflow, r.archived_at, r.members, m.role,
  m.involvement, r.last_seq, r.first_seq, m.read_seq, m.visible_seq, o.name, r.org_id,
  (SELECT count(*) FROM (SELECT 1 FROM messages x WHERE x.room_id = r.id
     AND x.ordinal > CASE WHEN m.read_ordinal > m.visible_ordinal THEN m.read_ordinal ELSE m.visible_ordinal END
     AND x.author_id <> m.user_id AND x.redacted_at IS NULL LIMIT ?) AS unread),
  EXISTS (SELECT 1 FROM mentions n WHERE n.user_id = m.user_id AND n.room_id = r.id AND n.ordinal > m.read_ordinal
     AND n.ordinal > m.visible_ordinal)
  OR EXISTS (SELECT 1 FROM messages x WHERE x.room_id = r.id AND x.mention_all = 1 AND x.ordinal > m.read_ordinal
     AND x.ordinal > m.visible_ordinal AND x.author_id <> m.user_id),
  l.created_at, l.author_name, substr(l.text, 1, 120), l.redacted_at, l.seq, du.name, du.public_id
FROM memberships m
JOIN rooms r ON r.id = m.room_id
JOIN organizations o ON o.id = r.org_id
LEFT JOIN messages l ON l.room_id = r.id AND l.ordinal = r.last_ordinal
LEFT JOIN memberships dm ON dm.room_id = CASE WHEN r.kind = 'direct' THEN r.id END AND dm.user_id <> m.user_id
  AND dm.to_seq IS NULL
LEFT JOIN users du ON du.id = dm.user_id
WHERE m.user_id = ? AND m.to_seq IS NULL
"""


async def of_person(tx: Reader, user_id: int, cap: int) -> list[Listed]:
    """Every room of the person, the most recently written first."""
    rows = await tx.all(_ROOMS + "ORDER BY coalesce(l.created_at, r.created_at) DESC, r.id DESC", cap, user_id)
    return [Listed(*row) for row in rows]


async def one(tx: Reader, user_id: int, room: str, cap: int) -> Listed | None:
    """The same for a single room, by public id."""
    row = await tx.one(_ROOMS + "AND r.public_id = ?", cap, user_id, room)
    return Listed(*row) if row else None


async def outsiders(tx: Reader, room_ids: Sequence[int]) -> Sequence[Row]:
    """(room_id, name) of everyone who makes a room less than internal: other organizations, each once, and guests.

    Rooms have thousands of members and few outsiders: only the index of those is looked at.
    """
    if not room_ids:
        return []
    marks = ",".join("?" * len(room_ids))
    return await tx.all(
        "SELECT s.room_id, o.name FROM room_organizations s JOIN organizations o ON o.id = s.org_id"  # noqa: S608
        f" WHERE s.room_id IN ({marks}) AND s.state <> 'home' AND EXISTS (SELECT 1 FROM memberships m"
        "   WHERE m.room_id = s.room_id AND m.org_id = s.org_id AND m.outsider = 1 AND m.to_seq IS NULL)"
        " UNION SELECT r.id, u.name FROM rooms r"
        " JOIN memberships m ON m.room_id = r.id AND m.org_id = r.org_id AND m.outsider = 1 AND m.to_seq IS NULL"
        f" JOIN users u ON u.id = m.user_id WHERE r.id IN ({marks}) ORDER BY 1, 2",
        *room_ids,
        *room_ids,
    )
