"""docs/protocol.md, section 3, over real sockets: who receives what, live and in replay."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from chat_server.domain import limits
from chat_server.services import organizations, rooms, streams
from chat_server.services.authority import Operator
from chat_server.services.blocks import Text
from chat_server.services.rooms import Invitation, RoomChange
from tests.support.peer import JSON, MSGPACK, Peer, text
from tests.support.server import RunningServer
from tests.support.world import Org, Someone, World

pytestmark = pytest.mark.asyncio(loop_scope="module")
BOTH_ENGINES = True


@dataclass
class Scene:
    """An owner and a member of one room, a colleague outside of it."""

    server: RunningServer
    world: World
    org: Org
    owner: Someone
    member: Someone
    colleague: Someone
    room: str

    async def live(self, who: Someone, **resume: Any) -> Peer:
        return await Peer.live(self.server.ports["lgwan"], who.token, **resume)

    async def act(self, use_case: Any) -> Any:
        return await self.server.app.storage.write(use_case)

    async def invite(self, *who: Someone) -> None:
        wanted = Invitation(tuple(person.id for person in who))
        await self.act(lambda tx: rooms.invite(tx, self.owner.actor, self.room, wanted))

    async def remove(self, who: Someone) -> None:
        await self.act(lambda tx: rooms.remove(tx, self.owner.actor, self.room, who.id))


async def scene_of(server: RunningServer, world: World, *, history: str = "all") -> Scene:
    world.made += 1
    org = await world.organization(f"org{world.made}", "みどり野市")
    owner, member, colleague = [await world.person(org, name) for name in ("高橋 健", "田中 美咲", "佐藤 一")]
    return Scene(server, world, org, owner, member, colleague, await world.room(owner, member, history=history))


@pytest_asyncio.fixture(loop_scope="module")
async def scene(server: RunningServer, world: World) -> Scene:
    return await scene_of(server, world)


async def test_the_ack_comes_before_the_event_and_both_agree(scene: Scene) -> None:
    peer = await scene.live(scene.owner)
    ref = await peer.send_command("send", room=scene.room, client_msg_id="message1", blocks=text("倒木です"))
    ack, event = await peer.hear(), await peer.hear()
    assert (ack["op"], ack["ref"]) == ("ack", ref)
    assert (event["kind"], event["seq"], event["message"]["id"]) == ("message", ack["seq"], ack["id"])
    await peer.close()


async def test_nothing_is_coming_to_a_room_once_its_sends_are_answered(scene: Scene) -> None:
    """Events would go on waiting for a send that was refused, or answered long ago."""
    peer = await scene.live(scene.owner)
    refs = [
        await peer.send_command("send", room=scene.room, client_msg_id=f"message{n}", blocks=text("道" * length))
        for n, length in enumerate((1, 20_001, 1))
    ]
    answers = [await peer.until(lambda wire, ref=ref: wire.get("ref") == ref) for ref in refs]  # type: ignore[misc]
    assert [answer["op"] for answer in answers] == ["ack", "error", "ack"]
    await peer.ask("send", room="0" * 26, client_msg_id="message9", blocks=text("倒木です"))
    assert not any(scene.server.app.hub.more_coming(room) for room in (scene.room, "0" * 26))
    await peer.close()


async def test_both_codecs_carry_the_same_events(scene: Scene) -> None:
    binary, words = await scene.live(scene.owner), await scene.live(scene.member, codec=JSON)
    assert binary.codec == MSGPACK
    await binary.ask("send", room=scene.room, client_msg_id="message1", blocks=text("倒木です"))
    assert await binary.event("message") == await words.event("message")
    for peer in (binary, words):
        await peer.close()


async def test_an_outsider_hears_nothing(scene: Scene) -> None:
    """CVE-2020-14457: broadcasts reach members only."""
    peer, outsider = await scene.live(scene.owner), await scene.live(scene.colleague)
    await peer.ask("send", room=scene.room, client_msg_id="message1", blocks=text("内緒"))
    await peer.event("message")
    assert await outsider.nothing_but() == []
    for one in (peer, outsider):
        await one.close()


async def test_a_removed_member_hears_the_removal_and_nothing_after(scene: Scene) -> None:
    """ASVS 8.3.2: revoked rights act on what is open."""
    peer, leaving = await scene.live(scene.owner), await scene.live(scene.member)
    await scene.remove(scene.member)
    for n in range(3):
        await peer.ask("send", room=scene.room, client_msg_id=f"message{n}", blocks=text("もういない人には届かない"))
    heard = await leaving.nothing_but()
    assert [(wire["op"], wire["kind"]) for wire in heard] == [("event", "membership"), ("me", "room_lost")]
    assert heard[0]["change"] == "removed"
    answer = await leaving.ask("pull", room=scene.room, after=0)
    assert (answer["op"], answer["code"]) == ("error", 3001)
    for one in (peer, leaving):
        await one.close()


async def test_a_newcomer_goes_live_without_asking(scene: Scene) -> None:
    peer, newcomer = await scene.live(scene.owner), await scene.live(scene.colleague)
    await scene.invite(scene.colleague)
    await peer.ask("send", room=scene.room, client_msg_id="message1", blocks=text("ようこそ"))
    kinds = [(wire["op"], wire["kind"]) for wire in await newcomer.nothing_but()]
    assert kinds == [("me", "room_gained"), ("event", "membership"), ("event", "message")]
    for one in (peer, newcomer):
        await one.close()


async def test_resume_replays_what_was_missed_in_pages_and_goes_live(scene: Scene) -> None:
    sent = [await scene.world.post(scene.owner, scene.room) for _ in range(7)]
    peer = await Peer.open(scene.server.ports["lgwan"])
    await peer.ask("auth", token=scene.member.token)
    first = sent[0].seq
    assert first is not None
    resumed = await peer.ask("resume", rooms={scene.room: first})
    assert resumed["rooms"][scene.room] == {"head": first + 6, "state": "replay"}
    await scene.world.post(scene.owner, scene.room)
    assert await peer.nothing_but() == [], "nothing comes by itself while one is behind"
    got, last = [], first
    while True:
        page = await peer.ask("pull", room=scene.room, after=last, limit=3)
        got += [event["seq"] for event in page["events"]]
        last = got[-1]
        if page["live"]:
            break
    assert got == list(range(first + 1, first + 8))
    await scene.world.post(scene.owner, scene.room)
    assert (await peer.event("message"))["seq"] == first + 8
    await peer.close()


async def test_a_resume_that_failed_is_tried_again_on_the_same_connection(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """8001: the person's memberships changed under every attempt to read them. Try again later means what it says."""
    plan = streams.plan

    async def disturbed(*args: Any, **options: Any) -> Any:
        found = await plan(*args, **options)
        await scene.remove(scene.member)
        await scene.invite(scene.member)
        return found

    peer = await Peer.open(scene.server.ports["lgwan"])
    await peer.ask("auth", token=scene.member.token)
    with monkeypatch.context() as while_it_lasts:
        while_it_lasts.setattr(streams, "plan", disturbed)
        assert (await peer.ask("resume"))["code"] == 8001
        assert (await peer.ask("look", room=scene.room))["code"] == 2010
    assert (await peer.ask("resume"))["rooms"][scene.room]["state"] == "live"
    sent = await scene.world.post(scene.owner, scene.room)
    assert (await peer.event("message"))["seq"] == sent.seq
    assert (await peer.ask("resume"))["code"] == 2009
    await peer.close()


