"""Lists go page by page, each thing once and in its order."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from chat_server.domain.ids import new_id
from chat_server.ports import Tx
from chat_server.services import rooms
from chat_server.services.changing import bookmark, pin
from chat_server.services.commands import Bookmark, Pin
from chat_server.storage.queries import departments
from tests.support.api import Api, code_of
from tests.support.world import Org, Someone, World

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def pages(api: Api, operation: str, path: Mapping[str, str] | None = None, **params: Any) -> list[Any]:
    """Everything, two at a time."""
    found: list[Any] = []
    cursor = None
    while True:
        page = await api.call(operation, path, params={**params, "limit": 2, **({"cursor": cursor} if cursor else {})})
        assert page.status_code == 200, page.text
        assert len(page.json()["items"]) <= 2
        found += page.json()["items"]
        cursor = page.json()["next"]
        if cursor is None:
            return found


async def appoint(world: World, org: Org, person: Someone, position: int, rank: int, reading: str) -> None:
    async def write(tx: Tx) -> None:
        row = await tx.one(
            "INSERT INTO departments (public_id, org_id, code, name, position, created_at)"
            " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (org_id, code) DO UPDATE SET position = excluded.position RETURNING id",
            new_id(tx.now), org.id, f"d{position}", f"第{position}課", position, tx.now,
        )  # fmt: skip
        assert row is not None
        await tx.run(
            "INSERT INTO appointments (org_id, user_id, department_id, kind, post, rank, starts_at, created_at)"
            " VALUES (?, ?, ?, 'main', '主事', ?, 0, ?)",
            org.id, person.actor.user_id, row[0], rank, tx.now,
        )  # fmt: skip
        await tx.run("UPDATE users SET reading = ? WHERE id = ?", reading, person.actor.user_id)

    await world.server.app.storage.write(write)


async def test_members_stand_in_department_order(world: World, document: Mapping[str, Any]) -> None:
    org = await world.organization("order", "みどり野市")
    second, first, chief, third, unplaced = await asyncio.gather(*(world.person(org, f"人 {n}") for n in range(5)))
    await appoint(world, org, second, 1, 5, "さとう")
    await appoint(world, org, first, 1, 5, "かとう")
    await appoint(world, org, chief, 1, 1, "わたなべ")
    await appoint(world, org, third, 2, 1, "あべ")
    room = await world.room(unplaced, third, second, first, chief)
    api = Api(world.server.client(third.token), document)
    async with api.client:
        members = await pages(api, "list_members", {"room": room})
        assert [one["id"] for one in members] == [chief.id, first.id, second.id, third.id, unplaced.id]
        assert [one["role"] for one in members] == ["member"] * 4 + ["owner"]
        people = await pages(api, "list_people")
        people = [one for one in people if one["kind"] != "bot"]
        assert [one["id"] for one in people] == [chief.id, first.id, second.id, third.id, unplaced.id]
        tampered = await api.call("list_members", {"room": room}, params={"cursor": "AAAA"})
        assert (code_of(tampered), tampered.json()["error"]["field"]) == (2001, "cursor")


async def test_members_are_found_by_name_reading_and_login_page_by_page(
    world: World, document: Mapping[str, Any]
) -> None:
    org = await world.organization("sought", "みどり野市")
    owner, tanaka, tani, other = [
        await world.person(org, name) for name in ("高橋 健", "田中 美咲", "谷 一", "佐藤 一")
    ]
    for number, (someone, reading) in enumerate(
        ((owner, "たかはし"), (tanaka, "たなか"), (tani, "たに"), (other, "さとう"))
    ):
        await appoint(world, org, someone, 1, number, reading)
    room = await world.room(owner, tanaka, tani, other)
    outside = await world.person(org, "田端 外")
    api = Api(world.server.client(owner.token), document)
    async with api.client:

        async def found(q: str) -> list[str]:
            seen, cursor = [], None
            while True:
                params = {"q": q, "limit": 1} | ({"cursor": cursor} if cursor else {})
                page = (await api.call("list_members", {"room": room}, params=params)).json()
                seen += [one["id"] for one in page["items"]]
                cursor = page["next"]
                if cursor is None:
                    return seen

        assert await found("た") == [owner.id, tanaka.id, tani.id]
        assert await found("ﾀﾅｶ") == [tanaka.id]
        assert await found("田") == [tanaka.id], f"not {outside.id}, who is not in the room"
        assert await found("%") == []
        assert await found(" ") == [owner.id, tanaka.id, tani.id, other.id]
        long = await api.call("list_members", {"room": room}, params={"q": "た" * 81})
        assert (code_of(long), long.json()["error"]["field"]) == (2001, "q")


async def test_departments_tell_how_many_are_in_them_and_below(world: World, document: Mapping[str, Any]) -> None:
    org = await world.organization("counted", "みどり野市")
    guest = await world.person(org, kind="guest")
    one, two, gone = [await world.person(org) for _ in range(3)]

    async def write(tx: Tx) -> None:
        top = await departments.insert(tx, new_id(tx.now), org.id, None, "k1", "建設部", 1)
        road = await departments.insert(tx, new_id(tx.now), org.id, top, "k2", "道路課", 2)
        await departments.insert(tx, new_id(tx.now), org.id, top, "k3", "下水道課", 3)
        # Somebody with a post in both counts once; who has not begun, or was disabled, does not.
        await departments.appoint(tx, org.id, one.actor.user_id, road, "main", "主事", 5, 0, None)
        await departments.appoint(tx, org.id, one.actor.user_id, top, "concurrent", "主幹", 5, 0, None)
        await departments.appoint(tx, org.id, two.actor.user_id, top, "main", "部長", 1, 0, None)
        await departments.appoint(tx, org.id, two.actor.user_id, road, "concurrent", "課長", 1, tx.now + 10**9, None)
        await departments.appoint(tx, org.id, gone.actor.user_id, road, "main", "主事", 5, 0, None)
        await tx.run("UPDATE users SET disabled_at = ? WHERE id = ?", tx.now, gone.actor.user_id)

    await world.server.app.storage.write(write)
    api = Api(world.server.client(one.token), document)
    async with api.client:
        counted = (await api.call("get_directory", params={"counts": "true"})).json()["departments"]
        assert [(each["name"], each["people"]) for each in counted] == [("建設部", 2), ("道路課", 1), ("下水道課", 0)]
        for each in counted:
            listed = (await api.call("list_people", params={"department": each["id"]})).json()["items"]
            assert len(listed) == each["people"]
        plain = (await api.call("get_directory")).json()["departments"]
        assert all("people" not in each for each in plain)
    api = Api(world.server.client(guest.token), document)
    async with api.client:
        assert (await api.call("get_directory", params={"counts": "true"})).json()["departments"] == []


async def test_open_rooms_without_ones_own_and_without_the_archived(world: World, document: Mapping[str, Any]) -> None:
    org = await world.organization("open", "みどり野市")
    owner, person, guest = await asyncio.gather(world.person(org), world.person(org), world.person(org, kind="guest"))
    made = [await world.room(owner, kind="open") for _ in range(5)]
    joined = await world.room(owner, person, kind="open")
    await world.room(owner)
    gone = await world.room(owner, kind="open")
    await world.server.app.storage.write(
        lambda tx: rooms.change(tx, owner.actor, gone, rooms.RoomChange(archived=True))
    )
    api = Api(world.server.client(person.token), document)
    async with api.client:
        found = [one["id"] for one in await pages(api, "list_open_rooms")]
    assert sorted(found) == sorted(made)
    assert joined not in found
    api = Api(world.server.client(guest.token), document)
    async with api.client:
        assert await pages(api, "list_open_rooms") == []


async def test_bookmarks_and_pins(world: World, document: Mapping[str, Any]) -> None:
    org = await world.organization("marks", "みどり野市")
    owner, person = await asyncio.gather(world.person(org), world.person(org))
    room = await world.room(owner, person)
    sent = [(await world.post(owner, room)).id or "" for _ in range(5)]

    async def mark_all(tx: Tx) -> None:
        for message in sent:
            await bookmark(tx, person.actor, Bookmark(ref=1, message=message, on=True))

    await world.server.app.storage.write(mark_all)
    await world.server.app.storage.write(lambda tx: pin(tx, owner.actor, Pin(ref=1, message=sent[0], on=True)))
    api = Api(world.server.client(person.token), document)
    async with api.client:
        marked = await pages(api, "list_bookmarks")
        assert [one["message"]["id"] for one in marked] == sent[::-1]
        pinned = (await api.call("list_pins", {"room": room})).json()["items"]
        assert [one["id"] for one in pinned] == [sent[0]]
        assert pinned[0]["pinned"] is True


async def test_a_page_of_messages_around_a_place(world: World, document: Mapping[str, Any]) -> None:
    org = await world.organization("pages", "みどり野市")
    owner = await world.person(org)
    room = await world.room(owner)
    seqs = [(await world.post(owner, room)).seq or 0 for _ in range(7)]
    api = Api(world.server.client(owner.token), document)

    async def page(**params: int) -> tuple[list[int], bool]:
        answer = (await api.call("list_messages", {"room": room}, params=params)).json()
        assert answer["head"] == seqs[-1]
        return [message["seq"] for message in answer["messages"]], answer["first"]

    async with api.client:
        assert await page(limit=3) == (seqs[-3:], False)
        assert await page(limit=3, before=seqs[-3]) == (seqs[-6:-3], False)
        assert await page(limit=3, before=seqs[-6]) == (seqs[:-6], True)
        assert (await page(limit=2, after=seqs[3]))[0] == seqs[4:6]
        around, _ = await page(limit=4, around=seqs[3])
        assert seqs[3] in around
        assert around == sorted(around)
        assert (await page(limit=200))[0] == seqs
        times = [m["at"] for m in (await api.call("list_messages", {"room": room})).json()["messages"]]
        first_then = seqs[times.index(times[4])]
        assert await page(limit=2, at=times[4]) == ([first_then, first_then + 1], False)
        assert (await page(limit=4, at=0)) == (seqs[:2], True)
        assert (await page(limit=2, at=times[-1] + 1))[0] == seqs[-1:]
        over = await api.call("list_messages", {"room": room}, params={"limit": 201})
        assert code_of(over) == 2001
