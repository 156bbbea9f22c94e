"""Which index: beside the tables on PostgreSQL, else a file in the data folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from chat_server.ports import SearchIndex
from chat_server.search.postgresql import PostgresIndex
from chat_server.search.sqlite import SqliteIndex


async def open_index(session: dict[str, Any] | None, folder: Path) -> SearchIndex:
    """`session`: what a session with the database takes; None on SQLite."""
    if session is not None:
        return PostgresIndex(session)
    return await SqliteIndex.open(folder)
