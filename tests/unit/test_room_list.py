"""Outsiders in the room list: named wherever they are, and nothing reads the members of a room to find them."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from chat_server.clock import SystemClock
from chat_server.domain.actors import GUEST, ORGANIZATION_ADMIN, Actor
from chat_server.ports import Reader, Tx
from chat_server.services import room_list, rooms, sharing
from chat_server.services.rooms import Invitation, NewRoom
from tests.support.engines import open_storage
from tests.support.people import add_organization, add_person

pytestmark = pytest.mark.asyncio

ROOMS = 30
CROWD = 3_000


async def test_guests_by_name_and_other_organizations_once(tmp_path: Path) -> None:
    storage = await open_storage(tmp_path, SystemClock())
    try:
        admin = (ORGANIZATION_ADMIN,)
        org_id = await add_organization(storage)
        owner = await add_person(storage, org_id, "owner", roles=admin)
        guests = [await add_person(storage, org_id, name, kind=GUEST) for name in ("tobu", "asahi")]
        there = await add_organization(storage, "kazamihara", "風見原町")
        opener, theirs = [await add_person(storage, there, name, roles=admin) for name in ("opener", "theirs")]
        foreign_guest = await add_person(storage, there, "foreign", kind=GUEST)
        room = await storage.write(lambda tx: rooms.create(tx, owner, NewRoom(kind="private", name="広域の道路")))

        async def outsiders(who: Actor = owner) -> list[str]:
            return list((await storage.read(lambda tx: room_list.room_of(tx, who, room)))["outsiders"])

        async def invite(by: Actor, *who: Actor) -> None:
            await storage.write(lambda tx: rooms.invite(tx, by, room, Invitation(tuple(one.id for one in who))))

        assert await outsiders() == []
        await invite(owner, *guests)
        assert await outsiders() == ["asahiさん", "tobuさん"]
        await storage.write(lambda tx: sharing.offer(tx, owner, room, "kazamihara"))
        assert await outsiders() == ["asahiさん", "tobuさん"]
        await storage.write(lambda tx: sharing.open_side(tx, opener, room))
        await invite(opener, theirs, foreign_guest)
        for who in (owner, theirs, guests[0]):
            assert await outsiders(who) == ["asahiさん", "tobuさん", "風見原町"]
        await storage.write(lambda tx: rooms.remove(tx, owner, room, guests[0].id))
        await storage.write(lambda tx: sharing.close_side(tx, opener, room))
        assert await outsiders() == ["asahiさん"]
    finally:
        await storage.close()


async def test_a_crowd_in_every_room_costs_nothing(tmp_path: Path) -> None:
    """The room list used to read every member of every room, twice: 15 ms for 50 rooms of 2,000."""
    storage = await open_storage(tmp_path, SystemClock())
    try:
        org_id = await add_organization(storage)
        owner = await add_person(storage, org_id, "owner")
        new = NewRoom(kind="private", name="道路課")
        made = [await storage.write(lambda tx: rooms.create(tx, owner, new)) for _ in range(2 * ROOMS)]

        async def crowd(tx: Tx) -> None:
            """The second half of the rooms get everybody."""
            await tx.run(
                "INSERT INTO users (public_id, org_id, kind, login, name, created_at)"
                " WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
                " SELECT 'crowd' || i, ?, 'member', 'crowd' || i, '群衆 一', 0 FROM n",
                CROWD, org_id,
            )  # fmt: skip
            await tx.run(
                "INSERT INTO memberships (org_id, room_id, user_id, role, outsider, from_seq, visible_seq,"
                " visible_ordinal, joined_at)"
                " SELECT u.org_id, r.id, u.id, 'member', 0, 1, 1, 0, 0 FROM rooms r JOIN users u ON u.login LIKE 'crowd%'"
                " WHERE r.id > (SELECT id FROM rooms WHERE public_id = ?)",
                made[ROOMS - 1],
            )  # fmt: skip

        await storage.write(crowd)

        async def seconds(some: list[str]) -> float:
            async def look(tx: Reader) -> None:
                for room in some:
                    await room_list.room_of(tx, owner, room)

            best = float("inf")
            for _ in range(5):
                begun = time.process_time()
                await storage.read(look)
                best = min(best, time.process_time() - begun)
            return best

        assert await seconds(made[ROOMS:]) < 2 * await seconds(made[:ROOMS])
    finally:
        await storage.close()
