"""Streams that another node writes: every event once, in order, and acting at its own seq."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from chat_server.bus.memory import Exchange
from chat_server.domain import closing
from chat_server.domain.actors import Actor
from chat_server.realtime.codec import MSGPACK, payloads
from chat_server.realtime.endpoint import Socket
from chat_server.services import accounts, device_keeping, devices, keys, restoring, rooms
from chat_server.services.authority import Operator
from chat_server.services.keys import TOKEN
from tests.support.patience import DEADLINE
from tests.support.people import add_people
from tests.support.two_nodes import NodeStorage, OneNode, nodes

Wire = dict[str, Any]


class Client:
    """A live connection to one node."""

    def __init__(self, node: OneNode, actor: Actor) -> None:
        self.node = node
        self.actor = actor
        self.heard: list[Wire] = []
        self.closed: int | None = None
        self._changed = asyncio.Event()
        self._answers: dict[int, Wire] = {}
        self._ref = 0
        scope = {"renraku.zone": "lgwan", "renraku.address": ""}
        self._socket = Socket(node.dispatcher, MSGPACK, scope, self._write, self._shut)

    def _write(self, frames: bytes) -> None:
        for _, payload in payloads(frames):
            wire = MSGPACK.decode_any(payload)
            if "ref" in wire and wire["op"] != "event":
                self._answers[wire["ref"]] = wire
            else:
                self.heard.append(wire)
        self._changed.set()

    def _shut(self, code: int) -> None:
        self.closed = code
        self._changed.set()

    async def until(self, fits: Callable[[], Any]) -> None:
        async with asyncio.timeout(DEADLINE):
            while not fits():
                self._changed.clear()
                await self._changed.wait()

    async def ask(self, op: str, **fields: Any) -> Wire:
        self._ref += 1
        ref = self._ref
        self._socket.receive(MSGPACK.encode({"op": op, "ref": ref, **fields}))
        await self.until(lambda: ref in self._answers)
        return self._answers.pop(ref)

    async def live(self) -> Client:
        await self.ask("auth", token=self.actor.id)
        await self.ask("resume", me=0, rooms={})
        while not (await self.ask("pull", after=0, limit=500))["live"]:
            pass
        return self

    async def send(self, room: str, words: str) -> Wire:
        key = f"message-{self.actor.user_id}-{self._ref:06d}"
        ack = await self.ask("send", room=room, client_msg_id=key, blocks=[{"type": "text", "text": words}])
        assert ack["op"] == "ack", ack
        return ack

    def texts(self) -> list[str]:
        return [wire["message"]["text"] for wire in self.heard if wire.get("kind") == "message"]

    def order(self) -> list[tuple[str, int]]:
        return [(wire["kind"], wire["seq"]) for wire in self.heard if wire["op"] in ("event", "me")]

    def leave(self) -> None:
        self._socket.gone()


class Town:
    """Two nodes, three people of one organization, one room of the first two."""

    def __init__(self, here: OneNode, there: OneNode, exchange: Exchange, people: list[Actor], room: str) -> None:
        self.here = here
        self.there = there
        self.exchange = exchange
        self.people = people
        self.room = room
        self.clients: list[Client] = []

    async def client(self, node: OneNode, who: int) -> Client:
        client = Client(node, self.people[who])
        self.clients.append(client)
        return await client.live()

    async def at(self, node: OneNode, use_case: Any, *arguments: Any, **named: Any) -> Any:
        return await node.storage.write(lambda tx: use_case(tx, *arguments, **named))

    async def invite(self, node: OneNode, who: int) -> None:
        invitation = rooms.Invitation(users=(self.people[who].id,))
        await self.at(node, rooms.invite, self.people[0], self.room, invitation)

    async def remove(self, node: OneNode, who: int) -> None:
        await self.at(node, rooms.remove, self.people[0], self.room, self.people[who].id)


def _has_at_least(client: Client, texts: int) -> bool:
    return len(client.texts()) >= texts


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    by_token: dict[str, Actor] = {}
    async with nodes(tmp_path, by_token.__getitem__) as (both, exchange, shared):
        people = await add_people(shared, 3)
        by_token |= {actor.id: actor for actor in people}
        new = msgspec.convert(
            {"kind": "private", "name": "工事", "history": "all", "members": [people[1].id]}, rooms.NewRoom
        )
        room = await both[0].storage.write(partial(rooms.create, actor=people[0], new=new))
        town = Town(both[0], both[1], exchange, people, room)
        yield town
        for client in town.clients:
            client.leave()


async def test_a_message_sent_at_one_node_arrives_at_the_other_by_a_hint(town: Town) -> None:
    sender, reader = await town.client(town.here, 0), await town.client(town.there, 1)
    await sender.send(town.room, "水道工事は九時から")
    await reader.until(lambda: reader.texts() == ["水道工事は九時から"])


async def test_a_lost_hint_is_made_good_by_the_comparison(town: Town) -> None:
    sender, reader = await town.client(town.here, 0), await town.client(town.there, 1)
    town.exchange.cut = True
    await sender.send(town.room, "一")
    await sender.send(town.room, "二")
    assert reader.texts() == []
    await town.there.settle()
    assert reader.texts() == ["一", "二"]


async def test_two_nodes_that_write_in_turn_keep_one_order(town: Town) -> None:
    """Each one's own notes come before what it has not heard of yet: they wait for the hole."""
    one, other = await town.client(town.here, 0), await town.client(town.there, 1)
    town.exchange.cut = True
    for number in range(6):
        await (one if number % 2 == 0 else other).send(town.room, str(number))
    for client in (one, other):
        await client.until(partial(_has_at_least, client, 5))
        await client.node.settle()
        assert client.texts() == [str(number) for number in range(6)]
        seqs = [seq for kind, seq in client.order() if kind == "message"]
        assert seqs == list(range(seqs[0], seqs[0] + 6)), "each once"


