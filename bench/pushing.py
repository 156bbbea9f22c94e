"""Pushes: what working out a message for a large room costs, how soon a phone is reached, and whether an ack notices any of it.

The provider is a plain socket (`tests/support/push/lines.py`), but where Apple's own protocol is what is measured: all else is ours.
"""

from __future__ import annotations

import asyncio
import ssl
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from bench import push_provider
from bench.plan import Plan
from bench.processes import BUILD, LOAD_CORE, BenchError, first_line, start_python
from bench.report import Figure, figure, spread
from chat_server.app import App
from chat_server.config import Settings
from chat_server.services import push_expanding
from mobile_api.ledger.looking import pack
from mobile_api.ledger.opening import open_ledger
from mobile_api.ledger.port import Handed
from mobile_api.providers.apns import Apns, Apple
from mobile_api.providers.apns_token import SharedToken
from mobile_api.providers.port import Outcome
from mobile_api.push.engine import AT_ONCE
from mobile_api.push.handing import orders_of
from tests.support.push.apns import KEY_ID, TEAM, TOPIC
from tests.support.push.crowd import Crowd, crowd
from tests.support.push.lines import LineProvider, Wire, line_server
from tests.support.push.parcels import parcel

MEMBERS: Final = 1_000
SMALL: Final = 20
TIMES: Final = 20
PUSHES: Final = 5_000
SEALED: Final = 512
"""Bytes: the smallest that a message is filled up to."""
_SECONDS: Final = 4
_SETTLE: Final = 0.4
"""Seconds between two messages where rest is measured: the outbox joins what comes closer together."""


def run(plan: Plan) -> list[Figure]:
    """`push.*`"""
    BUILD.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=BUILD) as name:
        return asyncio.run(_measured(Path(name), plan))


async def _measured(folder: Path, plan: Plan) -> list[Figure]:
    expanded, handed = await _expanding(folder / "expanding")
    both = [one + other for one, other in zip(expanded, handed, strict=True)]
    latencies = await _latency(folder / "latency")
    with_, without = await _acks(folder, plan.rounds)
    ratio = statistics.median(a / b for a, b in zip(with_, without, strict=True))
    rates = await _apple(folder, plan.rounds)
    return [
        figure(
            "push.apns_per_second",
            statistics.median(rates),
            "/s",
            f"{PUSHES:,} pushes with {SEALED} sealed bytes through aioapns' connection to the tests' Apple (TLS, HTTP/2, in a process of"
            f" its own), {AT_ONCE} at once, on one connection: {spread(rates, 0)} a second in {plan.rounds} rounds.",
        ),
        figure(
            "push.expand_ms",
            statistics.median(both),
            "ms",
            f"A message that calls all of {MEMBERS:,} members, each with a device: whom it wakes {spread(expanded, 1)} ms, into"
            f" the queue and on the disk {spread(handed, 1)} ms; {TIMES} times.",
        ),
        figure(
            "push.p95_ms",
            _p95(latencies),
            "ms",
            f"From the commit to the provider's socket, at rest, in a room of {SMALL}: {spread(latencies, 0)} ms, {TIMES * 5} times.",
        ),
        figure(
            "push.ack_ratio",
            ratio,
            "×",
            f"Acks of somebody who posts in a room of one, one in flight, while each second a message calls {MEMBERS:,} members"
            f" elsewhere: the median took {spread(with_, 2)} ms with pushes and {spread(without, 2)} ms without;"
            f" {plan.rounds} alternating rounds of {_SECONDS} s, sender and server in one process, the provider in another.",
        ),
    ]


def _p95(times: Sequence[float]) -> float:
    return sorted(times)[min(len(times) - 1, int(len(times) * 0.95))]


async def _expanding(folder: Path) -> tuple[list[float], list[float]]:
    """Milliseconds for the decisions, and for the queue."""
    app = await App.open(Settings(data=str(folder)), workers=False)
    ledger = await open_ledger(None, folder, app.fuse)
    expanded, handed = [], []
    try:
        await ledger.belong("bench")
        everybody = await crowd(app, MEMBERS, 1)
        ((room, room_id),) = everybody.rooms.items()
        for seq in range(1, TIMES + 1):
            await everybody.post(room)
            begun = time.perf_counter()
            expand = partial(
                push_expanding.expand, places=[(room_id, seq)], looking=lambda room: (), most_trusted="lgwan"
            )
            (found,) = await app.storage.read(expand)
            middle = time.perf_counter()
            orders = orders_of(found, 1)
            message = found.message
            entry = Handed(message.id, message.org_id, message.room_id, message.seq, pack(found.quiet))
            await ledger.hand_over(entry, orders, 1)
            handed.append((time.perf_counter() - middle) * 1000)
            expanded.append((middle - begun) * 1000)
    finally:
        await ledger.close()
        await app.close()
    return expanded, handed


