"""Staff ask people outside for files: who may, what is refused, and what becomes of a link in their hands."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from chat_server.domain import limits
from chat_server.domain.actors import ORGANIZATION_ADMIN
from chat_server.domain.ids import new_id
from chat_server.ports import Reader
from chat_server.services import bots, link_news
from chat_server.services.bots import Plugin
from chat_server.storage.queries import organizations
from chat_server.workers.links import LinkWorker
from tests.support.api import Api, code_of
from tests.support.links import Outside, Staff, outside, staff
from tests.support.uploads import Scene

pytestmark = pytest.mark.asyncio(loop_scope="module")
BOTH_ENGINES = True


@pytest_asyncio.fixture(loop_scope="module")
async def asker(scene: Scene) -> AsyncIterator[Staff]:
    found = staff(scene, scene.member)
    async with found.api.client:
        yield found


@pytest_asyncio.fixture(loop_scope="module")
async def owner(scene: Scene) -> AsyncIterator[Staff]:
    found = staff(scene, scene.owner)
    async with found.api.client:
        yield found


@pytest_asyncio.fixture(loop_scope="module")
async def vendor(scene: Scene) -> AsyncIterator[Outside]:
    found = outside(scene)
    async with found.api.client:
        yield found


async def set_rule(scene: Scene, value: str) -> None:
    await scene.server.app.storage.write(
        lambda tx: organizations.set_own_rules(tx, scene.org.id, {"upload_links": value})
    )


async def test_what_is_asked_for_stands_in_the_room_for_its_members(scene: Scene, asker: Staff, owner: Staff) -> None:
    wanted: dict[str, Any] = {
        "company": "青葉測量\u202e株式会社", "email": "aoba@survey.example", "expected": "遠景\n10枚",
        "kinds": ["archives", "photos", "photos"], "told": [scene.owner.id], "once": False, "most_files": 5, "pin": "4711",
    }  # fmt: skip
    first = await asker.ask(**wanted)
    assert (first["state"], first["given"], first["asker"]["name"]) == ("new", False, "田中 美咲")
    assert (first["company"], first["expected"]) == ("青葉測量株式会社", "遠景\n10枚")
    assert (first["kinds"], first["told"], first["pin"]) == (["photos", "archives"], [scene.owner.id], True)
    second = await owner.ask()
    items = (await owner.api.call("list_upload_links", {"room": scene.room})).json()["items"]
    assert items == [second, first]
    assert await owner.now(first) == first | {"files": []}


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"ends": 0}, "ends"),
        ({"ends": 2**52}, "ends"),
        ({"recipient": "\u200b"}, "recipient"),
        ({"purpose": " \u202e "}, "purpose"),
        ({"most_files": 101}, "most_files"),
        ({"most_files": 0}, "most_files"),
        ({"most_bytes": limits.LINK_BYTES + 1}, "most_bytes"),
        ({"kinds": ["programs"]}, "kinds[0]"),
        ({"told": [new_id(0)]}, "told"),
        ({"pin": "abcd"}, "pin"),
        ({"pin": "123"}, "pin"),
    ],
)
async def test_what_cannot_be_asked_for_is_refused_at_its_field(asker: Staff, wanted: Any, field: str) -> None:
    answer = await asker.try_to_ask(**wanted)
    assert (code_of(answer), answer.json()["error"]["field"]) == (2001, field)


async def test_the_organization_says_who_may_ask(scene: Scene, asker: Staff, vendor: Outside) -> None:
    admin = await scene.world.person(scene.org, "佐藤 一", role=ORGANIZATION_ADMIN)
    room = await scene.world.room(admin, scene.member)
    link = await asker.ask()
    await set_rule(scene, "organization_admin")
    assert code_of(await asker.try_to_ask()) == 7104
    assert code_of(await asker.api.call("give_link_address", {"link": link["id"]})) == 7104
    assert code_of(await asker.api.call("ask_again", {"link": link["id"]}, json={"ends": link["ends"]})) == 7104
    by_admin = staff(scene, admin)
    async with by_admin.api.client:
        token = await by_admin.address(await by_admin.ask(room))
    assert (await vendor.look(token)).status_code == 200
    await set_rule(scene, "off")
    assert code_of(await vendor.look(token)) == 7101
    assert (await asker.api.call("revoke_upload_link", {"link": link["id"]})).status_code == 200, (
        "that is always possible"
    )


async def test_not_in_every_room(scene: Scene, asker: Staff, owner: Staff) -> None:
    direct = (await asker.api.call("open_direct_room", json={"user": scene.owner.id})).json()["id"]
    assert code_of(await asker.try_to_ask(direct)) == 3005
    assert code_of(await asker.try_to_ask(new_id(0))) == 3001
    await owner.api.call("change_room", {"room": scene.room}, json={"archived": True})
    assert code_of(await owner.try_to_ask()) == 3002


async def test_an_address_is_told_once_and_to_the_asker_alone(
    scene: Scene, asker: Staff, owner: Staff, vendor: Outside
) -> None:
    link = await asker.ask()
    assert code_of(await owner.api.call("give_link_address", {"link": link["id"]})) == 7105
    key = {"Idempotency-Key": "the-address"}
    first = (await asker.api.call("give_link_address", {"link": link["id"]}, headers=key)).json()
    assert (first["state"], first["given"], len(first["token"]), first["page"]) == ("open", True, 43, "")
    again = await asker.api.call("give_link_address", {"link": link["id"]}, headers=key)
    assert (again.json()["token"], again.headers["idempotency-replayed"]) == (None, "true")
    second = await asker.address(link)
    assert code_of(await vendor.look(first["token"])) == 7101
    assert (await vendor.look(second)).status_code == 200
    assert "token" not in await asker.now(link)


async def test_a_deadline_is_moved_and_an_expired_link_good_again(
    scene: Scene, asker: Staff, owner: Staff, vendor: Outside
) -> None:
    now = scene.server.clock.now()
    link = await asker.ask(ends=now + limits.HOUR)
    token = await asker.address(link)
    scene.server.clock.ahead = 2 * limits.HOUR
    for one, who in ((asker, scene.member), (owner, scene.owner)):
        one.api.client.headers["authorization"] = f"Bearer {scene.token_now(who)}"
    assert (await asker.now(link))["state"] == "expired"
    assert code_of(await vendor.look(token)) == 7101
    later = {"ends": now + 3 * limits.DAY}
    assert code_of(await owner.api.call("change_upload_link", {"link": link["id"]}, json={"ends": now})) == 2001
    assert code_of(await owner.api.call("change_upload_link", {"link": link["id"]}, json={})) == 2001
    moved = (await owner.api.call("change_upload_link", {"link": link["id"]}, json=later)).json()
    assert (moved["state"], moved["ends"]) == ("open", later["ends"])
    assert (await vendor.look(token)).status_code == 200


async def test_what_has_ended_is_asked_for_once_more(scene: Scene, asker: Staff, owner: Staff, vendor: Outside) -> None:
    link = await asker.ask(told=[scene.owner.id], kinds=["photos"], pin="4711", most_files=3)
    token = await asker.address(link)
    closed = (await owner.api.call("change_upload_link", {"link": link["id"]}, json={"done": True})).json()
    assert closed["state"] == "done"
    ends = {"ends": scene.server.clock.now() + limits.DAY}
    for answer in (
        await asker.api.call("change_upload_link", {"link": link["id"]}, json=ends),
        await asker.api.call("give_link_address", {"link": link["id"]}),
    ):
        assert code_of(answer) == 7107
    assert code_of(await vendor.look(token)) == 7101
    again = (await owner.api.call("ask_again", {"link": link["id"]}, json=ends)).json()
    same = ("recipient", "company", "purpose", "expected", "kinds", "told", "once", "pin", "most_files", "most_bytes")
    assert {name: again[name] for name in same} == {name: link[name] for name in same}
    assert (again["state"], again["asker"]["id"], again["ends"]) == ("new", scene.owner.id, ends["ends"])
    revoked = (await owner.api.call("revoke_upload_link", {"link": link["id"]})).json()
    assert revoked["state"] == "revoked"
    assert (await owner.api.call("revoke_upload_link", {"link": link["id"]})).json()["revoked"] == revoked["revoked"]


async def test_a_room_has_only_so_many_that_are_good(asker: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LINKS", 2)
    link = await asker.ask()
    await asker.ask()
    assert code_of(await asker.try_to_ask()) == 7106
    await asker.api.call("revoke_upload_link", {"link": link["id"]})
    assert (await asker.try_to_ask()).status_code == 201


async def test_whoever_leaves_the_room_has_no_link_there(scene: Scene, asker: Staff, owner: Staff) -> None:
    link = await asker.ask()
    await owner.api.call("remove_member", {"room": scene.room, "user": scene.member.id})
    for call in ("read_upload_link", "revoke_upload_link", "give_link_address"):
        assert code_of(await asker.api.call(call, {"link": link["id"]})) == 7103
    assert (await owner.api.call("revoke_upload_link", {"link": link["id"]})).status_code == 200


@pytest_asyncio.fixture(loop_scope="module")
async def bot(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> str:
    """The public id of the bot that looks after links, as one that nobody runs here."""
    monkeypatch.setattr(link_news, "PLUGIN", "links_of_a_test")
    plugin = Plugin("links_of_a_test", "受け取り係", "うけとりがかり", "")
    return (await scene.server.app.storage.write(lambda tx: bots.add(tx, scene.org.id, plugin)))[1]


async def waiting(scene: Scene) -> list[tuple[str, str]]:
    """(key, link) of what the bot has to look at."""

    async def read(reader: Reader) -> list[tuple[str, str]]:
        rows = await reader.all(
            "SELECT key, note FROM bot_events WHERE kind = 'link' AND org_id = ? ORDER BY id", scene.org.id
        )
        return [(str(row[0]), str(row[1])) for row in rows]

    return await scene.server.app.storage.read(read)


async def test_the_bot_comes_into_the_room_and_hears_of_every_change(
    scene: Scene, asker: Staff, vendor: Outside, bot: str
) -> None:
    async def looked(expected: Any) -> None:
        """The bot has it to look at once, whatever happened meanwhile; then it has looked."""
        assert [note for _, note in await waiting(scene)] == [expected["id"]]
        await scene.server.app.storage.write(lambda tx: tx.run("DELETE FROM bot_events WHERE kind = 'link'"))

    link = await asker.ask(ends=scene.server.clock.now() + limits.HOUR)
    members = (await asker.api.call("list_members", {"room": scene.room})).json()["items"]
    assert bot in [member["id"] for member in members]
    [(before, _)] = await waiting(scene)
    token = await asker.address(link)
    [(after, _)] = await waiting(scene)
    assert after != before, "what it makes of the link as it was does not count"
    await looked(link)
    await vendor.begin(token)
    await looked(link)
    await vendor.begin(token)
    assert not await waiting(scene), "nothing new"
    await vendor.hand_in(b"abc")
    await looked(link)
    scene.server.clock.ahead = limits.HOUR + limits.MINUTE
    worker = LinkWorker(scene.server.app.storage)
    await worker.step()
    await looked(link)
    await worker.step()
    assert not await waiting(scene), "a deadline is told once"
    asker.api.client.headers["authorization"] = f"Bearer {scene.token_now(scene.member)}"
    ends = {"ends": scene.server.clock.now() + limits.HOUR}
    await asker.api.call("change_upload_link", {"link": link["id"]}, json=ends)
    await looked(link)
    scene.server.clock.ahead = 3 * limits.HOUR
    await worker.step()
    await looked(link)
    await vendor.deliver()
    await looked(link)


async def test_administrators_see_the_links_of_their_own_organization_and_take_them_back(
    scene: Scene, asker: Staff
) -> None:
    admin = await scene.world.person(scene.org, role=ORGANIZATION_ADMIN)
    link, ended = await asker.ask(purpose="橋の写真"), await asker.ask()
    await asker.api.call("revoke_upload_link", {"link": ended["id"]})
    async with scene.server.client(admin.token) as client:
        api = Api(client, scene.document)
        [shown] = (await api.call("list_organization_links")).json()["items"]
        assert (shown["id"], shown["asker"]["id"], shown["state"]) == (link["id"], scene.member.id, "new")
        assert shown["room_name"]
        assert not {"email", "expected", "told"} & set(shown)
        assert (await api.call("revoke_organization_link", {"link": link["id"]})).json()["state"] == "revoked"
        assert (await api.call("list_organization_links")).json()["items"] == []
    assert (await asker.now(link))["state"] == "revoked"
    assert [actor for actor, _, _ in await scene.world.recorded(scene.org, "link.revoke")] == [
        scene.member.id,
        admin.id,
    ]
