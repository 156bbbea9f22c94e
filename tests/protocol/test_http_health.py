"""Alive, ready, counted."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Any

import pytest

from chat_server.http import health
from chat_server.ports import Tx
from tests.support.api import code_of
from tests.support.engines import held
from tests.support.patience import DEADLINE
from tests.support.server import RunningServer

pytestmark = pytest.mark.asyncio(loop_scope="module")
BOTH_ENGINES = True


async def test_alive_and_ready(server: RunningServer) -> None:
    async with server.client() as client:
        assert (await client.get("/healthz")).json()["status"] == "alive"
        assert (await client.get("/readyz")).json() == {"status": "ready"}
        assert (await client.head("/readyz")).status_code == 200


async def test_not_ready_while_the_database_is_held(server: RunningServer) -> None:
    async with server.client() as client:
        async with held(server.app.settings.folder):
            busy = await client.get("/readyz")
            assert (busy.status_code, code_of(busy)) == (503, 8001)
            assert int(busy.headers["retry-after"]) > 0
            assert (await client.get("/healthz")).status_code == 200
        # The probe that began while it was held may still fail; the next one finds the database free.
        async with asyncio.timeout(DEADLINE):
            while (await client.get("/readyz")).status_code != 200:
                pass


async def test_not_ready_on_a_full_disk(server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "FREE_BYTES", 1 << 62)
    async with server.client() as client:
        full = await client.get("/readyz")
    assert (full.status_code, code_of(full)) == (507, 8002)


async def test_not_ready_while_draining(server: RunningServer) -> None:
    server.app.draining = True
    try:
        async with server.client() as client:
            assert code_of(await client.get("/readyz")) == 8004
            told = await client.get("/healthz")
            assert (told.status_code, told.json()["status"]) == (200, "draining")
    finally:
        server.app.draining = False


@pytest.mark.parametrize(
    "headers",
    [{"X-Forwarded-For": "203.0.113.9"}, {"Forwarded": "for=203.0.113.9"}, {"Via": "1.1 proxy"}],
    ids=lambda headers: next(iter(headers)),
)
async def test_numbers_are_not_for_those_behind_a_proxy(server: RunningServer, headers: Mapping[str, Any]) -> None:
    async with server.client() as client:
        assert code_of(await client.get("/metrics", headers=headers)) == 2007


async def test_numbers_tell_what_waits_and_for_how_long(server: RunningServer) -> None:
    storage = server.app.storage

    async def stuck(tx: Tx) -> None:
        await tx.run("DELETE FROM outbox")
        await tx.run("INSERT INTO organizations (public_id, code, name, created_at) VALUES ('o', 'o', 'o', 1)")
        row = await tx.one("SELECT max(id) FROM organizations")
        assert row is not None
        await tx.run(
            "INSERT INTO outbox (org_id, kind, at, parked_at) VALUES (?, 'message', ?, ?)", row[0], 1, tx.now - 90_000
        )

    await storage.write(stuck)
    async with server.client() as client:
        text = (await client.get("/metrics")).text
    assert re.search(r'^renraku_waiting\{what="outbox_parked"\} 1\.0$', text, re.M)
    since = re.search(r'^renraku_waiting_seconds\{what="outbox_parked"\} ([0-9.]+)$', text, re.M)
    assert since is not None
    assert 90 <= float(since[1]) < 120
    for what in ("outbox", "search", "bots", "webhooks", "scheduled"):
        assert f'renraku_waiting{{what="{what}"}}' in text


async def test_numbers_are_by_template(server: RunningServer) -> None:
    async with server.client() as client:
        await client.get("/api/rooms/" + "0" * 26)
        await client.get("/a-strangers-path")
        text = (await client.get("/metrics")).text
    assert 'renraku_http_requests_total{method="GET",route="/api/rooms/{room}",status="401"}' in text
    assert "strangers" not in text
    assert "0" * 26 not in text
