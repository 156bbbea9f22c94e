"""The index in a schema of its own beside the tables: grams as a tsvector, found by GIN.

Not in the migrations and in no backup: it is made when it is missing, and filled again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final

import asyncpg

from chat_server.domain.errors import DATABASE_BUSY, Problem
from chat_server.ports import MESSAGES, NOTES, PARTS, Hit, Sought, Text
from chat_server.search.words import all_of, one_of, words_of

FORM: Final = 2
AGAIN: Final = 2
_SESSIONS: Final = 3
_SCHEMA: Final = """
DROP SCHEMA IF EXISTS search CASCADE;
CREATE SCHEMA search;
CREATE TABLE search.state (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE search.texts (
  id BIGINT PRIMARY KEY, room_id BIGINT NOT NULL, seq BIGINT NOT NULL, department TEXT NOT NULL, folded TEXT NOT NULL,
  words TSVECTOR NOT NULL
);
CREATE INDEX texts_words ON search.texts USING gin (words);
"""


class PostgresIndex:
    """Implements `ports.SearchIndex`. Several nodes search; the one that leads writes."""

    def __init__(self, options: dict[str, Any]) -> None:
        self._options = options
        self._pool: Any = None
        self._opening = asyncio.Lock()

    async def belong(self, epoch: str) -> None:
        pool = await self._ready()
        async with pool.acquire() as session:
            if await session.fetchval("SELECT value FROM search.state WHERE name = 'epoch'") != epoch:
                await _make(session)
                await session.execute("INSERT INTO search.state VALUES ('epoch', $1)", epoch)

    async def position(self, of: str = MESSAGES) -> int:
        pool = await self._ready()
        return int(await pool.fetchval("SELECT value FROM search.state WHERE name = $1", of))

    async def replace(self, keys: Sequence[int], texts: Sequence[Text], position: int, of: str = MESSAGES) -> None:
        pool = await self._ready()
        rows = [(text.id, text.room_id, text.seq, text.department, text.text, words_of(text)) for text in texts]
        async with pool.acquire() as session, session.transaction():
            # an ack waits for its commit; this one need not be on the disk
            await session.execute("SET LOCAL synchronous_commit = off")
            await session.execute(
                "DELETE FROM search.texts USING unnest($1::bigint[]) AS key"
                " WHERE id BETWEEN key * $2 AND key * $2 + $2 - 1",
                list(keys),
                PARTS,
            )
            await session.executemany(
                "INSERT INTO search.texts (id, room_id, seq, department, folded, words)"
                " VALUES ($1, $2, $3, $4, $5, array_to_tsvector($6::text[]))",
                rows,
            )
            await session.execute(
                "UPDATE search.state SET value = greatest(value::bigint, $1)::text WHERE name = $2", position, of
            )

    async def find(self, sought: Sought) -> list[Hit]:
        if not sought.rooms or not sought.words:
            return []
        pool = await self._ready()
        question, values = _question(sought)
        return [Hit(*row) for row in await pool.fetch(question, *values)]

    async def close(self) -> None:
        if self._pool is not None:
            self._pool.terminate()

    async def _ready(self) -> Any:
        """Dialled when it is first needed: a server starts without its search, not the other way round."""
        async with self._opening:
            if self._pool is None:
                try:
                    pool = await asyncpg.create_pool(**self._options, min_size=0, max_size=_SESSIONS)
                    async with pool.acquire() as session:
                        await _check(session)
                except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                    raise Problem(DATABASE_BUSY, retry_after=AGAIN) from error
                self._pool = pool
        return self._pool


async def _check(session: Any) -> None:
    made = await session.fetchval("SELECT to_regclass('search.state')") is not None
    if not made or await session.fetchval("SELECT value FROM search.state WHERE name = 'form'") != str(FORM):
        await _make(session)


async def _make(session: Any) -> None:
    async with session.transaction():
        await session.execute("SELECT pg_advisory_xact_lock(hashtext('renraku search'))")
        await session.execute(_SCHEMA)
        state = [("form", str(FORM)), (MESSAGES, "0"), (NOTES, "0")]
        await session.executemany("INSERT INTO search.state VALUES ($1, $2)", state)


def _question(sought: Sought) -> tuple[str, list[Any]]:
    query = " & ".join(
        [*(f"'{word}'" for word in all_of(sought))]
        + ["(" + " | ".join(f"'{word}'" for word in words) + ")" for words in one_of(sought)]
    )
    values: list[Any] = [query, sought.above, sought.below, list(sought.rooms), sought.limit]
    conditions = ["words @@ $1::tsquery", "id >= $2", "id < $3", "room_id = ANY($4::bigint[])"]
    for word in sought.words:
        values.append(word)
        conditions.append(f"position(${len(values)} in folded) > 0")
    if sought.department is not None:
        values.append(sought.department)
        conditions.append(f"department = ${len(values)}")
    return (
        f"SELECT id, room_id, seq FROM search.texts WHERE {' AND '.join(conditions)} ORDER BY id DESC LIMIT $5",  # noqa: S608
        values,
    )
