"""Devices (docs/protocol.md, section 12): waiting, approving, what may be done there, wiping from afar, push tokens."""

from __future__ import annotations

import asyncio
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx2
import pytest
import pytest_asyncio

from chat_server.domain import closing
from chat_server.domain.actors import ORGANIZATION_ADMIN
from chat_server.services import organizations
from chat_server.services.authority import Operator
from chat_server.services.blocks import Photos
from chat_server.storage.queries import push_tokens
from chat_server.storage.queries.push_tokens import PushToken
from tests.support.api import Api, code_of
from tests.support.peer import Closed, Peer
from tests.support.world import Org, Someone, World
from tests.unit.photo_samples import encoded, picture

BOTH_ENGINES = True
pytestmark = pytest.mark.asyncio(loop_scope="module")

PASSWORD: Final = "みどりの町の合言葉です"
POINT: Final = "B" + "A" * 86
"""65 bytes that begin with 4, in base64url"""
SECRET: Final = "A" * 22


@dataclass
class Scene:
    """An organization with an administrator and a person with a password; a room of theirs with a photo."""

    world: World
    document: Mapping[str, Any]
    org: Org
    administrator: Someone
    person: Someone
    login: str
    room: str
    photo: str

    async def rules(self, **rules: str | None) -> None:
        write = self.world.server.app.storage.write
        await write(lambda tx: organizations.set_policy(tx, Operator(self.org.id), rules))

    async def call(self, token: str, operation: str, zone: str = "lgwan", **request: Any) -> httpx2.Response:
        path = request.pop("path", None)
        async with self.world.server.client(token, zone) as client:
            return await Api(client, self.document).call(operation, path, **request)

    async def admin(self, operation: str, device: str | None = None, **request: Any) -> httpx2.Response:
        path = {"user": self.person.id} | ({"device": device} if device else {})
        return await self.call(self.administrator.token, operation, path=path, **request)

    async def sign_in(self, zone: str = "internet", name: str = "現場のスマートフォン") -> httpx2.Response:
        """The answer of the last step."""
        async with self.world.server.client(zone=zone) as client:
            begun = {"organization": self.org.code, "login": self.login, "device_name": name}
            flow = (await client.post("/api/sign-in", json=begun)).json()["flow"]
            return await client.post("/api/sign-in/password", json={"flow": flow, "password": PASSWORD})

    async def phone(self, zone: str = "internet") -> tuple[str, str]:
        """Access token and id of one more device."""
        session = (await self.sign_in(zone)).json()["session"]
        return session["access_token"], session["device"]

    async def live(self) -> list[PushToken]:
        people = [self.person.actor.user_id, self.administrator.actor.user_id]
        return await self.world.server.app.storage.read(
            lambda reader: push_tokens.live_of(reader, people, most_trusted="lgwan")
        )


@pytest_asyncio.fixture(loop_scope="module")
async def scene(world: World, document: Mapping[str, Any]) -> Scene:
    world.made += 1
    org = await world.organization(f"midorino{world.made}", "みどり野市")
    administrator = await world.person(org, "佐藤 一", role=ORGANIZATION_ADMIN)
    login = f"takahashi{world.made}"
    person = await world.person(org, login=login, password=PASSWORD)
    room = await world.room(administrator, person)
    async with world.server.client(administrator.token) as client:
        photo = (await client.post("/api/photos", content=encoded(picture()))).json()["id"]
    await world.post(administrator, room, Photos((photo,)))
    return Scene(world, document, org, administrator, person, login, room, photo)


# Waiting


