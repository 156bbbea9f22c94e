"""Google: what is sent, what each of its answers comes to, and that nothing of pyfcm's waits or repeats."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import ssl
import time
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mobile_api.providers import fcm, fcm_client
from mobile_api.providers.fcm import Fcm
from mobile_api.providers.fcm_client import Client
from mobile_api.providers.port import Outcome
from mobile_api.providers.proxy import Proxy
from tests.support.certificates import Authority
from tests.support.push.connect_proxy import connect_proxy
from tests.support.push.fcm import FakeFcm, fake_fcm
from tests.support.push.http import http_server
from tests.support.push.parcels import TEXT, parcel
from tests.support.push.script import ACCEPT, CUT, HANG, Behaviour

TOKEN = "fT0k3n:APA91b-x_" * 8


@contextlib.asynccontextmanager
async def pair() -> AsyncIterator[tuple[FakeFcm, Fcm]]:
    async with fake_fcm() as fake:
        provider = Fcm(Client(fake.account, fake.server))
        try:
            yield fake, provider
        finally:
            await provider.close()
        assert fake.book.wrong == []


async def test_what_a_phone_gets() -> None:
    async with pair() as (fake, provider):
        sent = parcel("fcm", TOKEN, sealed=b"\x00sealed", urgent=True)
        answer = await provider.send(sent)
        assert answer.outcome is Outcome.ACCEPTED
        (taken,) = fake.book.got
        assert answer.receipt == taken.receipt
        lives = int(taken.payload["android"].pop("ttl").removesuffix("s"))
        assert 3_500 < lives <= 3_600
        assert taken.payload == {
            "token": TOKEN,
            "data": {
                "id": sent.id, "badge": "3", "collapse": "r0om_-A", "clears": "", "text": TEXT, "urgent": "1",
                "s": urlsafe_b64encode(b"\x00sealed").decode().rstrip("="),
            },
            "android": {"priority": "HIGH", "collapse_key": "r0om_-A"},
        }  # fmt: skip


async def test_what_only_clears_carries_no_text_and_wakes_nobody() -> None:
    async with pair() as (fake, provider):
        assert (await provider.send(parcel("fcm", TOKEN, clears=True))).outcome is Outcome.ACCEPTED
        assert "text" not in fake.book.got[0].payload["data"]
        assert fake.book.got[0].payload["android"]["priority"] == "NORMAL"


async def test_a_sealed_part_that_is_too_long_is_left_out() -> None:
    async with pair() as (fake, provider):
        assert (await provider.send(parcel("fcm", TOKEN, sealed=bytes(4_000)))).outcome is Outcome.ACCEPTED
        assert "s" not in fake.book.got[0].payload["data"]


async def test_many_at_once_sign_in_once() -> None:
    async with pair() as (fake, provider):
        answers = await asyncio.gather(*(provider.send(parcel("fcm", f"token-{n}")) for n in range(100)))
        assert {answer.outcome for answer in answers} == {Outcome.ACCEPTED}
        assert len(fake.book.got) == 100
        assert len(fake.access) == 1


ANSWERS = [
    (Behaviour(status=404, reason="UNREGISTERED"), Outcome.INVALID, "404 UNREGISTERED", None),
    (Behaviour(status=404), Outcome.INVALID, "404 NOT_FOUND", None),
    (Behaviour(status=404, body=b"<html>"), Outcome.LATER, "404", 60),
    (Behaviour(status=400, reason="INVALID_ARGUMENT"), Outcome.REFUSED, "400 INVALID_ARGUMENT", None),
    (Behaviour(status=403, reason="SENDER_ID_MISMATCH"), Outcome.REFUSED, "403 SENDER_ID_MISMATCH", None),
    (Behaviour(status=403), Outcome.LATER, "403 PERMISSION_DENIED", 60),
    (Behaviour(status=401, reason="THIRD_PARTY_AUTH_ERROR"), Outcome.REFUSED, "401 THIRD_PARTY_AUTH_ERROR", None),
    (Behaviour(status=401), Outcome.LATER, "401 UNAUTHENTICATED", 1),
    (Behaviour(status=429, reason="QUOTA_EXCEEDED", headers={"Retry-After": "30"}), Outcome.LATER, "429 QUOTA_EXCEEDED", 30),
    (Behaviour(status=429, reason="QUOTA_EXCEEDED"), Outcome.LATER, "429 QUOTA_EXCEEDED", 60),
    (Behaviour(status=500, reason="INTERNAL"), Outcome.LATER, "500 INTERNAL", None),
    (Behaviour(status=502, body=b"<html>"), Outcome.LATER, "502", None),
    (Behaviour(status=503, reason="UNAVAILABLE", headers={"Retry-After": "Fri, 31 Dec 1999 23:59:59 GMT"}), Outcome.LATER, "503 UNAVAILABLE", 0),
    (Behaviour(status=400, body=b"[" * 9_000), Outcome.REFUSED, "400", None),
    (Behaviour(status=307, headers={"Location": "/elsewhere"}), Outcome.LATER, "307", 60),
    (CUT, Outcome.UNKNOWN, "ConnectionError", None),
]  # fmt: skip


@pytest.mark.parametrize(("behaviour", "outcome", "reason", "wait"), ANSWERS)
async def test_each_answer_has_its_outcome_at_once_and_the_next_push_goes_through(
    behaviour: Behaviour, outcome: Outcome, reason: str, wait: float | None
) -> None:
    async with pair() as (fake, provider):
        fake.script.once.append(behaviour)
        began = time.monotonic()
        answer = await provider.send(parcel("fcm", TOKEN))
        assert time.monotonic() - began < fcm_client.ANSWER_SECONDS
        assert (answer.outcome, answer.reason, answer.retry_after) == (outcome, reason, wait)
        assert fake.book.requests == 1, "asked once: trying again is the engine's"
        assert (await provider.send(parcel("fcm", TOKEN))).outcome is Outcome.ACCEPTED


async def test_an_access_token_that_is_refused_is_replaced() -> None:
    async with pair() as (fake, provider):
        await provider.send(parcel("fcm", TOKEN))
        fake.access.append("another")
        assert (await provider.send(parcel("fcm", TOKEN))).outcome is Outcome.LATER
        assert (await provider.send(parcel("fcm", TOKEN))).outcome is Outcome.ACCEPTED


async def test_no_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    async with pair() as (fake, provider):
        # The access token is there: it would have to come in as little time.
        assert (await provider.send(parcel("fcm", TOKEN))).outcome is Outcome.ACCEPTED
        fake.script.once.append(HANG)
        monkeypatch.setattr(fcm_client, "_TIMES", (0.2, 0.2))
        answer = await provider.send(parcel("fcm", TOKEN))
        assert (answer.outcome, answer.reason) == (Outcome.UNKNOWN, "ReadTimeout")


async def test_the_bound_holds_whatever_the_thread_does(monkeypatch: pytest.MonkeyPatch) -> None:
    async with pair() as (fake, provider):
        # The access token is there, and each thread has to come as far as the push within the bound.
        assert (await provider.send(parcel("fcm", TOKEN))).outcome is Outcome.ACCEPTED
        monkeypatch.setattr(fcm, "BOUND", 1.0)
        monkeypatch.setattr(fcm_client, "_TIMES", (3.0, 3.0))
        fake.script.default = HANG
        answers = await asyncio.gather(*(provider.send(parcel("fcm", TOKEN)) for _ in range(fcm.THREADS + 2)))
        # Those that still waited for a thread were not sent, and will not be.
        assert [answer.outcome for answer in answers] == [Outcome.UNKNOWN] * fcm.THREADS + [Outcome.LATER] * 2
        # The next one comes after them in the queue of the threads.
        fake.script.default = ACCEPT
        monkeypatch.undo()
        assert (await provider.send(parcel("fcm", TOKEN))).outcome is Outcome.ACCEPTED
        assert fake.book.requests == 1 + fcm.THREADS + 1


async def test_a_sign_in_that_fails_sends_nothing() -> None:
    async with pair() as (fake, provider):
        fake.sign_in.once.extend([Behaviour(status=400), CUT])
        for _ in range(2):
            answer = await provider.send(parcel("fcm", TOKEN))
            assert answer.outcome is Outcome.LATER
            assert answer.reason.startswith("Google's sign-in: ")
        assert fake.book.requests == 0
        assert (await provider.send(parcel("fcm", TOKEN))).outcome is Outcome.ACCEPTED


async def test_nobody_listens(unused_tcp_port: int) -> None:
    async with pair() as (fake, _):
        provider = Fcm(Client(fake.account, f"http://127.0.0.1:{unused_tcp_port}"))
        answer = await provider.send(parcel("fcm", TOKEN))
        assert (answer.outcome, answer.reason) == (Outcome.LATER, "ConnectionError")
        await provider.close()
        assert (await provider.send(parcel("fcm", TOKEN))).outcome is Outcome.LATER


async def test_an_account_that_is_none_is_refused() -> None:
    async with fake_fcm() as fake:
        for differs in ({"token_uri": "http://evil.example/token"}, {"private_key": "x"}, {"project_id": ""}):
            with pytest.raises(ValueError, match="it"):
                Client({**fake.account, **differs})


async def test_passwords_of_whoever_runs_the_server_are_not_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password mine\n", encoding="utf-8")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    async with pair() as (_, provider):
        assert (await provider.send(parcel("fcm", TOKEN))).outcome is Outcome.ACCEPTED


async def test_sign_in_and_pushes_go_through_the_proxy() -> None:
    """Google is never reached: the proxy is asked for its two names, and lets nobody out."""
    async with fake_fcm() as fake, connect_proxy() as proxy:
        account = {**fake.account, "token_uri": "https://oauth2.googleapis.com/token"}
        provider = Fcm(Client(account, proxy=Proxy("127.0.0.1", proxy.port, "it", "p@ss")))
        assert (await provider.send(parcel("fcm", TOKEN))).outcome is Outcome.LATER
        provider._client.credentials.token = "known"
        provider._client.credentials.expiry = None
        assert (await provider.send(parcel("fcm", TOKEN))).outcome is Outcome.LATER
        await provider.close()
        assert proxy.asked[-1] == "fcm.googleapis.com:443"
        assert set(proxy.asked[:-1]) == {"oauth2.googleapis.com:443"}


@pytest.mark.parametrize("password", ["", "p@ss"])
async def test_the_push_itself_goes_through_the_proxy_to_googles_names(tmp_path: Path, password: str) -> None:
    """Over TLS from end to end, with an authority of the test's: the proxy opens nothing."""
    authority = Authority(tmp_path)
    tls = ssl.create_default_context()
    tls.load_verify_locations(authority.path)
    way = Proxy("127.0.0.1", 0, "it" if password else "", password)
    async with (
        fake_fcm() as fake,
        http_server(fake.handle, authority.server("oauth2.googleapis.com")) as sign_in,
        http_server(fake.handle, authority.server("fcm.googleapis.com")) as messages,
        connect_proxy() as proxy,
    ):
        proxy.authorization = way.authorization
        proxy.names = {
            "oauth2.googleapis.com:443": ("127.0.0.1", sign_in.port), "fcm.googleapis.com:443": ("127.0.0.1", messages.port),
        }  # fmt: skip
        account = {**fake.account, "token_uri": "https://oauth2.googleapis.com/token"}
        provider = Fcm(Client(account, proxy=dataclasses.replace(way, port=proxy.port), tls=tls))
        try:
            answer = await provider.send(parcel("fcm", TOKEN))
            assert (answer.outcome, answer.receipt) == (Outcome.ACCEPTED, fake.book.got[0].receipt)
            fake.script.once.append(Behaviour(status=404, reason="UNREGISTERED"))
            assert (await provider.send(parcel("fcm", TOKEN))).outcome is Outcome.INVALID
        finally:
            await provider.close()
        assert set(proxy.asked) == set(proxy.names)
        # An authority that is not ours: nothing is said to whoever answers there.
        asked, stranger = fake.book.requests, Fcm(Client(account, proxy=dataclasses.replace(way, port=proxy.port)))
        assert (await stranger.send(parcel("fcm", TOKEN))).outcome is Outcome.LATER
        await stranger.close()
        assert fake.book.requests == asked