async def sixty_long_messages(scene: Scene, tx: Any) -> None:
    """7 MB."""
    for _ in range(60):
        await scene.world.post(scene.owner, scene.room, Text("道" * 19_000), tx=tx)


async def by_a_narrow_line(scene: Scene, who: Someone) -> Peer:
    """Authenticated, over a socket that takes at once what a line does that is no loopback."""
    line = socket.socket()
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
    line.setblocking(False)
    await asyncio.get_running_loop().sock_connect(line, ("127.0.0.1", scene.server.ports["lgwan"]))
    peer = await Peer.open(scene.server.ports["lgwan"], sock=line)
    await peer.ask("auth", token=who.token)
    return peer


async def test_who_missed_a_lot_is_not_taken_for_a_slow_reader(scene: Scene) -> None:
    """The pages are such that a queue of one mebibyte holds them."""
    await scene.act(lambda tx: sixty_long_messages(scene, tx))
    peer = await by_a_narrow_line(scene, scene.member)
    resumed = await peer.ask("resume", rooms={scene.room: 2})
    assert resumed["rooms"][scene.room]["state"] == "replay"
    got, live = [2], False
    while not live:
        page = await peer.ask("pull", room=scene.room, after=got[-1])
        got += [event["seq"] for event in page["events"]]
        live = page["live"]
    assert got == list(range(2, resumed["rooms"][scene.room]["head"] + 1))
    assert (await peer.ask("ping"))["op"] == "result", "closed behind what it was given"
    await peer.close()


