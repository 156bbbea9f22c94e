"""kill -9 on the server while what was handed in is disarmed: nothing that a receipt promises is lost, nothing is there twice, and
nothing is to be seen that was not rebuilt."""

from __future__ import annotations

import asyncio
import contextlib
import random
import sqlite3
from pathlib import Path
from typing import Any

from chat_server.app import App
from chat_server.config import Settings
from chat_server.services import disarming
from tests.support.files import path_of
from tests.support.handing_in import add_link
from tests.support.people import add_people
from tests.support.served import Server
from tests.unit.photo_samples import encoded, picture

FILES = 6
KILLS = disarming.TRIES - 1
"""A file that the server died over each time would be refused."""


async def test_what_was_handed_in_is_decided_once(tmp_path: Path) -> None:
    app = await App.open(Settings(data=str(tmp_path)), workers=False)
    (person,) = await add_people(app.storage, 1)
    link = await add_link(app, person)
    for number in range(FILES):
        await link.hand_in(b"one\n" * (number + 1) if number % 2 else encoded(picture()), f"{number}.txt")
    await link.hand_in(b"MZ\x90\0" * 100, "setup.exe")
    await app.close()
    chance = random.Random(4711)
    server = Server(tmp_path)
    for _ in range(KILLS):
        await server.start()
        await asyncio.sleep(chance.uniform(0.5, 4))  # the moment is what is tried here
        await server.kill()
        _check(tmp_path)
    await server.start()
    try:
        async with asyncio.timeout(90):
            while await asyncio.to_thread(_unsaid, tmp_path):  # noqa: ASYNC110 (another process)
                await asyncio.sleep(0.05)
    finally:
        await server.kill()
    _check(tmp_path)
    assert _all(tmp_path, "SELECT state, count(*) FROM handed_files GROUP BY state ORDER BY state") == [
        ("refused", 1), ("released", FILES),
    ]  # fmt: skip
    posted = _all(tmp_path, "SELECT count(*), count(DISTINCT message_id || '-' || position) FROM attachments")
    assert posted == [(FILES, FILES)]
    app = await App.open(Settings(data=str(tmp_path)), workers=False)
    for org_id, sha256 in _all(tmp_path, "SELECT org_id, sha256 FROM renditions WHERE sha256 IS NOT NULL"):
        assert path_of(app, org_id, sha256).stat().st_size > 0, "a rendition without its bytes"
    await app.close()


def _check(folder: Path) -> None:
    """At any moment: every attachment is of a released file, and has its rebuilt copy."""
    of_none = "NOT EXISTS (SELECT 1 FROM handed_files h WHERE h.attachment_id = a.id AND h.state = 'released')"
    assert _all(folder, f"SELECT count(*) FROM attachments a WHERE {of_none}") == [(0,)]
    bare = "NOT EXISTS (SELECT 1 FROM renditions r WHERE r.attachment_id = a.id AND r.kind = 'sanitized' AND r.state = 'ready')"
    assert _all(folder, f"SELECT count(*) FROM attachments a WHERE {bare}") == [(0,)]
    assert _all(folder, "SELECT count(*) FROM handed_files") == [(FILES + 1,)]


def _unsaid(folder: Path) -> int:
    return int(_all(folder, "SELECT count(*) FROM handed_files WHERE posted_at IS NULL")[0][0])


def _all(folder: Path, sql: str) -> list[Any]:
    """Read beside the server."""
    with contextlib.closing(sqlite3.connect(f"file:{folder}/renraku.db?mode=ro", uri=True)) as database:
        return database.execute(sql).fetchall()
