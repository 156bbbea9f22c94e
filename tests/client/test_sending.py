"""Commands: once, whatever happens to their answers."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from chat_client import Ack, Client, ClientClosed, MemoryStore, Message, RenrakuError, SignInRequired, Unreachable
from chat_client.models import Ack as AckModel
from tests.client.conftest import MakeClient
from tests.client.listening import Peer, Reply
from tests.client.scripted import RATE_LIMITED, ScriptedServer, error, http_error
from tests.client.waiting import FakeClock, FastClock, soon
from tests.support.cutting_proxy import CuttingProxy
from tests.support.patience import DEADLINE


async def test_a_message_is_acknowledged(server: ScriptedServer, client: Client) -> None:
    await soon(client.start())
    ack = await soon(client.send("r", "現場に着きました", quote="r-0"))
    assert ack == Ack(room="r", id="r-1", seq=1, at=1)
    [frame] = server.frames("send")
    assert frame["blocks"] == [{"type": "text", "text": "現場に着きました"}]
    assert frame["quote"] == "r-0"
    assert len(frame["client_msg_id"]) >= 8


async def test_two_messages_have_two_ids(server: ScriptedServer, client: Client) -> None:
    await soon(client.start())
    await soon(client.send("r", "same"))
    await soon(client.send("r", "same"))
    assert len({frame["client_msg_id"] for frame in server.frames("send")}) == 2
    assert server.texts() == ["same", "same"]


async def test_an_ack_lost_on_the_way_makes_one_message(server: ScriptedServer, make_client: MakeClient) -> None:
    """A real cut: the server's answer is written to a line that carries no more bytes."""
    async with CuttingProxy("127.0.0.1", server.listening.port) as line:
        client = make_client(f"http://127.0.0.1:{line.port}", clock=FastClock())
        await soon(client.start())
        line.cut_after(down=0)
        ack = await soon(client.send("r", "once"))
        assert line.cuts == 1
        assert (ack.seq, ack.replay) == (1, True)
    sent = server.frames("send")
    assert len(sent) == 2
    assert sent[0] | {"ref": 0} == sent[1] | {"ref": 0}
    assert server.texts() == ["once"]


@pytest.mark.parametrize("cut_at", [0, 1, 5, 20, 60])
async def test_a_message_cut_on_its_way_up_makes_one_message(
    server: ScriptedServer, make_client: MakeClient, cut_at: int
) -> None:
    async with CuttingProxy("127.0.0.1", server.listening.port) as line:
        client = make_client(f"http://127.0.0.1:{line.port}", clock=FastClock())
        await soon(client.start())
        line.cut_after(up=cut_at)
        ack = await soon(client.send("r", "once"))
        assert line.cuts == 1
    assert ack.seq == 1
    assert server.texts() == ["once"]


async def test_waiting_messages_go_out_in_their_order(server: ScriptedServer, client: Client, clock: FakeClock) -> None:
    await soon(client.start())
    for _ in range(20):
        server.instead("send", lambda peer, frame: None)
    sending = [asyncio.create_task(client.send("r", str(number))) for number in range(20)]
    await server.until(lambda: len(server.frames("send")) == 20)
    clock.advance(20)
    server.peers[0].close(4001)
    await soon(asyncio.gather(*sending))
    assert server.texts() == [str(number) for number in range(20)]


async def test_one_command_refused_for_its_rate_holds_the_others_too(
    server: ScriptedServer, client: Client, clock: FakeClock
) -> None:
    """The server ends a client that goes on sending (4506), and a library must not be ended for its callers' number."""
    await soon(client.start())
    for _ in range(60):
        server.instead("send", lambda peer, frame: peer.send({"op": "error", "ref": frame["ref"], **RATE_LIMITED}))
    sending = [asyncio.create_task(client.send("r", str(number))) for number in range(200)]
    async with asyncio.timeout(DEADLINE):
        while clock.slept.count(7) < 120:  # noqa: ASYNC110 (those refused, and those who took their places)
            await asyncio.sleep(0)
    assert len(server.frames("send")) == 60
    clock.advance(7)
    await soon(asyncio.gather(*sending))
    assert len(server.texts()) == 200


