"""The pages of a file as pictures, for whoever may see it (services/flattening.py)."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import pypdfium2
import pytest

from chat_server.domain import limits
from chat_server.ports import Tx
from chat_server.services import flattening, rooms, withdrawing
from chat_server.storage.queries import flattening as queries
from chat_server.storage.queries import organizations
from tests.support.api import Api, code_of
from tests.support.uploads import PDF, Scene
from tests.support.world import Someone
from tests.unit.document_samples import pages, words

pytestmark = pytest.mark.asyncio(loop_scope="module")
BOTH_ENGINES = True


async def call(scene: Scene, who: Someone, name: str, file: str, zone: str = "lgwan") -> Any:
    api = Api(scene.server.client(who.token, zone), scene.document)
    async with api.client:
        return await api.call(name, {"attachment": file})


async def asked(scene: Scene, who: Someone, file: str) -> dict[str, Any]:
    """The state once it waits no more."""
    answer = await call(scene, who, "flatten_attachment", file)
    assert answer.status_code == 200, answer.text
    async with asyncio.timeout(60):
        while True:
            told: dict[str, Any] = (await call(scene, who, "read_flattened", file)).json()
            if told["state"] != "pending":
                return told
            await asyncio.sleep(0.1)  # there is no event for it: nobody but who asked needs to know


async def set_rule(scene: Scene, value: str) -> None:
    rules = {"sanitize_documents": value}
    await scene.server.app.storage.write(lambda tx: organizations.set_own_rules(tx, scene.org.id, rules))


async def test_a_documents_pages_become_pictures_and_nothing_else(scene: Scene) -> None:
    file = await scene.sent(scene.member, pages(words("one"), words("two")), "仕様書.pdf")
    assert (await call(scene, scene.owner, "read_flattened", file)).json() == {"state": "none", "reason": None}
    assert await asked(scene, scene.owner, file) == {"state": "ready", "reason": None}
    # By somebody else: it is there.
    assert (await call(scene, scene.member, "flatten_attachment", file)).json()["state"] == "ready"
    item = await scene.item(scene.member, file)
    assert item is not None
    answer = await scene.get(item["addresses"]["flattened"])
    assert answer.status_code == 200
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert answer.headers["content-disposition"].endswith(".pdf")
    document = pypdfium2.PdfDocument(answer.content)
    try:
        assert len(document) == 2
        assert document[0].get_textpage().get_text_bounded().strip() == ""
        assert {each.type for each in document[0].get_objects()} == {pypdfium2.raw.FPDF_PAGEOBJ_IMAGE}
    finally:
        document.close()


async def test_what_came_by_a_phone_is_there_for_the_desks(scene: Scene) -> None:
    phone = await scene.world.person(scene.org, "佐藤 海", zone="internet")
    invited = rooms.Invitation((phone.id,))
    await scene.server.app.storage.write(lambda tx: rooms.invite(tx, scene.owner.actor, scene.room, invited))
    file = await scene.sent(phone, pages(words("from outside")), "現場.pdf", zone="internet")
    assert (await asked(scene, scene.owner, file))["state"] == "ready"
    item = await scene.item(scene.owner, file)
    assert item is not None
    assert "flattened" in item["addresses"]
    assert "original" not in item["addresses"]
    # What the organization refuses does not come in as pictures either.
    await set_rule(scene, "refuse")
    try:
        refused = await scene.sent(phone, pages(words("refused")), "現場2.pdf", zone="internet")
        told = await asked(scene, scene.owner, refused)
        inside = await scene.sent(scene.member, pages(words("inside")), "庁内.pdf")
        assert (await asked(scene, scene.owner, inside))["state"] == "ready"
    finally:
        await set_rule(scene, "rebuild")
    assert told["state"] == "failed"
    assert "決まり" in told["reason"]["ja"]


async def test_what_has_no_pages_says_so(scene: Scene) -> None:
    file = await scene.sent(scene.member, "住所,氏名\n".encode(), "名簿.csv")
    told = await asked(scene, scene.owner, file)
    assert told["state"] == "failed"
    assert "ページ" in told["reason"]["ja"]
    broken = await scene.sent(scene.member, b"%PDF-1.7\n" + b"\0" * 2000, "壊れた図面.pdf")
    told = await asked(scene, scene.owner, broken)
    assert told["state"] == "failed"
    assert told["reason"]["ja"]
    assert told["reason"]["en"]
    # Again: it is tried again.
    assert (await call(scene, scene.owner, "flatten_attachment", broken)).json()["state"] == "pending"


async def test_nobody_asks_for_what_they_may_not_see(scene: Scene) -> None:
    file = await scene.sent(scene.member, PDF)
    for name in ("flatten_attachment", "read_flattened"):
        assert code_of(await call(scene, scene.stranger, name, file)) == 5001
        assert code_of(await call(scene, scene.owner, name, "nonsense")) == 5001
    await scene.server.app.storage.write(lambda tx: withdrawing.withdraw(tx, scene.member.actor, file))
    assert code_of(await call(scene, scene.owner, "flatten_attachment", file)) == 5001


async def test_one_persons_wishes_are_bounded(scene: Scene) -> None:
    storage = scene.server.app.storage
    files = [await scene.sent(scene.member, PDF, f"{n}.pdf") for n in range(2)]

    async def wait_for_many(tx: Tx) -> None:
        rows = await tx.all("SELECT id FROM attachments WHERE public_id = ?", files[0])
        await queries.want(tx, rows[0][0], scene.owner.actor.org_id, scene.owner.actor.user_id)
        # Not due for a day: they wait.
        await tx.run(
            "UPDATE flattenings SET due_at = ? WHERE attachment_id = ?", tx.now + limits.DAY, rows[0][0]
        )  # fmt: skip

    await storage.write(wait_for_many)
    most = limits.FLATTENINGS_WAITING
    assert await storage.read(partial(queries.waiting_for, user_id=scene.owner.actor.user_id, most=most)) == 1
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(limits, "FLATTENINGS_WAITING", 1)
        assert code_of(await call(scene, scene.owner, "flatten_attachment", files[1])) == 8005
        assert (await call(scene, scene.member, "flatten_attachment", files[1])).status_code == 200


async def test_tries_are_finite(scene: Scene) -> None:
    """What takes the machine down with it is not tried for ever: a try is counted before it is made."""
    storage = scene.server.app.storage
    file = await scene.sent(scene.member, PDF, "爆弾.pdf")

    async def tried(tx: Tx) -> None:
        row = await tx.one("SELECT id, org_id FROM attachments WHERE public_id = ?", file)
        assert row is not None
        await queries.want(tx, row[0], row[1], scene.owner.actor.user_id)
        await queries.postpone(tx, row[0], 0, tries=flattening.TRIES)

    await storage.write(tried)
    told = await asked(scene, scene.owner, file)
    assert told["state"] == "failed"
