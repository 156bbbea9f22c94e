"""The room list of somebody who is in many rooms: the first thing that a client asks for."""

from __future__ import annotations

import http.client
import json
import statistics
import time
from typing import Final

from bench import servers
from bench.plan import Plan
from bench.processes import LOAD_CORE, BenchError, on_core
from bench.report import Figure, figure
from bench.seed import ROOM_MEMBERS

ROOMS: Final = 200
ASKED: Final = 200


def run(plan: Plan) -> list[Figure]:
    """`rooms.*`"""
    with servers.work_folder() as folder:
        data = servers.seeded(folder, "room_list", ROOMS)
        token = (data / "clients.txt").read_text().split()[0]
        with servers.renraku(data) as server:
            server.settle()
            with on_core(LOAD_CORE):
                times, size = _ask(server.port, token)
    times.sort()
    middle, late = statistics.median(times), times[int(len(times) * 0.95)]
    how = (
        f"GET /api/rooms of somebody in {ROOMS} rooms of {ROOM_MEMBERS} members with 30 unread messages each, {size}"
        f" bytes, over HTTP on one connection, {ASKED} times: median {middle:.1f} ms, 95th percentile {late:.1f} ms."
    )
    return [figure("rooms.list_ms", middle, "ms", how)]


def _ask(port: int, token: str) -> tuple[list[float], int]:
    """Milliseconds of each answer, and its size."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    times, size = [], 0
    for _ in range(ASKED):
        begun = time.perf_counter()
        connection.request("GET", "/api/rooms", headers={"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        body = answer.read()
        times.append((time.perf_counter() - begun) * 1000)
        if answer.status != 200 or len(json.loads(body)) != ROOMS:
            raise BenchError(f"GET /api/rooms answered {answer.status}: {body[:200]!r}")
        size = len(body)
    connection.close()
    return times[10:], size
