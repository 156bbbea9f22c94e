"""One body for all providers, spoken to directly and through the relay: whatever the other side does, `send` ends in time with
the one right outcome, raises nothing, and nothing stays open."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import msgspec
import pytest

from chat_server.config import Settings
from mobile_api.providers import apns, fcm_client, posting
from mobile_api.providers.choosing import direct
from mobile_api.providers.port import PLATFORMS, Outcome, Platform, Provider
from mobile_api.providers.vapid import Signer
from mobile_api.relay import keys
from tests.support.patience import DEADLINE
from tests.support.push.relay import SECRET, closed_side, relay_here
from tests.support.push.script import CUT, HANG, Behaviour
from tests.support.push.town import CONTACT, Town, town

pytestmark = [pytest.mark.parametrize("platform", PLATFORMS), pytest.mark.parametrize("way", ["direct", "relay"])]
Opened = Callable[[Town, Platform], AbstractAsyncContextManager[Provider]]
Standing = Callable[[Platform], AbstractAsyncContextManager[tuple[Town, Provider]]]


@pytest.fixture
def opened(way: str, tmp_path: Path) -> Opened:
    @contextlib.asynccontextmanager
    async def through_relay(found: Town, platform: Platform) -> AsyncIterator[Provider]:
        async with (
            relay_here(tmp_path / "r", found) as (port, _),
            closed_side(found, tmp_path / "r" / keys.CLOSED, port) as providers,
        ):
            yield providers[platform]

    return through_relay if way == "relay" else directly


@pytest.fixture
def standing(opened: Opened, tmp_path: Path) -> Standing:
    @contextlib.asynccontextmanager
    async def stand(platform: Platform) -> AsyncIterator[tuple[Town, Provider]]:
        async with town(tmp_path) as found, opened(found, platform) as provider:
            yield found, provider

    return stand


@contextlib.asynccontextmanager
async def directly(found: Town, platform: Platform) -> AsyncIterator[Provider]:
    signer = Signer(SECRET, CONTACT)
    providers = direct(msgspec.convert(found.values, Settings), lambda _, origin: signer.sign(origin))
    assert list(providers) == list(PLATFORMS)
    try:
        yield providers[platform]
    finally:
        for provider in providers.values():
            await provider.close()


GONE = {
    "apns": Behaviour(status=410, reason="Unregistered", timestamp=1_790_000_000_123),
    "fcm": Behaviour(status=404, reason="UNREGISTERED"),
    "web_push": Behaviour(status=410),
    "unified": Behaviour(status=410),
}


async def test_accepted(standing: Standing, platform: Platform) -> None:
    async with standing(platform) as (found, provider):
        assert provider.platform == platform
        answer = await provider.send(found.parcel(platform))
        (taken,) = found.book(platform).got
        assert answer.outcome is Outcome.ACCEPTED
        assert taken.token == found.name(1)
        assert answer.receipt == taken.receipt
        if platform in ("web_push", "unified"):
            assert taken.payload == {"for": 1}, "the device opens what was sealed for it"


async def test_gone(standing: Standing, platform: Platform) -> None:
    async with standing(platform) as (found, provider):
        found.script(platform).default = GONE[platform]
        answer = await provider.send(found.parcel(platform))
        assert answer.outcome is Outcome.INVALID
        assert answer.gone_at == GONE[platform].timestamp


@pytest.mark.parametrize(
    ("behaviour", "outcome", "wait"),
    [
        (Behaviour(status=429, reason="slow down", headers={"retry-after": "7"}), Outcome.LATER, 7),
        (Behaviour(status=429, headers={"retry-after": "soon"}), Outcome.LATER, None),
        (Behaviour(status=429, headers={"retry-after": "9" * 9}), Outcome.LATER, 3600),
        (Behaviour(status=500), Outcome.LATER, None),
        (Behaviour(status=502, body=b"<html>bad gateway</html>"), Outcome.LATER, None),
        (Behaviour(status=503, headers={"retry-after": "2"}), Outcome.LATER, 2),
        (Behaviour(status=403), Outcome.LATER, 60),
        (Behaviour(status=400, reason="x"), Outcome.REFUSED, None),
        (Behaviour(status=400, body=b"\x00\xff" * 6_000), Outcome.REFUSED, None),
        (CUT, Outcome.UNKNOWN, None),
        (Behaviour("cut", takes=True), Outcome.UNKNOWN, None),
    ],
)
async def test_each_answer(
    standing: Standing, platform: Platform, behaviour: Behaviour, outcome: Outcome, wait: float | None
) -> None:
    async with standing(platform) as (found, provider):
        found.script(platform).once.append(behaviour)
        answer = await provider.send(found.parcel(platform))
        assert answer.outcome is outcome, answer
        if platform != "fcm" or behaviour.status != 429 or wait:
            assert answer.retry_after == wait
        assert len(answer.reason) <= 200
        assert answer.reason.isascii()
        assert answer.reason.isprintable()
        assert (await provider.send(found.parcel(platform))).outcome is Outcome.ACCEPTED, (
            "and the line is as good as before"
        )


async def test_an_echo_of_the_token_is_not_handed_on(standing: Standing, platform: Platform) -> None:
    async with standing(platform) as (found, provider):
        found.script(platform).default = Behaviour(status=400, reason=f"no {found.name(1)} here\r\nX: y")
        assert found.name(1) not in repr(await provider.send(found.parcel(platform)))
        assert found.name(1) not in repr(found.parcel(platform))


async def test_no_answer(standing: Standing, platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    # A client over HTTP keeps it for its life: the pushes that have to go through get as little.
    monkeypatch.setattr(posting, "ANSWER_SECONDS", 3.0)
    async with standing(platform) as (found, provider):
        # What comes before the push itself (the connection, Google's token) has to come in time, however short that is below.
        assert (await provider.send(found.parcel(platform))).outcome is Outcome.ACCEPTED
        found.script(platform).once.append(HANG)
        with monkeypatch.context() as impatient:
            impatient.setattr(apns, "ANSWER_SECONDS", 0.3)
            impatient.setattr(fcm_client, "_TIMES", (1.0, 0.3))
            began = time.monotonic()
            assert (await provider.send(found.parcel(platform))).outcome is Outcome.UNKNOWN
        assert time.monotonic() - began < fcm_client.ANSWER_SECONDS, "by the time of its own, not by another one"
        assert (await provider.send(found.parcel(platform))).outcome is Outcome.ACCEPTED


async def test_nobody_listens(opened: Opened, tmp_path: Path, platform: Platform, unused_tcp_port: int) -> None:
    async with town(tmp_path) as found:
        port, place = unused_tcp_port, f"localhost:{unused_tcp_port}"
        found.extra = {
            "push_apns_server": place, "push_fcm_server": f"http://127.0.0.1:{port}",
            "push_web_hosts": [place], "push_unified_hosts": [place], "push_private_hosts": [place],
        }  # fmt: skip
        sent = found.parcel(platform)
        if platform in ("web_push", "unified"):
            sent = dataclasses.replace(sent, token=f"https://{place}/x")
        async with opened(found, platform) as provider:
            assert (await provider.send(sent)).outcome is Outcome.LATER


async def test_giving_up_takes_nobody_along(
    standing: Standing, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with standing(platform) as (found, provider):
        assert (await provider.send(found.parcel(platform))).outcome is Outcome.ACCEPTED  # Google's token is there
        found.script(platform).by_token[found.name(2)] = HANG
        with monkeypatch.context() as impatient:
            impatient.setattr(fcm_client, "_TIMES", (1.0, 1.0))  # its thread ends by these alone
            sending = asyncio.create_task(provider.send(found.parcel(platform, 2)))
            async with asyncio.timeout(DEADLINE):
                await found.book(platform).saw(2)
            sending.cancel()
            with pytest.raises(asyncio.CancelledError):
                await sending
        assert (await provider.send(found.parcel(platform))).outcome is Outcome.ACCEPTED


async def test_fifty_at_once(standing: Standing, platform: Platform) -> None:
    async with standing(platform) as (found, provider):
        found.script(platform).by_token[found.name(7)] = GONE[platform]
        found.script(platform).by_token[found.name(8)] = Behaviour(status=500)
        answers = await asyncio.gather(*(provider.send(found.parcel(platform, n)) for n in range(50)))
        assert [n for n, answer in enumerate(answers) if answer.outcome is not Outcome.ACCEPTED] == [7, 8]
        assert sorted(taken.token for taken in found.book(platform).got) == sorted(
            found.name(n) for n in range(50) if n not in (7, 8)
        )


async def test_closed_is_closed(standing: Standing, platform: Platform) -> None:
    async with standing(platform) as (found, provider):
        await provider.send(found.parcel(platform))
        await provider.close()
        assert (await provider.send(found.parcel(platform))).outcome is Outcome.LATER
        assert len(found.book(platform).got) == 1
