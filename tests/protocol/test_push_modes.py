"""The three modes as real processes: a message that lies in the outbox rings four kinds of phones through the real protocols,
directly or through the relay, or nobody; and the operator is told why."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx2
import pytest

from chat_server.app import App
from chat_server.config import Settings
from chat_server.domain.ids import new_id
from chat_server.ports import Tx
from chat_server.storage.queries import push_tokens
from chat_server.storage.queries.push_tokens import NewToken
from mobile_api.providers.port import PLATFORMS, Platform
from tests.protocol.test_command_line import Terminal
from tests.support.engines import database_of
from tests.support.process import server_process
from tests.support.push.crowd import crowd
from tests.support.push.relay import relay_process
from tests.support.push.town import CONTACT, Town, town


def token_of(found: Town, platform: Platform, number: int) -> NewToken:
    """Apple's and Google's bring no key here: nothing is sealed for them."""
    if platform in ("web_push", "unified"):
        return found.new_token(platform, number)
    return NewToken(platform, found.name(number))


async def fill(folder: Path, found: Town) -> str:
    """Somebody for each platform, and a message that calls them all; its id."""
    app = await App.open(Settings(data=str(folder), database=database_of(folder)), workers=False)
    try:
        everybody = await crowd(app, len(PLATFORMS), 1)

        async def register(tx: Tx) -> None:
            for number, platform in enumerate(PLATFORMS):
                row = await tx.one(
                    "SELECT d.id, d.user_id, d.org_id FROM devices d JOIN users u ON u.id = d.user_id WHERE u.login = ?",
                    f"user{number}",
                )
                assert row is not None
                new = token_of(found, platform, number + 1)
                await push_tokens.put(tx, new_id(tx.now), row[2], row[1], row[0], new)

        await app.storage.write(register)
        await everybody.post(next(iter(everybody.rooms)))
        row = await app.storage.read(lambda reader: reader.one("SELECT public_id FROM messages"))
        assert row is not None
        return str(row[0])
    finally:
        await app.close()


async def rung(found: Town) -> None:
    """Each by its own protocol, once, with nothing in it that was said."""
    async with asyncio.timeout(40):
        for platform in PLATFORMS:
            await found.book(platform).saw(1)
    for number, platform in enumerate(PLATFORMS):
        (taken,) = found.book(platform).got
        assert taken.token == found.name(number + 1)
        assert "集合" not in repr(taken)
        if platform in ("web_push", "unified"):
            assert (taken.payload["kind"], taken.payload["badge"]) == ("ring", 1)
            assert (taken.payload["title"], taken.payload["body"]) == ("連絡", "新しいメッセージがあります")


async def why(terminal: Terminal, login: str, message: str, state: str = "") -> dict[str, Any]:
    """What the operator is told, once it says that."""
    async with asyncio.timeout(60):
        while True:
            told: dict[str, Any] = json.loads(
                await terminal.run("push", "why", "--user", login, "--message", message, "--json")
            )
            if not state or [one["state"] for one in told["devices"]] == [state]:
                return told


@pytest.mark.timeout(180)
async def test_direct(tmp_path: Path) -> None:
    data = tmp_path / "data"
    async with town(tmp_path) as found:
        message = await fill(data, found)
        terminal = Terminal(tmp_path / "home", data)
        async with server_process(data, tmp_path, settings=f'push = "direct"\n{found.settings}'):
            await rung(found)
            for number, platform in enumerate(PLATFORMS):
                told = await why(terminal, f"user{number}", message, "accepted")
                (device,) = told["devices"]
                assert (told["why"], device["platform"], device["why"]) == ("", platform, "mention")
                assert device["receipt"] == found.book(platform).got[0].receipt
            said = await terminal.run("push", "why", "--user", "user0", "--message", message)
            assert "accepted" in said
            assert "apns" in said
            assert (await why(terminal, "author", message))["why"] == "own_message"
            refused = await terminal.run("push", "why", "--user", "nobody", "--message", message, fails=True)
            assert "6001" in refused


@pytest.mark.timeout(180)
async def test_through_the_relay_which_came_late(tmp_path: Path) -> None:
    """The line is down when the message is there: it rings once the relay is."""
    data = tmp_path / "data"
    async with town(tmp_path) as found:
        message = await fill(data, found)
        async with relay_process(tmp_path / "r", found) as relay:
            port, closed = relay.port, relay.closed
        settings = (
            f'push = "relay"\npush_relay = "127.0.0.1:{port}"\npush_relay_keys = "{closed}"\npush_contact = "{CONTACT}"\n'
            f'push_web_hosts = ["{found.web_push.host}"]\npush_unified_hosts = ["{found.ntfy.host}"]\n'
        )
        terminal = Terminal(tmp_path / "home", data)
        async with server_process(data, tmp_path, settings=settings) as server:
            told = await why(terminal, "user0", message)
            while not told["devices"] or told["devices"][0]["tries"] < 1:
                told = await why(terminal, "user0", message)
            assert told["devices"][0]["state"] in ("waiting", "sending")
            async with relay_process(tmp_path / "r", found, port):
                await rung(found)
                await why(terminal, "user0", message, "accepted")
                async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{server.ports['lgwan']}") as client:
                    assert "renraku_push_relay_up 1.0" in (await client.get("/metrics")).text


@pytest.mark.timeout(120)
async def test_off(tmp_path: Path) -> None:
    data = tmp_path / "data"
    async with town(tmp_path) as found:
        message = await fill(data, found)
        terminal = Terminal(tmp_path / "home", data)
        async with server_process(data, tmp_path):
            told = await why(terminal, "user0", message)
            assert (told["why"], told["devices"]) == ("off", [])
        assert all(found.book(platform).requests == 0 for platform in PLATFORMS)
        assert not (data / "push.db").exists()
