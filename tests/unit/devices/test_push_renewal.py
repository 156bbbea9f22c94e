"""The secret of a browser's worker: what it is good for, what ends it, and that everything else looks like no secret at all."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Final

import pytest

from chat_server.domain import limits
from chat_server.domain.actors import Actor
from chat_server.domain.devices import renewal_hash
from chat_server.domain.errors import PUSH_RENEWAL_GONE, RATE_LIMITED, Problem
from chat_server.domain.ids import new_id, new_secret
from chat_server.ports import AnyStorage, Tx
from chat_server.services import device_keeping, devices, restoring
from chat_server.storage.queries import push_renewals, push_tokens, sessions
from chat_server.storage.queries.push_tokens import NewToken
from mobile_api.devices.renewing import renew
from tests.support.people import add_organization, add_person
from tests.unit.devices.conftest import UNFIT, live

BOTH_ENGINES = True
OLD: Final = NewToken("web_push", "https://push.example/old", "BPk", "auth", "", "en")
NEW: Final = NewToken("web_push", "https://push.example/new", "BPn", "auth2")


async def registered(storage: AnyStorage, person: Actor, old: NewToken = OLD) -> str:
    """As `PUT /api/devices/me/push` does it; the secret."""
    secret = new_secret()

    async def register(tx: Tx) -> None:
        await push_tokens.put(tx, new_id(tx.now), person.org_id, person.user_id, person.device_id, old)
        await push_renewals.keep(tx, person.device_id, renewal_hash(secret))

    await storage.write(register)
    return secret


async def tried(storage: AnyStorage, secret: str, new: NewToken = NEW, zone: str = "lgwan") -> str:
    """`renewed`, or the name of the error."""
    try:
        await renew(storage, secret, new, zone, "192.0.2.1", "lgwan")
    except Problem as problem:
        # Nothing tells one refusal from another.
        return problem.fault.name if problem.params.keys() <= {"retry_after"} else f"{problem.params}"
    return "renewed"


async def rows(storage: AnyStorage, sql: str) -> list[tuple[object, ...]]:
    return [tuple(row) for row in await storage.read(lambda reader: reader.all(sql))]


GONE: Final = PUSH_RENEWAL_GONE.name


async def test_the_device_is_woken_there_from_then_on_as_it_was_before(storage: AnyStorage) -> None:
    person = await add_person(storage, await add_organization(storage), "sato")
    secret = await registered(storage, person)
    assert await tried(storage, secret) == "renewed"
    [token] = await live(storage, person)
    assert (token.device_id, token.token, token.p256dh, token.auth) == (
        person.device_id, NEW.token, NEW.p256dh, NEW.auth,
    )  # fmt: skip
    assert token.language == "en", "the worker does not know it, and the server does"


async def test_a_device_whose_old_token_the_provider_ended_is_woken_again(storage: AnyStorage) -> None:
    person = await add_person(storage, await add_organization(storage), "sato")
    secret = await registered(storage, person)
    [old] = await live(storage, person)
    await storage.write(lambda tx: push_tokens.drop(tx, old.id, "unregistered"))
    assert await live(storage, person) == []
    assert await tried(storage, secret) == "renewed"
    assert [token.token for token in await live(storage, person)] == [NEW.token]


async def test_the_same_again_changes_nothing_and_the_secret_stays_good(storage: AnyStorage) -> None:
    person = await add_person(storage, await add_organization(storage), "sato")
    secret = await registered(storage, person)
    await tried(storage, secret)
    before = await rows(storage, "SELECT * FROM push_tokens ORDER BY id"), await rows(storage, "SELECT * FROM devices")
    assert await tried(storage, secret) == "renewed", "an answer that was lost is asked for again"
    after = await rows(storage, "SELECT * FROM push_tokens ORDER BY id"), await rows(storage, "SELECT * FROM devices")
    assert after == before
    third = NewToken("web_push", "https://push.example/third", "BPt", "auth3")
    assert await asyncio.gather(*(tried(storage, secret, third) for _ in range(4))) == ["renewed"] * 4
    assert [token.token for token in await live(storage, person)] == [third.token]


async def test_another_devices_pushes_are_not_to_be_had_by_it(storage: AnyStorage) -> None:
    org_id = await add_organization(storage)
    first, last = await add_person(storage, org_id, "sato"), await add_person(storage, org_id, "ito")
    theirs = NewToken("web_push", "https://push.example/theirs", "BPi", "auth4")
    secret, other = await registered(storage, first), await registered(storage, last, theirs)
    assert await tried(storage, secret, theirs) == GONE, "a token moves with a session, and not by this"
    assert await tried(storage, other) == "renewed"
    assert sorted((token.user_id, token.token) for token in await live(storage, first, last)) == [
        (first.user_id, OLD.token),
        (last.user_id, NEW.token),
    ]


async def test_no_secret_looks_like_a_wrong_one(storage: AnyStorage) -> None:
    person = await add_person(storage, await add_organization(storage), "sato")
    await registered(storage, person)
    for secret in (new_secret(), "", "\udc80", renewal_hash(new_secret())):
        assert await tried(storage, secret) == GONE
    [(kept,)] = await rows(storage, "SELECT renewal_hash FROM devices")
    assert await tried(storage, str(kept)) == GONE, "what a stolen database tells is not the secret"
    assert [token.token for token in await live(storage, person)] == [OLD.token]


async def test_it_is_good_in_the_zone_of_its_session_alone(storage: AnyStorage) -> None:
    person = await add_person(storage, await add_organization(storage), "sato", zone="internet")
    secret = await registered(storage, person)
    assert await tried(storage, secret) == GONE
    assert await tried(storage, secret, zone="internet") == "renewed"


@pytest.mark.parametrize("sql", UNFIT)
async def test_a_device_that_may_do_nothing_looks_like_a_wrong_secret(storage: AnyStorage, sql: str) -> None:
    """As of this moment, whether or not something cleared the secret."""
    person = await add_person(storage, await add_organization(storage), "sato")
    secret = await registered(storage, person)
    await storage.write(lambda tx: tx.run(sql))
    assert await tried(storage, secret) == GONE
    assert await rows(storage, "SELECT token FROM push_tokens") == [(OLD.token,)]


@pytest.mark.parametrize(
    ("rule", "ownership", "answer"),
    [
        ("everywhere", "", "renewed"),
        ("issued", "", GONE),
        ("issued", "issued", "renewed"),
        ("most_trusted", "issued", GONE),
    ],
)
async def test_only_from_where_the_organization_lets_it_come(
    storage: AnyStorage, rule: str, ownership: str, answer: str
) -> None:
    person = await add_person(storage, await add_organization(storage), "sato", zone="internet")
    secret = await registered(storage, person)
    policy = json.dumps({"device_zones": rule})
    await storage.write(lambda tx: tx.run("UPDATE organizations SET policy = ?", policy))
    await storage.write(lambda tx: tx.run("UPDATE devices SET ownership = ?", ownership))
    assert await tried(storage, secret, zone="internet") == answer


ENDS: Final[dict[str, Callable[[Tx, Actor], Awaitable[object]]]] = {
    "signed out": lambda tx, person: devices.sign_out(tx, person, person.device),
    "all of the person's": lambda tx, person: devices.end_all(tx, person.user_id, person.org_id),
    "a refresh token used twice": lambda tx, person: sessions.revoke(tx, person.device_id),
    "asked to wipe": lambda tx, person: device_keeping.wipe_own(tx, person, person.device),
    "restored": lambda tx, person: restoring.restored(tx),
}


@pytest.mark.parametrize("end", ENDS)
async def test_it_ends_with_all_that_its_device_holds(storage: AnyStorage, end: str) -> None:
    person = await add_person(storage, await add_organization(storage), "sato")
    secret = await registered(storage, person)
    await storage.write(lambda tx: ENDS[end](tx, person))
    assert await tried(storage, secret) == GONE
    assert await rows(storage, "SELECT renewal_hash FROM devices") == [(None,)]


async def test_a_device_that_is_signed_out_meanwhile_gets_nothing(storage: AnyStorage) -> None:
    person = await add_person(storage, await add_organization(storage), "sato")
    secret = await registered(storage, person)
    _, answer = await asyncio.gather(
        storage.write(lambda tx: devices.sign_out(tx, person, person.device), org_id=person.org_id),
        tried(storage, secret),
    )
    assert answer in ("renewed", GONE)
    assert await live(storage, person) == []
    assert await rows(storage, "SELECT 1 FROM push_tokens WHERE dropped_at IS NULL") == []


async def test_who_tries_many_has_to_wait_and_keeps_nobody_out(
    storage: AnyStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "PUSH_RENEWALS_MISSED", 3)
    monkeypatch.setattr(limits, "PUSH_RENEWALS", 2)
    person = await add_person(storage, await add_organization(storage), "sato")
    secret = await registered(storage, person)
    later = RATE_LIMITED.name
    assert [await tried(storage, new_secret()) for _ in range(5)] == [GONE] * 3 + [later] * 2
    several = [NewToken("web_push", f"https://push.example/{number}", "BPk", "auth") for number in range(4)]
    assert [await tried(storage, secret, new) for new in several] == ["renewed"] * 2 + [later] * 2
    assert await tried(storage, secret, several[1]) == "renewed", "the same again is none of them"
    assert [token.token for token in await live(storage, person)] == [several[1].token]
