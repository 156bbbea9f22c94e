"""What a server really sends has the fields that docs/protocol.md lists, no more and no less."""

from __future__ import annotations

import re
import typing
from typing import Any

import pytest
import pytest_asyncio

from chat_server.domain.actors import ORGANIZATION_ADMIN
from chat_server.domain.events import EventKind, OwnKind
from chat_server.domain.limits import HOUR
from chat_server.ports import Tx
from chat_server.services import accounts, attachment_events, confirming, notes, rooms, scheduling
from chat_server.services.accounts import Names
from chat_server.services.blocks import Text
from chat_server.services.commands import Send
from chat_server.services.confirming import Again
from chat_server.services.drafts import Draft, draft
from chat_server.services.rooms import Invitation, RoomChange
from tests.support.files import add_file, attach
from tests.support.page import PROTOCOL, map_at, table
from tests.support.peer import Peer, Wire, text
from tests.support.server import RunningServer
from tests.support.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")

_EVERY_EVENT = {"op", "room", "seq", "at", "kind", "by"}
_EVERY_OWN_EVENT = {"op", "seq", "at", "kind"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def heard(server: RunningServer, world: World) -> list[Wire]:
    """Everything that a person hears while everything is done that makes an event."""
    org = await world.organization("midorino", "みどり野市")
    admin, person, colleague, third = [
        await world.person(org, role=role) for role in (ORGANIZATION_ADMIN, None, None, None)
    ]
    room = await world.room(colleague, person, third)
    peer = await Peer.live(server.ports["lgwan"], person.token)
    other = await Peer.live(server.ports["lgwan"], colleague.token)
    await peer.ask("look", room=room)
    first, second = [
        await other.ask("send", room=room, client_msg_id=f"message{n}", blocks=text("倒木です")) for n in range(2)
    ]
    for op, fields in (
        (
            "send",
            {"room": room, "client_msg_id": "to-confirm", "blocks": text("確認を"), "confirm": in_hours(server, 2)},
        ),
        ("edit", {"message": first["id"], "version": 1, "blocks": text("倒木です。")}),
        ("react", {"message": first["id"], "key": "承知しました", "on": True}),
        ("pin", {"message": first["id"], "on": True}),
        ("redact", {"message": second["id"], "how": "cancelled"}),
    ):
        assert (await other.ask(op, **fields))["op"] == "ack"
    for op, fields in (
        ("read", {"room": room, "upto": second["seq"]}),
        ("involve", {"room": room, "involvement": "mentions"}),
        ("bookmark", {"message": first["id"], "on": True}),
        ("watch", {"users": [third.id]}),
    ):
        assert (await peer.ask(op, **fields))["op"] in ("ack", "result")
    await other.say({"op": "typing", "room": room})
    key, _ = await add_file(server.app.storage, server.app.blobs, colleague.actor, b"%PDF-", "application/pdf")
    await attach(server.app.storage, first["id"], key)
    await server.app.storage.write(lambda tx: attachment_events.changed(tx, key))
    direct = await server.app.storage.write(lambda tx: rooms.direct(tx, colleague.actor, person.id))
    said = await peer.ask("send", room=direct, client_msg_id="message-d", blocks=text("どうぞ"))
    await peer.ask("look", room=direct)
    await other.ask("read", room=direct, upto=said["seq"])
    coming = await Peer.live(server.ports["lgwan"], third.token)
    asking = await peer.until(lambda wire: wire.get("kind") == "message" and "confirm" in wire["message"])
    again = await server.app.storage.write(lambda tx: asked_again_now(tx, asking["message"]["id"]))
    later = scheduled(room, "後で")
    acts: tuple[Any, ...] = (
        lambda tx: confirming.ask_again(tx, again, 100),
        lambda tx: confirming.confirm(tx, person.actor, asking["message"]["id"]),
        lambda tx: scheduling.schedule(tx, person.actor, later, in_hours(server, 1)),
        lambda tx: notes.create(tx, colleague.actor, room, "経過", (), ()),
        lambda tx: rooms.change(tx, colleague.actor, room, RoomChange(topic="市道の点検")),
        lambda tx: rooms.give_role(tx, colleague.actor, room, third.id, "read_only"),
        lambda tx: rooms.remove(tx, colleague.actor, room, third.id),
        lambda tx: rooms.invite(tx, colleague.actor, room, Invitation((admin.id,))),
        lambda tx: rooms.leave(tx, admin.actor, room),
        lambda tx: accounts.rename(tx, admin.actor, person.id, Names(name="高橋 健一")),
        lambda tx: rooms.direct(tx, person.actor, admin.id),
        lambda tx: rooms.remove(tx, colleague.actor, room, person.id),
    )
    for act in acts:
        await server.app.storage.write(act)
    await world.another_device(org, person, "lgwan")
    directory = await peer.until(lambda wire: wire.get("kind") == "directory")
    everything = [asking, directory, *await peer.nothing_but()]
    for one in (coming, other, peer):
        await one.close()
    return everything


def in_hours(server: RunningServer, hours: int) -> int:
    return server.clock.now() + hours * HOUR


def scheduled(room: str, words: str) -> Draft[Send]:
    return draft(Send(ref=1, room=room, client_msg_id="scheduled", blocks=(Text(words),)))


async def asked_again_now(tx: Tx, message: str) -> Again:
    await tx.run("UPDATE messages SET confirm_again_at = created_at WHERE public_id = ?", message)
    [again] = await confirming.to_ask_again(tx, 1)
    return again


def fields(row: str) -> set[str]:
    return set(re.findall(r"(?:^|[,)] |; )`(\w+)`", row.partition(". ")[0]))


@pytest.mark.parametrize("kind", typing.get_args(EventKind))
async def test_an_event_has_the_fields_of_the_page(heard: list[Wire], kind: str) -> None:
    found = [wire for wire in heard if wire["op"] == "event" and wire["kind"] == kind]
    assert found, "never sent"
    for wire in found:
        assert set(wire) - _EVERY_EVENT == fields(table("room event `kind`")[kind])


@pytest.mark.parametrize("kind", typing.get_args(OwnKind))
async def test_an_own_event_has_the_fields_of_the_page(heard: list[Wire], kind: str) -> None:
    found = [wire for wire in heard if wire["op"] == "me" and wire["kind"] == kind]
    assert found, "never sent"
    for wire in found:
        assert set(wire) - _EVERY_OWN_EVENT == fields(table("`me` event `kind`")[kind])


async def test_memberships_change_in_the_ways_of_the_page(heard: list[Wire]) -> None:
    told = set(re.findall(r'`"(\w+)"`', table("room event `kind`")["membership"]))
    assert told == {wire["change"] for wire in heard if wire.get("kind") == "membership"}


async def test_rooms_are_told_of_as_on_the_page(heard: list[Wire]) -> None:
    found = next(wire for wire in heard if wire.get("kind") == "room")
    assert set(found["room_info"]) == set(map_at("`RoomInfo` in an event is"))


@pytest.mark.parametrize("op", ["typing", "receipt", "presence"])
async def test_what_is_never_stored_is_as_on_the_page(heard: list[Wire], op: str) -> None:
    found = next(wire for wire in heard if wire["op"] == op)
    assert set(found) == set(map_at(f'← {{"op": "{op}"'))


async def test_hello_and_resumed_are_as_on_the_page(server: RunningServer, world: World) -> None:
    person = await world.person(await world.organization("kazamihara", "風見原町"))
    peer = await Peer.open(server.ports["lgwan"])
    hello = await peer.ask("auth", token=person.token)
    told = map_at('← {"op": "hello"')
    assert set(hello) == set(told)
    assert set(hello["limits"]) == set(told["limits"])
    resumed = await peer.ask("resume")
    assert set(resumed) == set(map_at('← {"op": "resumed"'))
    page = await peer.ask("pull", after=0)
    assert set(page) == set(map_at('← {"op": "page"'))
    await peer.close()


async def test_a_redacted_message_keeps_what_the_page_says(server: RunningServer, world: World) -> None:
    org = await world.organization("aosora", "青空村")
    person = await world.person(org)
    room = await world.room(person)
    peer = await Peer.live(server.ports["lgwan"], person.token)
    ack = await peer.ask("send", room=room, client_msg_id="message1", blocks=text("誤り"))
    await peer.ask("redact", message=ack["id"], how="redacted")
    page = await peer.ask("pull", room=room, after=ack["seq"] - 1)
    told = re.search(r"A redacted message has `([^`]+)` and `(\w+)`", PROTOCOL)
    assert told
    assert set(page["events"][0]["message"]) == {*told[1].split(", "), told[2]}
    await peer.close()