async def test_a_new_device_can_do_nothing_but_see_that_it_waits_until_it_is_approved(scene: Scene) -> None:
    await scene.rules(new_devices="approval")
    token, device = await scene.phone()
    assert code_of(await scene.call(token, "list_rooms", "internet")) == 6021
    assert (
        code_of(await scene.call(token, "register_push", "internet", json={"platform": "fcm", "token": "t" * 20}))
        == 6021
    )
    peer = await Peer.open(scene.world.server.ports["internet"])
    assert (await peer.ask("auth", token=token))["code"] == 6021
    assert await peer.closed() == closing.DEVICE
    standing = (await scene.call(token, "get_this_device", "internet")).json()
    assert (standing["id"], standing["state"]) == (device, "waiting")
    about = {"platform": "android", "app_version": "1.4.0", "ownership": "private"}
    assert (await scene.call(token, "describe_device", "internet", json=about)).status_code == 200
    [waiting] = (await scene.call(scene.administrator.token, "list_organization_devices")).json()["items"]
    assert (waiting["id"], waiting["user"]["id"], waiting["platform"]) == (device, scene.person.id, "android")

    approved = await scene.admin("change_device", device, json={"approved": True})
    assert approved.json()["state"] == "ready"
    assert (await scene.call(token, "list_rooms", "internet")).status_code == 200
    assert (await scene.call(scene.administrator.token, "list_organization_devices")).json()["items"] == []
    [[actor, target, detail]] = await scene.world.recorded(scene.org, "device.approve")
    assert (actor, target, detail) == (scene.administrator.id, device, {"user": scene.person.id})


async def test_devices_that_are_there_already_do_not_wait(scene: Scene) -> None:
    token, _ = await scene.phone()
    await scene.rules(new_devices="approval")
    assert (await scene.call(token, "list_rooms", "internet")).status_code == 200


async def test_a_waiting_device_may_sign_out(scene: Scene) -> None:
    await scene.rules(new_devices="approval")
    token, _ = await scene.phone()
    assert (await scene.call(token, "confirm_wiped", "internet", json={"unsent": 0})).status_code == 204
    assert code_of(await scene.call(token, "get_this_device", "internet")) == 1004


# How many, and from where


async def test_no_more_devices_than_the_organization_lets_one_have(scene: Scene) -> None:
    await scene.rules(devices_per_person="2")  # the person's first is there already
    token, _ = await scene.phone()
    refused = await scene.sign_in()
    assert code_of(refused) == 6020
    assert refused.json()["error"]["params"] == {"limit": 2}
    assert (await scene.call(token, "sign_out", "internet")).status_code == 204
    assert (await scene.sign_in()).status_code == 200


async def test_several_that_sign_in_at_once_are_not_more_than_one_may_have(scene: Scene) -> None:
    await scene.rules(devices_per_person="3")  # the person's first is there already
    answers = await asyncio.gather(*(scene.sign_in() for _ in range(6)))
    assert sorted(answer.status_code for answer in answers).count(200) == 2, [answer.text for answer in answers]
    assert {code_of(answer) for answer in answers if answer.status_code != 200} == {6020}


async def test_devices_come_only_from_where_they_may(scene: Scene) -> None:
    token, device = await scene.phone()
    await scene.rules(device_zones="most_trusted")
    assert code_of(await scene.call(token, "list_rooms", "internet")) == 6023
    assert (await scene.call(token, "get_this_device", "internet")).json()["state"] == "elsewhere"
    assert code_of(await scene.sign_in()) == 6023
    assert (await scene.sign_in("lgwan")).status_code == 200
    await scene.rules(device_zones="issued")
    assert code_of(await scene.call(token, "list_rooms", "internet")) == 6023
    await scene.admin("change_device", device, json={"ownership": "issued"})
    assert (await scene.call(token, "list_rooms", "internet")).status_code == 200


async def test_where_only_issued_devices_come_from_a_new_one_waits_for_whoever_says_that_it_is_one(
    scene: Scene,
) -> None:
    await scene.rules(device_zones="issued")
    token, device = await scene.phone()
    assert (await scene.call(token, "get_this_device", "internet")).json()["state"] == "waiting"
    await scene.admin("change_device", device, json={"approved": True})
    assert (await scene.call(token, "get_this_device", "internet")).json()["state"] == "elsewhere"
    await scene.admin("change_device", device, json={"ownership": "issued"})
    assert (await scene.call(token, "list_rooms", "internet")).status_code == 200