async def test_a_message_written_without_a_line_waits_for_it(
    server: ScriptedServer, client: Client, clock: FakeClock
) -> None:
    await soon(client.start())
    server.instead("auth", lambda peer, frame: peer.close(4004))
    clock.advance(20)
    server.peers[0].close(4001)
    await server.until(lambda: len(server.frames("auth")) == 2)
    sending = asyncio.create_task(client.send("r", "later"))
    await clock.sleeping(0.5)
    clock.advance(0.5)
    assert (await soon(sending)).seq == 1


async def test_too_fast_waits_as_long_as_the_server_says(
    server: ScriptedServer, client: Client, clock: FakeClock
) -> None:
    await soon(client.start())
    server.instead("send", lambda peer, frame: peer.send(error(frame, 8005, "rate_limited", retry_after=7)))
    sending = asyncio.create_task(client.send("r", "fast"))
    await clock.sleeping(7)
    clock.advance(6.9)
    assert len(server.frames("send")) == 1
    clock.advance(0.1)
    await soon(sending)
    first, second = server.frames("send")
    assert first["client_msg_id"] == second["client_msg_id"]


@pytest.mark.parametrize("code", [1009, 2001, 3001, 4002, 4003, 7999, 9001])
async def test_an_error_of_another_range_is_told_at_once(server: ScriptedServer, client: Client, code: int) -> None:
    await soon(client.start())
    server.instead("send", lambda peer, frame: peer.send(error(frame, code, limit=5)))
    with pytest.raises(RenrakuError) as raised:
        await soon(client.send("r", "no"))
    assert (raised.value.code, raised.value.params, raised.value.ja) == (code, {"limit": 5}, "日本語")
    assert len(server.frames("send")) == 1


async def test_a_command_nobody_answers_is_repeated_on_a_new_connection(
    server: ScriptedServer, client: Client, clock: FakeClock
) -> None:
    await soon(client.start())
    server.instead("send", lambda peer, frame: None)
    sending = asyncio.create_task(client.send("r", "hello?"))
    await server.until(lambda: len(server.frames("send")) == 1)
    # The server is alive and answers everything else.
    await clock.sleeping(45)
    clock.advance(45)
    await server.until(lambda: len(server.frames("ping")) == 1)
    await clock.sleeping(15)
    clock.advance(15)
    await clock.sleeping(0.5)
    clock.advance(0.5)
    assert (await soon(sending)).seq == 1
    assert len(server.asked("GET", "/ws")) == 2


async def test_a_cancelled_command_keeps_its_place_until_it_is_answered(server: ScriptedServer, client: Client) -> None:
    """The server counts unanswered commands, and closes for good beyond 64: giving up must not make room."""
    await soon(client.start())
    held: list[tuple[Peer, dict[str, Any]]] = []
    for _ in range(60):
        server.instead("react", lambda peer, frame: held.append((peer, frame)))
    impatient = [asyncio.create_task(client.react("r-1", "確認しました")) for _ in range(60)]
    await server.until(lambda: len(held) == 60)
    for task in impatient:
        task.cancel()
    await asyncio.gather(*impatient, return_exceptions=True)
    waiting = asyncio.create_task(client.pin("r-1"))
    # Heartbeats pass; the pin waits until one of the sixty is answered.
    await soon(client.typing("r"))
    await server.until(lambda: len(server.frames("typing")) == 1)
    assert server.frames("pin") == []
    server.on_react(*held[0])
    await soon(waiting)


async def test_what_does_not_fit_a_frame_goes_by_http(server: ScriptedServer, client: Client) -> None:
    await soon(client.start())
    text = "𠮷" * 20_000
    ack = await soon(client.send("r", text, client_msg_id="long-text-1"))
    assert ack.seq == 1
    assert server.texts() == [text]
    assert server.frames("send") == []
    [request] = server.asked("POST", "/api/rooms/r/messages")
    assert request.json()["client_msg_id"] == "long-text-1"


