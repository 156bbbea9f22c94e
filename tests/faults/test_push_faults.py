"""Twenty thousand pushes by the real providers' protocols, which fail in every way, with a server that is killed twice in the
middle: each is accounted for, none overtakes another of its device and room, and only what nobody can know the answer of goes
twice.

Decided are 8,000 for Apple's phones and 4,000 for those of each other platform. More than a third gives way to a newer message before
it goes; with what goes again, the queue hands some 6,700 tries to Apple's client and 3,100 to each of the others.
"""

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
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from chat_server.app import App
from chat_server.config import Settings
from chat_server.services.keys import WEB_PUSH
from mobile_api.ledger import looking
from mobile_api.ledger.port import ACCEPTED, INVALID, REFUSED
from mobile_api.ledger.sqlite import FILE
from mobile_api.providers.port import PLATFORMS, Platform
from mobile_api.providers.vapid import public_key
from mobile_api.push.engine import AT_ONCE
from tests.support.patience import DEADLINE
from tests.support.push.crowd import Crowd, crowd
from tests.support.push.script import ACCEPT, Behaviour, Journal, Tried
from tests.support.push.town import Town, town

PEOPLE: Final[dict[Platform, int]] = {"apns": 80, "fcm": 40, "web_push": 40, "unified": 40}
ROOMS, AGAIN = 50, 15
LIVELY = 20
"""Messages that come in one room one after the other, while those before are under way: what waits would only give way."""
POSTS = ROOMS + 2 * AGAIN + LIVELY
PUSHES = sum(PEOPLE.values()) * POSTS
KILLS = (2_500, 5_000)
SHUT = 6_500
"""After so many tries."""
PUT_OFF = 50
"""So many tries of each platform must be refused a connection before there is one again."""
ENDS = 250
"""Every so many requests, Apple ends its connection, with all that is under way on it: a hundred pushes or so."""
MEMORY = 24 * 1024 * 1024
"""Bytes that a process may hold more at its end than when it was at work for a second: parcels come and go by the hundred."""
LIVELY_FROM = 100
"""With so few waiting, a new push goes at once."""
UNDER_WAY = 1_000
"""The most that a killed process may have had under way or answered and not yet kept."""

DEAD: Final[dict[Platform, tuple[Behaviour, ...]]] = {
    # Apple says since when, which must be after the device registered.
    "apns": (
        Behaviour(status=410, reason="Unregistered", timestamp=int(time.time() * 1000) + 3_600_000),
        Behaviour(status=400, reason="BadDeviceToken"),
    )
    * 3,
    "fcm": (Behaviour(status=404, reason="UNREGISTERED"),) * 2,
    "web_push": (Behaviour(status=410), Behaviour(status=404)),
    "unified": (Behaviour(status=410), Behaviour(status=404)),
}
"""Of the first devices of each platform: they always say so."""
TOO_LARGE: Final[dict[Platform, Behaviour]] = {
    "apns": Behaviour(status=413, reason="PayloadTooLarge"),
    "fcm": Behaviour(status=400, reason="INVALID_ARGUMENT"),
    "web_push": Behaviour(status=413),
    "unified": Behaviour(status=413, body=b'{"code":41301,"http":413,"error":"message too large"}'),
}


@dataclass
class Bad:
    """A twentieth of all tries for each way to fail by itself."""

    platform: Platform
    chance: random.Random = field(default_factory=lambda: random.Random(7))
    asked: int = 0

    def rule(self, token: str) -> Behaviour:
        self.asked += 1
        apple = self.platform == "apns"
        if apple and self.asked % ENDS == 0:
            return Behaviour("cut" if self.asked % (2 * ENDS) else "goaway")
        draw = self.chance.randrange(20)
        if draw == 0:
            return Behaviour(status=429, reason="TooManyRequests", headers={"retry-after": "1"})
        if draw == 1:
            # Slow as well, so that there is a newer one for the same device and room before this one goes again.
            return Behaviour(status=500, reason="InternalServerError", slow=0.5)
        if draw == 2:  # the one push alone, whether or not it was taken
            return Behaviour("reset" if apple else "cut", takes=self.chance.random() < 0.5)
        if draw == 3:
            return Behaviour(slow=0.5)
        if draw == 4:
            return TOO_LARGE[self.platform]
        if draw == 5 and apple:
            return Behaviour("refuse_stream")
        return ACCEPT


def outcome(tried: Tried) -> str:
    """What the answer comes to: `later` also where there was none."""
    if not tried.answered:
        return "later"
    status = tried.behaviour.status
    if status == 200:
        return "accepted"
    if status in (404, 410) or tried.behaviour.reason == "BadDeviceToken":
        return "invalid"
    return "refused" if status in (400, 413) else "later"


