"""The list of a room's files and photos, and taking one back."""

from __future__ import annotations

from typing import Any

import pytest

from chat_server.domain import limits
from chat_server.services import rooms
from chat_server.services.blocks import Files, Photos
from chat_server.services.changing import redact
from chat_server.services.commands import Redact
from tests.support.api import Api, code_of
from tests.support.peer import Peer
from tests.support.uploads import PDF, Scene, Sender
from tests.support.world import Someone
from tests.unit.photo_samples import encoded, picture

pytestmark = pytest.mark.asyncio(loop_scope="module")
BOTH_ENGINES = True


async def listed(scene: Scene, who: Someone, **query: Any) -> list[str]:
    """Ids in the order of the list, page after page."""
    api = Api(scene.server.client(who.token), scene.document)
    found: list[str] = []
    async with api.client:
        cursor: dict[str, str] = {}
        while True:
            answer = await api.call("list_attachments", {"room": scene.room}, params={"limit": 2, **query, **cursor})
            assert answer.status_code == 200, answer.text
            page = answer.json()
            found += [item["attachment"]["id"] for item in page["items"]]
            if page["next"] is None:
                return found
            cursor = {"cursor": page["next"]}


async def test_a_room_has_its_list_by_kind_person_and_day(scene: Scene, sender: Sender) -> None:
    files = [(await sender.whole(PDF + b"%d" % number))["id"] for number in range(3)]
    photo = (await sender.whole(encoded(picture(60, 40)), "現場.jpg", kind="photo"))["id"]
    await scene.world.post(scene.owner, scene.room, Files(tuple(files[:2])), Photos((photo,)))
    theirs = await scene.sent(scene.member, PDF + b"member")
    await scene.world.post(scene.owner, scene.room, Files((files[2],)))
    everything = [files[2], theirs, photo, files[1], files[0]]
    assert await listed(scene, scene.member) == everything
    assert await listed(scene, scene.member, kind="photo") == [photo]
    assert await listed(scene, scene.member, kind="file", by=scene.owner.id) == [files[2], files[1], files[0]]
    now = scene.server.clock.now()
    assert await listed(scene, scene.member, since=now - limits.HOUR, until=now + limits.HOUR) == everything
    assert await listed(scene, scene.member, since=now + limits.HOUR) == []
    assert await listed(scene, scene.member, until=now - limits.HOUR) == []


async def test_the_list_shows_what_may_be_seen_now_and_no_more(scene: Scene) -> None:
    file = await scene.sent(scene.owner)
    api = Api(scene.server.client(scene.stranger.token), scene.document)
    async with api.client:
        answer = await api.call("list_attachments", {"room": scene.room})
        assert code_of(answer) == 3001
    gone = await scene.upload(scene.owner, PDF + b"redacted")
    ack = await scene.world.post(scene.owner, scene.room, Files((gone,)))
    assert await listed(scene, scene.member) == [gone, file]
    assert ack.id is not None
    command = Redact(ref=1, message=ack.id, how="redacted")
    await scene.server.app.storage.write(lambda tx: redact(tx, scene.owner.actor, command))
    assert await listed(scene, scene.member) == [file]
    assert await scene.item(scene.member, gone) is None


async def test_a_newcomer_without_history_lists_what_came_after(scene: Scene) -> None:
    await scene.sent(scene.owner)
    async with scene.server.client(scene.owner.token) as client:
        changed = await client.patch(f"/api/rooms/{scene.room}", json={"history": "joined"})
        assert changed.status_code == 200, changed.text
    newcomer = await scene.world.person(scene.org, "新人 花子")
    invited = rooms.Invitation((newcomer.id,))
    await scene.server.app.storage.write(lambda tx: rooms.invite(tx, scene.owner.actor, scene.room, invited))
    later = await scene.sent(scene.owner, PDF + b"later")
    assert await listed(scene, newcomer) == [later]


