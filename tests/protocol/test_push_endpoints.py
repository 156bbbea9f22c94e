"""Web Push and UnifiedPush: where a push may go, for the address is a stranger's (docs/security.md), and by which way."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from chat_server.config import Settings
from chat_server.domain.webhooks import Hosts
from mobile_api.providers import posting
from mobile_api.providers.choosing import WrongSetting, direct, trusted
from mobile_api.providers.port import PLATFORMS, Answer, Outcome, Platform, Provider
from mobile_api.providers.posting import Poster
from mobile_api.providers.proxy import proxy_of
from mobile_api.providers.unified import Unified
from mobile_api.providers.vapid import Signer, public_key
from mobile_api.providers.web_push import WebPush
from tests.support.patience import DEADLINE
from tests.support.push.connect_proxy import connect_proxy
from tests.support.push.parcels import TEXT, parcel
from tests.support.push.script import HANG, Behaviour
from tests.support.push.town import CONTACT, Town, town

SECRET = bytes(31) + b"\x07"
SIGNER = Signer(SECRET, CONTACT)
BROWSERS = Settings().push_web_hosts


@contextlib.asynccontextmanager
async def providers_of(found: Town) -> AsyncIterator[dict[Platform, Provider]]:
    providers = direct(msgspec.convert(found.values, Settings), lambda _, origin: SIGNER.sign(origin))
    try:
        yield providers
    finally:
        for provider in providers.values():
            await provider.close()


async def _pushed(endpoint: str, hosts: Hosts, addresses: list[str]) -> tuple[Answer, list[str]]:
    """The answer, and the names that were looked up on the way."""
    asked: list[str] = []

    async def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return addresses

    provider = WebPush(Poster(hosts, ssl.create_default_context(), resolve=resolve), lambda _, origin: "")
    try:
        return await provider.send(parcel("web_push", endpoint)), asked
    finally:
        await provider.close()


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://fcm.googleapis.com/fcm/send/x",
        "https://fcm.googleapis.com.evil.example/x",
        "https://evil.example/fcm.googleapis.com",
        "https://fcm.googleapis.com@evil.example/x",
        "https://fcm.googleapis.com:8443/x",
        "https://evilpush.apple.com.example/x",
        "https://notify.windows.com/x",
        "https://127.0.0.1/x",
        "https://[::1]/x",
        "https://169.254.169.254/latest/meta-data/",
        "https://localhost/x",
        "https://2130706433/x",
        "https://0x7f.1/x",
        "https://017700000001/x",
        "https://[::ffff:127.0.0.1]/x",
        "https://[::ffff:7f00:1]/x",
        "https://fcm.googleapis.com/x\r\nHost: evil.example",
        "https://fcm.googleapis.com/x y",
        "https://fcm.googleapis.com#@evil.example/",
        "file:///etc/passwd",
        "",
    ],
)
async def test_an_address_that_is_no_known_push_service_is_not_even_looked_up(endpoint: str) -> None:
    answer, asked = await _pushed(endpoint, Hosts(BROWSERS), ["198.41.0.4"])
    assert (answer.outcome, asked) == (Outcome.REFUSED, [])


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["::1"],
        ["10.0.0.1"],
        ["169.254.169.254"],
        ["198.41.0.4", "192.168.0.1"],
        ["::ffff:127.0.0.1"],
        ["::ffff:a00:1"],
        ["64:ff9b::7f00:1"],
        ["2002:7f00:1::"],
        ["100.64.0.1"],
        ["fd00::1"],
        ["fe80::1%lo"],
        ["0.0.0.0"],  # noqa: S104 - an address to be refused
        ["::"],
    ],
)
async def test_a_known_name_that_leads_inside_is_not_dialled(addresses: list[str]) -> None:
    answer, asked = await _pushed("https://web.push.apple.com/x", Hosts(BROWSERS), addresses)
    assert (answer.outcome, answer.reason) == (Outcome.REFUSED, "the name leads to an address of the inside")
    assert asked == ["web.push.apple.com"]


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_is_an_answer_and_not_a_way(tmp_path: Path, status: int) -> None:
    async with town(tmp_path) as found, providers_of(found) as providers:
        elsewhere = found.web_push.endpoint(found.name(2))
        found.web_push.subscribe(found.name(2))
        found.script("web_push").once.append(Behaviour(status=status, headers={"location": elsewhere}))
        assert (await providers["web_push"].send(found.parcel("web_push"))).outcome is Outcome.REFUSED
        assert found.book("web_push").requests == 1


async def test_no_more_connections_are_kept_than_names_are_allowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two servers and room for one: the one that is in use is never the one that goes."""
    monkeypatch.setattr(posting, "NAMES", 1)
    async with town(tmp_path) as found:
        names = [found.web_push.host, found.ntfy.host]
        poster = Poster(Hosts(names, names), trusted(msgspec.convert(found.values, Settings)))
        found.web_push.subscribe("slow")
        provider = WebPush(poster, lambda _, origin: SIGNER.sign(origin))
        other = Unified(poster, lambda _, origin: SIGNER.sign(origin))
        found.script("web_push").by_token["slow"] = HANG
        slow = asyncio.create_task(provider.send(parcel("web_push", found.web_push.endpoint("slow"))))
        async with asyncio.timeout(DEADLINE):
            await found.book("web_push").saw(1)
        assert (await other.send(found.parcel("unified"))).outcome is Outcome.ACCEPTED
        assert not slow.done()
        assert list(poster._clients) == [("localhost", found.web_push.port)]
        slow.cancel()
        await asyncio.gather(slow, return_exceptions=True)
        await poster.close()


