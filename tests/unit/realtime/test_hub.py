"""Fan-out: who gets what, in which order, and what it costs."""

from __future__ import annotations

import asyncio
from typing import Any

import msgpack
import pytest

from chat_server.domain import closing
from chat_server.domain.actors import Actor
from chat_server.domain.events import EVERYTHING, EventKind, Joined, Left, Note, ReadMoved, RoomEvent, UserEvent
from chat_server.realtime.channel import BURST
from chat_server.realtime.codec import JSON, MSGPACK, Codec, payloads
from chat_server.realtime.connection import Connection
from chat_server.realtime.holding import QUEUED
from chat_server.realtime.hub import Hub
from tests.support.patience import DEADLINE

ROOM_ID, ROOM = 5, "r" * 26
END = EVERYTHING[0][1]


class Peer:
    """A connection whose socket is a list."""

    def __init__(self, hub: Hub, user_id: int, codec: Codec = MSGPACK, device_id: int = 1) -> None:
        self.codec = codec
        self.writes: list[bytes] = []
        self.closed: list[int] = []
        actor = Actor(user_id, 1, device_id, f"u{user_id}", f"d{device_id}", "member", "名", "lgwan", "")
        self.connection = Connection(codec, self.writes.append, self._close, actor, expires=1_000)
        self.hub = hub
        hub.add(self.connection)
        self.connection.own_live = True

    def _close(self, code: int) -> None:
        self.closed.append(code)
        self.hub.drop(self.connection)

    def join(self, *visible: tuple[int, int]) -> Peer:
        self.hub.subscribe(self.connection, ROOM_ID, ROOM, visible or EVERYTHING)
        return self

    @property
    def heard(self) -> list[dict[str, Any]]:
        decode: Any = msgpack.unpackb if self.codec is MSGPACK else JSON.decode_any
        return [decode(payload) for frames in self.writes for _, payload in payloads(frames)]

    @property
    def seqs(self) -> list[tuple[int, str]]:
        return [(wire["seq"], wire["kind"]) for wire in self.heard]


def event(seq: int, kind: EventKind = "message", pad: str = "", **more: Any) -> RoomEvent:
    return RoomEvent(ROOM_ID, ROOM, seq, kind, 1, "u1", {"n": seq, "pad": pad}, **more)


@pytest.fixture
def hub() -> Hub:
    return Hub()


def test_members_get_the_event_and_others_nothing(hub: Hub) -> None:
    member, stranger = Peer(hub, 1).join(), Peer(hub, 2)
    hub.publish([event(1)])
    assert member.seqs == [(1, "message")]
    assert stranger.writes == []


def test_both_codecs_hear_the_same(hub: Hub) -> None:
    one, other = Peer(hub, 1).join(), Peer(hub, 2, JSON).join()
    hub.publish([event(1)])
    assert one.heard == other.heard
    assert one.writes != other.writes


def test_every_connection_gets_the_same_bytes_object(hub: Hub) -> None:
    one, other = Peer(hub, 1).join(), Peer(hub, 2).join()
    hub.publish([event(1)])
    assert one.writes[0] is other.writes[0]


def test_what_one_commit_brought_is_one_write(hub: Hub) -> None:
    member = Peer(hub, 1).join()
    hub.publish([event(1), event(2), event(3)])
    assert len(member.writes) == 1
    assert member.seqs == [(1, "message"), (2, "message"), (3, "message")]


async def test_events_wait_for_a_commit_that_is_coming_but_not_long(hub: Hub) -> None:
    member = Peer(hub, 1).join()
    coming = True
    hub.more_coming = lambda room: coming and room == ROOM
    hub.publish([event(1)])
    assert member.writes == []
    elsewhere = Peer(hub, 2)
    hub.subscribe(elsewhere.connection, ROOM_ID + 1, "other", EVERYTHING)
    hub.publish([RoomEvent(ROOM_ID + 1, "other", 1, "message", 1, "u1", {})])
    assert (len(elsewhere.writes), member.writes) == (1, []), "another room waits for nothing"
    coming = False
    hub.publish([event(2)])
    assert len(member.writes) == 1
    coming = True
    hub.publish([event(3)])
    written = asyncio.Event()
    inner = hub.channels[ROOM_ID].live[0][member.connection]

    def write(frames: bytes) -> None:
        inner(frames)
        written.set()

    hub.channels[ROOM_ID].live[0][member.connection] = write
    await asyncio.wait_for(written.wait(), DEADLINE)
    assert member.seqs == [(1, "message"), (2, "message"), (3, "message")]


