"""docs/protocol.md, section 2, over real sockets: handshake, first frame, sessions, limits, closing."""

from __future__ import annotations

import socket
import struct
from typing import Any

import msgpack
import pytest
import websockets
from websockets.exceptions import InvalidStatus

from chat_server.domain import closing, limits
from chat_server.domain.errors import Problem
from chat_server.services import accounts, devices, history
from chat_server.services.authority import Operator
from tests.support.peer import JSON, MSGPACK, Peer, text
from tests.support.server import RunningServer
from tests.support.world import Org, Someone, World

pytestmark = pytest.mark.asyncio(loop_scope="module")
SOON = 5.0
"""Seconds for what is promised within one, where other tests run beside this one: of its own accord nothing would end such a
connection for minutes."""
BOTH = pytest.mark.parametrize("codec", [MSGPACK, JSON])


async def somebody(world: World) -> Someone:
    world.made += 1
    return await world.person(await world.organization(f"org{world.made}", "みどり野市"))


@BOTH
async def test_hello_is_what_the_document_says(server: RunningServer, world: World, codec: str) -> None:
    person = await somebody(world)
    peer = await Peer.open(server.ports["lgwan"], codec=codec)
    hello = await peer.ask("auth", token=person.token)
    assert hello["op"] == "hello"
    assert hello["protocol"] == 1
    assert hello["me"]["id"] == person.id
    assert hello["zone"] == "lgwan"
    assert set(hello["limits"]) == {
        "frame_bytes",
        "depth",
        "text_chars",
        "photos",
        "files",
        "unanswered",
        "photo_bytes",
        "file_bytes",
    }
    assert "photos" in hello["features"]
    assert hello["expires"] > hello["time"]
    await peer.close()


async def test_without_a_known_subprotocol_there_is_no_connection(server: RunningServer) -> None:
    for wanted in (None, ["renraku.v9.xml"]):
        with pytest.raises(InvalidStatus) as caught:
            await websockets.connect(f"ws://127.0.0.1:{server.ports['lgwan']}/ws", subprotocols=wanted, proxy=None)  # type: ignore[arg-type]
        assert caught.value.response.status_code == 403


@pytest.mark.parametrize(
    "options",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"additional_headers": {"Host": "evil.example"}},
    ],
    ids=["another site", "no site", "a rebound name"],
)
async def test_a_foreign_page_cannot_connect(server: RunningServer, options: dict[str, Any]) -> None:
    """Cross-site WebSocket hijacking (ASVS 4.4.2)."""
    with pytest.raises(InvalidStatus) as caught:
        await Peer.open(server.ports["lgwan"], **options)
    assert caught.value.response.status_code == 403


async def test_the_own_page_can(server: RunningServer) -> None:
    peer = await Peer.open(server.ports["lgwan"], origin=f"http://127.0.0.1:{server.ports['lgwan']}")
    await peer.close()


async def test_a_token_in_the_address_is_refused(server: RunningServer, world: World) -> None:
    person = await somebody(world)
    with pytest.raises(InvalidStatus) as caught:
        await websockets.connect(
            f"ws://127.0.0.1:{server.ports['lgwan']}/ws?token={person.token}",
            subprotocols=[websockets.Subprotocol(MSGPACK)],
            proxy=None,
        )
    assert caught.value.response.status_code == 403


async def test_a_bad_token_ends_it(server: RunningServer, world: World) -> None:
    person = await somebody(world)
    for token in ("x", person.token[:-3] + "abc", "a" * 4000):
        peer = await Peer.open(server.ports["lgwan"])
        answer = await peer.ask("auth", token=token)
        assert (answer["op"], answer["code"]) == ("error", 1004)
        assert await peer.closed() == closing.BAD_TOKEN


async def test_a_token_of_another_zone_is_refused(server: RunningServer, world: World) -> None:
    person = await somebody(world)
    peer = await Peer.open(server.ports["internet"])
    assert (await peer.ask("auth", token=person.token))["code"] == 1004
    assert await peer.closed() == closing.BAD_TOKEN


async def test_silence_instead_of_a_first_frame_ends_it(server: RunningServer) -> None:
    peer = await Peer.open(server.ports["lgwan"])
    assert await peer.closed(limits.AUTH_SECONDS + 5) == closing.NOT_AUTHENTICATED


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (b"\xc1", closing.MALFORMED),
        (b"\x91" * 60_000, closing.TOO_LARGE),
        (b"\xdd\xff\xff\xff\xff", closing.MALFORMED),
        (b"\xdf\xff\xff\xff\xff" + b"\x00" * 100, closing.MALFORMED),
        (b"\x00" * (limits.FRAME_BYTES + 1), closing.TOO_LARGE),
        (b"\x00" * (4 * limits.FRAME_BYTES), closing.TOO_LARGE),
    ],
    ids=["garbage", "deep", "giant array", "giant map", "large", "very large"],
)
async def test_hostile_frames_end_the_connection_and_nothing_else(
    server: RunningServer, world: World, frame: bytes, code: int
) -> None:
    person = await somebody(world)
    other = await Peer.live(server.ports["lgwan"], person.token)
    peer = await Peer.live(server.ports["lgwan"], person.token)
    await peer.connection.send(frame)
    assert await peer.closed() == code
    assert (await other.ask("ping"))["op"] == "result"
    await other.close()


