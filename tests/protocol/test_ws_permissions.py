"""Every command × every kind of person, as one table says, on a real server. A command without a row fails."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import pytest

from chat_server.domain.actors import ORGANIZATION_ADMIN, ROLES
from chat_server.services import rooms
from chat_server.services.commands import COMMANDS
from chat_server.services.rooms import Invitation
from tests.support.peer import Peer, text
from tests.support.server import RunningServer
from tests.support.world import Someone, World

pytestmark = pytest.mark.asyncio(loop_scope="module")

OK: Final = 0
UNHEARD: Final = -1
"""Of `typing`, which is never answered: nobody who looks at the room hears of it."""


class Row(NamedTuple):
    """0 or the number of the error. The message acted on is the owner's; the first four are in the room."""

    owner: int
    member: int
    read_only: int
    guest: int
    colleague: int
    """of the organization, not in the room"""
    administrator: int
    department_admin: int
    auditor: int
    records_officer: int
    """roles of the organization, not in the room: they run it, and do not read its talk"""
    stranger: int
    """administrator of another organization"""


def everybody(answer: int) -> Row:
    return Row(*[answer] * len(Row._fields))


def members(owner: int, member: int, read_only: int, guest: int, outside: int) -> Row:
    """A command about a room: whoever is not in it is `outside`, whatever they are otherwise."""
    return Row(owner, member, read_only, guest, *[outside] * (len(Row._fields) - 4))


TABLE: Final[dict[str, Row]] = {
    "auth": everybody(OK),
    "renew": everybody(OK),
    "ping": everybody(OK),
    "resume": everybody(OK),
    "pull": members(OK, OK, OK, OK, 3001),
    "send": members(OK, OK, 3003, OK, 3001),
    "edit": members(OK, 4004, 4004, 4004, 4001),
    "redact": members(OK, 4004, 4004, 4004, 4001),
    "react": members(OK, OK, OK, OK, 4001),
    "pin": members(OK, OK, 3003, OK, 4001),
    "bookmark": members(OK, OK, OK, OK, 4001),
    "read": members(OK, OK, OK, OK, 3001),
    "involve": members(OK, OK, OK, OK, 3001),
    "look": members(OK, OK, OK, OK, 3001),
    "watch": everybody(OK),  # whom one may not know of is left out of the answer
    "typing": members(OK, OK, OK, OK, UNHEARD),
}


async def test_every_command_has_its_row() -> None:
    assert set(TABLE) == {command.__struct_config__.tag for command in COMMANDS}


async def test_every_role_has_its_column() -> None:
    assert {*ROLES, "administrator"} - {ORGANIZATION_ADMIN} <= set(Row._fields)


@pytest.mark.parametrize("command", [name for name in TABLE if name not in ("auth", "resume")])
async def test_the_table_is_true(server: RunningServer, world: World, command: str) -> None:
    for who in Row._fields:
        expected = getattr(TABLE[command], who)
        answer = await _try(server, world, command, who)
        assert answer.get("code", OK) == expected, (command, who, answer)


async def _try(server: RunningServer, world: World, command: str, who: str) -> dict[str, Any]:
    """The command by `who` in a room made for this cell; what is refused must leave the room as it was."""
    world.made += 1
    home = await world.organization(f"home{world.made}", "みどり野市")
    far = await world.organization(f"far{world.made}", "風見原町")
    people = {
        "owner": await world.person(home),
        "member": await world.person(home),
        "read_only": await world.person(home),
        "guest": await world.person(home, kind="guest"),
        "colleague": await world.person(home),
        "administrator": await world.person(home, role="organization_admin"),
        "department_admin": await world.person(home),
        "auditor": await world.person(home, role="auditor"),
        "records_officer": await world.person(home, role="records_officer"),
        "stranger": await world.person(far, role="organization_admin"),
    }
    owner = people["owner"]
    department = await world.department(home, "道路課")
    await world.appoint(owner, department)
    await world.put_in_charge(people["department_admin"], department)
    room = await world.room(owner, people["member"], people["guest"])
    viewer = Invitation((people["read_only"].id,), role="read_only")
    await server.app.storage.write(lambda tx: rooms.invite(tx, owner.actor, room, viewer))
    message = (await world.post(owner, room)).id
    fields: dict[str, dict[str, Any]] = {
        "renew": {"token": people[who].token},
        "ping": {},
        "pull": {"room": room, "after": 0},
        "send": {"room": room, "client_msg_id": "message1", "blocks": text("確認しました。")},
        "edit": {"message": message, "version": 1, "blocks": text("直しました。")},
        "redact": {"message": message},
        "react": {"message": message, "key": "承知しました", "on": True},
        "pin": {"message": message, "on": True},
        "bookmark": {"message": message, "on": True},
        "read": {"room": room, "upto": 2},
        "involve": {"room": room, "involvement": "mentions"},
        "look": {"room": room},
        "watch": {"users": [owner.id]},
    }
    before = await _state(server, room)
    peer = await Peer.live(server.ports["lgwan"], people[who].token)
    if command == "typing":
        answer = await _typing(server, peer, room, people["owner" if who == "member" else "member"])
    else:
        answer = await peer.ask(command, **fields[command])
    await peer.close()
    if "code" in answer:
        assert await _state(server, room) == before
    return answer


async def _typing(server: RunningServer, peer: Peer, room: str, onlooker: Someone) -> dict[str, Any]:
    looking = await Peer.live(server.ports["lgwan"], onlooker.token)
    assert (await looking.ask("look", room=room))["op"] == "result"
    await peer.say({"op": "typing", "room": room})
    await peer.ask("ping")
    heard = [wire for wire in await looking.nothing_but() if wire["op"] == "typing"]
    await looking.close()
    return {} if heard else {"code": UNHEARD}


async def _state(server: RunningServer, room: str) -> list[Any]:
    async def read(tx: Any) -> list[Any]:
        found = list(await tx.all("SELECT * FROM rooms WHERE public_id = ?", room))
        key = found[0][0]
        for table in ("events", "messages", "memberships"):
            found += await tx.all(f"SELECT * FROM {table} WHERE room_id = ?", key)
        for table in ("reactions", "bookmarks", "sends"):
            found += await tx.all(f"SELECT * FROM {table} ORDER BY 1, 2")
        return found

    return await server.app.storage.read(read)


async def test_watching_a_stranger_tells_nothing(server: RunningServer, world: World) -> None:
    world.made += 1
    one = await world.person(await world.organization(f"a{world.made}", "みどり野市"))
    other = await world.person(await world.organization(f"b{world.made}", "風見原町"))
    peer = await Peer.live(server.ports["lgwan"], one.token)
    assert (await peer.ask("watch", users=[other.id]))["presence"] == {}
    await peer.close()
