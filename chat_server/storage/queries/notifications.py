"""How people want to be rung: one row a person, one for each room that they said something of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chat_server.domain.push import TIME_ZONE
from chat_server.ports import Reader, Tx


@dataclass(frozen=True, slots=True)
class Settings:
    """`quiet_from`, `quiet_to`: minutes of the day in `time_zone`; None, both: no quiet hours."""

    push: str = "mentions_and_direct"
    duty: str = "on"
    quiet_from: int | None = None
    quiet_to: int | None = None
    time_zone: str = TIME_ZONE


async def of_person(reader: Reader, user_id: int) -> Settings:
    row = await reader.one(
        "SELECT push, duty, quiet_from, quiet_to, time_zone FROM notification_settings WHERE user_id = ?", user_id
    )
    return Settings(*row) if row else Settings()


async def of_people(reader: Reader, users: Sequence[int]) -> dict[int, Settings]:
    """Of those who set anything. `users`: a few hundred at most."""
    if not users:
        return {}
    rows = await reader.all(
        "SELECT user_id, push, duty, quiet_from, quiet_to, time_zone FROM notification_settings"  # noqa: S608 - question marks
        f" WHERE user_id IN ({', '.join('?' * len(users))})",
        *users,
    )
    return {int(user): Settings(*settings) for user, *settings in rows}


async def put(tx: Tx, user_id: int, org_id: int, settings: Settings) -> None:
    await tx.run(
        "INSERT INTO notification_settings (user_id, org_id, push, duty, quiet_from, quiet_to, time_zone)"
        " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (user_id) DO UPDATE SET push = excluded.push, duty = excluded.duty,"
        " quiet_from = excluded.quiet_from, quiet_to = excluded.quiet_to, time_zone = excluded.time_zone",
        user_id, org_id, settings.push, settings.duty, settings.quiet_from, settings.quiet_to, settings.time_zone,
    )  # fmt: skip


async def rooms(reader: Reader, user_id: int) -> list[tuple[str, str]]:
    """(room's public id, level) of the rooms that one is in now."""
    rows = await reader.all(
        "SELECT r.public_id, l.level FROM room_notifications l JOIN rooms r ON r.id = l.room_id"
        " JOIN memberships m ON m.user_id = l.user_id AND m.room_id = l.room_id AND m.to_seq IS NULL"
        " WHERE l.user_id = ? ORDER BY r.id",
        user_id,
    )
    return [(str(row[0]), str(row[1])) for row in rows]


async def put_room(tx: Tx, user_id: int, room_id: int, level: str | None) -> None:
    if level is None:
        await tx.run("DELETE FROM room_notifications WHERE user_id = ? AND room_id = ?", user_id, room_id)
        return
    await tx.run(
        "INSERT INTO room_notifications (user_id, room_id, level) VALUES (?, ?, ?)"
        " ON CONFLICT (user_id, room_id) DO UPDATE SET level = excluded.level",
        user_id, room_id, level,
    )  # fmt: skip