async def test_a_burst_of_long_messages_leaves_its_readers_there(scene: Scene) -> None:
    """The same 7 MB live, of one commit: whoever reads is not behind, however much comes at once."""
    peer = await by_a_narrow_line(scene, scene.member)
    await peer.ask("resume")
    await scene.act(lambda tx: sixty_long_messages(scene, tx))
    for _ in range(60):
        assert len((await peer.event("message"))["message"]["text"]) == 19_000
    assert (await peer.ask("ping"))["op"] == "result"
    await peer.close()


async def test_a_hole_is_filled_by_the_same_command(scene: Scene) -> None:
    acks = [await scene.world.post(scene.owner, scene.room) for _ in range(4)]
    peer = await scene.live(scene.member)
    assert acks[1].seq is not None
    page = await peer.ask("pull", room=scene.room, after=acks[1].seq - 1, limit=1)
    assert [event["message"]["id"] for event in page["events"]] == [acks[1].id]
    assert page["live"] is True
    await peer.close()


@pytest.mark.parametrize(
    ("epoch", "position", "state"),
    [(None, 99_999, "resync"), ("another", 2, "resync"), (None, 0, "replay")],
    ids=["beyond the head", "another epoch", "nothing held"],
)
async def test_a_position_that_means_nothing_is_a_resync(
    scene: Scene, epoch: str | None, position: int, state: str
) -> None:
    peer = await Peer.open(scene.server.ports["lgwan"])
    await peer.ask("auth", token=scene.member.token)
    resumed = await peer.ask("resume", epoch=epoch, rooms={scene.room: position})
    assert resumed["rooms"][scene.room]["state"] == state
    await peer.close()


async def test_too_far_behind_is_a_resync_and_the_room_is_live(scene: Scene) -> None:
    async def age(tx: Any) -> None:
        await tx.run(
            "UPDATE rooms SET last_seq = last_seq + ? WHERE public_id = ?", limits.REPLAY_EVENTS + 5, scene.room
        )

    await scene.act(age)
    peer = await Peer.open(scene.server.ports["lgwan"])
    await peer.ask("auth", token=scene.member.token)
    assert (await peer.ask("resume", rooms={scene.room: 2}))["rooms"][scene.room]["state"] == "resync"
    await scene.world.post(scene.owner, scene.room)
    assert (await peer.event("message"))["room"] == scene.room
    await peer.close()


async def test_a_room_that_was_lost_meanwhile_is_gone(scene: Scene) -> None:
    await scene.remove(scene.member)
    peer = await Peer.open(scene.server.ports["lgwan"])
    await peer.ask("auth", token=scene.member.token)
    resumed = await peer.ask("resume", rooms={scene.room: 2, "0" * 26: 5})
    assert resumed["rooms"] == {scene.room: {"head": 0, "state": "gone"}, "0" * 26: {"head": 0, "state": "gone"}}
    await peer.close()