async def test_a_device_cannot_say_that_it_is_issued_and_not_undo_that_it_is(scene: Scene) -> None:
    token, device = await scene.phone()
    assert code_of(await scene.call(token, "describe_device", "internet", json={"ownership": "issued"})) == 2001
    await scene.admin("change_device", device, json={"ownership": "issued"})
    answer = await scene.call(
        token, "describe_device", "internet", json={"ownership": "private", "name": "\u202e携帯\r\n"}
    )
    assert (answer.json()["ownership"], answer.json()["name"]) == ("issued", "携帯")


# What may be done with files


@pytest.mark.parametrize(
    ("access", "offered"),
    [
        ("text", set()),
        ("view", {"thumbnail", "preview"}),
        ("download", {"thumbnail", "preview", "sanitized"}),
        ("cache", {"thumbnail", "preview", "sanitized"}),
    ],
)
async def test_a_device_reads_of_files_what_it_may(scene: Scene, access: str, offered: set[str]) -> None:
    asked = {"ids": [scene.photo]}
    token, device = await scene.phone("lgwan")
    [before] = (await scene.call(token, "give_addresses", json=asked)).json()["items"]
    await scene.rules(device_access_private=access)
    [item] = (await scene.call(token, "give_addresses", json=asked)).json()["items"]
    assert set(item["addresses"]) == offered
    assert ("refused" in item) == (access == "text")
    async with scene.world.server.client() as client:  # addresses that were given out before
        opened = {kind: code_of(await client.get(address)) for kind, address in before["addresses"].items()}
    assert opened == {kind: 200 if kind in offered else 5030 for kind in before["addresses"]}
    rules = (await scene.call(token, "get_me")).json()["rules"]
    assert (rules["device_access"], rules["device_cache"]) == (access, "allowed" if access == "cache" else "off")

    await scene.admin("change_device", device, json={"ownership": "issued"})
    [issued] = (await scene.call(token, "give_addresses", json=asked)).json()["items"]
    assert set(issued["addresses"]) == set(before["addresses"]), "the rule is of private devices"


# Wiping


async def test_a_wiped_device_is_told_wherever_it_asks_and_says_what_it_destroyed(scene: Scene) -> None:
    token, device = await scene.phone()
    await scene.call(token, "register_push", "internet", json={"platform": "fcm", "token": "token-of-a-lost-phone"})
    peer = await Peer.live(scene.world.server.ports["internet"], token)
    [address] = [
        item["addresses"]["preview"]
        for item in (await scene.call(token, "give_addresses", "internet", json={"ids": [scene.photo]})).json()["items"]
    ]
    assert (await scene.admin("wipe_device", device)).json()["state"] == "wipe"
    assert await peer.closed() == closing.DEVICE
    assert await scene.live() == [], "it is not woken any more"
    assert code_of(await scene.call(token, "list_rooms", "internet")) == 6022
    async with scene.world.server.client(zone="internet") as client:
        assert code_of(await client.get(address)) == 5006
    peer = await Peer.open(scene.world.server.ports["internet"])
    assert (await peer.ask("auth", token=token))["code"] == 6022
    assert await peer.closed() == closing.DEVICE
    [listed] = (
        await scene.call(scene.administrator.token, "list_organization_devices", params={"state": "wipe"})
    ).json()["items"]
    assert (listed["state"], listed["wiped_at"], listed["signed_out"]) == ("wipe", None, False)

    assert (await scene.call(token, "confirm_wiped", "internet", json={"unsent": 3})).status_code == 204
    assert code_of(await scene.call(token, "get_this_device", "internet")) == 1004
    [listed] = (
        await scene.call(scene.administrator.token, "list_organization_devices", params={"state": "wipe"})
    ).json()["items"]
    assert (listed["state"], listed["unsent"], listed["signed_out"]) == ("wiped", 3, True)
    assert device not in [one["id"] for one in (await scene.admin("list_devices_of")).json()["items"]]
    [[_, target, detail]] = await scene.world.recorded(scene.org, "device.wiped")
    assert (target, detail) == (device, {"unsent": 3})


