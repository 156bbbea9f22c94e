"""What `events()` yields: every event once and in order, across everything that a line can do."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from chat_client import Client, EventStream, Positions
from chat_client import events as e
from tests.client.conftest import MakeClient
from tests.client.listening import Peer
from tests.client.scripted import ScriptedServer, error
from tests.client.waiting import FakeClock, FastClock, soon


async def take(events: EventStream, count: int) -> list[e.Event]:
    """The next `count` events that are not about the connection."""
    found: list[e.Event] = []
    while len(found) < count:
        event = await soon(anext(events))
        if not isinstance(event, e.Connected | e.Disconnected):
            found.append(event)
    return found


def texts(events: list[e.Event]) -> list[str]:
    return [event.message.text for event in events if isinstance(event, e.MessagePosted)]


async def started(client: Client) -> EventStream:
    events = client.events()
    await soon(client.start())
    return events


async def reconnect(server: ScriptedServer, clock: FakeClock, client: Client) -> None:
    """Cut, let something have happened before the return, come back."""
    clock.advance(20)
    server.peers[0].close(4001)
    watching = client.events()
    assert isinstance(await soon(anext(watching)), e.Disconnected)
    assert isinstance(await soon(anext(watching)), e.Connected)
    watching.close()


async def test_a_message_arrives_typed(server: ScriptedServer, client: Client) -> None:
    events = await started(client)
    server.post("r", "道路に穴があります")
    [event] = await take(events, 1)
    assert isinstance(event, e.MessagePosted)
    assert (event.room, event.seq, event.message.text) == ("r", 1, "道路に穴があります")
    assert event.message.author.post == "主任"


async def test_a_note_is_told_of_typed(server: ScriptedServer, client: Client) -> None:
    events = await started(client)
    server.append("r", "note", id="n", title="補修の経過", version=2, what="changed")
    server.post("r", "2")
    event, _ = await take(events, 2)
    assert isinstance(event, e.NoteChanged)
    assert (event.id, event.title, event.version, event.what) == ("n", "補修の経過", 2, "changed")


async def test_a_duplicate_is_dropped_and_a_hole_is_pulled(server: ScriptedServer, client: Client) -> None:
    events = await started(client)
    server.post("r", "1", twice=True)
    server.post("r", "2", lost=True)
    server.post("r", "3", lost=True)
    server.post("r", "4", twice=True)
    assert texts(await take(events, 4)) == ["1", "2", "3", "4"]
    [pull] = server.frames("pull")
    assert (pull["room"], pull["after"]) == ("r", 1)
    server.post("r", "5")
    assert texts(await take(events, 1)) == ["5"]


async def test_events_in_the_same_packet_as_resumed_come_after_it(server: ScriptedServer, client: Client) -> None:
    for text in ("1", "2", "3"):
        server.post("r", text)

    def resumed_and_more(peer: Peer, frame: dict[str, Any]) -> None:
        answer = server.resumed(peer, frame)
        server.append("r", "message", message=server.message("r", "4"))
        peer.send(answer, server.rooms["r"][-1], server.rooms["r"][-1])

    server.instead("resume", resumed_and_more)
    events = await started(client)
    server.post("r", "5")
    assert texts(await take(events, 2)) == ["4", "5"]
    assert server.frames("pull") == []


async def test_what_was_missed_is_replayed_in_pages(server: ScriptedServer, client: Client, clock: FakeClock) -> None:
    events = await started(client)
    server.post("r", "before")
    assert texts(await take(events, 1)) == ["before"]
    clock.advance(20)

    def late(peer: Peer, frame: dict[str, Any]) -> None:
        _fill(server, 450)
        server.on_resume(peer, frame)

    server.instead("resume", late)
    server.peers[0].close(4002)
    assert texts(await take(events, 450)) == [f"n{number}" for number in range(450)]
    assert [frame["after"] for frame in server.frames("pull")] == [1, 201, 401]


def _fill(server: ScriptedServer, count: int) -> None:
    for number in range(count):
        server.post("r", f"n{number}")


async def test_too_far_behind_is_a_resync_and_goes_on(server: ScriptedServer, client: Client, clock: FakeClock) -> None:
    events = await started(client)
    server.resync_beyond = 3
    _fill(server, 2)
    await take(events, 2)
    server.live.clear()
    _fill(server, 5)
    await reconnect(server, clock, client)
    assert await take(events, 1) == [e.Resynced("r", 7)]
    server.post("r", "after")
    assert texts(await take(events, 1)) == ["after"]
    assert server.frames("pull") == []


async def test_a_restored_server_is_told_before_everything_is_loaded_anew(
    server: ScriptedServer, client: Client, clock: FakeClock
) -> None:
    events = await started(client)
    _fill(server, 3)
    await take(events, 3)
    server.epoch = "e2"
    del server.rooms["r"][1:]
    await reconnect(server, clock, client)
    assert await take(events, 3) == [e.EpochChanged("e2", "e1"), e.Resynced(None, 0), e.Resynced("r", 1)]
    server.post("r", "after the restore")
    [event] = await take(events, 1)
    assert isinstance(event, e.MessagePosted)
    assert event.seq == 2


async def test_a_room_taken_away_meanwhile_is_gone_and_a_new_one_is_loaded(
    server: ScriptedServer, client: Client, clock: FakeClock
) -> None:
    events = await started(client)
    del server.rooms["r"]
    server.rooms["new"] = []
    server.post("new", "hello")
    await reconnect(server, clock, client)
    assert set(await take(events, 2)) == {e.RoomGone("r"), e.Resynced("new", 1)}


async def test_a_room_joined_while_connected_goes_live_by_itself(server: ScriptedServer, client: Client) -> None:
    events = await started(client)
    server.rooms["new"] = []
    server.happen("room_gained", room="new")
    for live in server.live.values():
        live.add("new")
    server.post("new", "welcome")
    first, second = await take(events, 2)
    assert first == e.RoomGained(1, 1, "new")
    assert isinstance(second, e.MessagePosted)


async def test_a_pull_refused_for_now_is_repeated_and_one_refused_for_good_is_a_resync(
    server: ScriptedServer, client: Client, clock: FakeClock
) -> None:
    events = await started(client)
    server.instead("pull", lambda peer, frame: peer.send(error(frame, 8001, retry_after=3)))
    server.post("r", "1", lost=True)
    server.post("r", "2")
    await clock.sleeping(3)
    clock.advance(3)
    assert texts(await take(events, 2)) == ["1", "2"]
    server.instead("pull", lambda peer, frame: peer.send(error(frame, 2001)))
    server.post("r", "3", lost=True)
    server.post("r", "4")
    assert await take(events, 1) == [e.Resynced("r", 4)]


async def test_a_page_too_large_to_take_is_asked_for_in_halves(
    server: ScriptedServer, client: Client, clock: FakeClock
) -> None:
    events = await started(client)
    server.instead("pull", lambda peer, frame: peer.send_raw(bytes(33 * 1024 * 1024)))
    server.post("r", "1", lost=True)
    server.post("r", "2")
    await clock.sleeping(0.5)
    clock.advance(0.5)
    assert texts(await take(events, 2)) == ["1", "2"]
    assert [frame["limit"] for frame in server.frames("pull")] == [200, 100]


async def test_many_rooms_are_replayed_a_few_at_a_time(
    server: ScriptedServer, client: Client, clock: FakeClock
) -> None:
    server.rooms = {f"r{number}": [] for number in range(100)}
    events = await started(client)
    server.live.clear()
    for room in server.rooms:
        server.post(room, room)
    waiting: list[tuple[Peer, dict[str, Any]]] = []
    most = 0

    def hold(peer: Peer, frame: dict[str, Any]) -> None:
        nonlocal most
        waiting.append((peer, frame))
        most = max(most, len(waiting))

    for _ in server.rooms:
        server.instead("pull", hold)
    clock.advance(20)
    server.peers[0].close(4001)
    for _ in server.rooms:
        await server.until(lambda: bool(waiting))
        server.on_pull(*waiting.pop())
    assert sorted(texts(await take(events, 100))) == sorted(server.rooms)
    assert most <= 4


async def test_transient_events_and_unknown_ones(server: ScriptedServer, client: Client) -> None:
    events = await started(client)
    peer = server.peers[0]
    peer.send(
        {"op": "typing", "room": "r", "user": "u2", "name": "田中", "later": 1},
        {"op": "receipt", "room": "r", "user": "u2", "upto": 3},
        {"op": "receipts", "room": "r", "upto": [[3, 12]]},
        {"op": "presence", "user": "u2", "state": "away"},
        {"op": "of a later version"},
        {"op": "typing"},
        {"op": "event", "room": "r", "kind": "message"},
        {"op": "event", "room": "r", "seq": 1, "at": 5, "by": "u2", "kind": "poll", "question": "?"},
        {"op": "me", "seq": 1, "at": 5, "kind": "weather"},
    )
    assert await take(events, 6) == [
        e.Typing("r", "u2", "田中"),
        e.Receipt("r", "u2", 3),
        e.Receipts("r", ((3, 12),)),
        e.Presence("u2", "away"),
        e.UnknownRoomEvent(
            "r", 1, 5, "u2", "poll", _frame("event", room="r", seq=1, by="u2", kind="poll", question="?")
        ),
        e.UnknownMeEvent(1, 5, "weather", _frame("me", seq=1, kind="weather")),
    ]


def _frame(op: str, **fields: Any) -> dict[str, Any]:
    return {"op": op, "at": 5, **fields}


async def test_every_reader_gets_everything(server: ScriptedServer, client: Client) -> None:
    first = await started(client)
    second = client.events()
    server.post("r", "1")
    assert texts(await take(first, 1)) == texts(await take(second, 1)) == ["1"]
    second.close()
    server.post("r", "2")
    assert texts(await take(first, 1)) == ["2"]
    with pytest.raises(StopAsyncIteration):
        await soon(anext(second))


async def test_positions_name_what_was_dealt_with_and_a_later_run_goes_on_there(
    server: ScriptedServer, make_client: MakeClient, clock: FakeClock
) -> None:
    client = make_client()
    events = await started(client)
    _fill(server, 3)
    await take(events, 2)
    assert events.positions() == Positions("e1", 0, {"r": 1})
    await take(events, 1)
    await soon(client.send("r", "seen by the ack, not yet by the reader"))
    await server.until(lambda: len(server.rooms["r"]) == 4)
    positions = events.positions()
    assert positions == Positions("e1", 0, {"r": 2})
    await client.close()
    later = make_client(positions=positions)
    again = await started(later)
    assert texts(await take(again, 2)) == ["n2", "seen by the ack, not yet by the reader"]


async def test_looking_and_watching_survive_a_reconnection(
    server: ScriptedServer, client: Client, clock: FakeClock
) -> None:
    events = await started(client)
    await soon(client.look("r"))
    assert await soon(client.watch(["u2", "u3"])) == {"u2": "online", "u3": "online"}
    await reconnect(server, clock, client)
    await server.until(lambda: len(server.frames("watch")) == 2)
    assert server.frames("look")[-1]["room"] == "r"
    assert await take(events, 2) == [e.Presence("u2", "online"), e.Presence("u3", "online")]


@pytest.mark.parametrize("codec", ["msgpack", "json"])
async def test_forty_cuts_lose_and_double_nothing(server: ScriptedServer, make_client: MakeClient, codec: str) -> None:
    """Messages come all the time while the line is cut again and again, in a way that changes with every cut."""
    server.rooms["s"] = []
    client = make_client(codec=codec, clock=FastClock())
    events = await started(client)
    total = 300

    async def talk() -> None:
        for number in range(total):
            room = "rs"[number % 2]
            server.post(room, f"{room}{number}", lost=number % 7 == 0, twice=number % 5 == 0)
            if number % 8 == 0 and server.peers:
                peer = server.peers[0]
                peer.drop() if number % 16 else peer.close([4000, 4001, 4002][number % 3])
                await server.until(lambda peer=peer: peer not in server.peers)  # type: ignore[misc]
                await server.until(lambda: bool(server.live))
        # An event lost at the very end is only noticed by the next one.
        server.post("r", "end")
        server.post("s", "end")

    talking = asyncio.create_task(talk())
    got: dict[str, list[int]] = {"r": [], "s": []}
    while not (got["r"][-1:] == [total // 2 + 1] and got["s"][-1:] == [total // 2 + 1]):
        [event] = await take(events, 1)
        assert isinstance(event, e.MessagePosted)
        got[event.room].append(event.seq)
    await talking
    assert got["r"] == got["s"] == list(range(1, total // 2 + 2))
    assert len(server.asked("GET", "/ws")) > 30