async def test_every_command_has_the_fields_of_the_protocol(server: ScriptedServer, client: Client) -> None:
    await soon(client.start())
    await soon(client.react("m1", "承知しました"))
    await soon(client.react("m1", "承知しました", on=False))
    await soon(client.pin("m1"))
    await soon(client.bookmark("m1", on=False))
    await soon(client.redact("m1", "cancelled"))
    await soon(client.read("r", 7))
    await soon(client.involve("r", "mentions"))
    await soon(client.look(None))
    await soon(client.typing("r"))
    await server.until(lambda: len(server.frames("typing")) == 1)
    assert [{k: v for k, v in frame.items() if k != "ref"} for _, frame in server.received[2:]] == [
        {"op": "react", "message": "m1", "key": "承知しました", "on": True},
        {"op": "react", "message": "m1", "key": "承知しました", "on": False},
        {"op": "pin", "message": "m1", "on": True},
        {"op": "bookmark", "message": "m1", "on": False},
        {"op": "redact", "message": "m1", "how": "cancelled"},
        {"op": "read", "room": "r", "upto": 7},
        {"op": "involve", "room": "r", "involvement": "mentions"},
        {"op": "look", "room": None},
        {"op": "typing", "room": "r"},
    ]


async def message_in(server: ScriptedServer, client: Client) -> Message:
    server.post("r", "first")
    server.rooms["r"][0]["message"]["blocks"].append({"type": "photos", "ids": ["a1"]})
    return (await soon(client.history("r"))).messages[0]


async def test_an_edit_of_the_text_keeps_the_photos(server: ScriptedServer, client: Client) -> None:
    await soon(client.start())
    message = await message_in(server, client)
    server.instead("edit", lambda peer, frame: peer.send({"op": "ack", "ref": frame["ref"], "seq": 2}))
    assert await soon(client.edit(message, "second")) == AckModel(seq=2)
    [frame] = server.frames("edit")
    assert (frame["message"], frame["version"]) == ("r-1", 1)
    assert frame["blocks"] == [{"type": "text", "text": "second"}, {"type": "photos", "ids": ["a1"]}]


@pytest.mark.parametrize("by", ["this client", "somebody else"])
async def test_an_edit_whose_answer_was_lost_is_not_taken_for_a_conflict(
    server: ScriptedServer, client: Client, clock: FakeClock, by: str
) -> None:
    await soon(client.start())
    message = await message_in(server, client)

    def done_and_cut(peer: Peer, frame: dict[str, Any]) -> None:
        blocks = frame["blocks"] if by == "this client" else [{"type": "text", "text": "other"}]
        server.rooms["r"][0]["message"] |= {"version": 2, "blocks": blocks}
        peer.drop()

    server.instead("edit", done_and_cut)
    server.instead("edit", lambda peer, frame: peer.send(error(frame, 4005, "version_conflict")))
    clock.advance(20)
    editing = asyncio.create_task(client.edit(message, "second"))
    await clock.sleeping(0.5)
    clock.advance(0.5)
    if by == "this client":
        assert await soon(editing) == AckModel(room="r", id="r-1", replay=True)
    else:
        with pytest.raises(RenrakuError) as raised:
            await soon(editing)
        assert raised.value.code == 4005


async def test_patience_bounds_a_send(server: ScriptedServer, make_client: MakeClient, clock: FakeClock) -> None:
    client = make_client(patience=5)
    await soon(client.start())
    server.instead("send", lambda peer, frame: peer.send(error(frame, 8005, "rate_limited", retry_after=7)))
    with pytest.raises(RenrakuError) as raised:
        await soon(client.send("r", "fast"))
    assert raised.value.code == 8005
    await server.listening.close()
    sending = asyncio.create_task(client.send("r", "nobody"))
    await clock.sleeping(5)
    clock.advance(5)
    with pytest.raises(Unreachable):
        await soon(sending)


async def test_before_start_nothing_can_be_sent(client: Client) -> None:
    with pytest.raises(ClientClosed):
        await client.send("r", "x")
    with pytest.raises(ClientClosed):
        await client.typing("r")
    with pytest.raises(ClientClosed):
        client.me  # noqa: B018


