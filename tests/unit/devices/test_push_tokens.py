"""Where a device is woken: which tokens are live, and what becomes of one that is registered twice."""

from __future__ import annotations

import json

import pytest

from chat_server.domain.actors import Actor
from chat_server.domain.ids import new_id
from chat_server.ports import AnyStorage
from chat_server.storage.queries import push_tokens
from chat_server.storage.queries.push_tokens import NewToken
from tests.support.people import add_organization, add_person
from tests.unit.devices.conftest import UNFIT, live

BOTH_ENGINES = True
FCM = NewToken("fcm", "token-of-a-phone", "BPk", "auth", "", "ja")


async def put(storage: AnyStorage, person: Actor, new: NewToken = FCM) -> int:
    return await storage.write(
        lambda tx: push_tokens.put(tx, new_id(tx.now), person.org_id, person.user_id, person.device_id, new)
    )


async def change(storage: AnyStorage, sql: str, *values: str | int | None) -> None:
    await storage.write(lambda tx: tx.run(sql, *values))


async def test_a_token_is_live_as_it_was_registered(storage: AnyStorage) -> None:
    person = await add_person(storage, await add_organization(storage), "sato")
    key = await put(storage, person)
    [token] = await live(storage, person)
    assert (token.id, token.device, token.platform, token.token) == (key, person.device, "fcm", FCM.token)
    assert (token.p256dh, token.auth, token.language) == ("BPk", "auth", "ja")
    assert FCM.token not in repr(token)
    assert FCM.token not in repr(FCM)


async def test_nobody_is_asked_of_nobody(storage: AnyStorage) -> None:
    assert await live(storage) == []


async def test_a_token_registered_twice_belongs_to_the_last(storage: AnyStorage) -> None:
    org_id = await add_organization(storage)
    first, last = await add_person(storage, org_id, "sato"), await add_person(storage, org_id, "ito")
    old = await put(storage, first)
    new = await put(storage, last)
    assert new != old
    [token] = await live(storage, first, last)
    assert token.user_id == last.user_id
    [[text, why]] = await storage.read(
        lambda reader: reader.all("SELECT token, dropped_why FROM push_tokens WHERE id = ?", old)
    )
    assert (text, why) == ("", "moved")


async def test_the_same_again_renews_its_row_and_another_one_takes_its_place(storage: AnyStorage) -> None:
    person = await add_person(storage, await add_organization(storage), "sato")
    first = await put(storage, person)
    assert await put(storage, person, NewToken("fcm", FCM.token, "newer", "auth")) == first
    assert [token.p256dh for token in await live(storage, person)] == ["newer"]
    second = await put(storage, person, NewToken("fcm", "another"))
    assert [token.id for token in await live(storage, person)] == [second]
    assert await put(storage, person) not in (first, second), "what was dropped does not come back under its old number"


async def test_a_dropped_token_is_dropped_once_and_not_if_it_was_registered_since(storage: AnyStorage) -> None:
    person = await add_person(storage, await add_organization(storage), "sato")
    key = await put(storage, person)
    [token] = await live(storage, person)
    before = token.registered_at
    assert not await storage.write(lambda tx: push_tokens.drop(tx, key, "unregistered", before))
    assert await storage.write(lambda tx: push_tokens.drop(tx, key, "unregistered", before + 1))
    assert not await storage.write(lambda tx: push_tokens.drop(tx, key, "unregistered"))
    assert await live(storage, person) == []


@pytest.mark.parametrize("sql", UNFIT)
async def test_who_may_do_nothing_is_not_woken(storage: AnyStorage, sql: str) -> None:
    person = await add_person(storage, await add_organization(storage), "sato")
    await put(storage, person)
    assert len(await live(storage, person)) == 1
    await change(storage, sql)
    assert await live(storage, person) == []


async def test_old_ones_are_swept(storage: AnyStorage) -> None:
    person = await add_person(storage, await add_organization(storage), "sato")
    key = await put(storage, person)
    assert await storage.write(lambda tx: push_tokens.sweep(tx, tx.now + 1, 10)) == 0
    await storage.write(lambda tx: push_tokens.drop(tx, key, "unregistered"))
    assert await storage.write(lambda tx: push_tokens.sweep(tx, tx.now + 1, 10)) == 1


@pytest.mark.parametrize(
    ("rule", "ownership", "woken"),
    [("everywhere", "", True), ("issued", "", False), ("issued", "issued", True), ("most_trusted", "issued", False)],
)
async def test_only_from_where_the_organization_lets_it_come(
    storage: AnyStorage, rule: str, ownership: str, woken: bool
) -> None:
    person = await add_person(storage, await add_organization(storage), "sato", zone="internet")
    await put(storage, person)
    await change(storage, "UPDATE organizations SET policy = ?", json.dumps({"device_zones": rule}))
    await change(storage, "UPDATE devices SET ownership = ?", ownership)
    assert len(await live(storage, person)) == int(woken)
