"""The index in a schema of its own beside the tables: grams as a tsvector, found by GIN.

Not in the migrations and in no backup: it is made when it is missing, and filled again.

GIN gives all hits and not the newest: of a usual word there are tens of thousands, each a row to look at. So every text has
the number of its block among its words, and blocks are asked from the newest on, twice as many each time, until there are
enough: of a usual word the first has them, of a rare one there are few in all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final

import asyncpg

from chat_server.domain.errors import DATABASE_BUSY, Problem
from chat_server.ports import MESSAGES, NOTES, PARTS, Hit, Sought, Text
from chat_server.search.words import all_of, one_of, words_of

FORM: Final = 3
AGAIN: Final = 2
_SESSIONS: Final = 3
BLOCK: Final = 16_384
"""Messages or notes in a block."""
_MOST_BLOCKS: Final = 256
"""that one question names"""
_BLOCK: Final = "\ue103"
_SETTINGS: Final = {"jit": "off", "enable_seqscan": "off"}
"""Compiling a question takes longer than answering it; and what it costs is known here better than from statistics."""
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
        rows = [
            (text.id, text.room_id, text.seq, text.department, text.text, [*words_of(text), _block(text.id)])
            for text in texts
        ]
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
        hits: list[Hit] = []
        async with pool.acquire() as session:
            below, width = sought.below, 1
            while len(hits) < sought.limit:
                top = await session.fetchval(_TOP, sought.above, below)
                if top is None:
                    break
                last = top // (PARTS * BLOCK)
                first = max(0, last - width + 1)
                question, values = _question(sought, below, range(first, last + 1), sought.limit - len(hits))
                hits += [Hit(*row) for row in await session.fetch(question, *values)]
                below, width = first * PARTS * BLOCK, min(width * 2, _MOST_BLOCKS)
        return hits

    async def close(self) -> None:
        if self._pool is not None:
            self._pool.terminate()

    async def _ready(self) -> Any:
        """Dialled when it is first needed: a server starts without its search, not the other way round."""
        async with self._opening:
            if self._pool is None:
                try:
                    pool = await asyncpg.create_pool(**_with_settings(self._options), min_size=0, max_size=_SESSIONS)
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


_TOP: Final = "SELECT max(id) FROM search.texts WHERE id >= $1 AND id < $2"


def _block(text_id: int) -> str:
    return f"{_BLOCK}{text_id // (PARTS * BLOCK)}"


def _with_settings(options: dict[str, Any]) -> dict[str, Any]:
    return {**options, "server_settings": {**options.get("server_settings", {}), **_SETTINGS}}


def _question(sought: Sought, below: int, blocks: range, limit: int) -> tuple[str, list[Any]]:
    """What of these blocks is below `below`, the newest first."""
    lists = [*one_of(sought), [f"{_BLOCK}{block}" for block in blocks]]
    query = " & ".join(
        [*(f"'{word}'" for word in all_of(sought))]
        + ["(" + " | ".join(f"'{word}'" for word in words) + ")" for words in lists]
    )
    values: list[Any] = [query, sought.above, below, list(sought.rooms), limit]
    conditions = ["id >= $2", "id < $3", "room_id = ANY($4::bigint[])"]
    for word in sought.words:
        values.append(word)
        conditions.append(f"position(${len(values)} in folded) > 0")
    if sought.department is not None:
        values.append(sought.department)
        conditions.append(f"department = ${len(values)}")
    question = (
        "WITH found AS MATERIALIZED (SELECT id, room_id, seq, department, folded FROM search.texts"  # noqa: S608 (our own words)
        f" WHERE words @@ $1::tsquery) SELECT id, room_id, seq FROM found WHERE {' AND '.join(conditions)}"
        " ORDER BY id DESC LIMIT $5"
    )
    return question, values
