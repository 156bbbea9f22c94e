"""kill -9 on the server while previews are made: what was pending is ready after the next start, once."""

from __future__ import annotations

import asyncio
import contextlib
import random
import sqlite3
from pathlib import Path

from chat_server.app import App
from chat_server.config import Settings
from chat_server.ports import Reader
from chat_server.services import previews
from tests.support.files import add_file, path_of
from tests.support.people import add_people
from tests.support.served import Server
from tests.unit.document_samples import pages, words

FILES = 12
KILLS = previews.TRIES - 1
"""A file that the server died over each time would be given up."""


async def states(folder: Path) -> list[tuple[str, int]]:
    """Of all renditions but originals, by state."""
    app = await App.open(Settings(data=str(folder)), workers=False)
    try:

        async def count(tx: Reader) -> list[tuple[str, int]]:
            rows = await tx.all(
                "SELECT state, count(*) FROM renditions WHERE kind <> 'original' GROUP BY state ORDER BY state"
            )
            return [(row[0], row[1]) for row in rows]

        found = await app.storage.read(count)

        async def every(tx: Reader) -> list[tuple[int, str]]:
            rows = await tx.all("SELECT org_id, sha256 FROM renditions WHERE sha256 IS NOT NULL")
            return [(row[0], row[1]) for row in rows]

        for org_id, sha256 in await app.storage.read(every):
            assert path_of(app, org_id, sha256).stat().st_size > 0, "a rendition without its bytes"
        return found
    finally:
        await app.close()


async def test_nothing_that_was_pending_is_lost(tmp_path: Path) -> None:
    app = await App.open(Settings(data=str(tmp_path)), workers=False)
    (person,) = await add_people(app.storage, 1)
    for number in range(FILES):
        await add_file(app.storage, app.blobs, person, pages(words(f"file {number}"), words("more")))
    await app.close()
    chance = random.Random(4711)
    server = Server(tmp_path)
    for _ in range(KILLS):
        await server.start()
        await asyncio.sleep(chance.uniform(0, 0.9))  # the moment is what is tried here
        await server.kill()
        assert sum(count for _, count in await states(tmp_path)) >= FILES * 3
    await server.start()
    try:
        async with asyncio.timeout(60):
            while await asyncio.to_thread(waiting, tmp_path):  # noqa: ASYNC110 (another process)
                await asyncio.sleep(0.05)
    finally:
        await server.kill()
    assert await states(tmp_path) == [("ready", FILES * 4)]


def waiting(folder: Path) -> int:
    """How many renditions are pending, read beside the server."""
    with contextlib.closing(sqlite3.connect(f"file:{folder}/renraku.db?mode=ro", uri=True)) as database:
        row = database.execute("SELECT count(*) FROM renditions WHERE state = 'pending'").fetchone()
        return int(row[0])
