"""Folders in which something is decoded, gone when that is done, however it ends."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from chat_server.ports import SCRATCH


@asynccontextmanager
async def scratch_folder(scratch: Path) -> AsyncIterator[Path]:
    """An empty folder in `scratch`. Raises OSError where there is no room for it."""
    making = asyncio.ensure_future(asyncio.to_thread(tempfile.mkdtemp, dir=scratch, prefix=SCRATCH))
    try:
        folder = Path(await asyncio.shield(making))
    except asyncio.CancelledError:
        # The thread makes it all the same, and nobody else would know of it.
        await asyncio.to_thread(_remove, Path(await making))
        raise
    try:
        yield folder
    finally:
        await asyncio.to_thread(_remove, folder)


def clear_scratch(scratch: Path, before: float) -> int:
    """Remove what photos, previews and exports left that were begun `before` (seconds since 1970) and never came to an
    end; answers how many. Blocks."""
    removed = 0
    for folder in scratch.glob(f"{SCRATCH}*"):
        with suppress(FileNotFoundError):
            if folder.stat().st_mtime <= before:
                _remove(folder)
                removed += 1
    return removed


def _remove(folder: Path) -> None:
    shutil.rmtree(folder)
