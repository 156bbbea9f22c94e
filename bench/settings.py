"""The server's settings here, and the two limits of the product that a benchmark has to lift."""

from __future__ import annotations

from pathlib import Path

from chat_server.config import Listener, Settings
from chat_server.domain import limits


def settings(folder: Path, database: str = "", bots: str = "") -> Settings:
    """SQLite unless `database` names a PostgreSQL one. One listener on a free port, everything else as it comes."""
    blobs = str(folder.parent / "files") if database else ""  # several nodes share them
    return Settings(data=str(folder), database=database, blobs=blobs, listen=(Listener(port=0),), bots=bots)


def unhurried() -> None:
    """Fifty senders at full speed are no people: the limit on one person's rate goes; tokens outlive the benchmark.

    The checks themselves stay, and cost what they cost.
    """
    limits.COMMANDS_PER_SECOND = 1_000_000  # type: ignore[misc]
    limits.COMMAND_BURST = 1_000_000  # type: ignore[misc]
    limits.ACCESS_LIVES = limits.DAY  # type: ignore[misc]
