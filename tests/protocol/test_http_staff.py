"""The staff file over HTTP: seen first, and then exactly what was seen (docs/staff-csv.md)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from chat_server.domain.actors import ORGANIZATION_ADMIN
from chat_server.ports import Tx
from tests.protocol.test_http_permissions import fingerprint
from tests.support.api import Api, code_of
from tests.support.world import Org, Someone, World

pytestmark = pytest.mark.asyncio(loop_scope="module")
BOTH_ENGINES = True
HEADER = "ログイン名,氏名,ふりがな,所属,職"
FILE = f"{HEADER}\nnotok,能登 圭,のと けい,建設部/道路課,主事\nomote,表 孝一,おもて こういち,建設部,部長\n"


@dataclass
class Scene:
    world: World
    org: Org
    admin: Someone
    api: Api

    async def show(self, content: str | bytes = FILE, **options: str) -> httpx2.Response:
        return await self.api.call("show_staff_difference", content=encoded(content), params=options)

    async def carry_out(self, difference: str, content: str | bytes = FILE, **options: str) -> httpx2.Response:
        return await self.api.call(
            "import_staff_file", content=encoded(content), params={**options, "difference": difference}
        )

    async def people(self, **asked: str) -> set[str]:
        answer = await self.api.call("list_people", params=asked)
        assert code_of(answer) == 200
        return {person["name"] for person in answer.json()["items"] if person["kind"] == "member"}

    async def state(self) -> list[Any]:
        return await self.world.server.app.storage.read(fingerprint)


def encoded(content: str | bytes) -> bytes:
    return content if isinstance(content, bytes) else content.encode()


@pytest_asyncio.fixture(loop_scope="module")
async def scene(world: World, document: Mapping[str, Any]) -> AsyncIterator[Scene]:
    world.made += 1
    org = await world.organization(f"midorino{world.made}", "みどり野市")
    admin = await world.person(org, "佐藤 一", role=ORGANIZATION_ADMIN, login="sato")
    async with world.server.client(admin.token) as client:
        yield Scene(world, org, admin, Api(client, document))


async def test_the_difference_is_shown_and_then_done(scene: Scene) -> None:
    before = await scene.state()
    shown = (await scene.show()).json()
    assert await scene.state() == before
    assert shown["counts"]["people"] == {"added": 2, "changed": 0, "disabled": 0}
    assert "  + notok 能登 圭(のと けい)" in shown["lines"]["ja"]
    assert any("名簿にない職員(そのままにします)" in line for line in shown["lines"]["ja"])
    assert not any("--" in line for line in [*shown["lines"]["ja"], *shown["lines"]["en"]])
    assert shown["lines"]["en"][0] == "Departments"
    done = await scene.carry_out(shown["difference"])
    assert (code_of(done), done.json()) == (200, shown)
    assert await scene.people() == {"佐藤 一", "能登 圭", "表 孝一"}
    assert [actor for actor, _, _ in await scene.world.recorded(scene.org, "person.add")] == [scene.admin.id] * 2
    # The answer was lost: asked again, nothing is left to do.
    again = await scene.carry_out(shown["difference"])
    assert code_of(again) == 200
    assert again.json()["empty"] is True


async def test_nothing_is_done_but_what_was_shown(scene: Scene) -> None:
    shown = (await scene.show()).json()["difference"]
    later = str(datetime.now(UTC).date() + timedelta(days=2))
    before = await scene.state()
    assert code_of(await scene.carry_out(shown, FILE.replace("部長", "次長"))) == 6012, "another file"
    assert code_of(await scene.carry_out(shown, as_of=later)) == 6012, "other options"
    assert await scene.state() == before
    added = await scene.api.call("add_person", json={"login": "omote", "name": "表 孝一", "reading": "おもて こういち"})
    assert code_of(added) == 200
    assert code_of(await scene.carry_out(shown)) == 6012, "another state of the organization"
    assert await scene.people() == {"佐藤 一", "表 孝一"}
    assert code_of(await scene.carry_out((await scene.show()).json()["difference"])) == 200


async def test_all_faults_of_a_file_are_named(scene: Scene) -> None:
    refused = await scene.show(f"{HEADER}\nnotok,能登 圭,能登,道路課,主事\nOMOTE!,表 孝一,おもて,道路課,\n")
    assert code_of(refused) == 6006
    faults = refused.json()["error"]["params"]["faults"]
    assert [(fault["line"], fault["field"]) for fault in faults] == [(2, "ふりがな"), (3, "ログイン名"), (3, "職")]
    assert code_of(await scene.show(as_of="明日")) == 2001
    assert code_of(await scene.show(b"x" * (10 * 1024 * 1024 + 1))) == 2003


async def test_cp932_and_who_is_not_in_the_file(scene: Scene) -> None:
    await scene.world.person(scene.org, "小林 恵", login="kobayashi")
    own = "sato,佐藤 一,さとう はじめ,建設部,次長\n"
    shown = (await scene.show((FILE + own).encode("cp932"), disable_missing="true")).json()
    assert "  - kobayashi 小林 恵 名簿にない職員(停止します)" in shown["lines"]["ja"]
    assert shown["counts"]["people"]["disabled"] == 1


async def test_nobody_disables_themselves_so_an_administrator_is_always_left(scene: Scene) -> None:
    """Of two who disable each other at once, the second is none any more."""
    before = await scene.state()
    own = await scene.api.call("change_person", {"user": scene.admin.id}, json={"disabled": True})
    assert (code_of(own), own.json()["error"]["field"]) == (6013, "user")
    assert code_of(await scene.show(disable_missing="true")) == 6013
    assert code_of(await scene.carry_out("0" * 64, disable_missing="true")) == 6013
    assert await scene.state() == before
    other = await scene.world.person(scene.org, "加藤 誠", role=ORGANIZATION_ADMIN)
    async with scene.world.server.client(other.token) as client:
        outcomes = await asyncio.gather(
            scene.api.call("change_person", {"user": other.id}, json={"disabled": True}),
            Api(client, scene.api.document).call("change_person", {"user": scene.admin.id}, json={"disabled": True}),
        )
    assert sorted(code_of(one) for one in outcomes) in ([200, 1004], [200, 2008], [200, 6009])
    left = "SELECT count(*) FROM users u JOIN roles r ON r.user_id = u.id WHERE r.org_id = ? AND u.disabled_at IS NULL"
    row = await scene.world.server.app.storage.read(lambda reader: reader.one(left, scene.org.id))
    assert row is not None
    assert row[0] == 1


async def test_who_is_demoted_in_the_midst_of_it_does_not_go_on(scene: Scene) -> None:
    rows = "".join(f"p{number},能登 圭,のと けい,道路課,主事\n" for number in range(60))
    shown = (await scene.show(f"{HEADER}\n{rows}")).json()
    storage = scene.world.server.app.storage
    write, written = storage.write, 0

    async def demoting(use_case: Any, **options: Any) -> Any:
        nonlocal written
        written += 1
        if written == 10:
            await write(demote)
        return await write(use_case, **options)

    async def demote(tx: Tx) -> None:
        await tx.run("DELETE FROM roles WHERE user_id = ?", scene.admin.actor.user_id)

    storage.write = demoting  # type: ignore[method-assign]
    try:
        refused = await scene.carry_out(shown["difference"], f"{HEADER}\n{rows}")
    finally:
        del storage.write
    assert code_of(refused) == 2008
    assert len(await scene.world.recorded(scene.org, "person.add")) < 60


async def test_who_is_gone_is_listed_apart(scene: Scene) -> None:
    someone = await scene.world.person(scene.org, "小林 恵", login="kobayashi")
    assert await scene.people(gone="true") == set()
    assert code_of(await scene.api.call("change_person", {"user": someone.id}, json={"disabled": True})) == 200
    assert await scene.people(gone="true") == {"小林 恵"}
    assert await scene.people(gone="true", q="小林") == {"小林 恵"}
    assert await scene.people(gone="true", q="佐藤") == set()
    assert "小林 恵" not in await scene.people()
    other = await scene.world.person(scene.org, "加藤 誠")
    async with scene.world.server.client(other.token) as client:
        refused = await Api(client, scene.api.document).call("list_people", params={"gone": "true"})
        assert code_of(refused) == 2008