async def test_notes_that_come_after_their_events_were_read_are_not_told_twice(town: Town) -> None:
    sender, reader = await town.client(town.here, 0), await town.client(town.here, 1)
    town.here.storage.hold = True
    await sender.send(town.room, "一")
    await town.here.settle()
    assert reader.texts() == ["一"]
    town.here.storage.let_go()
    await sender.send(town.room, "二")
    await reader.until(lambda: len(reader.texts()) > 1)
    assert reader.texts() == ["一", "二"]


async def test_a_member_removed_at_one_node_hears_nothing_more_at_the_other(town: Town) -> None:
    owner, removed = await town.client(town.here, 0), await town.client(town.there, 1)
    town.exchange.cut = True
    await owner.send(town.room, "まだ聞こえる")
    await town.remove(town.here, 1)
    await owner.send(town.room, "もう聞こえない")
    await town.there.settle()
    assert removed.texts() == ["まだ聞こえる"]
    assert [kind for kind, _ in removed.order()][-2:] == ["membership", "room_lost"]
    assert not town.there.hub.channels


async def test_a_newcomer_hears_of_the_room_first_and_then_everything_from_the_joining_on(town: Town) -> None:
    """Nobody at that node was in the room before."""
    owner, newcomer = await town.client(town.here, 0), await town.client(town.there, 2)
    town.exchange.cut = True
    await owner.send(town.room, "前")
    await town.invite(town.here, 2)
    await owner.send(town.room, "後")
    await town.there.settle()
    assert [kind for kind, _ in newcomer.order()] == ["room_gained", "membership", "message"]
    assert newcomer.texts() == ["後"]
    town.exchange.cut = False
    await owner.send(town.room, "続き")
    await newcomer.until(lambda: newcomer.texts() == ["後", "続き"])


async def test_a_newcomer_hears_of_a_room_that_others_of_the_node_are_in(town: Town) -> None:
    owner, member, newcomer = (
        await town.client(town.here, 0),
        await town.client(town.there, 1),
        await town.client(town.there, 2),
    )
    town.exchange.cut = True
    await owner.send(town.room, "前")
    await town.invite(town.here, 2)
    await owner.send(town.room, "後")
    await town.there.settle()
    assert [kind for kind, _ in newcomer.order()] == ["room_gained", "membership", "message"]
    assert member.texts() == ["前", "後"]


async def test_in_and_out_and_in_again_within_one_view(town: Town) -> None:
    owner, guest = await town.client(town.here, 0), await town.client(town.there, 2)
    town.exchange.cut = True
    await town.invite(town.here, 2)
    await owner.send(town.room, "一度目")
    await town.remove(town.here, 2)
    await owner.send(town.room, "いない間")
    await town.invite(town.here, 2)
    await owner.send(town.room, "二度目")
    await town.there.settle()
    kinds = [kind for kind, _ in guest.order()]
    assert kinds == [
        "room_gained", "membership", "message", "membership", "room_lost", "room_gained", "membership", "message",
    ]  # fmt: skip
    assert guest.texts() == ["一度目", "二度目"]
    town.exchange.cut = False
    await owner.send(town.room, "続き")
    await guest.until(lambda: guest.texts()[-1] == "続き")


