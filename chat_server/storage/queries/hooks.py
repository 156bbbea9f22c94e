"""SQL of webhooks."""

from __future__ import annotations

from typing import Final, NamedTuple

from chat_server.ports import Reader, Tx


class Hook(NamedTuple):
    """`room`, `bot`: public ids. `salt`: see `services.hook_secrets`; never shown."""

    id: int
    public_id: str
    org_id: int
    room_id: int
    room: str
    bot_id: int
    bot: str
    name: str
    bot_disabled_at: int | None
    url: str
    is_on: int
    salt: bytes
    old_salt: bytes | None
    old_until: int | None
    minute: int
    posts: int
    told_at: int | None
    created_at: int

    def __repr__(self) -> str:
        return f"Hook({self.public_id})"


_SELECT: Final = (
    "SELECT h.id, h.public_id, h.org_id, h.room_id, r.public_id, h.bot_id, u.public_id, u.name, u.disabled_at, h.url, h.is_on,"
    " h.salt, h.old_salt, h.old_until, h.minute, h.posts, h.told_at, h.created_at"
    " FROM hooks h JOIN rooms r ON r.id = h.room_id JOIN users u ON u.id = h.bot_id"
)


async def insert(
    tx: Tx, public_id: str, org_id: int, room_id: int, bot_id: int, made_by: int, url: str, salt: bytes
) -> None:
    await tx.run(
        "INSERT INTO hooks (public_id, org_id, room_id, bot_id, made_by, url, salt, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        public_id, org_id, room_id, bot_id, made_by, url, salt, tx.now,
    )  # fmt: skip


async def find(reader: Reader, public_id: str) -> Hook | None:
    """Unless it was removed."""
    row = await reader.one(f"{_SELECT} WHERE h.public_id = ? AND h.removed_at IS NULL", public_id)
    return None if row is None else Hook(*row)


async def of_room(reader: Reader, room_id: int) -> list[Hook]:
    """The oldest first."""
    rows = await reader.all(f"{_SELECT} WHERE h.room_id = ? AND h.removed_at IS NULL ORDER BY h.id", room_id)
    return [Hook(*row) for row in rows]


async def of_organization(reader: Reader, org_id: int) -> list[Hook]:
    """Those of its rooms, by room, the oldest first."""
    rows = await reader.all(f"{_SELECT} WHERE h.org_id = ? AND h.removed_at IS NULL ORDER BY h.room_id, h.id", org_id)
    return [Hook(*row) for row in rows]


async def everywhere(reader: Reader) -> list[Hook]:
    """Of all organizations, unless they were removed."""
    return [Hook(*row) for row in await reader.all(f"{_SELECT} WHERE h.removed_at IS NULL ORDER BY h.id")]


async def count(reader: Reader, room_id: int) -> int:
    row = await reader.one("SELECT count(*) FROM hooks WHERE room_id = ? AND removed_at IS NULL", room_id)
    assert row is not None
    return int(row[0])


async def change(tx: Tx, hook: Hook, url: str, is_on: bool) -> None:
    """What waits goes to where the hook leads now, at once."""
    await tx.run("UPDATE hooks SET url = ?, is_on = ? WHERE id = ?", url, int(is_on), hook.id)
    await tx.run("UPDATE hook_deliveries SET due_at = ? WHERE hook_id = ? AND parked_at IS NULL", tx.now, hook.id)


async def set_salt(tx: Tx, hook: Hook, salt: bytes, old_until: int) -> None:
    await tx.run("UPDATE hooks SET old_salt = salt, old_until = ?, salt = ? WHERE id = ?", old_until, salt, hook.id)


async def close(tx: Tx, hook: Hook, salt: bytes) -> None:
    await tx.run("UPDATE hooks SET is_on = 0, salt = ?, old_salt = NULL, old_until = NULL WHERE id = ?", salt, hook.id)


async def remove(tx: Tx, hook: Hook) -> None:
    await tx.run("DELETE FROM hook_deliveries WHERE hook_id = ?", hook.id)
    await tx.run("UPDATE hooks SET removed_at = ?, url = '', is_on = 0 WHERE id = ?", tx.now, hook.id)


async def count_post(tx: Tx, hook: Hook, minute: int, posts: int) -> None:
    await tx.run("UPDATE hooks SET minute = ?, posts = ? WHERE id = ?", minute, posts, hook.id)


async def set_told(tx: Tx, hook: Hook, at: int | None) -> None:
    await tx.run("UPDATE hooks SET told_at = ? WHERE id = ?", at, hook.id)
