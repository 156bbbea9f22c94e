"""One push to the device that asks: what the provider is handed, and what its answers become."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field

import http_ece
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from chat_server.clock import SystemClock
from chat_server.domain.actors import Actor
from chat_server.domain.errors import Problem
from chat_server.domain.ids import new_id
from chat_server.ports import AnyStorage
from chat_server.storage.queries import push_tokens
from chat_server.storage.queries.push_tokens import NewToken
from mobile_api.devices.trying import Trying
from mobile_api.providers.port import Answer, Outcome, Parcel, Platform, Provider
from tests.support.people import add_organization, add_person

AUTH = b"0123456789abcdef"


@dataclass
class Post:
    """A provider on the other side of the interface, who keeps what he is handed."""

    answer: Answer
    platform: Platform = "web_push"
    handed: list[Parcel] = field(default_factory=list)

    async def send(self, parcel: Parcel) -> Answer:
        self.handed.append(parcel)
        return self.answer

    async def close(self) -> None:
        return


@dataclass
class Ticking:
    """A clock that a test moves."""

    at: int = 1_795_000_000_000

    def now(self) -> int:
        return self.at


def seal(plain: bytes, p256dh: str, auth: str) -> bytes:
    """As the engine seals: RFC 8291."""
    return bytes(
        http_ece.encrypt(
            plain,
            private_key=ec.generate_private_key(ec.SECP256R1()),
            dh=_raw(p256dh),
            auth_secret=_raw(auth),
            version="aes128gcm",
        )
    )


def _raw(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _spelled(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


async def registered(storage: AnyStorage, new: NewToken) -> Actor:
    person = await add_person(storage, await add_organization(storage), "sato")
    await storage.write(
        lambda tx: push_tokens.put(tx, new_id(tx.now), person.org_id, person.user_id, person.device_id, new)
    )
    return person


def trying(storage: AnyStorage, *providers: Provider) -> Trying:
    return Trying(storage, SystemClock(), {one.platform: one for one in providers}, seal, "lgwan")


async def test_what_arrives_says_the_id_that_was_answered_and_only_the_device_can_read_it(storage: AnyStorage) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    person = await registered(
        storage, NewToken("web_push", "https://push.example/a", _spelled(point), _spelled(AUTH), "", "en")
    )
    post = Post(Answer(Outcome.ACCEPTED, "201"))
    trial = await trying(storage, post)(person)
    [parcel] = post.handed
    assert (trial.outcome, trial.id, parcel.token) == ("accepted", parcel.id, "https://push.example/a")
    assert b"Notifications" not in parcel.sealed
    said = json.loads(http_ece.decrypt(parcel.sealed, private_key=key, auth_secret=AUTH, version="aes128gcm"))
    assert said == {
        "v": 1, "id": trial.id, "kind": "test", "badge": 0, "title": "Notifications work",
        "body": "This device was reached.",
    }  # fmt: skip


async def test_a_device_without_a_key_gets_the_fixed_text_alone(storage: AnyStorage) -> None:
    person = await registered(storage, NewToken("fcm", "token-of-a-phone"))
    post = Post(Answer(Outcome.LATER, "429 quota", retry_after=3), "fcm")
    trial = await trying(storage, post)(person)
    assert (trial.outcome, trial.reason) == ("later", "429 quota")
    assert (post.handed[0].sealed, post.handed[0].text) == (b"", "この端末に通知が届きました。")


async def test_nobody_rings_their_phone_without_end(storage: AnyStorage) -> None:
    person = await registered(storage, NewToken("fcm", "token-of-a-phone"))
    post = Post(Answer(Outcome.ACCEPTED, ""), "fcm")
    clock = Ticking()
    tries = Trying(storage, clock, {"fcm": post}, seal, "lgwan")
    await tries(person)
    with pytest.raises(Problem) as problem:
        await tries(person)
    assert problem.value.fault.code == 8005
    clock.at += 3000
    await tries(person)
    assert len(post.handed) == 2


async def test_where_it_stops_is_said(storage: AnyStorage) -> None:
    person = await registered(storage, NewToken("fcm", "token-of-a-phone"))
    other = Post(Answer(Outcome.ACCEPTED, ""), "apns")
    assert (await trying(storage, other)(person)).outcome == "off", "this server pushes to no such phone"
    await storage.write(lambda tx: push_tokens.drop_of_device(tx, person.device_id, "withdrawn"))
    assert (await trying(storage, other)(person)).outcome == "unregistered"
    assert other.handed == []


async def test_a_key_that_cannot_be_used_is_said_and_nothing_of_it(storage: AnyStorage) -> None:
    person = await registered(
        storage, NewToken("web_push", "https://push.example/a", _spelled(b"\4" + b"\0" * 64), "AAAA")
    )
    post = Post(Answer(Outcome.ACCEPTED, ""))
    trial = await trying(storage, post)(person)
    assert (trial.outcome, trial.reason) == ("invalid", "the device's key cannot be used")
    assert post.handed == []