async def test_headers_of_a_browsers_push(tmp_path: Path) -> None:
    async with town(tmp_path, public_key(SECRET)) as found, providers_of(found) as providers:
        for differs, urgency in (({}, "normal"), ({"urgent": True}, "high"), ({"clears": True}, "low")):
            assert (await providers["web_push"].send(found.parcel("web_push", **differs))).outcome is Outcome.ACCEPTED
            headers = found.book("web_push").got[-1].headers
            assert (headers["urgency"], headers["topic"]) == (urgency, "r0om_-A")
            assert 3_500 < int(headers["ttl"]) <= 3_600
        assert TEXT.encode() not in repr(found.book("web_push").got).encode(), "no word outside what is sealed"


async def test_another_servers_subscription_is_refused_and_kept(tmp_path: Path) -> None:
    """Signed with another key than the browser subscribed with: 403, which says nothing against the token."""
    async with town(tmp_path, public_key(bytes(31) + b"\x08")) as found, providers_of(found) as providers:
        answer = await providers["web_push"].send(found.parcel("web_push"))
        assert (answer.outcome, answer.reason) == (Outcome.LATER, "403 another key")


async def test_a_persons_own_topic_gets_the_fixed_text(tmp_path: Path) -> None:
    async with town(tmp_path) as found, providers_of(found) as providers:
        sent = parcel("unified", f"https://{found.ntfy.host}/mytopic", urgent=True)
        assert (await providers["unified"].send(sent)).outcome is Outcome.ACCEPTED
        (taken,) = found.book("unified").got
        assert (taken.payload, taken.headers["priority"]) == (TEXT, "5")
        assert "authorization" not in taken.headers
        silent = parcel("unified", sent.token, clears=True)
        assert (await providers["unified"].send(silent)).outcome is Outcome.REFUSED
        long = parcel("unified", sent.token, sealed=bytes(4097))
        assert (await providers["unified"].send(long)).outcome is Outcome.REFUSED
        assert found.book("unified").requests == 1


async def test_a_topic_whose_phone_is_away_is_tried_later(tmp_path: Path) -> None:
    async with town(tmp_path) as found, providers_of(found) as providers:
        body = b'{"code":50701,"http":507,"error":"cannot publish to UnifiedPush topic without previously active subscriber"}'
        found.script("unified").once.append(Behaviour(status=507, body=body))
        answer = await providers["unified"].send(found.parcel("unified"))
        assert answer.outcome is Outcome.LATER
        assert answer.reason.startswith("507 cannot publish")


