"""The audit trail over HTTP: for auditors alone, page by page, and every reading is on record itself."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from chat_server.domain import limits
from chat_server.domain.actors import AUDITOR, DEPARTMENT_ADMIN, ORGANIZATION_ADMIN, RECORDS_OFFICER
from chat_server.ports import Tx
from chat_server.services import accounts, audit, organizations, rooms
from chat_server.services.accounts import Names
from chat_server.services.audit import Head
from chat_server.services.authority import Operator
from chat_server.services.blocks import Text
from chat_server.services.changing import edit, redact
from chat_server.services.commands import Edit, Redact
from chat_server.services.drafts import draft
from chat_server.services.rooms import RoomChange
from tests.support.api import Api, code_of
from tests.support.engines import held
from tests.support.server import RunningServer
from tests.support.world import Org, Someone, World

pytestmark = pytest.mark.asyncio(loop_scope="module")

Rows = list[dict[str, Any]]
SECRET = "陥没の件は来月まで伏せる"


@dataclass
class Scene:
    """An organization, its auditor, and some acts of an administrator's."""

    world: World
    org: Org
    auditor: Someone
    administrator: Someone
    person: Someone
    api: Api

    async def act(self, use_case: Any) -> Any:
        return await self.world.server.app.storage.write(use_case)

    async def rename(self, name: str) -> None:
        who, user = self.administrator.actor, self.person.id
        await self.act(lambda tx: accounts.rename(tx, who, user, Names(name=name)))

    async def page(self, **asked: Any) -> tuple[Rows, str | None]:
        answer = await self.api.call("list_audit", params=asked)
        assert answer.status_code == 200, answer.text
        found = answer.json()
        return found["items"], found["next"]

    async def all(self, **asked: Any) -> Rows:
        """Every page of two."""
        found, cursor = await self.page(limit=2, **asked)
        while cursor is not None:
            items, cursor = await self.page(limit=2, cursor=cursor, **asked)
            assert len(items) <= 2
            found += items
        return found


@pytest_asyncio.fixture(loop_scope="module")
async def scene(world: World, document: Mapping[str, Any]) -> AsyncIterator[Scene]:
    world.made += 1
    org = await world.organization(f"midorino{world.made}", "みどり野市")
    auditor = await world.person(org, "監査 太郎", role=AUDITOR)
    administrator = await world.person(org, "佐藤 一", role=ORGANIZATION_ADMIN)
    person = await world.person(org, "田中 美咲")
    async with world.server.client(auditor.token) as client:
        yield Scene(world, org, auditor, administrator, person, Api(client, document))


async def test_newest_first_each_row_once(scene: Scene) -> None:
    """Also while rows are added at the top: each page of the reading adds one."""
    for n in range(5):
        await scene.rename(f"田中 {n}")
    rows = await scene.all()
    assert [row["detail"]["to"] for row in rows] == [f"田中 {n}" for n in (4, 3, 2, 1, 0)]
    assert [row["seq"] for row in rows] == sorted((row["seq"] for row in rows), reverse=True)
    first = rows[0]
    assert (first["actor"], first["actor_name"]) == (scene.administrator.id, "佐藤 一")
    assert (first["act"], first["target"]) == ("person.rename", scene.person.id)
    assert (first["zone"], first["address"]) == ("lgwan", "127.0.0.1")


async def test_by_act_actor_and_time(scene: Scene, server: RunningServer) -> None:
    await scene.rename("田中 一")
    org = Operator(scene.org.id)
    await scene.act(lambda tx: accounts.grant(tx, org, scene.person.id, RECORDS_OFFICER))
    server.clock.ahead += limits.MINUTE
    try:
        await scene.rename("田中 二")
    finally:
        server.clock.ahead -= limits.MINUTE
    late, granted, early = await scene.all()
    assert "actor_name" not in granted
    assert await scene.all(act="person.rename") == [late, early]
    assert await scene.all(actor="operator") == [granted]
    assert await scene.all(actor=scene.administrator.id) == [late, early]
    assert await scene.all(actor=scene.administrator.id, act="role.grant") == []
    assert await scene.all(since=late["at"]) == [late]
    assert await scene.all(until=late["at"], act="person.rename") == [early]
    assert await scene.all(since=early["at"], until=late["at"], actor="operator") == [granted]


async def test_each_reading_is_on_record_before_it_is_answered(scene: Scene) -> None:
    await scene.rename("田中 一")
    assert len((await scene.page())[0]) == 1, "a reading does not show itself"
    await scene.page(actor=scene.person.id, act="sign_in", since=1, until=2)
    _, cursor = await scene.page(limit=1)
    await scene.page(limit=1, cursor=cursor)
    rows = await scene.all(act="audit.read", actor=scene.auditor.id)
    assert [row["detail"] for row in reversed(rows)][:4] == [
        {},
        {"actor": scene.person.id, "act": "sign_in", "since": 1, "until": 2},
        {},
        {"before": 3},
    ]
    assert rows[0]["actor_name"] == "監査 太郎"