async def test_a_newcomer_without_history_gets_stubs_and_no_trace_of_it(server: RunningServer, world: World) -> None:
    scene = await scene_of(server, world, history="joined")
    secret = await scene.world.post(scene.owner, scene.room)
    await scene.invite(scene.colleague)
    later = await scene.world.post(scene.owner, scene.room)
    newcomer, owner = await scene.live(scene.colleague), await scene.live(scene.owner)
    page = await newcomer.ask("pull", room=scene.room, after=0)
    kinds = [event["kind"] for event in page["events"]]
    assert kinds == ["stub", "stub", "stub", "membership", "message"]
    assert set(page["events"][2]) == {"op", "room", "seq", "kind"}
    assert [event["seq"] for event in page["events"]] == [1, 2, 3, 4, 5]

    # An edit, a reaction and a redaction of the hidden message are stubs, live and in replay (CVE-2022-31017).
    await owner.ask("edit", message=secret.id, version=1, blocks=text("直した秘密"))
    await owner.ask("react", message=secret.id, key="確認しました", on=True)
    await owner.ask("redact", message=secret.id)
    live = await newcomer.nothing_but()
    replayed = (await newcomer.ask("pull", room=scene.room, after=5))["events"]
    assert [wire["kind"] for wire in live] == [wire["kind"] for wire in replayed] == ["stub"] * 3
    assert str(secret.id) not in str(live) + str(replayed)

    # What may be seen is whole, and acting on what may not is acting on nothing.
    await owner.ask("react", message=later.id, key="確認しました", on=True)
    assert (await newcomer.event("reaction"))["id"] == later.id
    for op, fields in (
        ("react", {"key": "x", "on": True}), ("bookmark", {"on": True}), ("pin", {"on": True}),
    ):  # fmt: skip
        assert (await newcomer.ask(op, message=secret.id, **fields))["code"] == 4001
    blind = await newcomer.ask("send", room=scene.room, client_msg_id="message1", blocks=text("引用"), quote=secret.id)
    assert blind["code"] == 4001
    assert (await newcomer.ask("send", room=scene.room, client_msg_id="message2", forward=secret.id))["code"] == 4001
    for one in (newcomer, owner):
        await one.close()


async def test_what_was_redacted_or_edited_never_comes_back(scene: Scene) -> None:
    """CVE-2026-2578: the event of a deletion carries an id and nothing else; the replay shows the state of now."""
    owner = await scene.live(scene.owner)
    said = await owner.ask("send", room=scene.room, client_msg_id="message1", blocks=text("口が滑りました"))
    typo = await owner.ask("send", room=scene.room, client_msg_id="message2", blocks=text("誤字のまま"))
    await owner.ask("edit", message=typo["id"], version=1, blocks=text("直しました"))
    await owner.ask("redact", message=said["id"])
    redaction = await owner.event("redaction")
    assert set(redaction) == {"op", "room", "seq", "at", "kind", "by", "target", "id", "how"}
    member = await scene.live(scene.member)
    page = await member.ask("pull", room=scene.room, after=0)
    assert "口が滑りました" not in str(page)
    assert "誤字のまま" not in str(page)
    assert "直しました" in str(page)
    for one in (owner, member):
        await one.close()


async def test_sending_again_gives_the_first_answer_whatever_the_device(scene: Scene) -> None:
    phone = await scene.live(scene.owner)
    desk_token = await scene.world.another_device(scene.org, scene.owner, "lgwan")
    desk = await scene.live(desk_token)
    fields = {"room": scene.room, "client_msg_id": "message1", "blocks": text("一度だけ")}
    first = await phone.ask("send", **fields)
    again = await desk.ask("send", **fields)
    assert again == {**first, "ref": again["ref"], "replay": True}
    other = await desk.ask("send", **{**fields, "blocks": text("別の内容")})
    assert (other["code"], other["field"]) == (4003, "client_msg_id")
    await phone.ask("redact", message=first["id"])
    assert (await desk.ask("send", **fields))["id"] == first["id"], "the key outlives the message"
    for one in (phone, desk):
        await one.close()


async def test_two_sends_with_one_key_at_once_are_one_message(scene: Scene) -> None:
    peers = [await scene.live(scene.owner) for _ in range(4)]
    fields = {"room": scene.room, "client_msg_id": "message1", "blocks": text("一度だけ")}
    answers = await asyncio.gather(*(peer.ask("send", **fields) for peer in peers))
    assert len({answer["id"] for answer in answers}) == 1
    assert sum("replay" not in answer for answer in answers) == 1
    for peer in peers:
        await peer.close()


