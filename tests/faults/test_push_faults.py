"""Ten thousand pushes through a provider that fails in every way, with a server that is killed twice in the middle: each is
accounted for, none overtakes another of its device and room, and only what nobody can know the answer of goes twice."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import signal
import sqlite3
import sys
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from chat_server.app import App
from chat_server.config import Settings
from mobile_api.ledger import looking
from mobile_api.ledger.sqlite import FILE
from tests.support.push.crowd import crowd
from tests.support.push.lines import CUT, LineServer, Wire, line_server

PEOPLE, ROOMS, AGAIN = 200, 50, 15
PUSHES = PEOPLE * (ROOMS + 2 * AGAIN)
DEAD = {f"token-{number}" for number in range(PEOPLE // 20)}
KILLS = (3_000, 6_000)
"""After so many answers."""
MEMORY = 24 * 1024 * 1024
"""Bytes that a process may hold more at its end than when it was at work for a second: parcels come and go by the hundred."""
UNDER_WAY = 1_000
"""The most that a killed process may have had under way or answered and not yet kept."""


@dataclass
class Bad:
    """A twentieth of all tries for each way to fail; dead tokens always say so."""

    chance: random.Random = field(default_factory=lambda: random.Random(7))

    async def answer(self, parcel: Wire) -> Wire:
        parcel["at"] = time.monotonic()
        if parcel["token"] in DEAD:
            return {"outcome": "invalid", "reason": "410 Unregistered"}
        draw = self.chance.randrange(20)
        if draw == 0:
            return {"outcome": "later", "reason": "429 TooManyRequests", "retry_after": 0.5}
        if draw == 1:
            return {"outcome": "later", "reason": "500 InternalServerError"}
        if draw == 2:
            return CUT
        if draw == 3:
            await asyncio.sleep(0.5)  # slow: what is tested, no waiting for something
        if draw == 4:
            return {"outcome": "refused", "reason": "413 PayloadTooLarge"}
        if draw == 5:
            return {"outcome": "unknown", "reason": "GOAWAY"}
        return {"outcome": "accepted", "reason": "200", "receipt": parcel["id"][-6:]}


@dataclass
class Carrier:
    """The process, and what it said of itself."""

    process: asyncio.subprocess.Process
    said: list[dict[str, int]] = field(default_factory=list)

    async def until_idle(self) -> None:
        assert self.process.stdout is not None
        while line := await self.process.stdout.readline():
            if not line.startswith(b"{"):
                continue  # the log
            self.said.append(json.loads(line))
            if self.said[-1]["left"] == 0:
                return
        raise AssertionError("it ended by itself")


@contextlib.asynccontextmanager
async def carrier(folder: Path, port: int) -> AsyncIterator[Carrier]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.support.push.carrier", str(folder), str(port), stdout=asyncio.subprocess.PIPE
    )
    try:
        yield Carrier(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@pytest.mark.timeout(180)
async def test_ten_thousand_pushes_and_two_kills(tmp_path: Path) -> None:
    await fill(tmp_path)
    killed: list[float] = []
    async with line_server(Bad().answer) as provider:
        for number in KILLS:
            async with carrier(tmp_path, provider.port) as one:
                await provider.until(number, 60)
                one.process.send_signal(signal.SIGKILL)
                killed.append(time.monotonic())
                await one.process.wait()
        async with carrier(tmp_path, provider.port) as last:
            async with asyncio.timeout(90):
                await last.until_idle()
    check_memory(last.said)
    check_accounts(tmp_path, provider)
    check_order(tmp_path, provider)
    check_twice(provider, killed)
    check_tokens(tmp_path)


async def fill(folder: Path) -> None:
    """Everything is committed before the first server runs: its outbox holds it."""
    app = await App.open(Settings(data=str(folder)), workers=False)
    try:
        everybody = await crowd(app, PEOPLE, ROOMS)
        rooms = list(everybody.rooms)
        for room in (*rooms, *rooms[:AGAIN], *rooms[:AGAIN]):
            await everybody.post(room)
    finally:
        await app.close()


def rows(folder: Path, file: str, sql: str) -> list[Any]:
    with contextlib.closing(sqlite3.connect(folder / file)) as db:
        return db.execute(sql).fetchall()


def check_memory(said: list[dict[str, int]]) -> None:
    """A process's start is not counted; what grows with the work would go on growing."""
    working = [one["memory"] for one in said[10:]]
    assert max(working) - working[0] < MEMORY, working[:: max(1, len(working) // 20)]


def check_accounts(folder: Path, provider: LineServer) -> None:
    """Every push that was decided has an end, and an end that is what the provider said."""
    nowhere = sum(
        len(looking.unpack_all(quiet).get("no_device", []))
        for (quiet,) in rows(folder, FILE, "SELECT quiet FROM handed")
    )
    states = dict(rows(folder, FILE, "SELECT state, count(*) FROM parcels WHERE kind = 'ring' GROUP BY state"))
    assert sum(states.values()) + nowhere == PUSHES, states
    assert all(state >= 10 for state in states), states
    assert rows(folder, FILE, "SELECT count(*) FROM handed") == [(ROOMS + 2 * AGAIN,)]
    once = "SELECT count(*) FROM (SELECT 1 FROM parcels WHERE kind = 'ring' GROUP BY message_id, user_id)"
    assert rows(folder, FILE, once) == [(sum(states.values()),)]
    answers: dict[str, set[str]] = defaultdict(set)
    for one in provider.received:
        answers[one["id"]].add(one.get("answered", CUT).get("outcome", "cut"))
    names = {10: "accepted", 11: "invalid", 12: "refused"}
    ended: Counter[str] = Counter()
    for public_id, state in rows(folder, FILE, "SELECT public_id, state FROM parcels WHERE kind = 'ring'"):
        if state in names:
            ended[names[state]] += 1
            assert names[state] in answers[str(public_id)]
    assert ended["accepted"] > PEOPLE * ROOMS * 0.8, ended
    assert ended["refused"] > 100, ended
    assert len(provider.received) > PEOPLE * ROOMS


def check_order(folder: Path, provider: LineServer) -> None:
    of = {
        row[0]: (row[1:3], row[3])
        for row in rows(folder, FILE, "SELECT public_id, device_id, room_id, seq FROM parcels")
    }
    latest: dict[object, int] = {}
    collapse: dict[object, str] = {}
    for one in provider.received:
        place, seq = of[one["id"]]
        assert seq >= latest.get(place, 0), f"{one['id']} was overtaken"
        latest[place] = seq
        assert collapse.setdefault(place, one["collapse"]) == one["collapse"]
    assert len(set(collapse.values())) == len(collapse)


def check_twice(provider: LineServer, killed: list[float]) -> None:
    """Once accepted, a push comes again only if the process was killed before it could keep that."""
    accepted: dict[str, float] = {}
    twice = []
    for one in provider.received:
        if one["id"] in accepted:
            twice.append(accepted[one["id"]])
        if one.get("answered", {}).get("outcome") == "accepted":
            accepted[one["id"]] = one["at"]
    assert len(twice) <= UNDER_WAY * len(killed)
    assert all(any(at - 5 < accepted_at < at + 1 for at in killed) for accepted_at in twice)


def check_tokens(folder: Path) -> None:
    dropped = rows(folder, "renraku.db", "SELECT token, dropped_why FROM push_tokens WHERE dropped_at IS NOT NULL")
    assert {row[0] for row in dropped} == DEAD
    assert {row[1] for row in dropped} == {"410 Unregistered"}