async def test_a_burst_of_large_events_comes_in_pieces_that_a_reader_can_take(hub: Hub) -> None:
    """Written at once, they would be past the bound of a queue that was empty: every reader would be evicted."""
    member, elsewhere = Peer(hub, 1).join(), Peer(hub, 2)
    hub.subscribe(elsewhere.connection, ROOM_ID + 1, "other", EVERYTHING)
    large = [event(seq, pad="x" * 100_000) for seq in range(1, 9)]
    hub.publish(large)
    assert len(member.writes) == 1
    hub.publish([event(9), RoomEvent(ROOM_ID + 1, "other", 1, "message", 1, "u1", {})])
    assert len(elsewhere.writes) == 1, "another room waits for nothing"
    assert len(member.writes) == 1, "what comes meanwhile waits in its place"
    everything = asyncio.Event()

    def write(frames: bytes) -> None:
        member.writes.append(frames)
        if len(member.heard) == 9:
            everything.set()

    hub.channels[ROOM_ID].live[0][member.connection] = write
    await asyncio.wait_for(everything.wait(), DEADLINE)
    assert member.seqs == [(seq, "message") for seq in range(1, 10)]
    assert max(map(len, member.writes)) < BURST + 101_000
    hub.publish([event(10)])
    assert member.seqs[-1] == (10, "message"), "the pace is that of a burst alone"


async def test_a_removal_does_not_wait_for_a_burst(hub: Hub) -> None:
    staying, leaving = Peer(hub, 1).join(), Peer(hub, 2).join()
    hub.publish([event(seq, pad="x" * 200_000) for seq in range(1, 6)])
    hub.publish([event(6, "membership", effect=Left(2, "u2")), event(7)])
    assert [seq for seq, _ in leaving.seqs] == [1, 2, 3, 4, 5, 6]
    assert [seq for seq, _ in staying.seqs] == [1, 2, 3, 4, 5, 6, 7]


async def test_what_waits_for_a_burst_is_bounded(hub: Hub) -> None:
    """A room that writes faster than lines carry lets go of slow readers; it does not keep everything for them."""
    member = Peer(hub, 1).join()
    hub.publish([event(seq, pad="x" * BURST) for seq in range(1, QUEUED + 11)])
    assert member.seqs[-1] == (10, "message")


def test_a_removal_acts_at_its_own_seq(hub: Hub) -> None:
    staying, leaving = Peer(hub, 1).join(), Peer(hub, 2).join()
    hub.publish([event(1), event(2, "membership", effect=Left(2, "u2")), event(3)])
    assert staying.seqs == [(1, "message"), (2, "membership"), (3, "message")]
    assert leaving.seqs == [(1, "message"), (2, "membership")]


def test_all_devices_of_a_removed_person_stop(hub: Hub) -> None:
    desk, phone = Peer(hub, 2, device_id=1).join(), Peer(hub, 2, device_id=2).join()
    hub.publish([event(1, "membership", effect=Left(2, "u2")), event(2)])
    assert desk.seqs == phone.seqs == [(1, "membership")]


def test_a_newcomer_receives_from_the_joining_on(hub: Hub) -> None:
    Peer(hub, 1).join()
    newcomer = Peer(hub, 2)
    hub.publish([event(1), event(2, "membership", effect=Joined(2, ((2, END),))), event(3)])
    assert newcomer.seqs == [(2, "membership"), (3, "message")]


def test_a_newcomer_still_catching_up_is_not_subscribed_behind_its_back(hub: Hub) -> None:
    newcomer = Peer(hub, 2)
    newcomer.connection.own_live = False
    before = newcomer.connection.changes
    hub.publish([event(1, "membership", effect=Joined(2, EVERYTHING))])
    assert newcomer.writes == []
    assert newcomer.connection.changes == before + 1
    hub.caught_up(newcomer.connection)
    hub.publish([event(2)])
    assert newcomer.seqs == [(2, "message")]


def test_a_room_lost_again_while_catching_up_does_not_go_live(hub: Hub) -> None:
    newcomer = Peer(hub, 2)
    newcomer.connection.own_live = False
    hub.publish([event(1, "membership", effect=Joined(2, EVERYTHING)), event(2, "membership", effect=Left(2, "u2"))])
    hub.caught_up(newcomer.connection)
    hub.publish([event(3)])
    assert newcomer.writes == []


def test_an_edit_of_hidden_history_is_a_stub_for_the_newcomer(hub: Hub) -> None:
    """CVE-2022-31017: an edit must not carry what the newcomer may not see."""
    old, new = Peer(hub, 1).join(), Peer(hub, 2).join((10, END))
    hub.publish([event(11, "edit", target=4), event(12, "edit", target=10)])
    assert old.seqs == [(11, "edit"), (12, "edit")]
    assert new.heard[0] == {"op": "event", "room": ROOM, "seq": 11, "kind": "stub"}
    assert new.seqs[1] == (12, "edit")


def test_history_from_before_the_joining_is_a_stub_though_it_comes_after_the_subscription(hub: Hub) -> None:
    """Who resumes between a commit and its notes is subscribed from a seq that is yet to be delivered."""
    old, new = Peer(hub, 1).join(), Peer(hub, 2).join((11, END))
    hub.publish([event(10), event(11, "membership", effect=Joined(2, ((11, END),))), event(12)])
    assert old.seqs == [(10, "message"), (11, "membership"), (12, "message")]
    assert new.seqs == [(10, "stub"), (11, "membership"), (12, "message")]
    assert new.heard[0] == {"op": "event", "room": ROOM, "seq": 10, "kind": "stub"}