async def test_a_huge_length_in_the_frame_header_reserves_nothing(server: RunningServer, world: World) -> None:
    """A header may promise 2**62 bytes (RFC 6455); nothing is waited for."""
    person = await somebody(world)
    peer = await Peer.live(server.ports["lgwan"], person.token)
    transport = peer.connection.transport
    transport.write(b"\x82\xff" + struct.pack("!Q", 2**62) + b"\0\0\0\0")
    assert await peer.closed() == closing.TOO_LARGE


async def test_too_many_unanswered_commands_end_it(server: RunningServer, world: World) -> None:
    person = await somebody(world)
    room = await world.room(person)
    peer = await Peer.live(server.ports["lgwan"], person.token)
    frames = b"".join(
        _masked(msgpack.packb({"op": "pull", "ref": n, "room": room, "after": 0})) for n in range(100, 300)
    )
    peer.connection.transport.write(frames)
    assert await peer.closed() == closing.FLOOD


async def test_a_flood_of_commands_is_refused_and_then_ended(server: RunningServer, world: World) -> None:
    person = await somebody(world)
    other = await Peer.live(server.ports["lgwan"], person.token)
    peer = await Peer.live(server.ports["lgwan"], person.token)
    peer.connection.transport.write(
        b"".join(_masked(msgpack.packb({"op": "ping", "ref": n})) for n in range(100, 5_100))
    )
    assert await peer.closed() == closing.FLOOD
    refused = [wire for wire in peer.heard if wire["op"] == "error"]
    assert {wire["code"] for wire in refused} == {8005}
    assert len(refused) >= limits.COMMANDS_REFUSED
    assert len(peer.heard) < 1_000, "the rest of the flood was answered too"
    assert (await other.ask("ping"))["op"] == "result"
    await other.close()


