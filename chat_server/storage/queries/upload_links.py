"""SQL of upload links."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from chat_server.ports import Reader, Tx


class Link(NamedTuple):
    """`room`, `asker`: public ids. `is_given`: an address of it is good. `kinds`, `told`: comma between. `files`, `bytes`: of what
    is whole; `taken_files`, `taken_bytes`: with what is still coming, without what was refused; `tried_files`: with both."""

    id: int
    public_id: str
    org_id: int
    room_id: int
    room: str
    is_archived: int
    asker_id: int
    asker: str
    asker_name: str
    is_given: int
    pin_hash: str | None
    pin_misses: int
    recipient: str
    company: str
    email: str
    purpose: str
    expected: str
    most_files: int
    most_bytes: int
    kinds: str
    told: str
    is_once: int
    created_at: int
    ends_at: int
    opened_at: int | None
    claimed_at: int | None
    done_at: int | None
    revoked_at: int | None
    files: int
    bytes: int
    taken_files: int
    taken_bytes: int
    tried_files: int

    def __repr__(self) -> str:
        return f"Link({self.public_id})"


class NewLink(NamedTuple):
    """A row of `upload_links` to be."""

    public_id: str
    org_id: int
    room_id: int
    asker_id: int
    pin_hash: str | None
    recipient: str
    company: str
    email: str
    purpose: str
    expected: str
    most_files: int
    most_bytes: int
    kinds: str
    told: str
    is_once: int
    ends_at: int

    def __repr__(self) -> str:
        return f"NewLink({self.public_id})"


def _of_files(what: str, which: str = "") -> str:
    return f"(SELECT CAST({what} AS BIGINT) FROM handed_files h WHERE h.link_id = l.id{which})"  # noqa: S608 (constants)


_WHOLE: Final = " AND h.state <> 'coming'"
_GOOD: Final = " AND h.state <> 'refused'"
_COUNTS: Final = ", ".join(
    (
        _of_files("count(*)", _WHOLE), _of_files("coalesce(sum(h.size), 0)", _WHOLE),
        _of_files("count(*)", _GOOD), _of_files("coalesce(sum(h.size), 0)", _GOOD), _of_files("count(*)"),
    )
)  # fmt: skip
_SELECT: Final = (
    "SELECT l.id, l.public_id, l.org_id, l.room_id, r.public_id, CASE WHEN r.archived_at IS NULL THEN 0 ELSE 1 END, l.asker_id,"  # noqa: S608
    " u.public_id, u.name, CASE WHEN l.token_hash IS NULL THEN 0 ELSE 1 END, l.pin_hash, l.pin_misses, l.recipient, l.company,"
    " l.email, l.purpose, l.expected, l.most_files, l.most_bytes, l.kinds, l.told, l.is_once, l.created_at, l.ends_at,"
    f" l.opened_at, l.claimed_at, l.done_at, l.revoked_at, {_COUNTS}"
    " FROM upload_links l JOIN rooms r ON r.id = l.room_id JOIN users u ON u.id = l.asker_id"
)


async def insert(tx: Tx, new: NewLink) -> None:
    await tx.run(
        "INSERT INTO upload_links (public_id, org_id, room_id, asker_id, pin_hash, recipient, company, email, purpose, expected,"
        " most_files, most_bytes, kinds, told, is_once, ends_at, created_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        *new, tx.now,
    )  # fmt: skip


async def find(reader: Reader, public_id: str) -> Link | None:
    row = await reader.one(f"{_SELECT} WHERE l.public_id = ?", public_id)
    return None if row is None else Link(*row)


async def by_id(reader: Reader, link_id: int) -> Link:
    row = await reader.one(f"{_SELECT} WHERE l.id = ?", link_id)
    assert row is not None
    return Link(*row)


async def by_token(reader: Reader, token_hash: bytes) -> Link | None:
    """Whatever became of it."""
    row = await reader.one(f"{_SELECT} WHERE l.token_hash = ?", token_hash)
    return None if row is None else Link(*row)


async def of_room(reader: Reader, room_id: int, limit: int) -> list[Link]:
    """The newest first."""
    rows = await reader.all(f"{_SELECT} WHERE l.room_id = ? ORDER BY l.id DESC LIMIT ?", room_id, limit)
    return [Link(*row) for row in rows]


async def of_organization(reader: Reader, org_id: int, limit: int) -> list[Link]:
    """Those that are good, the next deadline first."""
    rows = await reader.all(
        f"{_SELECT} WHERE l.org_id = ? AND l.done_at IS NULL AND l.revoked_at IS NULL AND l.ends_at > ? ORDER BY l.ends_at, l.id LIMIT ?",
        org_id, reader.now, limit,
    )  # fmt: skip
    return [Link(*row) for row in rows]


async def room_names(reader: Reader, room_ids: Sequence[int]) -> dict[int, str]:
    """By integer key."""
    if not room_ids:
        return {}
    marks = ", ".join("?" * len(room_ids))
    rows = await reader.all(f"SELECT id, name FROM rooms WHERE id IN ({marks})", *room_ids)  # noqa: S608 (question marks)
    return {int(row[0]): str(row[1] or "") for row in rows}


async def living(reader: Reader, room_id: int) -> int:
    """How many of a room are good."""
    row = await reader.one(
        "SELECT count(*) FROM upload_links WHERE room_id = ? AND done_at IS NULL AND revoked_at IS NULL AND ends_at > ?",
        room_id,
        reader.now,
    )
    assert row is not None
    return int(row[0])


async def overdue(reader: Reader, limit: int) -> list[Link]:
    """Those whose deadline passed and whose room was not told of it."""
    rows = await reader.all(
        f"{_SELECT} WHERE l.done_at IS NULL AND l.revoked_at IS NULL AND l.reminded_at IS NULL AND l.ends_at <= ?"
        " ORDER BY l.ends_at LIMIT ?",
        reader.now,
        limit,
    )
    return [Link(*row) for row in rows]


async def set_token(tx: Tx, link_id: int, token_hash: bytes) -> None:
    await tx.run("UPDATE upload_links SET token_hash = ? WHERE id = ?", token_hash, link_id)


async def set_end(tx: Tx, link_id: int, ends_at: int) -> None:
    await tx.run("UPDATE upload_links SET ends_at = ?, reminded_at = NULL WHERE id = ?", ends_at, link_id)


async def set_reminded(tx: Tx, link_id: int) -> None:
    await tx.run("UPDATE upload_links SET reminded_at = ? WHERE id = ?", tx.now, link_id)


async def revoke(tx: Tx, link_id: int) -> None:
    await tx.run("UPDATE upload_links SET revoked_at = ?, token_hash = NULL WHERE id = ?", tx.now, link_id)


async def close(tx: Tx, link_id: int) -> None:
    """Nothing more comes; once."""
    await tx.run("UPDATE upload_links SET done_at = ? WHERE id = ? AND done_at IS NULL", tx.now, link_id)


async def open_(tx: Tx, link_id: int) -> bool:
    """Somebody outside began a visit: whether it was the first."""
    return (
        await tx.run("UPDATE upload_links SET opened_at = ? WHERE id = ? AND opened_at IS NULL", tx.now, link_id) == 1
    )


async def claim(tx: Tx, link_id: int) -> bool:
    """Take the one delivery of a link: one of those who try at once."""
    changed = await tx.run(
        "UPDATE upload_links SET claimed_at = ? WHERE id = ? AND claimed_at IS NULL AND done_at IS NULL",
        tx.now,
        link_id,
    )
    return changed == 1


async def free(tx: Tx, link_id: int) -> None:
    """Give the one delivery back where nothing came of it."""
    await tx.run(
        "UPDATE upload_links SET claimed_at = NULL WHERE id = ? AND done_at IS NULL"
        " AND NOT EXISTS (SELECT 1 FROM handed_files h WHERE h.link_id = upload_links.id)",
        link_id,
    )


async def count_pin_miss(tx: Tx, link_id: int) -> None:
    await tx.run("UPDATE upload_links SET pin_misses = pin_misses + 1 WHERE id = ?", link_id)


async def end_tokens(tx: Tx) -> int:
    """Of all links; answers how many."""
    return await tx.run("UPDATE upload_links SET token_hash = NULL WHERE token_hash IS NOT NULL")


async def tell_bot(tx: Tx, link: Link, plugin: str, key: str) -> None:
    """The bot of that name has the link to look at. Where it has already, or is just at it, it looks anew: `key` changes, so that
    what it made of the link before does not count (`bots.done`)."""
    await tx.run(
        "INSERT INTO bot_events (org_id, bot_id, room_id, key, kind, note, due_at)"
        " SELECT b.org_id, b.user_id, CAST(? AS BIGINT), CAST(? AS TEXT), 'link', CAST(? AS TEXT), CAST(? AS BIGINT)"
        " FROM bots b JOIN users u ON u.id = b.user_id AND u.disabled_at IS NULL WHERE b.org_id = ? AND b.plugin = ?"
        " ON CONFLICT (bot_id, note) WHERE kind = 'link' DO UPDATE SET key = excluded.key, due_at = excluded.due_at, tries = 0,"
        " parked_at = NULL, reason = NULL, lease = NULL, leased_until = NULL",
        link.room_id, key, link.public_id, tx.now, link.org_id, plugin,
    )  # fmt: skip


async def bot_of(reader: Reader, org_id: int, plugin: str) -> tuple[int, str] | None:
    """(integer key, public id) of the organization's bot of that name."""
    row = await reader.one(
        "SELECT u.id, u.public_id FROM bots b JOIN users u ON u.id = b.user_id AND u.disabled_at IS NULL"
        " WHERE b.org_id = ? AND b.plugin = ?",
        org_id,
        plugin,
    )
    return None if row is None else (int(row[0]), str(row[1]))


async def members(reader: Reader, room_id: int, users: Sequence[str]) -> set[str]:
    """Those of `users` (public ids) who are in the room now."""
    if not users:
        return set()
    places = ", ".join("?" * len(users))
    rows = await reader.all(
        "SELECT u.public_id FROM memberships m JOIN users u ON u.id = m.user_id AND u.disabled_at IS NULL"  # noqa: S608
        f" WHERE m.room_id = ? AND m.to_seq IS NULL AND u.public_id IN ({places})",
        room_id,
        *users,
    )
    return {str(row[0]) for row in rows}
