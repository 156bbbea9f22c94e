"""SQL of bots that run elsewhere: their tokens, and who is at what."""

from __future__ import annotations

from typing import NamedTuple

from chat_server.ports import Reader, Tx
from chat_server.storage.queries.bot_posts import Waiting, waiting
from chat_server.storage.queries.bots import DUE_OUTSIDE, LEASED, LEFT, Due


class Outsider(NamedTuple):
    """A bot that runs elsewhere. `id`: public. `zone`: where its token is good."""

    user_id: int
    org_id: int
    id: str
    name: str
    zone: str


class Listed(NamedTuple):
    """A bot as the operator sees it. `outside`: it has a token. `waiting`: things to do; `parked`: given up."""

    name: str
    title: str
    outside: bool
    zone: str
    seen_at: int | None
    waiting: int
    parked: int


async def by_token(reader: Reader, token_hash: bytes) -> Outsider | None:
    """Unless its account is disabled."""
    row = await reader.one(
        "SELECT u.id, u.org_id, u.public_id, u.name, b.zone FROM bots b JOIN users u ON u.id = b.user_id"
        " WHERE b.token_hash = ? AND u.disabled_at IS NULL",
        token_hash,
    )
    return None if row is None else Outsider(*row)


async def named(reader: Reader, org_id: int, plugin: str) -> tuple[int, str] | None:
    """(user_id, public id)"""
    row = await reader.one(
        "SELECT u.id, u.public_id FROM bots b JOIN users u ON u.id = b.user_id WHERE b.org_id = ? AND b.plugin = ?",
        org_id, plugin,
    )  # fmt: skip
    return None if row is None else (row[0], row[1])


async def give_token(tx: Tx, user_id: int, token_hash: bytes | None, zone: str) -> None:
    """None: it runs in the server (again). Whoever was at something with the old one is not any more."""
    await tx.run("UPDATE bots SET token_hash = ?, zone = ? WHERE user_id = ?", token_hash, zone, user_id)
    await tx.run(
        "UPDATE bot_events SET lease = NULL, leased_until = NULL WHERE bot_id = ? AND lease IS NOT NULL", user_id
    )


async def all_outside(reader: Reader) -> list[tuple[int, str]]:
    """(user_id, zone) of all that have a token."""
    rows = await reader.all("SELECT user_id, zone FROM bots WHERE token_hash IS NOT NULL ORDER BY user_id")
    return [(row[0], row[1]) for row in rows]


async def seen(tx: Tx, user_id: int) -> None:
    await tx.run("UPDATE bots SET seen_at = ? WHERE user_id = ?", tx.now, user_id)


async def rest(tx: Tx, user_id: int, until: int) -> None:
    await tx.run("UPDATE bots SET rests_until = ? WHERE user_id = ?", until, user_id)


async def next_due(reader: Reader, bot_id: int) -> Due | None:
    """The next thing of a room in which it is at nothing: what it keeps for a room has one who changes it at a time."""
    row = await reader.one(DUE_OUTSIDE, bot_id, reader.now)
    return None if row is None else Due(*row)


async def lease(tx: Tx, due: Due, lease_: str, until: int, told: int | None) -> None:
    """`told`: how many times the form had been answered."""
    await tx.run(
        "UPDATE bot_events SET lease = ?, leased_until = ?, told = ? WHERE id = ?", lease_, until, told, due.id
    )


async def release(tx: Tx, due: Due) -> None:
    await tx.run("UPDATE bot_events SET lease = NULL, leased_until = NULL WHERE id = ? AND key = ?", due.id, due.key)


async def leased(reader: Reader, bot_id: int, lease_: str) -> Due | None:
    row = await reader.one(LEASED, bot_id, lease_)
    return None if row is None else Due(*row)


async def told(reader: Reader, due: Due) -> int | None:
    row = await reader.one("SELECT told FROM bot_events WHERE id = ?", due.id)
    return None if row is None else row[0]


async def left(reader: Reader, bot_id: int, limit: int) -> list[Due]:
    """What it took and did not bring back in time."""
    return [Due(*row) for row in await reader.all(LEFT, bot_id, reader.now, limit)]


async def changes(reader: Reader, bot_id: int, limit: int) -> list[Waiting]:
    """Its posts whose change is to be shown now."""
    return await waiting(reader, "b.user_id = ?", bot_id, limit)


async def rests_until(reader: Reader, bot_id: int) -> int:
    row = await reader.one("SELECT rests_until FROM bots WHERE user_id = ?", bot_id)
    return 0 if row is None else int(row[0])


async def all_of(reader: Reader, org_id: int) -> list[Listed]:
    rows = await reader.all(
        "SELECT b.plugin, u.name, CASE WHEN b.token_hash IS NULL THEN 0 ELSE 1 END, b.zone, b.seen_at,"
        " (SELECT count(*) FROM bot_events e WHERE e.bot_id = b.user_id AND e.parked_at IS NULL AND e.due_at <= ?),"
        " (SELECT count(*) FROM bot_events e WHERE e.bot_id = b.user_id AND e.parked_at IS NOT NULL)"
        " FROM bots b JOIN users u ON u.id = b.user_id WHERE b.org_id = ? ORDER BY b.plugin",
        reader.now, org_id,
    )  # fmt: skip
    return [Listed(row[0], row[1], bool(row[2]), *row[3:]) for row in rows]