@dataclass
class Carrier:
    """The process, and what it said of itself."""

    process: asyncio.subprocess.Process
    said: list[dict[str, Any]] = field(default_factory=list)

    async def until(self, enough: Callable[[dict[str, Any]], bool]) -> None:
        assert self.process.stdout is not None
        while line := await self.process.stdout.readline():
            if not line.startswith(b"{"):
                continue  # the log
            self.said.append(json.loads(line))
            if enough(self.said[-1]):
                return
        raise AssertionError("it ended by itself")

    async def lively(self, room: str) -> None:
        assert self.process.stdin is not None
        await self.until(lambda now: now["left"] < LIVELY_FROM)
        for number in range(1, LIVELY + 1):
            self.process.stdin.write(f"{room}\n".encode())
            while self.said[-1]["posted"] < number:
                await self.until(lambda _: True)

    async def put_off(self) -> None:
        """Until pushes of every platform were tried in vain often enough."""
        await self.until(lambda _: True)
        before = self.said[-1]["later"]
        await self.until(lambda now: all(now["later"][name] >= before[name] + PUT_OFF for name in PLATFORMS))


@contextlib.asynccontextmanager
async def carrier(settings: Path, author: Path) -> AsyncIterator[Carrier]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.support.push.carrier", str(settings), str(author),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        yield Carrier(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@pytest.mark.timeout(300)
async def test_twenty_thousand_pushes_and_two_kills(tmp_path: Path) -> None:
    journal, killed = Journal(), list[float]()
    async with town(tmp_path) as found:
        data, settings = tmp_path / "data", tmp_path / "settings.json"
        settings.write_text(json.dumps({"data": str(data), "push": "direct", **found.values}), encoding="utf-8")
        author = tmp_path / "author.json"
        everybody = await fill(data, found)
        author.write_bytes(msgspec.json.encode(everybody.author))
        for platform in PLATFORMS:
            found.book(platform).journal = journal
            found.script(platform).rule = Bad(platform).rule
        for number in KILLS:
            async with carrier(settings, author) as one:
                await reach(journal, one, number)
                one.process.send_signal(signal.SIGKILL)
                killed.append(time.monotonic())
                await one.process.wait()
        async with carrier(settings, author) as last:
            await reach(journal, last, SHUT)
            async with asyncio.timeout(DEADLINE):
                for platform in PLATFORMS:
                    await found.door(platform).shut()
                await last.put_off()
                for platform in PLATFORMS:
                    await found.door(platform).open()
            async with asyncio.timeout(2 * DEADLINE):
                await last.lively(next(iter(everybody.rooms)))
                await last.until(lambda now: now["left"] == 0)
        check_memory(last.said)
        check_tokens(data, found)
    tries = Tries(journal.tried, killed)
    check_faults(tries)
    check_accounts(data, tries)
    check_order(data, tries)
    check_twice(tries, len(KILLS))


async def reach(journal: Journal, one: Carrier, number: int) -> None:
    """What the process says is read meanwhile, or it would stand still at a full pipe."""
    coming = asyncio.create_task(journal.until(number))
    reading = asyncio.create_task(one.until(lambda _: False))
    async with asyncio.timeout(2 * DEADLINE):
        await asyncio.wait({coming, reading}, return_when=asyncio.FIRST_COMPLETED)
    assert coming.done(), "it ended by itself"
    reading.cancel()
    await asyncio.wait({reading})


async def fill(folder: Path, found: Town) -> Crowd:
    """Everything is committed before the first server runs: its outbox holds it."""
    app = await App.open(Settings(data=str(folder)), workers=False)
    try:
        found.web_push.public_key = public_key(app.keys.current(WEB_PUSH).secret)
        people = [platform for platform, number in PEOPLE.items() for _ in range(number)]
        everybody = await crowd(app, len(people), ROOMS, token=lambda n: found.new_token(people[n], n))
        first = 0
        for platform, number in PEOPLE.items():
            for device, behaviour in enumerate(DEAD[platform], first):
                found.script(platform).by_token[found.name(device)] = behaviour
            first += number
        rooms = list(everybody.rooms)
        for room in (*rooms, *rooms[:AGAIN], *rooms[:AGAIN]):
            await everybody.post(room)
        return everybody
    finally:
        await app.close()


class Tries:
    """What came to the providers. `killed`: when our process was."""

    def __init__(self, tried: list[Tried], killed: list[float]) -> None:
        self._tried, self._killed = tried, killed

    def __iter__(self) -> Iterator[tuple[str, str, Tried]]:
        """(the parcel's id, its collapse key, the try), in the order of their coming."""
        for tried in self._tried:
            payload, headers = tried.push.payload, tried.push.headers
            if "data" in payload:
                yield payload["data"]["id"], payload["data"]["collapse"], tried
            else:
                yield payload["id"], headers.get("apns-collapse-id") or headers["topic"], tried

    def lost(self, tried: Tried) -> bool:
        """Whether the answer may not have reached our ledger: our process was killed, or the line was cut at once after it. We
        read what comes on a line in its order, so behind an answer that was not read there are no more requests than we have
        under way."""
        at_once = AT_ONCE if "apns-id" in tried.push.headers else 1
        return self.near_kill(tried) or (tried.line.cut and tried.line.came - tried.number < at_once)

    def near_kill(self, tried: Tried) -> bool:
        return any(at - 5 < tried.at < at + 1 for at in self._killed)