async def test_a_trail_that_cannot_be_written_is_not_read(scene: Scene, server: RunningServer) -> None:
    await scene.rename("田中 一")
    async with held(server.app.settings.folder):
        refused = await scene.api.call("list_audit")
    assert (code_of(refused), "items" in refused.json()) == (8001, False)
    assert len(await scene.all()) == 1


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"cursor": "AAAA"}, "cursor"),
        ({"cursor": "kaFh"}, "cursor"),  # ["a"]
        ({"limit": 201}, "limit"),
        ({"act": "x' OR 1=1"}, "act"),
        ({"actor": "%"}, "actor"),
        ({"since": -1}, "since"),
        ({"until": "yesterday"}, "until"),
    ],
)
async def test_what_makes_no_sense_is_refused_and_not_on_record(
    scene: Scene, asked: dict[str, Any], field: str
) -> None:
    answer = await scene.api.call("list_audit", params=asked)
    assert (code_of(answer), answer.json()["error"]["field"]) == (2001, field)
    assert await scene.world.recorded(scene.org, "audit.read") == []


async def test_every_other_role_together_is_refused(scene: Scene) -> None:
    operator = Operator(scene.org.id)
    user = scene.administrator.id
    department = await scene.world.department(scene.org, "総務課")

    async def grant(tx: Tx) -> None:
        await accounts.grant(tx, operator, user, RECORDS_OFFICER)
        await scene.world.put_in_charge(scene.administrator, department, tx=tx)

    await scene.act(grant)
    async with scene.world.server.client(scene.administrator.token) as client:
        assert set((await client.get("/api/me")).json()["roles"]) == {
            ORGANIZATION_ADMIN, DEPARTMENT_ADMIN, RECORDS_OFFICER,
        }  # fmt: skip
        assert code_of(await Api(client, scene.api.document).call("list_audit")) == 2008
    await scene.act(lambda tx: accounts.withdraw(tx, operator, scene.auditor.id, AUDITOR))
    assert code_of(await scene.api.call("list_audit")) == 2008
    assert await scene.world.recorded(scene.org, "audit.read") == []


async def test_one_organization_alone(scene: Scene, world: World) -> None:
    """Also with a cursor and an actor of the other one: both are only narrower questions about one's own."""
    await scene.rename("田中 一")
    other = await world.organization(f"other{world.made}", "風見原町")
    theirs = await world.person(other, role=AUDITOR)
    stranger = await world.person(other)
    for _ in range(3):
        await scene.rename(f"田中 {_}")
    await scene.act(lambda tx: organizations.rename(tx, Operator(other.id), "新風見原町"))
    _, cursor = await scene.page(limit=1)
    async with world.server.client(theirs.token) as client:
        api = Api(client, scene.api.document)
        for asked in ({}, {"cursor": cursor}, {"actor": scene.administrator.id}):
            rows = (await api.call("list_audit", params=asked)).json()["items"]
            assert {row["act"] for row in rows} <= {"organization.rename", "audit.read"}
    assert stranger.id not in str(await scene.all())


async def test_never_what_was_said(scene: Scene) -> None:
    world, owner = scene.world, scene.administrator
    room = await world.room(owner, scene.person)
    said = await world.post(scene.person, room, Text(SECRET))
    assert said.id is not None
    message = said.id
    blocks = (Text(SECRET + "、と決めた"),)
    author = scene.person.actor
    await scene.act(lambda tx: edit(tx, author, draft(Edit(ref=1, message=message, version=1, blocks=blocks))))
    await scene.act(lambda tx: redact(tx, owner.actor, Redact(ref=1, message=message)))
    await scene.act(lambda tx: rooms.change(tx, owner.actor, room, RoomChange(topic=SECRET, archived=True)))
    rows = await scene.all()
    assert {"room.create", "message.redact", "room.archive"} <= {row["act"] for row in rows}
    assert SECRET not in str(rows)
    async with world.server.client(scene.auditor.token) as client:
        for path in (f"/api/rooms/{room}/messages", f"/api/messages/{message}"):
            answer: httpx2.Response = await client.get(path)
            assert code_of(answer) in (3001, 4001)


async def test_what_an_auditor_noted_is_a_witness(scene: Scene, server: RunningServer) -> None:
    await scene.rename("田中 一")
    [newest], _ = await scene.page(limit=1)
    noted = Head(newest["seq"], newest["hash"])
    verify = server.app.storage.read
    assert (await verify(lambda tx: audit.verify(tx, scene.org.id, noted))).ok
    forged = Head(newest["seq"], "0" * 64)
    assert (await verify(lambda tx: audit.verify(tx, scene.org.id, forged))).fault == "witness"
