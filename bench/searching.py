"""How soon what was posted is found, over HTTP, on a server at rest."""

from __future__ import annotations

import json
import time
import urllib.request
from pathlib import Path
from typing import Any, Final

from bench import servers
from bench.plan import Plan
from bench.processes import BenchError
from bench.report import Figure, figure, spread

POSTS: Final = 40
_MOST: Final = 10.0
"""Seconds after which it counts as lost."""


def freshness(folder: Path, plan: Plan) -> Figure:
    """`search.freshness_ms`"""
    data = servers.seeded(folder, "senders", 1)
    token, room = (data / "clients.txt").read_text().split()
    with servers.renraku(data, core=None) as server:
        base = f"http://127.0.0.1:{server.port}"
        times = [_found_after(base, token, room, f"合言葉{number}番目") for number in range(POSTS)]
    how = (
        f"From the answer to a post until a search finds it, asked every few milliseconds, {POSTS} times:"
        f" {spread(times, 0)} ms; the figure is the slowest."
    )
    return figure("search.freshness_ms", max(times), "ms", how)


def _found_after(base: str, token: str, room: str, words: str) -> float:
    body = {"client_msg_id": f"fresh-{time.time_ns()}", "blocks": [{"type": "text", "text": words}]}
    _call(base, token, f"/api/rooms/{room}/messages", body)
    begun = time.perf_counter()
    while not _call(base, token, "/api/search", {"words": words})["items"]:
        if time.perf_counter() - begun > _MOST:
            raise BenchError("what was posted is not found")
        time.sleep(0.005)
    return (time.perf_counter() - begun) * 1000


def _call(base: str, token: str, path: str, body: Any) -> Any:
    request = urllib.request.Request(  # noqa: S310 (our own server)
        base + path,
        json.dumps(body).encode(),
        {"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        return json.load(answer)