def rows(folder: Path, file: str, sql: str) -> list[Any]:
    with contextlib.closing(sqlite3.connect(folder / file)) as db:
        return db.execute(sql).fetchall()


def check_faults(tries: Tries) -> None:
    """That there was something to stand."""
    made: Counter[tuple[str, int, bool]] = Counter()
    for _, _, tried in tries:
        made[tried.behaviour.kind, tried.behaviour.status, tried.behaviour.slow > 0] += 1
    for one in (("answer", 429, False), ("answer", 500, True), ("answer", 413, False), ("answer", 200, True)):
        assert made[one] > 300, made
    for kind in ("reset", "refuse_stream", "cut"):
        assert made[kind, 200, False] > 200, made
    assert made["goaway", 200, False] > 5, made


def check_memory(said: list[dict[str, Any]]) -> None:
    """A process's start is not counted; what grows with the work would go on growing."""
    working = [one["memory"] for one in said[10:]]
    assert max(working) - working[0] < MEMORY, working[:: max(1, len(working) // 20)]


def check_accounts(folder: Path, tries: Tries) -> None:
    """Every push that was decided has an end, and an end that is what the provider said."""
    nowhere = sum(
        len(looking.unpack_all(quiet).get("no_device", []))
        for (quiet,) in rows(folder, FILE, "SELECT quiet FROM handed")
    )
    states = dict(rows(folder, FILE, "SELECT state, count(*) FROM parcels WHERE kind = 'ring' GROUP BY state"))
    assert sum(states.values()) + nowhere == PUSHES, states
    assert all(state >= 10 for state in states), states
    assert rows(folder, FILE, "SELECT count(*) FROM handed") == [(POSTS,)]
    once = "SELECT count(*) FROM (SELECT 1 FROM parcels WHERE kind = 'ring' GROUP BY message_id, user_id)"
    assert rows(folder, FILE, once) == [(sum(states.values()),)]
    answers: dict[str, set[str]] = defaultdict(set)
    kept: set[str] = set()
    for public_id, _, tried in tries:
        answers[public_id].add(outcome(tried))
        if outcome(tried) == "accepted" and not tries.lost(tried):
            kept.add(public_id)
    names = {ACCEPTED: "accepted", INVALID: "invalid", REFUSED: "refused"}
    ended: Counter[tuple[str, str]] = Counter()
    for public_id, state, lane in rows(folder, FILE, "SELECT public_id, state, lane FROM parcels WHERE kind = 'ring'"):
        if state in names:
            ended[lane.partition(":")[0], names[state]] += 1
            assert names[state] in answers[public_id]
        assert state == ACCEPTED or public_id not in kept
    for platform, people in PEOPLE.items():
        assert ended[platform, "accepted"] > people * ROOMS * 0.7, ended
        assert ended[platform, "refused"] > people, ended
        assert ended[platform, "invalid"] >= len(DEAD[platform]), ended
    assert len(list(tries)) > sum(PEOPLE.values()) * ROOMS


def check_order(folder: Path, tries: Tries) -> None:
    of = {
        row[0]: (row[1:3], row[3])
        for row in rows(folder, FILE, "SELECT public_id, device_id, room_id, seq FROM parcels")
    }
    latest: dict[object, int] = {}
    keys: dict[object, str] = {}
    for public_id, collapse, _ in tries:
        place, seq = of[public_id]
        assert seq >= latest.get(place, 0), f"{public_id} was overtaken"
        latest[place] = seq
        assert keys.setdefault(place, collapse) == collapse
    assert len(set(keys.values())) == len(keys)


def check_twice(tries: Tries, kills: int) -> None:
    """Once accepted, a push comes again only if the answer may have been lost on its way into the ledger."""
    accepted: dict[str, Tried] = {}
    twice = []
    for public_id, _, tried in tries:
        if (before := accepted.get(public_id)) is not None:
            assert tries.lost(before), f"{public_id} was accepted and came again"
            twice.append(before)
        if outcome(tried) == "accepted":
            accepted[public_id] = tried
    assert sum(tries.near_kill(tried) for tried in twice) <= UNDER_WAY * kills


def check_tokens(folder: Path, found: Town) -> None:
    dropped = dict(
        rows(folder, "renraku.db", "SELECT token, dropped_why FROM push_tokens WHERE dropped_at IS NOT NULL")
    )
    first = 0
    for platform, number in PEOPLE.items():
        for device, behaviour in enumerate(DEAD[platform], first):
            said = f"{behaviour.status} {behaviour.reason}".strip()
            assert dropped.pop(found.new_token(platform, device).token) == said
        first += number
    assert dropped == {}, "the others' are as good as before"
