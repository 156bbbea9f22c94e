"""Apple: what is sent, and what each of its answers comes to."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mobile_api.providers import apns
from mobile_api.providers.apns import Apns, Apple, receipt_of
from mobile_api.providers.apns_token import LEAST, RENEWED, SharedToken
from mobile_api.providers.port import Outcome
from tests.support.certificates import Authority
from tests.support.patience import DEADLINE
from tests.support.push.apns import KEY_ID, TEAM, TOPIC, FakeApns, fake_apns
from tests.support.push.parcels import APNS_TOKEN, TEXT, parcel
from tests.support.push.script import CUT, HANG, Behaviour


@contextlib.asynccontextmanager
async def pair(folder: Path, streams: int = 1000, window: int = 65_535) -> AsyncIterator[tuple[FakeApns, Apns]]:
    authority = Authority(folder)
    async with fake_apns(authority.server("localhost"), streams=streams, window=window) as fake:
        provider = Apns(
            Apple(SharedToken(fake.key, KEY_ID, TEAM), TOPIC, ("localhost", fake.port), trusting(authority))
        )
        try:
            yield fake, provider
        finally:
            await provider.close()
        assert fake.book.wrong == []


def trusting(authority: Authority) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(authority.path))
    context.set_alpn_protocols(["h2"])
    return context


async def test_what_a_phone_gets(tmp_path: Path) -> None:
    async with pair(tmp_path) as (fake, provider):
        sent = parcel("apns", APNS_TOKEN, sealed=b"\x00sealed", urgent=True)
        answer = await provider.send(sent)
        assert (answer.outcome, answer.receipt) == (Outcome.ACCEPTED, receipt_of(sent.id))
        (taken,) = fake.book.got
        assert taken.token == APNS_TOKEN
        assert taken.payload == {
            "aps": {
                "alert": {"body": TEXT}, "badge": 3, "sound": "default", "mutable-content": 1, "thread-id": "r0om_-A",
                "interruption-level": "time-sensitive",
            },
            "id": sent.id,
            "s": urlsafe_b64encode(b"\x00sealed").decode().rstrip("="),
        }  # fmt: skip
        assert taken.headers["apns-collapse-id"] == "r0om_-A"
        assert taken.headers["apns-expiration"] == str(sent.expires // 1000)
        assert taken.headers["apns-priority"] == "10"


async def test_what_only_clears_makes_no_sound(tmp_path: Path) -> None:
    async with pair(tmp_path) as (fake, provider):
        assert (await provider.send(parcel("apns", APNS_TOKEN, clears=True, badge=0))).outcome is Outcome.ACCEPTED
        assert fake.book.got[0].payload["aps"] == {"badge": 0, "content-available": 1}
        assert fake.book.got[0].headers["apns-priority"] == "5"


async def test_a_thousand_go_over_one_connection_with_one_token(tmp_path: Path) -> None:
    async with pair(tmp_path) as (fake, provider):
        answers = await asyncio.gather(*(provider.send(parcel("apns", f"{n:064x}")) for n in range(1_000)))
        assert {answer.outcome for answer in answers} == {Outcome.ACCEPTED}
        assert {taken.token for taken in fake.book.got} == {f"{n:064x}" for n in range(1_000)}
        assert (fake.made, len(fake.tokens)) == (1, 1)


@pytest.mark.parametrize(("streams", "window"), [(1, 65_535), (1000, 4_000)])
async def test_what_apple_takes_at_once_is_respected(tmp_path: Path, streams: int, window: int) -> None:
    async with pair(tmp_path, streams, window) as (fake, provider):
        sealed = bytes(2_500)
        answers = await asyncio.gather(*(provider.send(parcel("apns", f"{n:064x}", sealed=sealed)) for n in range(150)))
        assert {answer.outcome for answer in answers} == {Outcome.ACCEPTED}
        assert fake.made == 1


async def test_a_full_window_is_waited_for(tmp_path: Path) -> None:
    async with pair(tmp_path) as (fake, provider):
        fake.generous = False
        sealed = bytes(2_500)
        sending = [asyncio.create_task(provider.send(parcel("apns", f"{n:064x}", sealed=sealed))) for n in range(30)]
        async with asyncio.timeout(DEADLINE):
            await asyncio.gather(*sending[:18])  # as many as fit into 64 kB: the next one stands at the door
        fake.generous = True
        for peer in fake.connections:
            peer.give_back()
        assert {(await each).outcome for each in sending} == {Outcome.ACCEPTED}
        assert fake.made == 1


async def test_a_sealed_part_that_is_too_long_is_left_out(tmp_path: Path) -> None:
    async with pair(tmp_path) as (fake, provider):
        assert (await provider.send(parcel("apns", APNS_TOKEN, sealed=bytes(4_000)))).outcome is Outcome.ACCEPTED
        assert "s" not in fake.book.got[0].payload


ANSWERS = [
    (Behaviour(status=400, reason="BadDeviceToken"), Outcome.INVALID, "400 BadDeviceToken"),
    (Behaviour(status=410, reason="Unregistered", timestamp=1_790_000_000_123), Outcome.INVALID, "410 Unregistered"),
    (Behaviour(status=410, reason="ExpiredToken", timestamp=1_790_000_000_123), Outcome.INVALID, "410 ExpiredToken"),
    (Behaviour(status=400, reason="DeviceTokenNotForTopic"), Outcome.REFUSED, "400 DeviceTokenNotForTopic"),
    (Behaviour(status=400, reason="PayloadEmpty"), Outcome.REFUSED, "400 PayloadEmpty"),
    (Behaviour(status=413, reason="PayloadTooLarge"), Outcome.REFUSED, "413 PayloadTooLarge"),
    (Behaviour(status=403, reason="InvalidProviderToken"), Outcome.LATER, "403 InvalidProviderToken"),
    (Behaviour(status=429, reason="TooManyRequests", headers={"retry-after": "7"}), Outcome.LATER, "429 TooManyRequests"),
    (Behaviour(status=500, reason="InternalServerError"), Outcome.LATER, "500 InternalServerError"),
    (Behaviour(status=503, reason="Shutdown"), Outcome.LATER, "503 Shutdown"),
    (Behaviour(status=500), Outcome.LATER, "500"),
    (Behaviour(status=500, body=b""), Outcome.LATER, "500"),
    (Behaviour(status=500, body=b"<html>"), Outcome.LATER, "500"),
    (Behaviour(status=400, body=b'{"reason": ["BadDeviceToken"]}'), Outcome.REFUSED, "400"),
    (Behaviour(status=400, body=b"[" * 4000), Outcome.REFUSED, "400"),
    (Behaviour("reset"), Outcome.UNKNOWN, "the stream was reset"),
    (Behaviour("refuse_stream"), Outcome.LATER, "the stream was reset"),
    (CUT, Outcome.UNKNOWN, "the connection was cut"),
    (Behaviour("goaway"), Outcome.LATER, "the other side closed the connection (GOAWAY)"),
]  # fmt: skip


@pytest.mark.parametrize(("behaviour", "outcome", "reason"), ANSWERS)
async def test_each_answer_has_its_outcome_and_the_next_push_goes_through(
    tmp_path: Path, behaviour: Behaviour, outcome: Outcome, reason: str
) -> None:
    async with pair(tmp_path) as (fake, provider):
        fake.script.once.append(behaviour)
        answer = await provider.send(parcel("apns", APNS_TOKEN))
        assert (answer.outcome, answer.reason) == (outcome, reason)
        assert answer.gone_at == behaviour.timestamp
        if behaviour.headers:
            assert answer.retry_after == 7
        assert (await provider.send(parcel("apns", APNS_TOKEN))).outcome is Outcome.ACCEPTED


async def test_no_answer_is_given_up_and_the_connection_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with pair(tmp_path) as (fake, provider):
        fake.script.once.append(HANG)
        with monkeypatch.context() as impatient:
            impatient.setattr(apns, "ANSWER_SECONDS", 0.2)
            answer = await provider.send(parcel("apns", APNS_TOKEN))
        assert (answer.outcome, answer.reason) == (Outcome.UNKNOWN, "no answer in time")
        assert (await provider.send(parcel("apns", APNS_TOKEN))).outcome is Outcome.ACCEPTED
        assert fake.made == 2
        assert len(fake.tokens) == 1, "a new connection is no reason for a new token"


async def test_a_sender_that_gives_up_takes_nobody_with_it(tmp_path: Path) -> None:
    async with pair(tmp_path) as (fake, provider):
        slow = "a" * 64
        fake.script.by_token[slow] = HANG
        sending = asyncio.create_task(provider.send(parcel("apns", slow)))
        async with asyncio.timeout(DEADLINE):
            await fake.book.saw(1)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        # The answer comes after all, among others.
        (peer,) = fake.connections
        peer.behave(1, {"apns-id": "late"}, Behaviour())
        assert (await provider.send(parcel("apns", APNS_TOKEN))).outcome is Outcome.ACCEPTED
        assert fake.made == 1


async def test_two_thousand_refusals_in_a_row_are_all_read(tmp_path: Path) -> None:
    """64 kB of bodies: the room for them must be given back."""
    async with pair(tmp_path) as (fake, provider):
        fake.script.default = Behaviour(status=400, reason="PayloadEmpty" + "x" * 80)
        for _ in range(10):
            answers = await asyncio.gather(*(provider.send(parcel("apns", APNS_TOKEN)) for _ in range(200)))
            assert {answer.outcome for answer in answers} == {Outcome.REFUSED}
        assert fake.made == 1


async def test_nobody_listens(tmp_path: Path, unused_tcp_port: int) -> None:
    async with pair(tmp_path) as (fake, _):
        apple = Apple(
            SharedToken(fake.key, KEY_ID, TEAM), TOPIC, ("127.0.0.1", unused_tcp_port), ssl.create_default_context()
        )
        provider = Apns(apple)
        answer = await provider.send(parcel("apns", APNS_TOKEN))
        assert answer.outcome is Outcome.LATER
        assert answer.reason.startswith("no connection to Apple")
        await provider.close()


async def test_a_server_that_is_not_apple_gets_nothing(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    async with pair(tmp_path) as (fake, _):
        stranger = trusting(Authority(tmp_path / "other"))
        provider = Apns(Apple(SharedToken(fake.key, KEY_ID, TEAM), TOPIC, ("localhost", fake.port), stranger))
        assert (await provider.send(parcel("apns", APNS_TOKEN))).outcome is Outcome.LATER
        await provider.close()
        assert fake.book.requests == 0


@pytest.mark.parametrize(
    ("differs", "outcome"),
    [
        ({"token": "abc/../x"}, Outcome.INVALID),
        ({"token": "zz" * 32}, Outcome.INVALID),
        ({"collapse": "a\r\nb: c"}, Outcome.REFUSED),
        ({"collapse": ""}, Outcome.REFUSED),
        ({"topic": "a\nb"}, Outcome.REFUSED),
    ],
)
async def test_what_would_break_out_of_a_header_or_the_path_is_not_sent(
    tmp_path: Path, differs: dict[str, str], outcome: Outcome
) -> None:
    async with pair(tmp_path) as (fake, provider):
        sent = parcel("apns", differs.pop("token", APNS_TOKEN), **differs)
        assert (await provider.send(sent)).outcome is outcome
        assert fake.book.requests == 0


def test_the_token_is_renewed_rarely_and_a_restart_is_no_renewal() -> None:
    now, clock = [0.0], [RENEWED * 746_000 + 2_390.0]
    key = FakeApns().key

    def token() -> SharedToken:
        return SharedToken(key, KEY_ID, TEAM, steady=lambda: now[0], clock=lambda: clock[0])

    first = token()
    header = first.get_header()
    assert token().get_header() == header, "another process, the same token"
    clock[0] += 10
    second = first.get_header()
    assert second != header
    assert token().get_header() == second
    # A clock that jumps to and fro does not make it jump.
    now[0] += LEAST - 1
    clock[0] -= 3 * RENEWED
    assert first.get_header() == second
    now[0] += 1
    assert first.get_header() != second
    assert repr(first) == "SharedToken(ABC123DEFG)"


@pytest.mark.parametrize("key", ["no key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
def test_a_key_that_is_none_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match=r"\.p8"):
        SharedToken(key, KEY_ID, TEAM)
