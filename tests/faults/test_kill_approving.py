"""kill -9 on the server between an approval and the delivery: what was approved is handed over once, whole, and nothing else is."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

from chat_server.app import App
from chat_server.config import Settings
from chat_server.domain.actors import ORGANIZATION_ADMIN
from chat_server.ports import Tx
from chat_server.services import approvals, organizations
from chat_server.services.authority import Operator
from tests.faults.test_kill_disarming import KILLS, _all
from tests.support.files import path_of
from tests.support.handing_in import add_link
from tests.support.people import add_people, add_person
from tests.support.served import Server

FILES = 4
NOT_HELD = "SELECT count(*) FROM handed_files WHERE state <> 'held'"
UNSAID = "SELECT count(*) FROM handed_files WHERE state <> 'held' AND posted_at IS NULL"


async def test_what_was_approved_is_handed_over_once(tmp_path: Path) -> None:
    app = await App.open(Settings(data=str(tmp_path)), workers=False)
    (person,) = await add_people(app.storage, 1)
    admin = await add_person(app.storage, person.org_id, "admin", roles=(ORGANIZATION_ADMIN,))
    rule = {"sanitize_documents": "approve"}
    await app.storage.write(lambda tx: organizations.set_policy(tx, Operator(person.org_id), rule))
    link = await add_link(app, person)
    contents = [b"one\n" * (number + 1) for number in range(FILES)]
    for number, content in enumerate(contents):
        await link.hand_in(content, f"{number}.txt")
    await app.close()
    server = Server(tmp_path)
    await server.start()
    await _none(tmp_path, NOT_HELD)
    await server.kill()

    app = await App.open(Settings(data=str(tmp_path)), workers=False)

    async def approve(tx: Tx) -> None:
        for item in (await approvals.waiting(tx, admin))[:-1]:
            await approvals.decide(tx, admin, item["id"], approve=True, reason="電話で確認した")

    await app.storage.write(approve)
    await app.close()
    chance = random.Random(4711)
    for _ in range(KILLS):
        await server.start()
        await asyncio.sleep(chance.uniform(0.2, 2))  # the moment is what is tried here
        await server.kill()
        _check(tmp_path)
    await server.start()
    try:
        await _none(tmp_path, UNSAID)
    finally:
        await server.kill()
    _check(tmp_path)
    assert _all(tmp_path, "SELECT state, count(*) FROM handed_files GROUP BY state ORDER BY state") == [
        ("held", 1), ("released", FILES - 1),
    ]  # fmt: skip
    posted = _all(tmp_path, "SELECT count(*), count(DISTINCT message_id || '-' || position) FROM attachments")
    assert posted == [(FILES - 1, FILES - 1)]
    assert _all(tmp_path, "SELECT count(*) FROM audit WHERE act = 'file.passed'") == [(FILES - 1,)]
    app = await App.open(Settings(data=str(tmp_path)), workers=False)
    passed = _all(tmp_path, "SELECT org_id, sha256 FROM renditions WHERE kind = 'passed' ORDER BY attachment_id")
    assert [path_of(app, *one).read_bytes() for one in passed] == contents[:-1]
    await app.close()


async def _none(folder: Path, sql: str) -> None:
    async with asyncio.timeout(90):
        while (await asyncio.to_thread(_all, folder, sql))[0][0]:  # noqa: ASYNC110 (another process)
            await asyncio.sleep(0.05)


def _check(folder: Path) -> None:
    """At any moment: every attachment is of a file that was approved and released."""
    of_none = (
        "NOT EXISTS (SELECT 1 FROM handed_files h JOIN held_files f ON f.handed_id = h.id"
        " WHERE h.attachment_id = a.id AND h.state = 'released' AND f.state = 'approved')"
    )
    assert _all(folder, f"SELECT count(*) FROM attachments a WHERE {of_none}") == [(0,)]