async def test_one_persons_going_does_not_bring_another_in_before_they_heard_of_it(town: Town) -> None:
    """Whoever lost the room is told after its events, one of which is somebody else's joining."""
    gone, newcomer = await town.client(town.there, 1), await town.client(town.there, 2)
    town.exchange.cut = True
    await town.invite(town.here, 2)
    await town.remove(town.here, 1)
    await town.there.settle()
    assert [kind for kind, _ in newcomer.order()] == ["room_gained", "membership", "membership"]
    assert [kind for kind, _ in gone.order()] == ["membership", "membership", "room_lost"]


async def test_a_removal_here_waits_for_what_came_before_it_elsewhere(town: Town) -> None:
    """Committed here, so its notes are here at once; the hole before it is not read yet."""
    owner, removed = await town.client(town.here, 0), await town.client(town.there, 1)
    town.exchange.cut = True
    await owner.send(town.room, "前")
    await town.remove(town.there, 1)
    await removed.until(lambda: len(removed.order()) == 3)
    assert [kind for kind, _ in removed.order()] == ["message", "membership", "room_lost"]


async def test_a_joining_here_waits_for_what_the_person_has_to_hear_first(town: Town) -> None:
    await town.client(town.there, 1)
    newcomer = await town.client(town.there, 2)
    town.exchange.cut = True
    names = accounts.Names(name="別の名 てすと")
    await town.at(town.here, accounts.rename, Operator(town.people[2].org_id), town.people[2].id, names)
    await town.invite(town.there, 2)
    await newcomer.until(lambda: len(newcomer.order()) == 3)
    assert [kind for kind, _ in newcomer.order()] == ["profile", "room_gained", "membership"]


async def test_somebody_who_came_in_and_went_again_does_not_stay(town: Town) -> None:
    owner, member, guest = (
        await town.client(town.here, 0),
        await town.client(town.there, 1),
        await town.client(town.there, 2),
    )
    town.exchange.cut = True
    await town.invite(town.here, 2)
    await town.remove(town.here, 2)
    await owner.send(town.room, "聞こえない")
    await town.there.settle()
    assert guest.texts() == []
    assert member.texts() == ["聞こえない"]


async def test_a_subscription_from_an_older_view_than_the_channel_ends_with_the_own_stream(town: Town) -> None:
    """Somebody's resume was read before their removal, and the room's channel begins after it: its stream will never
    show the removal, their own stream does."""
    owner, removed = await town.client(town.here, 0), await town.client(town.there, 1)
    town.exchange.cut = True
    await town.remove(town.here, 1)
    channel = town.there.hub.by_room[town.room]
    town.there.hub.heads[channel.room_id] = channel.since = 100
    await town.there.settle()
    assert not town.there.hub.channels
    assert ("room_lost", removed.order()[-1][1]) == removed.order()[-1]
    await owner.send(town.room, "聞こえない")
    await town.there.settle()
    assert removed.texts() == []


async def test_a_subscription_that_the_channel_was_too_late_for_comes_with_the_own_stream(town: Town) -> None:
    owner, member, newcomer = (
        await town.client(town.here, 0),
        await town.client(town.there, 1),
        await town.client(town.there, 2),
    )
    town.exchange.cut = True
    await town.invite(town.here, 2)
    channel = town.there.hub.by_room[town.room]
    town.there.hub.heads[channel.room_id] = channel.since = channel.since + 1  # as a view after the joining begins it
    await town.there.settle()
    await owner.send(town.room, "後")
    await town.there.settle()
    assert newcomer.texts() == member.texts() == ["後"]


async def test_an_own_note_that_comes_late_is_checked_and_not_believed(town: Town) -> None:
    """This node brought somebody in, and its hub hears of it after the channel began beyond it and they were taken out
    again elsewhere."""
    await town.client(town.there, 1)
    guest = await town.client(town.there, 2)
    town.exchange.cut = True
    town.there.storage.hold = True
    await town.invite(town.there, 2)
    channel = town.there.hub.by_room[town.room]
    town.there.hub.heads[channel.room_id] = channel.since = channel.since + 1
    await town.remove(town.here, 2)
    town.there.storage.let_go()
    await town.there.settle()
    owner = await town.client(town.here, 0)
    await owner.send(town.room, "聞こえない")
    await town.there.settle()
    assert guest.texts() == []
    assert channel.room_id not in next(iter(town.there.hub.users[town.people[2].user_id])).rooms


