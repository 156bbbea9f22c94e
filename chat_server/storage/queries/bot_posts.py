"""SQL of what bots posted to be changed, pressed and answered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from chat_server.ports import Reader, Tx


class BotPost(NamedTuple):
    message_id: int
    org_id: int
    bot_id: int
    room_id: int
    name: str
    answered: int


class Given(NamedTuple):
    """An answer to a form; of a secret one there is the packed `answer` alone."""

    answer: bytes
    person: str | None
    name: str | None
    department: str
    at: int | None


class Waiting(NamedTuple):
    """A post that is to show a change now. `account`: the bot's public id."""

    message_id: int
    bot_id: int
    org_id: int
    account: str
    account_name: str


_COLUMNS = "SELECT message_id, org_id, bot_id, room_id, name, answered FROM bot_posts"


async def insert(tx: Tx, message_id: int, org_id: int, bot_id: int, room_id: int, name: str) -> None:
    await tx.run(
        "INSERT INTO bot_posts (message_id, org_id, bot_id, room_id, name) VALUES (?, ?, ?, ?, ?)",
        message_id, org_id, bot_id, room_id, name,
    )  # fmt: skip


async def named(reader: Reader, bot_id: int, room_id: int, name: str) -> BotPost | None:
    row = await reader.one(f"{_COLUMNS} WHERE bot_id = ? AND room_id = ? AND name = ?", bot_id, room_id, name)
    return None if row is None else BotPost(*row)


async def of_message(reader: Reader, message_id: int) -> BotPost | None:
    row = await reader.one(f"{_COLUMNS} WHERE message_id = ?", message_id)
    return None if row is None else BotPost(*row)


# Changes that wait


async def wait(tx: Tx, message_id: int, blocks: bytes, at: int) -> None:
    """It will show this, not before `at`; what waited already is replaced and keeps its time."""
    await tx.run(
        "UPDATE bot_posts SET waiting = ?, waiting_at = coalesce(waiting_at, ?) WHERE message_id = ?",
        blocks, at, message_id,
    )  # fmt: skip


async def shown(tx: Tx, message_id: int) -> None:
    """Nothing waits any more."""
    await tx.run("UPDATE bot_posts SET waiting = NULL, waiting_at = NULL WHERE message_id = ?", message_id)


async def waiting(reader: Reader, whose: str, bot: str | int, limit: int) -> list[Waiting]:
    """`whose`: a condition with one `?`."""
    rows = await reader.all(
        "SELECT p.message_id, p.bot_id, p.org_id, u.public_id, u.name FROM bot_posts p"  # noqa: S608 (one of two constants)
        " JOIN bots b ON b.user_id = p.bot_id JOIN users u ON u.id = p.bot_id"
        f" WHERE p.waiting_at IS NOT NULL AND p.waiting_at <= ? AND {whose} ORDER BY p.waiting_at LIMIT ?",
        reader.now, bot, limit,
    )  # fmt: skip
    return [Waiting(*row) for row in rows]


async def waiting_of(reader: Reader, message_id: int) -> bytes | None:
    """The blocks that this post is to show now."""
    row = await reader.one(
        "SELECT waiting FROM bot_posts WHERE message_id = ? AND waiting IS NOT NULL AND waiting_at <= ?",
        message_id, reader.now,
    )  # fmt: skip
    return None if row is None else bytes(row[0])


# Answers to forms


async def answer(
    tx: Tx, post: BotPost, voter: bytes, user_id: int | None, department: str, at: int | None, packed: bytes
) -> None:
    """A person's answer, in the place of their former one."""
    await tx.run(
        "INSERT INTO form_answers (message_id, voter, org_id, user_id, department, at, answer) VALUES (?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (message_id, voter) DO UPDATE SET department = excluded.department, at = excluded.at,"
        " answer = excluded.answer",
        post.message_id, voter, post.org_id, user_id, department, at, packed,
    )  # fmt: skip
    await tx.run("UPDATE bot_posts SET answered = answered + 1 WHERE message_id = ?", post.message_id)


async def answer_of(reader: Reader, message_id: int, voter: bytes) -> bytes | None:
    row = await reader.one("SELECT answer FROM form_answers WHERE message_id = ? AND voter = ?", message_id, voter)
    return None if row is None else bytes(row[0])


async def answers(reader: Reader, message_id: int) -> Sequence[Given]:
    """All of a form's: in the order of their giving, or, where it is secret, in no order that tells anything."""
    rows = await reader.all(
        "SELECT f.answer, u.public_id, u.name, f.department, f.at FROM form_answers f LEFT JOIN users u ON u.id = f.user_id"
        " WHERE f.message_id = ? ORDER BY f.at, f.voter",
        message_id,
    )
    return [Given(bytes(row[0]), *row[1:]) for row in rows]
