"""Between two steps of the server: a read and the use of what it said, a commit and its notes."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from chat_server.domain import closing, limits
from chat_server.ports import Tx
from chat_server.services import accounts, devices, rooms
from chat_server.services.blocks import Text
from chat_server.services.rooms import Invitation
from tests.support.peer import Peer
from tests.support.server import RunningServer
from tests.support.world import Someone, World

pytestmark = pytest.mark.asyncio(loop_scope="module")
BOTH_ENGINES = True


async def test_an_unexpected_fault_ends_the_socket(
    server: RunningServer, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The deadline of the first frame is over by then: nobody else would ever end it."""
    person = await world.person(await world.organization("fault", "みどり野市"))

    async def broken(use_case: Any) -> Any:
        raise sqlite3.OperationalError("unable to open database file")

    peer = await Peer.open(server.ports["lgwan"])
    with monkeypatch.context() as patch:
        patch.setattr(server.app.storage, "read", broken)
        answer = await peer.ask("auth", token=person.token)
        assert (answer["op"], answer["name"]) == ("error", "internal")
        assert answer["params"]["trace"]
        assert await peer.closed() == closing.BUSY
    again = await Peer.live(server.ports["lgwan"], person.token)
    await again.close()


@asynccontextmanager
async def after_the_first_read(server: RunningServer, patch: pytest.MonkeyPatch) -> AsyncIterator[asyncio.Event]:
    """The next read is carried out, and its answer kept back until the block ends; the event says that it is there."""
    read = server.app.storage.read
    there, go_on = asyncio.Event(), asyncio.Event()

    async def kept_back(use_case: Any) -> Any:
        first = not there.is_set()
        result = await read(use_case)
        if first:
            there.set()
            await go_on.wait()
        return result

    with patch.context() as patched:
        patched.setattr(server.app.storage, "read", kept_back)
        yield there
        go_on.set()


Act = Callable[[Tx, Someone, Someone], Awaitable[Any]]


@pytest.mark.parametrize(
    ("act", "error", "code"),
    [
        (lambda tx, admin, who: devices.sign_out(tx, who.actor, who.actor.device), 1004, closing.BAD_TOKEN),
        (lambda tx, admin, who: accounts.disable(tx, admin.actor, who.id), 6009, closing.DISABLED),
        (lambda tx, admin, who: accounts.set_guest_end(tx, admin.actor, who.id, tx.now - 1), 6009, closing.DISABLED),
    ],
    ids=["signed out", "disabled", "guest ended"],
)
async def test_who_goes_while_their_token_is_checked_does_not_come_in(
    server: RunningServer, world: World, monkeypatch: pytest.MonkeyPatch, act: Act, error: int, code: int
) -> None:
    """The token was good when it was read; the note that closes sockets passes before this one is known to the hub."""
    world.made += 1
    org = await world.organization(f"org{world.made}", "みどり野市")
    admin = await world.person(org, role="organization_admin")
    who = await world.person(org, kind="guest", ends_at=server.clock.now() + limits.DAY)
    peer = await Peer.open(server.ports["lgwan"])
    async with after_the_first_read(server, monkeypatch) as there:
        ref = await peer.send_command("auth", token=who.token)
        await there.wait()
        await server.app.storage.write(lambda tx: act(tx, admin, who))
    answer = await peer.answer(ref)
    assert (answer["op"], answer.get("code")) == ("error", error)
    assert await peer.closed() == code
    assert who.actor.user_id not in server.app.hub.users


async def test_a_guests_end_is_not_pushed_back_by_what_was_read_before_it(
    server: RunningServer, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The end is brought forward while a newer token is checked: its note has gone by when the check is done."""
    world.made += 1
    org = await world.organization(f"org{world.made}", "みどり野市")
    admin = await world.person(org, role="organization_admin")
    guest = await world.person(org, kind="guest", ends_at=server.clock.now() + limits.DAY)
    peer = await Peer.live(server.ports["lgwan"], guest.token)
    end = server.clock.now() + limits.MINUTE
    async with after_the_first_read(server, monkeypatch) as there:
        ref = await peer.send_command("renew", token=guest.token)
        await there.wait()
        await server.app.storage.write(lambda tx: accounts.set_guest_end(tx, admin.actor, guest.id, end))
    assert (await peer.answer(ref))["expires"] == end
    await peer.close()


async def test_history_that_is_on_its_way_is_hidden_from_who_comes_meanwhile(
    server: RunningServer, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One commit holds a message and the joining after it. The newcomer resumes when it can be read already, and its
    notes have not reached the hub: they find a subscription that begins after the message."""
    world.made += 1
    org = await world.organization(f"org{world.made}", "みどり野市")
    owner, newcomer = await world.person(org), await world.person(org)
    room = await world.room(owner, history="joined")
    storage = server.app.storage
    notes: list[Any] = []

    async def say_and_invite(tx: Tx) -> None:
        await world.post(owner, room, Text("聞かせない話"), tx=tx)
        await rooms.invite(tx, owner.actor, room, Invitation((newcomer.id,)))

    publish = storage.on_notes
    with monkeypatch.context() as patch:
        patch.setattr(storage, "on_notes", notes.extend)
        await storage.write(say_and_invite)
        peer = await Peer.live(server.ports["lgwan"], newcomer.token)
    publish(notes)
    await world.post(owner, room, Text("ようこそ"))
    heard = [wire for wire in await peer.nothing_but() if wire["op"] == "event"]
    assert heard[-1]["message"]["text"] == "ようこそ"
    if server.app.node is None:
        assert [(wire["seq"], wire["kind"]) for wire in heard] == [(2, "stub"), (3, "membership"), (4, "message")]
        assert set(heard[0]) == {"op", "room", "seq", "kind"}
    else:
        assert len(heard) == 1, "where others write too, nothing is told that the subscription begins after"
    assert "聞かせない話" not in str(heard)
    await peer.close()