class TestHttp:
    async def test_a_call_is_repeated_with_the_same_key(
        self, server: ScriptedServer, client: Client, clock: FakeClock
    ) -> None:
        for reply in (Reply(drop=True), http_error(503, 8001, retry_after=4), Reply(502, b"<html>")):
            server.instead_http("POST", "/api/rooms/r/messages", reply)
        calling = asyncio.create_task(client.api.post_message("r", {"client_msg_id": "once-and-once", "blocks": []}))
        for wait in (0.5, 4, 2):
            await clock.sleeping(wait)
            clock.advance(wait)
        assert (await soon(calling))["seq"] == 1
        requests = server.asked("POST", "/api/rooms/r/messages")
        assert [request.headers["idempotency-key"] for request in requests] == ["once-and-once"] * 4
        assert [request.query for request in requests] == [{}] * 4

    @pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
    async def test_an_unsafe_call_always_has_a_key(
        self, server: ScriptedServer, client: Client, clock: FakeClock, method: str
    ) -> None:
        for reply in (Reply(drop=True), Reply(204), Reply(204)):
            server.instead_http(method, "/api/x", reply)
        calling = asyncio.create_task(client.api.call(method, "/api/x"))
        await clock.sleeping(0.5)
        clock.advance(0.5)
        await soon(calling)
        await soon(client.api.call(method, "/api/x"))
        first, again, another = (request.headers["idempotency-key"] for request in server.asked(method, "/api/x"))
        assert first == again != another
        assert len(first) >= 8

    async def test_an_expired_token_is_refreshed_in_passing(self, server: ScriptedServer, client: Client) -> None:
        server.access.clear()
        assert [room.id for room in await soon(client.rooms())] == ["r"]
        tokens = [request.headers["authorization"] for request in server.asked("GET", "/api/rooms")]
        assert tokens == ["Bearer access-1", "Bearer access-2"]

    async def test_a_fresh_token_refused_means_signing_in(self, server: ScriptedServer, client: Client) -> None:
        for _ in range(2):
            server.instead_http("GET", "/api/rooms", http_error(401, 1004))
        with pytest.raises(SignInRequired):
            await soon(client.rooms())

    async def test_a_refusal_while_the_refresh_fails_is_not_the_last_word(
        self, server: ScriptedServer, client: Client, clock: FakeClock
    ) -> None:
        server.access.clear()
        for _ in range(2):
            server.instead_http("POST", "/api/sessions/refresh", http_error(503, 8001))
        asking = asyncio.create_task(client.rooms())
        for wait in (0.5, 1):
            await clock.sleeping(wait)
            clock.advance(wait)
        assert len(await soon(asking)) == 1

    async def test_without_a_session_it_says_so(self, server: ScriptedServer, make_client: MakeClient) -> None:
        with pytest.raises(SignInRequired):
            await soon(make_client(store=MemoryStore()).rooms())

    async def test_an_id_cannot_lead_to_another_path(self, server: ScriptedServer, client: Client) -> None:
        with pytest.raises(RenrakuError):
            await soon(client.api.room("../me/sign-out?x=1"))
        assert server.requests[-1].path == "/api/rooms/..%2Fme%2Fsign-out%3Fx%3D1"

    async def test_a_list_in_pages_comes_whole(self, server: ScriptedServer, client: Client) -> None:
        person = {"id": "u2", "name": "田中 美咲"}
        server.instead_http("GET", "/api/people", Reply(200, {"items": [person], "next": "more"}))
        server.instead_http("GET", "/api/people", Reply(200, {"items": [person], "next": None}))
        assert [who.name for who in await soon(client.api.people(q="田中"))] == ["田中 美咲"] * 2
        assert [r.query for r in server.asked("GET", "/api/people")] == [{"q": "田中"}, {"q": "田中", "cursor": "more"}]


async def test_signing_out_ends_the_session_here_and_there(
    server: ScriptedServer, make_client: MakeClient, tmp_path: Path
) -> None:
    store = MemoryStore()
    client = make_client(store=store)
    await soon(client.sign_in("midorino", "takahashi", "correct horse"))
    await soon(client.start())
    await soon(client.sign_out())
    assert server.access == set()
    assert await store.load() is None