async def test_an_archived_room_takes_nothing_and_shows_everything(scene: Scene) -> None:
    owner = await scene.live(scene.owner)
    said = await owner.ask("send", room=scene.room, client_msg_id="message1", blocks=text("最後の一言"))
    await scene.act(lambda tx: rooms.change(tx, scene.owner.actor, scene.room, RoomChange(archived=True)))
    assert (await owner.event("room"))["room_info"]["archived"] is True
    for op, fields in (
        ("send", {"room": scene.room, "client_msg_id": "message2", "blocks": text("まだ")}),
        ("edit", {"message": said["id"], "version": 1, "blocks": text("まだ")}),
        ("react", {"message": said["id"], "key": "確認しました", "on": True}),
        ("pin", {"message": said["id"], "on": True}),
    ):
        assert (await owner.ask(op, **fields))["code"] == 3002, op
    assert len((await owner.ask("pull", room=scene.room, after=0))["events"]) == 4
    await owner.close()


async def test_a_wrong_post_can_be_removed_from_an_archived_room(scene: Scene) -> None:
    """By whoever could remove it before, and by nobody else."""
    slips = [await scene.world.post(scene.member, scene.room, Text(f"個人情報 {n}")) for n in range(3)]
    said = await scene.world.post(scene.owner, scene.room)
    await scene.act(lambda tx: rooms.change(tx, scene.owner.actor, scene.room, RoomChange(archived=True)))
    owner, member = await scene.live(scene.owner), await scene.live(scene.member)
    for peer, slip, how in (
        (member, slips[0], "redacted"),
        (member, slips[1], "cancelled"),
        (owner, slips[2], "redacted"),
    ):
        assert (await peer.ask("redact", message=slip.id, how=how))["op"] == "ack"
        assert (await owner.event("redaction"))["id"] == slip.id
    assert (await member.ask("redact", message=said.id))["code"] == 4004
    assert "個人情報" not in str(await member.ask("pull", room=scene.room, after=0))
    for op, fields in (
        ("read", {"room": scene.room, "upto": said.seq}),
        ("bookmark", {"message": said.id, "on": True}),
        ("involve", {"room": scene.room, "involvement": "nothing"}),
    ):
        assert (await member.ask(op, **fields))["op"] == "ack", "what is one's own goes on"
    for one in (owner, member):
        await one.close()


async def test_the_own_stream_reaches_the_other_device(scene: Scene) -> None:
    phone = await scene.live(scene.member)
    desk = await scene.live(await scene.world.another_device(scene.org, scene.member, "lgwan"))
    said = await scene.world.post(scene.owner, scene.room)
    assert said.seq is not None
    await phone.ask("read", room=scene.room, upto=said.seq)
    read = await desk.until(lambda wire: wire["op"] == "me" and wire["kind"] == "read")
    assert (read["room"], read["upto"]) == (scene.room, said.seq)
    back = await phone.ask("read", room=scene.room, upto=1)
    assert back["upto"] == said.seq, "a marker never goes back"
    for one in (phone, desk):
        await one.close()


async def test_typing_and_receipts_go_to_those_who_look(scene: Scene) -> None:
    owner, member = await scene.live(scene.owner), await scene.live(scene.member)
    said = await scene.world.post(scene.owner, scene.room)
    await member.say({"op": "typing", "room": scene.room})
    await member.ask("read", room=scene.room, upto=2)
    assert await owner.nothing_but("message", "membership") == []
    assert (await owner.ask("look", room=scene.room))["op"] == "result"
    await member.ask("read", room=scene.room, upto=said.seq)
    counts = await owner.until(lambda wire: wire["op"] == "receipts")
    assert counts["upto"][0] == [said.seq, 1]
    assert scene.member.id not in str(counts)
    stranger = await scene.live(scene.colleague)
    assert (await stranger.ask("look", room=scene.room))["code"] == 3001
    for one in (owner, member, stranger):
        await one.close()


@pytest.mark.parametrize("where", ["a direct room", "by policy"])
async def test_a_receipt_has_a_name_where_everybody_may_know(scene: Scene, where: str) -> None:
    room = scene.room
    if where == "by policy":
        rules = {"reader_names": "everyone"}
        await scene.act(lambda tx: organizations.set_policy(tx, Operator(scene.org.id), rules))
    else:
        room = await scene.act(lambda tx: rooms.direct(tx, scene.owner.actor, scene.member.id))
    said = await scene.world.post(scene.owner, room)
    owner, member = await scene.live(scene.owner), await scene.live(scene.member)
    await owner.ask("look", room=room)
    await member.ask("read", room=room, upto=said.seq)
    receipt = await owner.until(lambda wire: wire["op"] in ("receipt", "receipts"))
    assert (receipt["op"], receipt.get("user"), receipt["upto"]) == ("receipt", scene.member.id, said.seq)
    for one in (owner, member):
        await one.close()


