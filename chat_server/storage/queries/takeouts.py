"""SQL of files that somebody wants to take out to a less trusted zone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from chat_server.ports import Reader, Tx
from chat_server.storage.queries.attachments import Looker


class Takeout(NamedTuple):
    """`user`, `room`, `attachment`, `message`: public ids; `message` is empty where the file is in a note. `origin`: the zone that the
    file came in by. `approver`: name of whoever decided. `outflow`, `pair`, `carried`: the rules that hold for it now. `gone`: 1 where the file is
    not there any more. `owner`: 1 where whoever looks owns the room."""

    id: int
    public_id: str
    org_id: int
    attachment_id: int
    attachment: str
    name: str
    kind: str
    size: int
    origin: str
    user_id: int
    user: str
    user_name: str
    device: str
    zone: str
    reason: str
    state: str
    asked_at: int
    expires_at: int
    decided_at: int | None
    approver: str
    words: str
    room_id: int
    room: str
    room_name: str
    message: str
    outflow: str
    pair: str
    carried: str
    gone: int
    owner: int


class NewTakeout(NamedTuple):
    """A row of `takeouts` to be."""

    public_id: str
    org_id: int
    attachment_id: int
    user_id: int
    device: str
    zone: str
    reason: str
    expires_at: int


_SELECT: Final = """
SELECT t.id, t.public_id, t.org_id, t.attachment_id, a.public_id, a.name, a.kind, a.size, a.origin_zone, t.user_id, u.public_id, u.name,
       t.device, t.zone, t.reason, t.state, t.asked_at, t.expires_at, t.decided_at, coalesce(d.name, ''), t.words,
       r.id, r.public_id, r.name, coalesce(m.public_id, ''), r.outflow,
       coalesce((SELECT z.action FROM zone_rules z WHERE z.org_id = a.org_id AND z.from_zone = a.origin_zone AND z.to_zone = t.zone
                 AND z.family = 'outflow'), 'download'), coalesce(a.carried, 'download'),
       CASE WHEN a.withdrawn_at IS NOT NULL OR m.redacted_at IS NOT NULL OR (a.message_id IS NULL AND a.note_id IS NULL)
            THEN 1 ELSE 0 END,
       CASE WHEN EXISTS (SELECT 1 FROM memberships s WHERE s.room_id = a.room_id AND s.user_id = ? AND s.to_seq IS NULL
                         AND s.role = 'owner' AND s.outsider = 0) THEN 1 ELSE 0 END
FROM takeouts t JOIN attachments a ON a.id = t.attachment_id JOIN users u ON u.id = t.user_id
JOIN rooms r ON r.id = a.room_id LEFT JOIN messages m ON m.id = a.message_id LEFT JOIN users d ON d.id = t.decided_by
"""
"""The first value is the integer key of whoever looks."""


async def insert(tx: Tx, new: NewTakeout) -> None:
    await tx.run(
        "INSERT INTO takeouts (public_id, org_id, attachment_id, user_id, device, zone, reason, expires_at, state, asked_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'asked', ?)",
        *new, tx.now,
    )  # fmt: skip


async def newest(reader: Reader, attachment_id: int, who: Looker) -> Takeout | None:
    """What was last asked for by whoever looks, on this device."""
    row = await reader.one(
        f"{_SELECT} WHERE t.attachment_id = ? AND t.user_id = ? AND t.device = ? ORDER BY t.id DESC LIMIT 1",
        who.user_id, attachment_id, who.user_id, who.device,
    )  # fmt: skip
    return None if row is None else Takeout(*row)


async def states(reader: Reader, attachment_ids: Sequence[int], who: Looker) -> dict[int, tuple[str, int]]:
    """(state, when that ends) of the last that whoever looks asked for on this device, by attachment."""
    if not attachment_ids:
        return {}
    marks = ", ".join("?" * len(attachment_ids))
    rows = await reader.all(
        f"SELECT attachment_id, state, expires_at FROM takeouts WHERE attachment_id IN ({marks}) AND user_id = ? AND device = ?"  # noqa: S608
        " ORDER BY id",
        *attachment_ids, who.user_id, who.device,
    )  # fmt: skip
    return {int(row[0]): (str(row[1]), int(row[2])) for row in rows}


async def find(reader: Reader, org_id: int, public_id: str, user_id: int) -> Takeout | None:
    """One of the organization's, as `user_id` looks at it; those of others do not exist."""
    row = await reader.one(f"{_SELECT} WHERE t.public_id = ? AND t.org_id = ?", user_id, public_id, org_id)
    return None if row is None else Takeout(*row)


