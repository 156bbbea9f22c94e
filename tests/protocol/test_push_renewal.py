"""`POST /api/push/renewal`: a browser's worker says, without a session, where its device is woken now. What it is answered, what ends
its secret, and where the secret does not stand. The rules themselves: tests/unit/devices/test_push_renewal.py."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx2
import pytest
import pytest_asyncio

from chat_server.domain.actors import ORGANIZATION_ADMIN
from chat_server.domain.ids import new_secret
from chat_server.services import organizations
from chat_server.services.authority import Operator
from chat_server.storage.queries import push_tokens
from chat_server.storage.queries.push_tokens import PushToken
from tests.support.api import Api, code_of
from tests.support.world import Org, Someone, World

BOTH_ENGINES = True
pytestmark = pytest.mark.asyncio(loop_scope="module")

POINT: Final = "B" + "A" * 86
AUTH: Final = "A" * 22
NEW: Final = {"token": "https://push.example/new", "p256dh": "B" + "B" * 86, "auth": "B" * 22}


@dataclass
class Scene:
    world: World
    document: Mapping[str, Any]
    org: Org
    administrator: Someone
    person: Someone
    """on a phone, in the Internet's zone"""
    old: dict[str, str]
    new: dict[str, str]
    """its subscriptions: a browser gives each once"""

    async def call(
        self, operation: str, who: Someone | None = None, zone: str = "internet", **request: Any
    ) -> httpx2.Response:
        path = request.pop("path", None)
        async with self.world.server.client(who.token if who else None, zone) as client:
            return await Api(client, self.document).call(operation, path, **request)

    async def register(self, who: Someone | None = None, *, key: str | None = None, **token: str) -> Any:
        """The whole answer."""
        body = {"platform": "web_push", **(token or self.old), "language": "en"}
        headers = {} if key is None else {"Idempotency-Key": key}
        answer = await self.call("register_push", who or self.person, json=body, headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def renew(self, renewal: str, zone: str = "internet", **subscription: str) -> httpx2.Response:
        return await self.call("renew_push", zone=zone, json={"renewal": renewal, **(subscription or self.new)})

    async def live(self) -> list[PushToken]:
        people = [self.person.actor.user_id, self.administrator.actor.user_id]
        return await self.world.server.app.storage.read(
            lambda reader: push_tokens.live_of(reader, people, most_trusted="lgwan")
        )

    async def tokens(self) -> list[str]:
        return [token.token for token in await self.live()]


@pytest_asyncio.fixture(loop_scope="module")
async def scene(world: World, document: Mapping[str, Any]) -> Scene:
    world.made += 1
    org = await world.organization(f"midorino{world.made}", "みどり野市")
    administrator = await world.person(org, "佐藤 一", role=ORGANIZATION_ADMIN)
    await world.server.app.storage.write(lambda tx: tx.run("DELETE FROM sign_in_failures"))
    old = {"token": f"https://push.example/old{world.made}", "p256dh": POINT, "auth": AUTH}
    new = {**NEW, "token": f"https://push.example/new{world.made}"}
    return Scene(world, document, org, administrator, await world.person(org, zone="internet"), old, new)


async def test_a_worker_says_where_its_device_is_woken_now(scene: Scene) -> None:
    renewal = (await scene.register())["renewal"]
    answer = await scene.renew(renewal)
    assert (answer.status_code, answer.content) == (204, b""), "nothing about whose it is"
    [token] = await scene.live()
    assert (token.device, token.token, token.p256dh, token.auth, token.language) == (
        scene.person.actor.device, *scene.new.values(), "en",
    )  # fmt: skip
    assert (await scene.renew(renewal)).status_code == 204, "the answer may have been lost"
    assert [one.id for one in await scene.live()] == [token.id]


async def test_also_after_the_provider_has_ended_the_old_one(scene: Scene) -> None:
    renewal = (await scene.register())["renewal"]
    [old] = await scene.live()
    await scene.world.server.app.storage.write(lambda tx: push_tokens.drop(tx, old.id, "unregistered"))
    assert (await scene.renew(renewal)).status_code == 204
    assert await scene.tokens() == [scene.new["token"]]


async def test_a_registration_voids_the_secret_before_it_and_withdrawing_voids_all(scene: Scene) -> None:
    first, second = (await scene.register())["renewal"], (await scene.register())["renewal"]
    assert first != second
    assert code_of(await scene.renew(first)) == 6024
    assert (await scene.renew(second)).status_code == 204
    assert (await scene.call("withdraw_push", scene.person)).status_code == 204
    assert code_of(await scene.renew(second)) == 6024
    assert await scene.live() == []
    third = (await scene.register())["renewal"]
    app = await scene.call("register_push", scene.person, json={"platform": "fcm", "token": "t0ken-of-an-app"})
    assert app.json()["renewal"] is None, "apps hear of another token themselves"
    assert code_of(await scene.renew(third)) == 6024
    assert await scene.tokens() == ["t0ken-of-an-app"]


async def sign_out(scene: Scene) -> None:
    assert (await scene.call("sign_out", scene.person)).status_code == 204


async def sign_out_by_an_administrator(scene: Scene) -> None:
    path = {"user": scene.person.id, "device": scene.person.actor.device}
    assert (await scene.call("sign_out_device_of", scene.administrator, "lgwan", path=path)).status_code == 204


async def wipe(scene: Scene) -> None:
    path = {"user": scene.person.id, "device": scene.person.actor.device}
    assert (await scene.call("wipe_device", scene.administrator, "lgwan", path=path)).status_code == 200


async def disable(scene: Scene) -> None:
    path = {"user": scene.person.id}
    answer = await scene.call("change_person", scene.administrator, "lgwan", path=path, json={"disabled": True})
    assert answer.status_code == 200, answer.text


async def keep_from_here(scene: Scene) -> None:
    rules: dict[str, str | None] = {"device_zones": "most_trusted"}
    write = scene.world.server.app.storage.write
    await write(lambda tx: organizations.set_policy(tx, Operator(scene.org.id), rules))


async def wait_for_approval(scene: Scene) -> None:
    device = scene.person.actor.device_id
    write = scene.world.server.app.storage.write
    await write(lambda tx: tx.run("UPDATE devices SET approved_at = NULL WHERE id = ?", device))


async def end(scene: Scene) -> None:
    write = scene.world.server.app.storage.write
    await write(lambda tx: tx.run("UPDATE users SET ends_at = 1 WHERE id = ?", scene.person.actor.user_id))


@pytest.mark.parametrize(
    "act", [sign_out, sign_out_by_an_administrator, wipe, disable, keep_from_here, wait_for_approval, end]
)
async def test_whatever_ends_it_looks_like_a_secret_that_never_was(
    scene: Scene, act: Callable[[Scene], Awaitable[None]]
) -> None:
    renewal = (await scene.register())["renewal"]
    never = await scene.renew(new_secret())
    assert (never.status_code, code_of(never)) == (404, 6024)
    await act(scene)
    assert (await scene.renew(renewal)).json()["error"] == never.json()["error"]
    assert await scene.live() == []


async def test_in_another_network_it_is_none(scene: Scene) -> None:
    renewal = (await scene.register())["renewal"]
    assert code_of(await scene.renew(renewal, "lgwan")) == 6024
    assert await scene.tokens() == [scene.old["token"]]


async def test_it_moves_its_own_device_alone(scene: Scene) -> None:
    tablet = await scene.world.another_device(scene.org, scene.person, "internet")
    theirs = {**scene.old, "token": scene.old["token"] + "-tablet"}
    phone, other = (await scene.register())["renewal"], (await scene.register(tablet, **theirs))["renewal"]
    assert code_of(await scene.renew(phone, **theirs)) == 6024, "the tablet would not be woken any more"
    assert await scene.tokens() == [scene.old["token"], theirs["token"]]
    assert (await scene.renew(other)).status_code == 204
    assert {token.device: token.token for token in await scene.live()} == {
        scene.person.actor.device: scene.old["token"],
        tablet.actor.device: scene.new["token"],
    }


@pytest.mark.parametrize(
    "wrong",
    [
        {**NEW, "token": "http://push.example/abc"},
        {**NEW, "token": "https://user:word@push.example/abc"},
        {**NEW, "token": "https://push.example/a#b"},
        {**NEW, "token": "https://push.example/a\r\nheader: line"},
        {**NEW, "token": "t0ken-of-an-app"},
        {**NEW, "token": "https://push.example/" + "a" * 2048},
        {**NEW, "p256dh": "A" * 87},
        {**NEW, "p256dh": ""},
        {**NEW, "auth": "AAAA"},
        {"token": NEW["token"]},
    ],
)
async def test_what_registering_refuses_it_refuses_with_the_same_words(scene: Scene, wrong: dict[str, str]) -> None:
    """Whether the secret is good or not: a wrong subscription tells nothing about it."""
    renewal = (await scene.register())["renewal"]
    registered = await scene.call("register_push", scene.person, json={"platform": "web_push", **wrong})
    assert code_of(registered) == 2001
    for secret in (renewal, new_secret()):
        refused = await scene.call("renew_push", json={"renewal": secret, **wrong})
        assert code_of(refused) == 2001
        if "auth" in wrong:  # else it is another field that is missed first
            assert refused.json()["error"] == registered.json()["error"]
    assert await scene.tokens() == [scene.old["token"]]


async def test_the_secret_stands_nowhere(scene: Scene) -> None:
    """Not in what is kept for a request that is asked again, not beside the device, not in the trail."""
    renewal = (await scene.register(key="register-at-start"))["renewal"]
    assert (await scene.renew(renewal)).status_code == 204
    assert (await scene.register(key="register-at-start"))["renewal"] is None, "told once"
    assert (await scene.renew(renewal)).status_code == 204, "and still good"
    whole = ""
    for table in ("devices", "push_tokens", "idempotency", "audit", "outbox", "settings"):
        rows = await scene.world.server.app.storage.read(
            lambda reader, table=table: reader.all(f"SELECT * FROM {table}")  # type: ignore[misc]
        )
        whole += repr([tuple(bytes(one) if isinstance(one, memoryview) else one for one in row) for row in rows])
    assert scene.person.actor.device in whole
    assert scene.new["token"] in whole
    assert renewal not in whole
    assert "renewal" not in (await scene.call("get_this_device", scene.person)).json()