class _Arrivals:
    """When the first push of a message came."""

    def __init__(self) -> None:
        self.at = 0.0
        self.came = asyncio.Event()

    async def answer(self, parcel: Wire) -> Wire:
        if not self.came.is_set():
            self.at = time.perf_counter()
            self.came.set()
        return {"outcome": "accepted", "reason": "200"}


async def _latency(folder: Path) -> list[float]:
    arrivals = _Arrivals()
    times: list[float] = []
    async with line_server(arrivals.answer) as provider:
        app = await _open(folder, provider.port)
        try:
            everybody = await crowd(app, SMALL, 1)
            (room,) = everybody.rooms
            for _ in range(TIMES * 5):
                await asyncio.sleep(_SETTLE)
                arrivals.came.clear()
                await everybody.post(room)
                begun = time.perf_counter()
                async with asyncio.timeout(30):
                    await arrivals.came.wait()
                times.append(max(0.0, arrivals.at - begun) * 1000)
        finally:
            await app.close()
    return times


async def _apple(folder: Path, rounds: int) -> list[float]:
    """Pushes a second in each round. Raises `BenchError` if one was not accepted, or there was another connection."""
    place = folder / "apple"
    place.mkdir()
    apple = start_python("bench.push_provider", "apns", str(place), core=LOAD_CORE, stdout=subprocess.PIPE)
    rates = []
    try:
        port = int(await asyncio.to_thread(first_line, apple, "Apple"))
        tls = ssl.create_default_context(cafile=str(place / "ca.pem"))
        tls.set_alpn_protocols(["h2"])
        token = SharedToken((place / push_provider.KEY).read_text(), KEY_ID, TEAM)
        provider = Apns(Apple(token, TOPIC, ("localhost", port), tls))
        refused: list[str] = []

        async def carry(numbers: Iterator[int]) -> None:
            for number in numbers:
                answer = await provider.send(parcel("apns", f"{number:064x}", sealed=bytes(SEALED)))
                if answer.outcome is not Outcome.ACCEPTED:
                    refused.append(answer.reason)

        for _ in range(rounds):
            numbers, begun = iter(range(PUSHES)), time.perf_counter()
            await asyncio.gather(*(carry(numbers) for _ in range(AT_ONCE)))
            rates.append(PUSHES / (time.perf_counter() - begun))
        await provider.close()
    finally:
        apple.kill()
        await asyncio.to_thread(apple.communicate)
    if refused:
        raise BenchError(f"Apple refused {len(refused)} pushes: {refused[0]}")
    return rates


async def _acks(folder: Path, rounds: int) -> tuple[list[float], list[float]]:
    """Median milliseconds of an ack in each round, with pushes and without."""
    with_, without = [], []
    provider = start_python("bench.push_provider", core=LOAD_CORE, stdout=subprocess.PIPE)
    try:
        port = int(await asyncio.to_thread(first_line, provider, "the provider"))
        for number in range(rounds):
            with_.append(await _round(folder / f"with-{number}", port))
            without.append(await _round(folder / f"without-{number}", None))
    finally:
        provider.kill()
        await asyncio.to_thread(provider.communicate)
    return with_, without


async def _round(folder: Path, port: int | None) -> float:
    app = await _open(folder, port)
    try:
        everybody, alone = await crowd(app, MEMBERS, 1), await crowd(app, 0, 1, "kazamihara")
        calling = asyncio.create_task(_call(everybody))
        times = []
        until = time.perf_counter() + _SECONDS
        while time.perf_counter() < until:
            times.append(await _ack(alone))
            await asyncio.sleep(0.005)
        calling.cancel()
        return statistics.median(times)
    finally:
        await app.close()


async def _call(everybody: Crowd) -> None:
    (room,) = everybody.rooms
    while True:
        await everybody.post(room)
        await asyncio.sleep(1)


async def _ack(alone: Crowd) -> float:
    (room,) = alone.rooms
    begun = time.perf_counter()
    await alone.post(room)
    return (time.perf_counter() - begun) * 1000


async def _open(folder: Path, port: int | None) -> App:
    providers: Any = None if port is None else {"fcm": LineProvider("fcm", port)}
    return await App.open(Settings(data=str(folder)), providers=providers)