async def waiting(reader: Reader, org_id: int, user_id: int) -> list[Takeout]:
    """What somebody may decide now, as `user_id` looks at it, the oldest first."""
    rows = await reader.all(
        f"{_SELECT} WHERE t.state = 'asked' AND t.org_id = ? AND t.expires_at > ? ORDER BY t.asked_at, t.id",
        user_id, org_id, reader.now,
    )  # fmt: skip
    return [Takeout(*row) for row in rows]


async def waiting_for(reader: Reader, user_id: int) -> list[Takeout]:
    """Theirs that wait."""
    rows = await reader.all(
        f"{_SELECT} WHERE t.user_id = ? AND t.state = 'asked' AND t.expires_at > ?", user_id, user_id, reader.now
    )
    return [Takeout(*row) for row in rows]


async def lapse(tx: Tx, attachment_id: int, user_id: int, device: str) -> None:
    """What nobody decided in time makes room for another."""
    await tx.run(
        "UPDATE takeouts SET state = 'lapsed' WHERE attachment_id = ? AND user_id = ? AND device = ? AND state = 'asked'"
        " AND expires_at <= ?",
        attachment_id, user_id, device, tx.now,
    )  # fmt: skip


async def decide(tx: Tx, takeout_id: int, state: str, user_id: int, words: str, expires_at: int) -> bool:
    """False where somebody else was first, or its time is over."""
    return await tx.run(
        "UPDATE takeouts SET state = ?, decided_by = ?, decided_at = ?, words = ?, expires_at = ?"
        " WHERE id = ? AND state = 'asked' AND expires_at > ?",
        state, user_id, tx.now, words, expires_at, takeout_id, tx.now,
    ) == 1  # fmt: skip


async def owners(reader: Reader, room_id: int, but: int, limit: int) -> list[str]:
    """Public ids of the room's owners who are its home's staff, without `but`."""
    rows = await reader.all(
        "SELECT u.public_id FROM memberships s JOIN users u ON u.id = s.user_id"
        " WHERE s.room_id = ? AND s.to_seq IS NULL AND s.role = 'owner' AND s.outsider = 0 AND u.disabled_at IS NULL AND u.id <> ?"
        " ORDER BY s.id LIMIT ?",
        room_id, but, limit,
    )  # fmt: skip
    return [str(row[0]) for row in rows]


async def holders(reader: Reader, room_id: int, org_id: int, role: str, but: int, limit: int) -> list[tuple[int, str]]:
    """(integer key, public id) of those in the room who have this role in the organization, without `but`."""
    rows = await reader.all(
        "SELECT u.id, u.public_id FROM memberships s JOIN users u ON u.id = s.user_id"
        " WHERE s.room_id = ? AND s.to_seq IS NULL AND u.disabled_at IS NULL AND u.id <> ?"
        " AND EXISTS (SELECT 1 FROM roles o WHERE o.user_id = u.id AND o.org_id = ? AND o.role = ?)"
        " ORDER BY s.id LIMIT ?",
        room_id, but, org_id, role, limit,
    )  # fmt: skip
    return [(int(row[0]), str(row[1])) for row in rows]


async def forget(tx: Tx, attachment_ids: Sequence[int]) -> None:
    """Of attachments that are removed."""
    marks = ", ".join("?" * len(attachment_ids))
    await tx.run(f"DELETE FROM takeouts WHERE attachment_id IN ({marks})", *attachment_ids)  # noqa: S608


async def home(reader: Reader, attachment_id: int) -> int:
    """The organization of its room (integer key)."""
    row = await reader.one(
        "SELECT r.org_id FROM attachments a JOIN rooms r ON r.id = a.room_id WHERE a.id = ?", attachment_id
    )
    assert row is not None
    return int(row[0])
