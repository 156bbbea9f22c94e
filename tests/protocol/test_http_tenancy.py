"""Every id of organization A, given by organization B wherever an id is taken: as if it did not exist, and nothing
changes (security.md, 16; ASVS 8.4.1). Ids in addresses are in the table of permissions; these stand in bodies and
queries."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import msgspec
import pytest
import pytest_asyncio

from chat_server.domain.actors import ORGANIZATION_ADMIN
from chat_server.domain.ids import new_id
from chat_server.domain.limits import DAY
from chat_server.ports import Tx
from chat_server.services import notes, scheduling
from chat_server.services.blocks import Text
from chat_server.services.commands import Send
from chat_server.services.drafts import draft
from chat_server.services.notes import Saved
from tests.protocol.test_http_permissions import fingerprint
from tests.support.api import Api, code_of
from tests.support.calls import CALLS
from tests.support.server import RunningServer
from tests.support.world import World
from tests.unit.photo_samples import encoded, picture

BOTH_ENGINES = True

on_one_loop = pytest.mark.asyncio(loop_scope="module")

Ids = dict[str, str]
TOMORROW: Final = int(time.time() * 1000) + DAY


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ids(world: World) -> Ids:
    """`a_…` are of organization A; `room` and `token` of an administrator of B, who owns that room."""
    a = await world.organization("midorino", "みどり野市")
    b = await world.organization("kazamihara", "風見原町")
    person = await world.person(a)
    stranger = await world.person(b, role=ORGANIZATION_ADMIN)
    a_room = await world.room(person)
    message = await world.post(person, a_room)
    async with world.server.client(person.token) as client:
        photo = (await client.post("/api/photos", content=encoded(picture()))).json()["id"]

    async def add_department(tx: Tx) -> str:
        public_id = new_id(tx.now)
        await tx.run(
            "INSERT INTO departments (public_id, org_id, code, name, position, created_at) VALUES (?, ?, 'd', '課', 1, 1)",
            public_id, a.id,
        )  # fmt: skip
        return public_id

    assert message.id is not None
    note = await server_write(world, lambda tx: notes.create(tx, person.actor, a_room, "経過", (), ()))
    room = await world.room(stranger)
    own_note = await server_write(world, lambda tx: notes.create(tx, stranger.actor, room, "経過", (), ()))
    later = draft(Send(ref=1, room=room, client_msg_id="scheduled", blocks=(Text("後で"),)))
    waiting = await world.server.app.storage.write(lambda tx: scheduling.schedule(tx, stranger.actor, later, TOMORROW))
    return {
        "a_user": person.id,
        "a_device": person.actor.device,
        "a_room": a_room,
        "a_message": message.id,
        "a_note": note.id,
        "note": own_note.id,
        "a_photo": photo,
        "a_department": await world.server.app.storage.write(add_department),
        "room": room,
        "scheduled": waiting["id"],
        "token": stranger.token,
        "own_user": stranger.id,
    }


async def server_write(world: World, act: Callable[[Tx], Awaitable[Saved]]) -> Saved:
    return await world.server.app.storage.write(act)


def text(words: str) -> list[dict[str, str]]:
    return [{"type": "text", "text": words}]


REQUESTS: Final[dict[str, tuple[str, Mapping[str, Any], int]]] = {
    "first members": ("create_room", {"json": {"kind": "private", "name": "x", "members": ["{a_user}"]}}, 6001),
    "direct": ("open_direct_room", {"json": {"user": "{a_user}"}}, 6001),
    "invite": ("invite_members", {"json": {"users": ["{a_user}"]}}, 6001),
    "role": ("change_member", {"json": {"role": "owner"}}, 3007),
    "remove": ("remove_member", {}, 3007),
    "quote": (
        "send_message",
        {"json": {"client_msg_id": "quote-of-a", "blocks": text("x"), "quote": "{a_message}"}},
        4001,
    ),
    "forward": ("send_message", {"json": {"client_msg_id": "forward-of-a", "forward": "{a_message}"}}, 4001),
    "photo": (
        "send_message",
        {"json": {"client_msg_id": "photo-of-a", "blocks": [{"type": "photos", "ids": ["{a_photo}"]}]}},
        5001,
    ),
    "mention": ("send_message", {"json": {"client_msg_id": "mention-a", "blocks": text("<@user:{a_user}>")}}, 4008),
    "department": (
        "send_message",
        {"json": {"client_msg_id": "department-a", "blocks": text("<@department:{a_department}>")}},
        4008,
    ),
    "later with a quote": (
        "schedule_message",
        {"json": {"at": TOMORROW, "blocks": text("x"), "quote": "{a_message}"}},
        4001,
    ),
    "later with a photo": (
        "schedule_message",
        {"json": {"at": TOMORROW, "blocks": [{"type": "photos", "ids": ["{a_photo}"]}]}},
        5001,
    ),
    "a photo instead, later": (
        "change_scheduled",
        {"json": {"version": 1, "blocks": [{"type": "photos", "ids": ["{a_photo}"]}]}},
        5001,
    ),
    "people of": ("list_people", {"params": {"department": "{a_department}"}}, 6008),
    "rename": ("change_person", {"json": {"name": "改名"}}, 6001),
    "device": ("sign_out_device", {}, 6005),
    "wipe a device": ("wipe_own_device", {}, 6005),
    "devices of": ("list_devices_of", {}, 6001),
    "approve a device": ("change_device", {"json": {"approved": True}}, 6001),
    "wipe somebody's device": ("wipe_device", {}, 6001),
    "sign somebody's device out": ("sign_out_device_of", {}, 6001),
    "search in": ("search", {"json": {"words": "道路", "room": "{a_room}"}}, 3001),
    "note of messages": ("create_note", {"json": {"title": "x", "messages": ["{a_message}"]}}, 4001),
    "note with photos": (
        "create_note",
        {"json": {"title": "x", "blocks": [{"type": "photos", "ids": ["{a_photo}"]}]}},
        5001,
    ),
    "messages into a note": ("change_note", {"json": {"version": 1, "messages": ["{a_message}"]}}, 4001),
    "photos into a note": (
        "change_note",
        {"json": {"version": 1, "blocks": [{"type": "pair", "before": "{a_photo}"}]}},
        5001,
    ),
    "an entry": ("change_note", {"json": {"version": 1, "blocks": [{"type": "entry", "id": "{a_message}"}]}}, 4036),
    "a link's room": (
        "ask_for_files",
        {"json": {"recipient": "x", "purpose": "x", "ends": TOMORROW, "told": ["{a_user}"]}},
        2001,
    ),
    "whom it rang": ("explain_push", {"params": {"user": "{a_user}", "message": "{a_message}"}}, 6001),
    "what rang": ("explain_push", {"params": {"user": "{own_user}", "message": "{a_message}"}}, 4001),
    "sponsor": (
        "add_person",
        {"json": {"login": "g", "name": "客", "kind": "guest", "sponsor": "{a_user}", "ends_at": 4_000_000_000_000}},
        6001,
    ),
}


def filled(value: Any, ids: Ids) -> Any:
    """`value` with `{a_user}` and the like filled in."""
    if isinstance(value, str):
        for name, one in ids.items():
            value = value.replace("{" + name + "}", one)
        return value
    if isinstance(value, dict):
        return {key: filled(one, ids) for key, one in value.items()}
    return [filled(one, ids) for one in value] if isinstance(value, list) else value


@on_one_loop
@pytest.mark.parametrize("name", REQUESTS)
async def test_an_id_of_another_organization_does_not_exist(
    name: str, server: RunningServer, document: Mapping[str, Any], ids: Ids
) -> None:
    operation, request, code = REQUESTS[name]
    own = {"room": ids["room"], "scheduled": ids["scheduled"], "note": ids["note"]}
    path = {**own, "user": ids["a_user"], "device": ids["a_device"]}
    api = Api(server.client(ids["token"]), document)
    before = await server.app.storage.read(fingerprint)
    async with api.client:
        answer = await api.call(operation, path, **filled(dict(request), ids))
        invented = {key: new_id(1) if key.startswith("a_") else value for key, value in ids.items()}
        nowhere = {**own, "user": invented["a_user"], "device": invented["a_device"]}
        as_if = await api.call(operation, nowhere, **filled(dict(request), invented))
    assert code_of(answer) == code, answer.text
    # Only what was asked for is said back.
    assert answer.text.replace(ids["a_department"], "…") == as_if.text.replace(invented["a_department"], "…")
    assert code_of(as_if) == code
    assert await server.app.storage.read(fingerprint) == before


@on_one_loop
async def test_addresses_leave_out_what_is_of_others(
    server: RunningServer, document: Mapping[str, Any], ids: Ids
) -> None:
    api = Api(server.client(ids["token"]), document)
    async with api.client:
        answer = await api.call("give_addresses", json={"ids": [ids["a_photo"], new_id(1)]})
    assert answer.json() == {"items": []}


@on_one_loop
async def test_a_sync_says_of_others_rooms_what_it_says_of_none(
    server: RunningServer, document: Mapping[str, Any], ids: Ids
) -> None:
    api, nowhere = Api(server.client(ids["token"]), document), new_id(1)
    held = {"rooms": {ids["a_room"]: 1, nowhere: 1}}
    async with api.client:
        answer = await api.call("sync", json=held, headers={"Accept": "application/json"})
    rooms = answer.json()["rooms"]
    assert rooms[ids["a_room"]] == rooms[nowhere] == {"state": "gone"}


@on_one_loop
async def test_a_search_finds_nobody_of_others(server: RunningServer, document: Mapping[str, Any], ids: Ids) -> None:
    api = Api(server.client(ids["token"]), document)
    async with api.client:
        everybody = (await api.call("list_people")).json()["items"]
        found = (await api.call("list_people", params={"q": "高橋"})).json()["items"]
    assert ids["a_user"] not in [person["id"] for person in everybody + found]


def test_every_call_that_takes_an_id_in_its_body_is_tried() -> None:
    """Found by the shape of the bodies: a new field that takes an id has to be tried here."""
    taking = set()
    for call in CALLS:
        if call.body is not None:
            _, components = msgspec.json.schema_components([call.body])
            if "[0-9a-v]{26}" in msgspec.json.encode(components).decode():
                taking.add(call.id)
    assert taking - {"give_addresses", "sync"} <= {operation for operation, _, _ in REQUESTS.values()}