def test_who_came_back_hears_of_changes_to_what_they_saw_before(hub: Hub) -> None:
    """Two stays: an edit of a message of the first one is whole, one of the absence between them is a stub."""
    peer = Peer(hub, 1).join((3, 6), (10, END))
    hub.publish([event(11, "edit", target=4), event(12, "edit", target=8)])
    assert peer.seqs == [(11, "edit"), (12, "stub")]


def test_a_fault_in_one_note_does_not_take_the_others_along(hub: Hub) -> None:
    member = Peer(hub, 1).join()

    def fails(note: object) -> None:
        raise ValueError("in the middle of a commit")

    hub.on_read_moved = fails
    hub.publish([event(1), ReadMoved(ROOM_ID, ROOM, "u1", 1, 2, named=True), event(2)])
    assert member.seqs == [(1, "message"), (2, "message")]


def test_the_order_holds_when_joined_and_single_events_mix(hub: Hub) -> None:
    member = Peer(hub, 1).join((2, END))
    hub.publish([event(1), event(2), event(3, "edit", target=2), event(4), event(5, "pin", target=1), event(6)])
    assert [seq for seq, _ in member.seqs] == [1, 2, 3, 4, 5, 6]


def test_own_events_reach_all_own_devices_and_nobody_else(hub: Hub) -> None:
    desk, phone, other = Peer(hub, 1, device_id=1), Peer(hub, 1, device_id=2), Peer(hub, 2)
    hub.publish([UserEvent(1, 7, "read", 1, {"room": ROOM, "upto": 3})])
    assert desk.heard == phone.heard == [{"op": "me", "seq": 7, "kind": "read", "at": 1, "room": ROOM, "upto": 3}]
    assert other.writes == []


def test_signing_a_device_out_closes_that_device_only(hub: Hub) -> None:
    desk, phone = Peer(hub, 1, device_id=1).join(), Peer(hub, 1, device_id=2).join()
    hub.publish([UserEvent(1, 7, "devices", 1, {}, revoked_device=2), event(1)])
    assert (desk.closed, phone.closed) == ([], [closing.SIGNED_OUT])
    assert (1, "message") in desk.seqs
    assert (1, "message") not in phone.seqs


def test_a_device_that_is_to_be_wiped_is_closed_with_a_code_of_its_own(hub: Hub) -> None:
    desk, phone = Peer(hub, 1, device_id=1).join(), Peer(hub, 1, device_id=2).join()
    hub.publish([UserEvent(1, 7, "devices", 1, {}, barred_device=2), event(1)])
    assert (desk.closed, phone.closed) == ([], [closing.DEVICE])
    assert (1, "message") not in phone.seqs


def test_disabling_a_person_closes_everything(hub: Hub) -> None:
    desk, phone = Peer(hub, 1, device_id=1), Peer(hub, 1, device_id=2)
    hub.publish([UserEvent(1, 7, "profile", 1, {}, disabled=True)])
    assert desk.closed == phone.closed == [closing.DISABLED]


def test_a_socket_that_is_evicted_while_writing_does_not_disturb_the_others(hub: Hub) -> None:
    slow, quick = Peer(hub, 1).join(), Peer(hub, 2).join()
    hub.channels[ROOM_ID].live[0][slow.connection] = lambda frames: slow._close(closing.SLOW)
    hub.publish([event(1)])
    hub.publish([event(2)])
    assert slow.closed == [closing.SLOW]
    assert quick.seqs == [(1, "message"), (2, "message")]


def test_expired_sessions_are_closed(hub: Hub) -> None:
    peer = Peer(hub, 1)
    hub.expire(999)
    assert peer.closed == []
    hub.expire(1_000)
    assert peer.closed == [closing.EXPIRED]


def test_a_persons_end_brings_that_of_their_connections_forward_and_never_back(hub: Hub) -> None:
    peer = Peer(hub, 1)
    hub.publish([UserEvent(1, n, "profile", 1, {}, not_after=moment) for n, moment in ((7, 500), (8, 2_000))])
    hub.expire(499)
    assert peer.closed == []
    hub.expire(500)
    assert peer.closed == [closing.EXPIRED]


def test_nothing_stays_behind(hub: Hub) -> None:
    peers = [Peer(hub, user).join() for user in range(1, 4)]
    hub.look(peers[0].connection, ROOM)
    for peer in peers:
        hub.drop(peer.connection)
    assert (hub.channels, hub.by_room, hub.users) == ({}, {}, {})


def test_looking_needs_a_subscription(hub: Hub) -> None:
    member, stranger = Peer(hub, 1).join(), Peer(hub, 2)
    assert hub.look(member.connection, ROOM)
    assert not hub.look(stranger.connection, ROOM)
    assert hub.look(member.connection, None)
    assert not hub.channels[ROOM_ID].lookers


def test_heads_follow_every_room_even_without_listeners(hub: Hub) -> None:
    notes: list[Note] = [event(41), event(42)]
    hub.publish(notes)
    assert hub.heads[ROOM_ID] == 42