async def test_typing_goes_from_members_to_those_who_look(scene: Scene) -> None:
    desk = await scene.world.another_device(scene.org, scene.member, "lgwan")
    await scene.invite(scene.colleague)
    looking, elsewhere, own, typing = [
        await scene.live(who) for who in (scene.owner, scene.colleague, desk, scene.member)
    ]
    for peer in (looking, own):
        await peer.ask("look", room=scene.room)
    await typing.say({"op": "typing", "room": scene.room})
    wire = await looking.until(lambda wire: wire["op"] == "typing")
    assert wire == {"op": "typing", "room": scene.room, "user": scene.member.id, "name": scene.member.actor.name}
    for peer in (elsewhere, own):
        assert await peer.nothing_but("membership") == [], "not looking; oneself"

    # Of somebody who is not in the room, or not any more, nobody hears.
    await scene.remove(scene.member)
    stranger = await scene.live(await scene.world.person(scene.org))
    for silent in (own, stranger):
        await silent.say({"op": "typing", "room": scene.room})
        await silent.ask("ping")
    assert await looking.nothing_but("membership") == []
    for peer in (looking, elsewhere, own, typing, stranger):
        await peer.close()


async def test_a_large_room_is_told_counts_once_a_second(server: RunningServer, world: World) -> None:
    scene = await scene_of(server, world)
    rules = {"reader_names": "everyone"}
    await scene.act(lambda tx: organizations.set_policy(tx, Operator(scene.org.id), rules))
    crowd = [await world.person(scene.org) for _ in range(limits.RECEIPT_MEMBERS)]
    await scene.invite(*crowd)
    said = await world.post(scene.owner, scene.room)
    owner = await scene.live(scene.owner)
    await owner.ask("look", room=scene.room)
    readers = [await scene.live(person) for person in crowd[:5]]
    for reader in readers:
        await reader.ask("read", room=scene.room, upto=said.seq)
    counts = await owner.until(lambda wire: wire["op"] == "receipts" and wire["upto"][0] == [said.seq, 5])
    assert sum(number for _, number in counts["upto"]) == limits.RECEIPT_MEMBERS + 2
    assert not [wire for wire in owner.heard if wire["op"] == "receipt"]
    for one in (owner, *readers):
        await one.close()


async def test_presence_goes_to_those_who_watch_and_may_know(scene: Scene, world: World) -> None:
    owner = await scene.live(scene.owner)
    stranger = await world.person(await world.organization(f"far{world.made}", "風見原町"))
    answer = await owner.ask("watch", users=[scene.member.id, scene.colleague.id, stranger.id])
    assert answer["presence"] == {scene.member.id: "offline", scene.colleague.id: "offline"}
    member = await scene.live(scene.member)
    online = await owner.until(lambda wire: wire["op"] == "presence")
    assert (online["user"], online["state"]) == (scene.member.id, "online")
    await member.close()
    assert (await owner.until(lambda wire: wire["op"] == "presence"))["state"] == "offline"
    await owner.close()


async def test_a_forward_goes_along_with_words_of_ones_own_within_the_limits(scene: Scene) -> None:
    owner = await scene.live(scene.owner)
    long = await owner.ask("send", room=scene.room, client_msg_id="message1", blocks=text("長" * 19_000))
    whole = await owner.ask("send", room=scene.room, client_msg_id="message2", forward=long["id"])
    assert whole["op"] == "ack"
    both = await owner.ask(
        "send", room=scene.room, client_msg_id="message3", forward=long["id"], blocks=text("長" * 2_000)
    )
    assert (both["code"], both["params"]["limit"]) == (4007, limits.TEXT_CHARS)
    short = await owner.ask("send", room=scene.room, client_msg_id="message4", blocks=text("倒木です"))
    await owner.ask("send", room=scene.room, client_msg_id="message5", forward=short["id"], blocks=text("共有します"))
    event = await owner.until(lambda wire: "forward" in wire.get("message", {}) and "共有" in wire["message"]["text"])
    assert event["message"]["text"] == "共有します\n倒木です"
    await owner.close()