async def test_a_device_that_does_not_answer_stays_in_the_list(scene: Scene) -> None:
    _, device = await scene.phone()
    own = await scene.call(scene.person.token, "wipe_own_device", path={"device": device})
    assert own.json()["state"] == "wipe"
    await scene.world.server.app.storage.write(lambda tx: tx.run("DELETE FROM refresh_tokens"))  # long ago
    mine = (await scene.call(scene.person.token, "list_devices")).json()["items"]
    assert [one["state"] for one in mine if one["id"] == device] == ["wipe"]


async def test_a_device_that_is_to_be_wiped_can_still_refresh_its_session(scene: Scene) -> None:
    session = (await scene.sign_in()).json()["session"]
    await scene.admin("wipe_device", session["device"])
    async with scene.world.server.client(zone="internet") as client:
        fresh = await client.post("/api/sessions/refresh", json={"refresh_token": session["refresh_token"]})
    assert (await scene.call(fresh.json()["access_token"], "get_this_device", "internet")).json()["state"] == "wipe"


async def test_signing_everybody_out_leaves_a_wipe_to_be_done(scene: Scene) -> None:
    token, device = await scene.phone()
    await scene.admin("wipe_device", device)
    new = "みどりの町の新しい合言葉です"
    changed = await scene.call(scene.person.token, "change_password", json={"old": PASSWORD, "new": new})
    assert changed.status_code == 204
    assert (await scene.call(token, "get_this_device", "internet")).json()["state"] == "wipe"


async def test_another_persons_device_does_not_exist(scene: Scene) -> None:
    theirs = {"device": scene.person.actor.device}
    assert code_of(await scene.call(scene.administrator.token, "wipe_own_device", path=theirs)) == 6005
    mine = {"user": scene.person.id, "device": scene.administrator.actor.device}
    for operation, body in (("wipe_device", None), ("change_device", {"approved": True}), ("sign_out_device_of", None)):
        assert code_of(await scene.call(scene.administrator.token, operation, path=mine, json=body)) == 6005


async def test_an_administrator_signs_a_device_out(scene: Scene) -> None:
    token, device = await scene.phone()
    peer = await Peer.live(scene.world.server.ports["internet"], token)
    assert (await scene.admin("sign_out_device_of", device)).status_code == 204
    assert await peer.closed() == closing.SIGNED_OUT
    with pytest.raises(Closed):
        await peer.hear()


# Waking


async def test_a_push_token_is_registered_renewed_and_withdrawn(scene: Scene) -> None:
    web = {
        "platform": "web_push",
        "token": "https://push.example/abc",
        "p256dh": POINT,
        "auth": SECRET,
        "language": "en",
    }
    answer = await scene.call(scene.person.token, "register_push", json=web)
    assert answer.json()["push"]["platform"] == "web_push"
    assert web["token"] not in answer.text
    [token] = await scene.live()
    assert (token.device, token.token, token.p256dh, token.language) == (
        scene.person.actor.device,
        web["token"],
        POINT,
        "en",
    )
    await scene.call(scene.person.token, "register_push", json=web)
    assert [one.id for one in await scene.live()] == [token.id]
    assert (await scene.call(scene.person.token, "withdraw_push")).status_code == 204
    assert await scene.live() == []
    assert (await scene.call(scene.person.token, "get_this_device")).json()["push"] is None


async def test_browsers_get_the_key_to_subscribe_with(scene: Scene) -> None:
    key = (await scene.call(scene.person.token, "get_web_key")).json()["key"]
    assert len(urlsafe_b64decode(key + "=")) == 65
    assert (await scene.call(scene.administrator.token, "get_web_key")).json() == {"key": key, "on": False}


async def test_where_nobody_is_pushed_a_trial_says_so(scene: Scene) -> None:
    assert (await scene.call(scene.person.token, "try_push")).json()["outcome"] == "off"


