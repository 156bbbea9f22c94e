"""Which ledger: beside the tables on PostgreSQL, else a file in the data folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from chat_server.fuse import Fuse
from mobile_api.ledger.port import Ledger
from mobile_api.ledger.postgresql import PostgresLedger
from mobile_api.ledger.sqlite import SqliteLedger


async def open_ledger(session: dict[str, Any] | None, folder: Path, fuse: Fuse) -> Ledger:
    """`session`: what a session with the database takes; None on SQLite. Raises OSError."""
    if session is not None:
        return PostgresLedger(session)
    return await SqliteLedger.open(folder, fuse)
