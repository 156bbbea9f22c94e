"""While a backup copies files, none of those that it still has to copy may be removed.

A backup copies the database first and then the bytes that its rows name, for hours if there are many. A row that is
removed meanwhile makes its bytes an orphan; the backup holds the sweeper (`workers/file_sweeper.py`) back. The hold
stands in the database, so that it holds on every node, and ends by itself soon after a backup that has died.
"""

from __future__ import annotations

from typing import Final

from chat_server.domain import limits
from chat_server.ports import Reader, Tx
from chat_server.storage.queries import settings

HELD: Final = 2 * limits.MINUTE
"""Milliseconds. The backup renews its hold every 30 s."""
NAME: Final = "backup_until"
"""Of the setting: it stays after the backup, and then tells when one was last at work."""


async def hold(tx: Tx) -> int:
    """From this commit on no file is removed for `HELD`; answers the moment (UTC milliseconds) when that ends."""
    until = tx.now + HELD
    await settings.put(tx, NAME, str(until))
    return until


async def held(reader: Reader) -> bool:
    """Whether a backup copies files. One that ends later than a hold lasts was made before the clock was set back: it
    counts for nothing, or a wrong clock would stop the sweeping for ever."""
    until = await settings.find(reader, NAME)
    return until is not None and reader.now < int(until) <= reader.now + HELD