async def test_another_nodes_sign_out_closes_the_device_here(town: Town) -> None:
    client = await town.client(town.there, 1)
    town.exchange.cut = True
    await town.at(town.here, devices.sign_out, town.people[1], town.people[1].device)
    await town.there.settle()
    assert client.closed == closing.SIGNED_OUT


async def test_a_device_that_another_node_was_told_to_wipe_is_closed_here(town: Town) -> None:
    client = await town.client(town.there, 1)
    town.exchange.cut = True
    await town.at(town.here, device_keeping.wipe_own, town.people[1], town.people[1].device)
    await town.there.settle()
    assert client.closed == closing.DEVICE


async def test_another_nodes_disabling_closes_everything_here(town: Town) -> None:
    client = await town.client(town.there, 1)
    town.exchange.cut = True
    await town.at(town.here, accounts.disable, Operator(town.people[1].org_id), town.people[1].id)
    await town.there.settle()
    assert client.closed == closing.DISABLED


async def test_nobody_is_missed_between_hello_and_resume(town: Town) -> None:
    """Signed out elsewhere after this node had looked them up, before the client asked for anything."""
    client = Client(town.there, town.people[1])
    town.clients.append(client)
    await client.ask("auth", token=client.actor.id)
    town.exchange.cut = True
    await town.at(town.here, devices.sign_out, town.people[1], town.people[1].device)
    await town.there.settle()
    assert client.closed == closing.SIGNED_OUT


async def test_another_nodes_restore_begins_a_new_epoch_here(town: Town) -> None:
    client = await town.client(town.there, 1)
    town.exchange.cut = True
    begun = (await town.at(town.here, restoring.restored)).epoch
    await town.there.node.look()
    assert client.closed == closing.RESTARTING
    assert town.there.hub.epoch == begun


async def test_another_nodes_key_is_known_with_the_next_look(town: Town) -> None:
    kid = await keys.rotate(town.here.storage, town.here.keys, TOKEN)
    assert town.there.keys.find(TOKEN, kid, 0) is None
    await town.there.node.look()
    assert town.there.keys.current(TOKEN).kid == kid


async def test_edits_and_reactions_of_another_node_are_shown_as_they_are(town: Town) -> None:
    sender, reader = await town.client(town.here, 0), await town.client(town.there, 1)
    ack = await sender.send(town.room, "九時")
    await sender.ask("edit", message=ack["id"], version=1, blocks=[{"type": "text", "text": "十時"}])
    await sender.ask("react", message=ack["id"], key="承知しました", on=True)
    await sender.ask("redact", message=ack["id"])
    await reader.until(lambda: any(kind == "redaction" for kind, _ in reader.order()))
    assert [kind for kind, _ in reader.order()] == ["message", "edit", "reaction", "redaction"]


async def test_a_node_that_is_far_behind_reads_in_pieces(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chat_server.services.following.AT_ONCE", 3)
    sender, reader = await town.client(town.here, 0), await town.client(town.there, 1)
    town.exchange.cut = True
    for number in range(10):
        await sender.send(town.room, str(number))
    await reader.send(town.room, "私")
    await town.there.settle()
    assert reader.texts() == [*map(str, range(10)), "私"]


async def test_a_database_that_does_not_answer_loses_nothing(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    sender, reader = await town.client(town.here, 0), await town.client(town.there, 1)
    answers = NodeStorage.read
    failures = 3

    async def failing(self: NodeStorage, use_case: Any) -> Any:
        nonlocal failures
        if self is town.there.storage and failures:
            failures -= 1
            raise ConnectionError("the database is away")
        return await answers(self, use_case)

    monkeypatch.setattr(NodeStorage, "read", failing)
    await sender.send(town.room, "届く")
    await reader.until(lambda: reader.texts() == ["届く"])
    assert failures == 0


async def test_a_node_alone_tells_nobody(town: Town) -> None:
    """What a single node pays for being one of several is a comparison, not a word on the bus."""
    said: list[bytes] = []
    town.there.bus.heard = said.append
    town.here.node.neighbours.alone = True
    sender = await town.client(town.here, 0)
    await sender.send(town.room, "一")
    assert said == []