async def test_a_withdrawn_file_is_opened_by_nobody(scene: Scene) -> None:
    file = await scene.sent(scene.owner)
    address = await scene.original(scene.member, file)
    everybody = (
        (scene.stranger, 5001),
        (scene.member, 4004),
        (scene.owner, 204),
        (scene.owner, 204),
        (scene.member, 4004),
    )
    for who, code in everybody:
        api = Api(scene.server.client(who.token), scene.document)
        async with api.client:
            assert code_of(await api.call("withdraw_attachment", {"attachment": file})) == code
    assert code_of(await scene.get(address)) == 5001
    assert await scene.item(scene.owner, file) is None
    assert await listed(scene, scene.owner) == []
    async with scene.server.client(scene.member.token) as client:
        [message] = (await client.get(f"/api/rooms/{scene.room}/messages")).json()["messages"][-1:]
        assert [(one["state"], one["name"]) for one in message["attachments"]] == [("withdrawn", "")]
        assert [act for act, _, _ in await scene.world.recorded(scene.org, "attachment.withdraw")] != []
    rows = await scene.server.app.storage.read(
        lambda tx: tx.one(
            "SELECT count(*) FROM events e JOIN messages m ON m.id = e.message_id JOIN rooms r ON r.id = e.room_id"
            " WHERE r.public_id = ? AND e.kind = 'attachment' AND e.actor_id = ?",
            scene.room,
            scene.owner.actor.user_id,
        )
    )
    assert rows is not None
    assert rows[0] >= 1


async def test_what_was_not_sent_is_removed(scene: Scene, sender: Sender) -> None:
    file = (await sender.whole(PDF))["id"]
    other = scene.sender(scene.member)
    async with other.client:
        assert code_of(await other.client.delete(f"/api/attachments/{file}")) == 5001
    assert (await sender.client.delete(f"/api/attachments/{file}")).status_code == 204
    assert await scene.item(scene.owner, file) is None


async def test_an_owner_takes_back_what_others_sent_and_everybody_hears_it_without_its_name(scene: Scene) -> None:
    """The name may be what should not have been said."""
    other = await scene.world.person(scene.org, "佐藤 陽子")
    invited = rooms.Invitation((other.id,))
    await scene.server.app.storage.write(lambda tx: rooms.invite(tx, scene.owner.actor, scene.room, invited))
    peers = [await Peer.live(scene.server.ports["lgwan"], who.token) for who in (scene.owner, other, scene.stranger)]
    file = await scene.sent(scene.member, name="懲戒処分.pdf")
    answers = []
    for who in (other, scene.owner):
        async with scene.server.client(who.token) as client:
            answers.append(code_of(await client.delete(f"/api/attachments/{file}")))
    assert answers == [4004, 204]
    for peer in peers[:2]:
        told = await peer.until(
            lambda wire: wire.get("kind") == "attachment" and wire["attachment"]["state"] == "withdrawn"
        )
        assert (told["attachment"]["id"], told["attachment"]["name"]) == (file, "")
    assert [wire for wire in await peers[2].nothing_but() if wire.get("kind") == "attachment"] == []
    pulled = await peers[1].ask("pull", room=scene.room, after=0, limit=500)
    assert "懲戒" not in str(pulled)
    for peer in peers:
        await peer.close()


async def test_a_forwarded_copy_is_its_forwarders(scene: Scene) -> None:
    file = await scene.upload(scene.owner)
    ack = await scene.world.post(scene.owner, scene.room, Files((file,)))
    elsewhere = await scene.world.room(scene.member)
    peer = await Peer.live(scene.server.ports["lgwan"], scene.member.token)
    sent = await peer.ask("send", room=elsewhere, client_msg_id="forward-0001", forward=ack.id)
    assert sent["op"] == "ack", sent
    await peer.close()
    async with scene.server.client(scene.owner.token) as client:
        assert (await client.delete(f"/api/attachments/{file}")).status_code == 204
    async with scene.server.client(scene.member.token) as client:
        [message] = (await client.get(f"/api/rooms/{elsewhere}/messages")).json()["messages"][-1:]
        [copy] = message["attachments"]
        assert (copy["state"], copy["name"]) == ("ready", "図面.pdf")
        assert (await scene.get(await scene.original(scene.member, copy["id"]))).content == PDF
        assert (await client.delete(f"/api/attachments/{copy['id']}")).status_code == 204
    assert await scene.item(scene.member, copy["id"]) is None