async def test_a_burst_beyond_the_rate_is_refused_and_heals(server: RunningServer, world: World) -> None:
    person = await somebody(world)
    peer = await Peer.live(server.ports["lgwan"], person.token)
    pings = range(100, 100 + limits.COMMAND_BURST + limits.COMMANDS_REFUSED // 2)
    peer.connection.transport.write(b"".join(_masked(msgpack.packb({"op": "ping", "ref": n})) for n in pings))
    answers = [(await peer.answer(n)) for n in pings]
    refused = [wire for wire in answers if wire["op"] == "error"]
    assert {(wire["code"], wire["params"]["retry_after"]) for wire in refused} == {(8005, 1)}
    while (await peer.ask("ping"))["op"] != "result":
        pass
    await peer.close()


def _masked(payload: bytes) -> bytes:
    """A client's frame, masked with zeros."""
    size = len(payload)
    head = bytes((0x82, 0x80 | size)) if size < 126 else b"\x82\xfe" + size.to_bytes(2, "big")
    return head + b"\0\0\0\0" + payload


async def test_a_session_is_renewed_or_ends(server: RunningServer, world: World) -> None:
    person = await somebody(world)
    peer = await Peer.live(server.ports["lgwan"], person.token)
    org = await server.app.storage.read(
        lambda tx: tx.one("SELECT public_id FROM organizations WHERE id = ?", person.actor.org_id)
    )
    assert org is not None
    server.clock.ahead += 5 * limits.MINUTE
    try:
        newer, expires = server.app.tokens.issue(person.id, person.actor.device, org[0], "lgwan")
        assert (await peer.ask("renew", token=newer))["expires"] == expires
        server.clock.ahead += 7 * limits.MINUTE
        server.app.hub.expire(server.clock.now())  # what the tick does once a second
        assert (await peer.ask("ping"))["op"] == "result"
        server.clock.ahead += 5 * limits.MINUTE
        assert await peer.closed() == closing.EXPIRED
    finally:
        server.clock.ahead = 0


async def test_nobody_renews_with_another_persons_token(server: RunningServer, world: World) -> None:
    person, other = await somebody(world), await somebody(world)
    peer = await Peer.live(server.ports["lgwan"], person.token)
    assert (await peer.ask("renew", token=other.token))["code"] == 1004
    await peer.close()


async def test_signing_a_device_out_closes_its_socket_within_a_second(server: RunningServer, world: World) -> None:
    world.made += 1
    org = await world.organization(f"org{world.made}", "みどり野市")
    phone = await world.person(org)
    desk = await world.another_device(org, phone, "lgwan")
    peer, other = [await Peer.live(server.ports["lgwan"], who.token) for who in (phone, desk)]
    await server.app.storage.write(lambda tx: devices.sign_out(tx, desk.actor, phone.actor.device))
    assert await peer.closed(SOON) == closing.SIGNED_OUT
    assert (await other.ask("ping"))["op"] == "result"
    again = await Peer.open(server.ports["lgwan"])
    assert (await again.ask("auth", token=phone.token))["code"] == 1004
    await other.close()


async def test_disabling_a_person_closes_their_sockets_within_a_second(server: RunningServer, world: World) -> None:
    world.made += 1
    org = await world.organization(f"org{world.made}", "みどり野市")
    admin = await world.person(org, role="organization_admin")
    person = await world.person(org)
    peer = await Peer.live(server.ports["lgwan"], person.token)
    await server.app.storage.write(lambda tx: accounts.disable(tx, admin.actor, person.id))
    assert await peer.closed(SOON) == closing.DISABLED
    again = await Peer.open(server.ports["lgwan"])
    assert (await again.ask("auth", token=person.token))["code"] == 6009
    assert await again.closed() == closing.DISABLED


async def guest_for_a_day(world: World) -> tuple[Org, Someone]:
    world.made += 1
    org = await world.organization(f"org{world.made}", "みどり野市")
    return org, await world.person(org, kind="guest", ends_at=world.server.clock.now() + limits.DAY)


async def test_a_guest_whose_end_has_passed_is_out_within_a_second(server: RunningServer, world: World) -> None:
    org, guest = await guest_for_a_day(world)
    peer = await Peer.live(server.ports["lgwan"], guest.token)
    await server.app.storage.write(lambda tx: accounts.set_guest_end(tx, Operator(org.id), guest.id, tx.now))
    assert await peer.closed(SOON) == closing.DISABLED
    again = await Peer.open(server.ports["lgwan"])
    assert (await again.ask("auth", token=guest.token))["code"] == 6009
    assert await again.closed() == closing.DISABLED


async def test_no_connection_outlives_a_guests_end(server: RunningServer, world: World) -> None:
    """Brought forward while the guest is connected, and holds a token that was issued before."""
    org, guest = await guest_for_a_day(world)
    waiting, renewing = [await Peer.live(server.ports["lgwan"], guest.token) for _ in range(2)]
    end = server.clock.now() + 2 * limits.MINUTE
    await server.app.storage.write(lambda tx: accounts.set_guest_end(tx, Operator(org.id), guest.id, end))
    assert (await renewing.ask("renew", token=guest.token))["expires"] == end
    later = await Peer.open(server.ports["lgwan"])
    assert (await later.ask("auth", token=guest.token))["expires"] == end
    server.clock.ahead += 2 * limits.MINUTE
    try:
        for peer in (waiting, renewing, later):
            assert await peer.closed(SOON) == closing.EXPIRED
    finally:
        server.clock.ahead = 0


async def test_a_guest_whose_time_is_over_is_in_no_room(server: RunningServer, world: World) -> None:
    """What a socket still sends before it is closed finds nothing."""
    org, guest = await guest_for_a_day(world)
    room = await world.room(await world.person(org), guest)
    sent = await world.post(guest, room)
    server.clock.ahead += limits.DAY
    try:
        with pytest.raises(Problem, match="3001"):
            await world.post(guest, room)
        with pytest.raises(Problem, match="4001"):
            await server.app.storage.read(lambda tx: history.message(tx, guest.actor, str(sent.id)))
    finally:
        server.clock.ahead = 0


async def test_a_slow_reader_is_ended_and_memory_stays_bounded(server: RunningServer, world: World) -> None:
    """The reader stops reading; its queue fills to a mebibyte; it is closed with 4001 and comes back by resume."""
    world.made += 1
    org = await world.organization(f"org{world.made}", "みどり野市")
    writer, reader = await world.person(org), await world.person(org)
    room = await world.room(writer, reader)
    slow = await Peer.open(server.ports["lgwan"], max_queue=1)
    await slow.ask("auth", token=reader.token)
    resumed = await slow.ask("resume")
    slow.connection.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
    slow.connection.transport.pause_reading()
    connections = server.app.hub.users[reader.actor.user_id]
    peer = await Peer.live(server.ports["lgwan"], writer.token)
    sent = 0
    while connections and sent < 400:
        sent += 1
        await peer.ask("send", room=room, client_msg_id=f"slow-{sent:05d}", blocks=text("長" * 15_000))
        peer.heard.clear()
    assert not connections, "the slow reader still holds its queue"
    slow.connection.transport.resume_reading()
    assert await slow.closed() == closing.SLOW
    received = [wire["seq"] for wire in slow.heard if wire["op"] == "event"]
    first = resumed["rooms"][room]["head"] + 1
    assert received == list(range(first, first + len(received))), "what was delivered was whole and in order"
    back = await Peer.live(server.ports["lgwan"], reader.token, rooms={room: received[-1]})
    page = await back.ask("pull", room=room, after=received[-1], limit=500)
    assert [event["seq"] for event in page["events"]] == list(range(received[-1] + 1, page["head"] + 1))
    await back.close()
    await peer.close()
