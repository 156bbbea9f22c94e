"""The server runs on uvloop, whose transports are not asyncio's: each provider once on it, by each way out."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest
import uvloop

from mobile_api.providers.port import Outcome
from tests.protocol.test_push_endpoints import BY_PROXY, providers_of
from tests.support.push.connect_proxy import connect_proxy
from tests.support.push.relay import closed_side, relay_process
from tests.support.push.script import CUT
from tests.support.push.town import Town, town


def on_uvloop(scenario: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(scenario)


@pytest.mark.parametrize("proxied", [False, True])
def test_direct(tmp_path: Path, proxied: bool) -> None:
    async def scenario() -> None:
        async with town(tmp_path) as found, connect_proxy() as proxy:
            if proxied:
                hosts = (f"localhost:{found.apns.port}", found.web_push.host, found.ntfy.host)
                proxy.names = {host: ("127.0.0.1", int(host.rpartition(":")[2])) for host in hosts}
                found.extra = {"push_proxy": f"http://127.0.0.1:{proxy.port}"}
            async with providers_of(found) as providers:
                for platform in BY_PROXY:
                    found.script(platform).once.append(CUT)
                    assert (await providers[platform].send(found.parcel(platform))).outcome is Outcome.UNKNOWN
                    assert (await providers[platform].send(found.parcel(platform))).outcome is Outcome.ACCEPTED
                assert (await providers["fcm"].send(found.parcel("fcm"))).outcome is Outcome.ACCEPTED
            assert len(proxy.asked) >= 3 * proxied

    on_uvloop(scenario())


def test_by_the_relay(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with town(tmp_path) as found, relay_process(tmp_path / "r", found) as relay:
            async with closed_side(found, relay.closed, relay.port) as providers:
                await _all_four(found, providers)
            async with connect_proxy() as proxy:
                proxy.names = {"relay.city.example:8600": ("127.0.0.1", relay.port)}
                address = f"http://127.0.0.1:{proxy.port}"
                async with closed_side(
                    found, relay.closed, 8600, "relay.city.example", push_proxy=address
                ) as providers:
                    await _all_four(found, providers)

    async def _all_four(found: Town, providers: Any) -> None:
        for platform, provider in providers.items():
            assert (await provider.send(found.parcel(platform))).outcome is Outcome.ACCEPTED

    on_uvloop(scenario())