async def test_a_token_registered_twice_belongs_to_the_last(scene: Scene) -> None:
    fcm = {"platform": "fcm", "token": "token-of-a-handed-on-phone"}
    await scene.call(scene.person.token, "register_push", json=fcm)
    await scene.call(scene.administrator.token, "register_push", json=fcm)
    assert [one.user_id for one in await scene.live()] == [scene.administrator.actor.user_id]


async def test_a_token_that_several_register_at_once_is_one_devices(scene: Scene) -> None:
    """Theirs and another organization's, which take no turns with each other."""
    scene.world.made += 1
    elsewhere = await scene.world.organization(f"kawabe{scene.world.made}", "川辺町")
    strangers = [await scene.world.person(elsewhere) for _ in range(2)]
    tokens = [scene.person.token, scene.administrator.token, *(one.token for one in strangers)]
    everybody = [scene.person, scene.administrator, *strangers]
    for number in range(10):
        new = {"platform": "fcm", "token": f"t0k3n-at-once-{number}"}
        answers = await asyncio.gather(
            *(scene.call(token, "register_push", json=new) for token in tokens for _ in range(2))
        )
        assert {answer.status_code for answer in answers} == {200}, [answer.text for answer in answers]
        live = await scene.world.server.app.storage.read(
            lambda reader: push_tokens.live_of(reader, [one.actor.user_id for one in everybody], most_trusted="lgwan")
        )
        assert [one.token for one in live] == [new["token"]]


async def test_a_device_that_registers_several_at_once_has_one(scene: Scene) -> None:
    token, _ = await scene.phone()
    answers = await asyncio.gather(
        *(
            scene.call(token, "register_push", "internet", json={"platform": "fcm", "token": f"t0k3n-several-{number}"})
            for number in range(6)
        )
    )
    assert {answer.status_code for answer in answers} == {200}, [answer.text for answer in answers]
    assert len(await scene.live()) == 1


async def test_signing_out_ends_the_token(scene: Scene) -> None:
    await scene.call(scene.person.token, "register_push", json={"platform": "fcm", "token": "token-of-a-phone-2"})
    await scene.call(scene.person.token, "sign_out")
    assert await scene.live() == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"platform": "fcm", "token": "with a\r\nheader: line"},
        {"platform": "apns", "token": "not hexadecimal"},
        {"platform": "web_push", "token": "http://push.example/abc", "p256dh": POINT, "auth": SECRET},
        {"platform": "web_push", "token": "https://user:word@push.example/abc", "p256dh": POINT, "auth": SECRET},
        {"platform": "web_push", "token": "https://push.example/a#b", "p256dh": POINT, "auth": SECRET},
        {"platform": "web_push", "token": "https://push.example/abc"},
        {"platform": "web_push", "token": "https://push.example/abc", "p256dh": POINT},
        {"platform": "web_push", "token": "https://push.example/abc", "p256dh": "A" * 87, "auth": SECRET},
        {"platform": "web_push", "token": "https://push.example/abc", "p256dh": POINT, "auth": "AAAA"},
        {"platform": "apns", "token": "ab" * 32, "topic": "jp.example\r\nx: y"},
        {"platform": "carrier_pigeon", "token": "abc"},
    ],
)
async def test_what_is_no_token_is_refused(scene: Scene, wrong: dict[str, str]) -> None:
    assert code_of(await scene.call(scene.person.token, "register_push", json=wrong)) == 2001
    assert await scene.live() == []


# The version of the API


@pytest.mark.parametrize(("said", "answer"), [("1", 200), ("0", 2020), ("2", 2020), ("one", 2020), ("", 2020)])
async def test_a_client_of_another_version_is_told_to_update(scene: Scene, said: str, answer: int) -> None:
    response = await scene.call(scene.person.token, "get_me", headers={"Renraku-Api": said})
    assert code_of(response) == answer
    if answer != 200:
        assert response.status_code == 426
        assert response.json()["error"]["params"] == {"version": 1, "oldest": 1}