# Through the outgoing proxy

BY_PROXY: tuple[Platform, ...] = ("apns", "web_push", "unified")
"""Google's go there by its own names: test_push_fcm.py."""


@pytest.mark.parametrize("password", [False, True])
async def test_all_go_through_the_proxy_where_there_is_one(tmp_path: Path, password: bool) -> None:
    async with town(tmp_path) as found, connect_proxy() as proxy:
        user = "it:p%40ss@" if password else ""
        address = f"http://{user}127.0.0.1:{proxy.port}"
        expected = proxy_of(address)
        assert expected is not None
        proxy.authorization = expected.authorization
        proxy.names = {host: ("127.0.0.1", int(host.rpartition(":")[2])) for host in _hosts(found)}
        # The names lead nowhere on this machine: no address of the inside is allowed, and none is looked at.
        found.extra = {"push_proxy": address, "push_private_hosts": []}
        async with providers_of(found) as providers:
            for platform in BY_PROXY:
                answer = await providers[platform].send(found.parcel(platform))
                assert answer.outcome is Outcome.ACCEPTED, (platform, answer)
            assert (await providers["apns"].send(found.parcel("apns"))).outcome is Outcome.ACCEPTED
        assert sorted(proxy.asked) == sorted(_hosts(found))
        assert "p@ss" not in repr(expected)


@pytest.mark.parametrize("how", ["refuses", "silent", "gone"])
async def test_a_proxy_that_does_not_let_us_out_costs_no_push(
    tmp_path: Path, how: str, unused_tcp_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mobile_api.providers.apns.CONNECT_SECONDS", 0.5)
    monkeypatch.setattr("mobile_api.providers.posting.ANSWER_SECONDS", 0.5)
    async with town(tmp_path) as found, connect_proxy() as proxy:
        proxy.status, proxy.silent = 403, how == "silent"
        port = unused_tcp_port if how == "gone" else proxy.port
        found.extra = {"push_proxy": f"http://127.0.0.1:{port}"}
        async with providers_of(found) as providers:
            for platform in BY_PROXY:
                answer = await providers[platform].send(found.parcel(platform))
                assert answer.outcome is Outcome.LATER, (platform, answer)


def _hosts(found: Town) -> list[str]:
    return [f"localhost:{found.apns.port}", found.web_push.host, found.ntfy.host]


# Settings


@pytest.mark.parametrize(
    ("differs", "said"),
    [
        ({"push_contact": "mailto:nobody"}, "push_contact"),
        ({"push_ca": "/nowhere.pem"}, "push_ca"),
        ({"push_proxy": "https://user:secret@proxy"}, "push_proxy"),
        ({"push_apns_key": "/nowhere.p8"}, "push_apns_key"),
        ({"push_apns_key_id": ""}, "push_apns_key_id"),
        ({"push_apns_topic": ""}, "push_apns_topic"),
        ({"push_apns_server": "evil.example:443"}, "push_apns_server"),
        ({"push_apns_server": "localhost.evil.example:443"}, "push_apns_server"),
        ({"push_fcm_account": "/nowhere.json"}, "push_fcm_account"),
        ({"push_fcm_server": "http://127.0.0.1.evil.example:80"}, "push_fcm_server"),
        ({"push_fcm_server": "https://evil.example:443"}, "push_fcm_server"),
    ],
)
async def test_a_setting_that_cannot_be_used_is_named(tmp_path: Path, differs: dict[str, object], said: str) -> None:
    async with town(tmp_path) as found:
        found.extra = differs
        with pytest.raises(WrongSetting, match=rf"^{said}: ") as refused:
            direct(msgspec.convert(found.values, Settings), lambda _, origin: "")
        assert "secret" not in str(refused.value)


def test_without_settings_browsers_alone_are_rung() -> None:
    settings = Settings(push="direct", push_contact=CONTACT)
    assert list(direct(settings, lambda _, origin: "")) == ["web_push"]
    assert trusted(settings).verify_mode is ssl.CERT_REQUIRED
    assert len(PLATFORMS) == 4
    assert Unified.platform == "unified"
