"""A department administrator changes the names of their own section's people, and nothing else of anybody."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import pytest
import pytest_asyncio

from chat_server.domain import limits
from chat_server.domain.actors import ORGANIZATION_ADMIN
from chat_server.domain.ids import new_id
from chat_server.ports import Tx
from chat_server.services import accounts
from chat_server.services.authority import Operator
from tests.protocol.test_http_permissions import fingerprint
from tests.support.api import Api, code_of
from tests.support.server import RunningServer
from tests.support.world import Org, Someone, World

pytestmark = pytest.mark.asyncio(loop_scope="module")

THEIRS: Final = ("chief", "below", "concurrent", "joint", "below_in_charge", "auditor")
NOT_THEIRS: Final = (
    "above", "aside", "past", "coming", "unplaced", "guest",
    "above_in_charge", "aside_in_charge", "administrator",
)  # fmt: skip


@dataclass
class Scene:
    """建設部 / 道路課 / 維持係 and 総務課; `chief` administers 道路課."""

    world: World
    org: Org
    people: dict[str, Someone]
    departments: dict[str, int]
    api: Api

    async def rename(self, whom: str, code: int = 200, /, **wanted: Any) -> dict[str, Any]:
        """What the chief is answered."""
        answer = await self.api.call(
            "change_person", {"user": self.people[whom].id}, json=wanted or {"name": f"改名 {whom}"}
        )
        assert code_of(answer) == code, (whom, answer.text)
        found: dict[str, Any] = answer.json()
        return found


@pytest_asyncio.fixture(loop_scope="module")
async def scene(world: World, document: Mapping[str, Any]) -> AsyncIterator[Scene]:
    async def make(tx: Tx) -> Scene:
        world.made += 1
        org = await world.organization(f"midorino{world.made}", "みどり野市", tx=tx)
        construction = await world.department(org, "建設部", tx=tx)
        roads = await world.department(org, "道路課", construction, tx=tx)
        upkeep = await world.department(org, "維持係", roads, tx=tx)
        general = await world.department(org, "総務課", tx=tx)
        people = {name: await world.person(org, tx=tx) for name in THEIRS + NOT_THEIRS if name != "guest"}
        people["guest"] = await world.person(org, kind="guest", tx=tx)
        day = limits.DAY
        posts: list[tuple[str, int, str, int, int | None]] = [
            ("chief", roads, "main", 0, None),
            ("below", upkeep, "annual", 0, tx.now + day),
            ("concurrent", general, "main", 0, None),
            ("concurrent", upkeep, "concurrent", 0, None),
            ("joint", construction, "main", 0, None),
            ("joint", roads, "joint", 0, None),
            ("below_in_charge", upkeep, "main", 0, None),
            ("auditor", roads, "main", 0, None),
            ("above", construction, "main", 0, None),
            ("aside", general, "main", 0, None),
            ("past", upkeep, "main", 0, tx.now - 1),
            ("past", general, "main", tx.now - 1, None),
            ("coming", general, "main", 0, None),
            ("coming", roads, "concurrent", tx.now + day, None),
            ("above_in_charge", roads, "main", 0, None),
            ("aside_in_charge", roads, "concurrent", 0, None),
            ("administrator", roads, "main", 0, None),
        ]
        for name, department, kind, starts_at, ends_at in posts:
            await world.appoint(people[name], department, kind, starts_at=starts_at, ends_at=ends_at, tx=tx)
        await world.put_in_charge(people["chief"], roads, tx=tx)
        await world.put_in_charge(people["below_in_charge"], upkeep, tx=tx)
        await world.put_in_charge(people["above_in_charge"], construction, tx=tx)
        await world.put_in_charge(people["aside_in_charge"], general, tx=tx)
        for name, role in (("administrator", ORGANIZATION_ADMIN), ("auditor", "auditor")):
            await accounts.grant(tx, Operator(org.id), people[name].id, role)
        api = Api(world.server.client(people["chief"].token), document)
        return Scene(world, org, people, {"roads": roads, "upkeep": upkeep, "general": general}, api)

    made = await world.server.app.storage.write(make)
    async with made.api.client:
        yield made


@pytest.mark.parametrize("whom", THEIRS)
async def test_names_of_the_section_and_below(scene: Scene, whom: str) -> None:
    changed = await scene.rename(whom, 200, name="髙橋 健", reading="ﾀｶﾊｼ ｹﾝ", former_name="佐々木")
    assert (changed["name"], changed["reading"], changed["former_name"]) == ("髙橋 健", "たかはし けん", "佐々木")
    assert "login" not in changed, "what administration knows besides is not theirs to see"
    person = scene.people[whom].id
    rows = await scene.world.recorded(scene.org, "person.rename")
    assert rows == [(scene.people["chief"].id, person, {"from": "高橋 健", "to": "髙橋 健"})]


@pytest.mark.parametrize("whom", NOT_THEIRS)
async def test_nobody_elses_and_no_administrator_beyond_them(scene: Scene, server: RunningServer, whom: str) -> None:
    before = await server.app.storage.read(fingerprint)
    await scene.rename(whom, 2008)
    assert await server.app.storage.read(fingerprint) == before
    assert (await scene.api.call("get_person", {"user": scene.people[whom].id})).json()["name"] == "高橋 健"


@pytest.mark.parametrize(
    "wanted", [{"disabled": True}, {"disabled": False}, {"ends_at": 4_000_000_000_000}], ids=lambda one: str(one)
)
async def test_nothing_but_names(scene: Scene, server: RunningServer, wanted: dict[str, Any]) -> None:
    """The allowed half of a request goes with the other."""
    before = await server.app.storage.read(fingerprint)
    await scene.rename("below", 2008, **wanted)
    await scene.rename("below", 2008, name="改名", **wanted)
    assert await server.app.storage.read(fingerprint) == before


async def test_it_ends_with_the_appointment_and_with_the_role(scene: Scene, server: RunningServer) -> None:
    await scene.rename("below")
    server.clock.ahead += limits.DAY
    try:
        refreshed = await scene.world.another_device(scene.org, scene.people["chief"], "lgwan")
        scene.api.client.headers["Authorization"] = f"Bearer {refreshed.token}"
        await scene.rename("below", 2008, name="もう一度")
        await scene.rename("coming")  # the day has come
    finally:
        server.clock.ahead -= limits.DAY
    scene.api.client.headers["Authorization"] = f"Bearer {scene.people['chief'].token}"
    await scene.rename("concurrent")
    code = await server.app.storage.read(
        lambda tx: tx.one("SELECT code FROM departments WHERE id = ?", scene.departments["roads"])
    )
    assert code is not None
    await server.app.storage.write(
        lambda tx: accounts.withdraw(
            tx, Operator(scene.org.id), scene.people["chief"].id, "department_admin", str(code[0])
        )
    )
    await scene.rename("concurrent", 2008, name="もう一度")


async def test_a_section_that_moves_takes_its_administrator_along(scene: Scene, server: RunningServer) -> None:
    """What lies below a department is asked of the tree as it is."""
    await scene.rename("below")
    await server.app.storage.write(
        lambda tx: tx.run(
            "UPDATE departments SET parent_id = ? WHERE id = ?",
            scene.departments["general"], scene.departments["upkeep"],
        )
    )  # fmt: skip
    await scene.rename("below", 2008, name="もう一度")


async def test_people_of_other_organizations_are_not_there(scene: Scene, world: World) -> None:
    other = await world.organization(f"other{world.made}", "風見原町")
    scene.people["stranger"] = await world.person(other)
    await world.appoint(scene.people["stranger"], await world.department(other, "道路課"))
    await scene.rename("stranger", 6001)
    answer = await scene.api.call("change_person", {"user": new_id(1)}, json={"name": "改名"})
    assert code_of(answer) == 6001
