"""How much of the store people and organizations take, and may take."""

from __future__ import annotations

import pytest

from chat_server.domain.actors import ORGANIZATION_ADMIN
from tests.support.api import Api, code_of
from tests.support.uploads import PDF, Scene, Sender, described
from tests.support.world import Someone
from tests.unit.photo_samples import encoded, picture

pytestmark = pytest.mark.asyncio(loop_scope="module")
BOTH_ENGINES = True


async def usage(scene: Scene, who: Someone) -> int:
    api = Api(scene.server.client(who.token), scene.document)
    async with api.client:
        answer = await api.call("get_usage")
        return int(answer.json()["used"])


async def ruled(scene: Scene, **rules: str) -> None:
    admin = await scene.world.person(scene.org, "山本 誠", role=ORGANIZATION_ADMIN)
    async with scene.server.client(admin.token) as client:
        answer = await client.patch("/api/organization", json={"policy": rules})
        assert answer.status_code == 200, answer.text


async def test_what_is_brought_in_is_counted_and_what_goes_is_given_back(scene: Scene, sender: Sender) -> None:
    assert await usage(scene, scene.owner) == 0
    place = await sender.begin(1000)
    assert await usage(scene, scene.owner) == 1000
    await sender.add(place, 0, b"x" * 1000)
    assert await usage(scene, scene.owner) == 1000
    cancelled = await sender.begin(500)
    assert await usage(scene, scene.owner) == 1500
    await sender.ask("DELETE", cancelled)
    assert await usage(scene, scene.owner) == 1000
    unsent = (await sender.whole(PDF))["id"]
    assert await usage(scene, scene.owner) == 1000 + len(PDF)
    await sender.client.delete(f"/api/attachments/{unsent}")
    assert await usage(scene, scene.owner) == 1000
    photo = encoded(picture(60, 40))
    await sender.client.post("/api/photos", content=photo)
    assert await usage(scene, scene.owner) == 1000 + len(photo)
    refused = await sender.begin(len(PDF), "a.jpg", kind="photo")
    await sender.add(refused, 0, PDF)
    assert await usage(scene, scene.owner) == 1000 + len(photo)


async def test_more_than_a_person_may_is_refused_and_says_what_is_left(scene: Scene, sender: Sender) -> None:
    await ruled(scene, person_quota="1GB")
    await sender.begin(1000 * 1024**2)
    refused = await sender.ask("POST", "/api/uploads", size=100 * 1024**2, metadata=described("a"))
    assert (refused.status_code, code_of(refused)) == (413, 5017)
    assert "25.2 MB" in refused.json()["error"]["ja"]
    assert await usage(scene, scene.owner) == 1000 * 1024**2
    other = scene.sender(scene.member)
    async with other.client:
        await other.begin(100 * 1024**2)
    await ruled(scene, person_quota="none", organization_quota="1GB")
    assert code_of(await sender.ask("POST", "/api/uploads", size=1, metadata=described("a"))) == 5018


async def test_an_organization_bounds_its_largest_file(scene: Scene, sender: Sender) -> None:
    await ruled(scene, file_size="100MB")
    refused = await sender.ask("POST", "/api/uploads", size=101 * 1024**2, metadata=described("a"))
    assert (refused.status_code, code_of(refused)) == (413, 5011)
